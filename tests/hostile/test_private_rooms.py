"""A private room that somebody is not in is answered, byte for byte, as one that does not exist: whatever is typed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import product
from typing import Any

from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.parameters import BodyType, ChoiceType, LoginType, NameType
from chat.protocol.grammar.verbs import Verb
from chat.server.commands.table import TABLE
from tests.server.frontends.server import PASSWORD, Server, ServerCase

NAME, OTHER = "board", "zephyr"
"""What the private room is called, in one world and in the other; it has as many letters and the same number."""

GUESSES = (
    *(NAME, "#board", "@board", "BOARD", "bord", "boards"),
    *("in:board fox", "fox in:board", "board on", "board mentions", "board 20", "board hello", f"{NAME} {PASSWORD}"),
    *(f"close-room {NAME}", f"why mallory {NAME}", f"retention {NAME} 1d"),
)
"""What mallory tries, for each argument of each command."""

IDS = ("r2.1", "r2.2", "r2.3", "k2.2", "r2")
"""Messages of the private room, whose number is 2, and the room; 7 is the number of none."""

ENDS = frozenset({"logout", "quit", "account", "takeover", "login", "new", "claim", "password", "scram", "hello"})
"""Commands after which mallory is somebody else; no room is named in any."""


def _filled(verb: Verb) -> Iterator[dict[str, Any]]:
    """For each argument that a name of a room fits into, the others with something that is accepted."""
    for place in verb.parameters:
        if isinstance(place.type, (NumberType, ChoiceType)):
            continue
        others = {each.name: _sample(each.type) for each in verb.parameters if each is not place and each.required}
        if verb.name in ("room", "list"):
            yield others | {"setting": "private", "value": "on", place.name: None}
            yield others | {"what": "users", place.name: None}
        if verb.name == "set":
            others["setting"] = "quiet"
        yield others | {place.name: None}


def _sample(kind: object) -> object:
    if isinstance(kind, NumberType):
        return 1
    if isinstance(kind, ChoiceType):
        return kind.words[0]
    if isinstance(kind, NameType) and not isinstance(kind, LoginType):
        return "carol"
    return {"text": "hello"} if isinstance(kind, BodyType) else "hello"


class World:
    """A server with a private room of carol's, and mallory: in the lobby, in no room, and with a program."""

    def __init__(self, case: ServerCase, room: str) -> None:
        case.server = self.server = Server(sessions="many")
        self._case = case
        case.run_until_done(self.server.chat.start())
        case.addCleanup(lambda: case.run_until_done(self.server.chat.stop("The test is over.")))
        self.server.advance(60)
        self.carol = case.person("carol")
        self.carol.types(f"create {room} private", "the fox is here", "and there")
        assert self.server.chat.node.room_names[room].id == 2, "IDS are of that room"
        self._callers = {"netcat": case.person("mallory", "lobby"), "nowhere": case.call("text")}
        self._callers["nowhere"].types("login mallory", PASSWORD, "disconnect")
        self._callers["netcat"].types("connect lobby")
        self._program = case.program("mallory")
        self.quiet()

    def quiet(self) -> None:
        self.server.advance(5)
        for caller in (self.carol, self._program, *self._callers.values()):
            caller.wire.clear()

    def answers(self, where: str, line: str) -> str:
        """What mallory gets who types a line there."""
        self._callers[where].types(line)
        return self._callers[where].gets()

    def replies(self, verb: str, arguments: dict[str, Any]) -> str:
        """What mallory's program gets."""
        self._program.types(json.dumps({"cmd": verb, "id": 1, "args": arguments}))
        return self._program.gets()


def _verbs() -> Iterator[Verb]:
    return (verb for verb in TABLE.verbs if verb.name not in ENDS)


def _without_numbers(text: str) -> str:
    return re.sub(r"\b([rk])[27]\b", r"\1N", text)


class WhoeverIsNotInvited(ServerCase):
    """Two worlds that differ in nothing but the name of a private room; mallory tries that of the one."""

    def setUp(self) -> None:
        self.there, self.not_there = World(self, NAME), World(self, OTHER)

    def test_cannot_tell_by_a_line(self) -> None:
        """Whether it is typed in a room, with the slash or without, or in none."""
        for verb, guess in product(_verbs(), GUESSES):
            if verb.programs or verb.name == "create":
                continue
            for word in (verb.name, *verb.aliases):
                for line in (f"{word} {guess}", f"/{word} {guess}", f"/{word} carol {guess}"):
                    for where in ("netcat", "nowhere"):
                        there, not_there = (each.answers(where, line) for each in (self.there, self.not_there))
                        self.assertEqual(there, not_there, (where, line))

    def test_cannot_tell_by_a_frame(self) -> None:
        for verb, guess in product(_verbs(), GUESSES):
            for arguments in _filled(verb):
                if verb.name != "create":
                    tried = {name: guess if value is None else value for name, value in arguments.items()}
                    there, not_there = (each.replies(verb.name, tried) for each in (self.there, self.not_there))
                    self.assertEqual(there, not_there, (verb.name, tried))

    def test_cannot_tell_by_the_number_of_a_message(self) -> None:
        """Nor by that of the room: what is not readable is answered as what never was."""
        for verb, id in product(_verbs(), IDS):
            never = id.replace("2", "7", 1)
            for arguments in _filled(verb):
                real, unreal = (
                    {name: each if value is None else value for name, value in arguments.items()}
                    for each in (id, never)
                )
                there = self.there.replies(verb.name, real)
                not_there = self.not_there.replies(verb.name, unreal)
                self.assertEqual(_without_numbers(there), _without_numbers(not_there), (verb.name, real))
            for words in () if verb.programs else (id, f"{id} hello"):
                there = self.there.answers("netcat", f"/{verb.name} {words}")
                not_there = self.not_there.answers("netcat", f"/{verb.name} {words.replace(id, never)}")
                self.assertEqual(_without_numbers(there), _without_numbers(not_there), (verb.name, words))

    def test_learns_of_a_taken_name_only_that_it_is_taken(self) -> None:
        """That cannot be hidden, as no other room can have it; what has it is not said, nor how to get there."""
        self.assertEqual(self.there.answers("nowhere", f"create {NAME}"), "! That name is taken. Choose another one.\n")


class WhoeverIsInvited(ServerCase):
    def test_is_told_how_to_enter(self) -> None:
        """An invitation makes a room known, and no message of it readable."""
        world = World(self, NAME)
        world.carol.types("invite mallory")
        self.assertIn("Did you mean board?", world.answers("nowhere", "connect boards"))
        world.quiet()
        self.assertEqual(
            world.answers("nowhere", "history board"), "! You are not a member of board. Type: connect board\n"
        )
        self.assertIn("No such conversation", world.answers("nowhere", "history r2.2"))
        self.assertIn("You are in board", world.answers("nowhere", "connect board"))
        self.assertIn("the fox is here", world.answers("nowhere", "history r2.2"))
