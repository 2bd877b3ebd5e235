"""A few people do as they like, against a model that fits on a page.

The model knows who is a member of the room, who is here, who blocks whom, and from that what each has to hear: every
line once, in order. Everything that was said is in the history, whoever was here.
"""

from __future__ import annotations

from collections import defaultdict

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chat.protocol.events import History, Missed, Refused, Said
from chat.protocol.grammar.durations import Span
from chat.protocol.values import Rank, Text
from chat.server.core.rooms import LOBBY
from tests.server.core.stage import Person, Stage

_NAMES = ("ann", "bob", "carol", "dave")
_NAME = st.sampled_from(_NAMES)


def lines(missed: Missed) -> list[str]:
    entries = [entry for page in missed.pages for entry in page.entries]
    return [entry.body.text for entry in entries if isinstance(entry, Said) and isinstance(entry.body, Text)]


class SmallTown(RuleBasedStateMachine):
    """Everybody has one session; ann is an administrator, so that somebody may kick."""

    def __init__(self) -> None:
        super().__init__()
        self.stage = Stage()
        self.here: dict[str, Person] = {}
        self.members: set[str] = set()
        self.blocks: set[tuple[str, str]] = set()
        self.room_log: list[tuple[str, str]] = []
        self.to_hear: dict[str, list[str]] = defaultdict(list)
        self.unread: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self.lines = 0

    @initialize()
    def everybody_comes(self) -> None:
        for name in _NAMES:
            self.stage.account(name, Rank.ADMINISTRATOR if name == "ann" else Rank.MEMBER)
            self.log_in(name)
            self.connect(name)

    def next_line(self) -> str:
        """Words that nobody has said; two lines of one moment have no order across conversations."""
        self.lines += 1
        self.stage.clock.advance(0.01)
        return f"line {self.lines}"

    def unread_by(self, name: str) -> list[str]:
        """The private lines that wait for somebody, but for those of people now blocked."""
        return [line for author, line in self.unread[name] if (name, author) not in self.blocks]

    def ok(self, name: str, command: str, **arguments: object) -> bool:
        return not isinstance(self.here[name].does(command, **arguments), Refused)

    # coming and going

    @rule(name=_NAME)
    def log_in(self, name: str) -> None:
        if name in self.here:
            return
        person = self.here[name] = self.stage.arrives(name)
        person.does("resume")
        self.to_hear[name] = []
        missed = person.gets(Missed, "missed")
        assert missed.remaining == 0
        assert lines(missed) == self.unread_by(name)

    @rule(name=_NAME)
    def catch_up(self, name: str) -> None:
        if name in self.here:
            shown = lines(self.here[name].gets(Missed, "catchup"))
            unread = self.unread_by(name)
            assert [line for line in shown if line in unread] == unread
            self.unread[name] = [each for each in self.unread[name] if each[1] not in unread]

    @rule(name=_NAME, politely=st.booleans())
    def go(self, name: str, politely: bool) -> None:
        person = self.here.pop(name, None)
        if person is None:
            return
        self.check(name, person)
        if politely:
            person.does("logout")
        person.hangs_up()

    @rule(name=_NAME)
    def connect(self, name: str) -> None:
        if name in self.here:
            assert self.ok(name, "connect", room=LOBBY)
            self.members.add(name)

    @rule(name=_NAME)
    def disconnect(self, name: str) -> None:
        if name in self.here:
            assert self.ok(name, "disconnect", room=LOBBY) == (name in self.members)
            self.members.discard(name)

    @rule(name=_NAME, target_name=_NAME)
    def kick(self, name: str, target_name: str) -> None:
        if name not in self.here:
            return
        allowed = name == "ann" and target_name != "ann" and target_name in self.members
        assert self.ok(name, "kick", user=target_name, room=LOBBY) == allowed
        if allowed:
            self.members.discard(target_name)

    @rule(seconds=st.sampled_from([1, 40]))
    def wait(self, seconds: float) -> None:
        self.stage.pass_time(seconds)

    # talking

    @rule(name=_NAME)
    def say(self, name: str) -> None:
        if name not in self.here:
            return
        line = self.next_line()
        assert self.ok(name, "say", room=LOBBY, text=Text(line)) == (name in self.members)
        if name in self.members:
            self.room_log.append((name, line))
            for other in self.members & self.here.keys() - {name}:
                if (other, name) not in self.blocks:
                    self.to_hear[other].append(line)

    @rule(name=_NAME, other=_NAME)
    def message(self, name: str, other: str) -> None:
        if name not in self.here:
            return
        line = self.next_line()
        allowed = (other, name) not in self.blocks
        assert self.ok(name, "message", user=other, text=Text(line)) == allowed
        if allowed and other != name:
            self.unread[other].append((name, line))
            if other in self.here:
                self.to_hear[other].append(line)

    @rule(name=_NAME, other=_NAME)
    def block(self, name: str, other: str) -> None:
        if name in self.here:
            assert self.ok(name, "block", user=other) == (name != other and (name, other) not in self.blocks)
            if name != other:
                self.blocks.add((name, other))

    @rule(name=_NAME, other=_NAME)
    def unblock(self, name: str, other: str) -> None:
        if name in self.here:
            assert self.ok(name, "unblock", user=other) == ((name, other) in self.blocks)
            self.blocks.discard((name, other))

    # what has to hold at any time

    def check(self, name: str, person: Person) -> None:
        assert person.heard == self.to_hear[name], (name, person.heard, self.to_hear[name])

    @invariant()
    def everybody_hears_what_is_meant_for_them(self) -> None:
        for name, person in self.here.items():
            self.check(name, person)

    @invariant()
    def the_room_is_as_the_model_has_it(self) -> None:
        room = self.stage.room(LOBBY)
        name_of = self.stage.chat.directory.name_of
        assert {name_of(id) for id in room.members} == self.members
        assert {name_of(id) for id in room.occupants} == self.members & self.here.keys()
        assert {user.name for user in self.stage.chat.node.users.values()} == self.here.keys()

    @invariant()
    def the_history_has_every_line_in_order(self) -> None:
        for reader in self.members & self.here.keys():
            page = self.here[reader].gets(History, "history", where=LOBBY, span=Span(500))
            read = lines(Missed((page,), 0))
            assert read == [line for author, line in self.room_log if (reader, author) not in self.blocks]


TestSmallTown = SmallTown.TestCase
TestSmallTown.settings = settings(max_examples=60, stateful_step_count=50)
