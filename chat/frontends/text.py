"""The front end for people: lines of text in, lines of text out.

What a line means is decided by ``chat.grammar``, how an event looks by ``chat.wire.text``; here is the state between
them: the prompt that waits for an answer, the room one talks in, the line that was held back.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass, replace

from chat.core.perform import attempt
from chat.errors import BadText, PlainLoginRefused, TooLong
from chat.events import (
    Closing,
    Event,
    History,
    LoggedIn,
    LoggedOut,
    Missed,
    OwnSettings,
    PrivateEntry,
    Refused,
    Removed,
    Reply,
    Resumed,
    RoomEntered,
    RoomLeft,
    Said,
    SignedOut,
    StoredAs,
)
from chat.frontends.link import TOO_LONG, Link, newer
from chat.frontends.pipeline import Pipeline
from chat.frontends.receipts import Receipts
from chat.frontends.seats import BELL, Seat
from chat.frontends.telnet import HIDE, SHOW, with_line_ends
from chat.grammar.reading import Ask, Call, Context, Held, answer, ask_again, read
from chat.interfaces import IAudience
from chat.preferences import UNSET, Notify, Preferences
from chat.values import Conversation
from chat.wire.text import (
    View,
    arrival,
    greeting,
    invitation_summary,
    more_waiting,
    render,
    render_history,
    waiting_summary,
)
from chat.wire.view import notice

LINE_BYTES = 8 * 1024
"""The longest line, without its end."""

TOO_LONG_LINE = f"A line has at most {LINE_BYTES:,} bytes; this one was not read. Send it in parts."

PRIVATE_LINES = 200
"""The most private messages that are shown after login; the rest comes with ``catchup``."""


@dataclass(slots=True)
class LineState:
    """All that a line connection remembers, as plain values.

    :ivar prompt: the command whose missing part the next line is.
    :ivar prompted: whether the command that runs now was completed at a prompt.
    :ivar room: where a line that is no command is said.
    :ivar held: the line that ``!`` says.
    :ivar greeted: whether the greeting was shown.
    :ivar tipped: whether it was told that a password need not stand on the line of its login.
    """

    prompt: Ask | None = None
    prompted: bool = False
    room: Conversation | None = None
    held: Held | None = None
    greeted: bool = False
    tipped: bool = False


class TextFrontEnd:
    """One person's netcat."""

    __slots__ = (
        "_context",
        "_held_back",
        "_holds",
        "_link",
        "_pipeline",
        "_receipts",
        "_service",
        "_state",
        "outbox",
        "peer",
    )

    program = False
    most_bytes = LINE_BYTES

    def __init__(self, link: Link) -> None:
        self._link = link
        self._service = link.service
        self.outbox = link.outbox
        self.peer = link.peer
        self._state = LineState()
        self._context: Context | None = None
        self._receipts: Receipts | None = None
        self._held_back: list[Event] | None = None
        self._holds = 0
        self._pipeline = Pipeline(self)

    # bytes in

    def lines(self, lines: Sequence[object]) -> None:
        if self._receipts is not None:
            self._receipts.heard()
        self._state.greeted = True
        self._pipeline.feed(lines)

    def silent(self) -> None:
        state = self._state
        if state.greeted:
            return
        state.greeted = True
        online = len(self._service.house.users)
        host, port = self._link.tls_at or ("", None)
        self._write(greeting(self._service.settings.name, online, self.peer.encrypted, host, port))

    def input_ended(self) -> None:
        if self._receipts is not None:
            self._receipts.ended()
        self._pipeline.end()

    def finished(self) -> None:
        if self._receipts is not None:
            self._receipts.ended()

    def lost(self) -> None:
        self._pipeline.close()

    def read(self, line: object) -> Call | bytes:
        """What a line means now: a command, or what is shown at once."""
        self._end_hiding()
        if line is TOO_LONG:
            return self._unreadable(Refused(TooLong.code, TOO_LONG_LINE))
        assert isinstance(line, bytes), "a line is bytes or TOO_LONG"
        text = attempt(decode, line)
        if isinstance(text, Refused):
            return self._unreadable(text)
        state, context = self._state, self._current_context()
        ask, held = state.prompt, state.held
        state.prompt = state.held = None
        if held is not None:
            self._context = None
        state.prompted = ask is not None
        reading = attempt(read, text, context) if ask is None else attempt(answer, ask, text, context)
        if isinstance(reading, Call):
            return reading
        if reading is None:
            return b""
        if isinstance(reading, Refused):
            return self._shown(reading)
        if isinstance(reading, Ask):
            return self._ask(reading)
        state.held = reading
        self._context = None
        return self._shown(
            Refused("held", f"Not sent. Did you mean: {reading.meant} ? Type ! to say it to {context.room} anyway.")
        )

    def _unreadable(self, why: Refused) -> bytes:
        """Refuse a line without a meaning; what was asked before is asked again."""
        ask = self._state.prompt
        return self._shown(why) + (self._ask(ask) if ask is not None else b"")

    def _current_context(self) -> Context:
        context = self._context
        if context is None:
            state = self._state
            room = state.room.room if state.room is not None else None
            context = self._context = Context(
                self._service.table, self._service.directory, self._link.session.user is not None, room, state.held
            )
        return context

    def _ask(self, ask: Ask) -> bytes:
        if ask.missing.type.secret and "password" not in self._service.door.ways_in(self._link.session):
            return self._shown(Refused(PlainLoginRefused.code, PlainLoginRefused.text))
        self._state.prompt = ask
        prompt = ask.missing.prompt or ""
        if not ask.missing.type.secret:
            return self._text(f"{prompt} ")
        if self._link.telnet is None:
            return self._text(f"{prompt.rstrip(':')} (your typing is visible): ")
        self._link.telnet.hidden = True
        return self._text(f"{prompt} ") + HIDE

    def _end_hiding(self) -> None:
        """Let telnet show again what is typed; the line end of a hidden line was not shown either."""
        telnet = self._link.telnet
        if telnet is not None and telnet.hidden:
            telnet.hidden = False
            self.outbox.write(SHOW + b"\r\n")

    # commands and their replies (`chat.frontends.pipeline.Answering`)

    def perform(self, call: Call) -> Awaitable[Reply]:
        if call.verb.name == "catchup":
            self._hold_back()
        return self._link.session.perform(call.verb.name, **call.arguments)

    async def respond(self, call: Call, reply: Reply) -> bytes:
        if isinstance(reply, StoredAs) and reply.conversation.room:
            return b""  # it is on the screen already, and the others see it
        if isinstance(reply, LoggedIn):
            return await self._arrive(call, reply)
        if isinstance(reply, LoggedOut):
            return self._depart(reply)
        if isinstance(reply, RoomEntered):
            self._move(reply.conversation)
            self._note_quiet_rooms()
        elif isinstance(reply, RoomLeft):
            self._left(reply.conversation)
        elif isinstance(reply, Missed):
            reply = self._caught_up(call, reply)
        elif isinstance(reply, OwnSettings):
            self._note_quiet_rooms()
        elif isinstance(reply, Refused):
            if call.verb.name == "catchup":
                self._let_go_after(())
            return self._shown(reply) + self._again(call, reply)
        return self._shown(reply)

    def _again(self, call: Call, reply: Refused) -> bytes:
        """Ask once more for what was mistyped at a prompt; not where the next line has come already.

        In a room that line may be a password as well, and so may those after it: none is said.
        """
        again = next((each for each in call.verb.parameters if each.name == reply.ask), None)
        if again is None and reply.wait is not None:  # who has to wait a little types it once more
            again = next((each for each in call.verb.parameters if each.type.secret and each.prompt), None)
        if again is None or not self._state.prompted:
            return b""
        shown = b""
        if self._pipeline.waiting:
            if not again.type.secret or self._state.room is None:
                return b""
            dropped = self._pipeline.drop()
            words = f"What was typed after it was not read ({dropped} more), as it may hold a password."
            shown = self._shown(Refused("held", words))
        return shown + self._ask(ask_again(call, again.name))

    async def _arrive(self, call: Call, reply: LoggedIn) -> bytes:
        """Show what waited: how much, then the private messages, then the rooms."""
        self._link.logged_in()
        self._context = None
        self._hold_back()
        session = self._link.session
        shown = [self._shown(reply)]
        if not self._state.prompted and not self._state.tipped and call.arguments.get("password"):
            self._state.tipped = True
            tip = "Tip: without the password, login NAME asks for it on a line of its own."
            shown.append(self._text(notice(tip, self._view())))
        resumed = await session.perform("resume")
        user = session.user
        if not isinstance(resumed, Resumed) or user is None:
            self._let_go_after(())
            return b"".join(shown) + self._shown(resumed)
        behind = [each.conversation.id for each in resumed.conversations if each.unread and each.conversation.room]
        proofs = self._service.delivery.of(session, user.account.id)
        self._receipts = Receipts(
            session, self.outbox, self._service.clock, behind, proofs.proven, proofs.unproven, self._link.telnet
        )
        self._note_quiet_rooms()
        rooms = {each.conversation.room: each.conversation for each in resumed.conversations if each.conversation.room}
        self._move(rooms.get(resumed.current or ""))
        missed = await session.perform("missed", limit=PRIVATE_LINES)
        if session.user is not user:  # ended from elsewhere meanwhile, which was told
            self._let_go_after(())
            return b"".join(shown)
        pages = missed.pages if isinstance(missed, Missed) else ()
        shown.append(self._text(waiting_summary(resumed.conversations, self._view())))
        shown.append(self._text(render_history([entry for page in pages for entry in page.entries], self._view())))
        if isinstance(missed, Missed):
            shown.append(self._text(more_waiting(missed.remaining, self._view())))
        shown.append(self._text(invitation_summary(resumed.invitations, self._view())))
        shown.append(self._text(arrival(sorted(rooms), resumed.current, self._view())))
        self._let_go_after(pages)
        return b"".join(shown)

    def write(self, answer: bytes) -> None:
        self.outbox.write(answer)

    def pause(self, paused: bool) -> None:
        self._link.pause(paused)

    def drained(self) -> None:
        self._link.hang_up()

    def _depart(self, reply: LoggedOut) -> bytes:
        self._forget_login()
        if reply.closing:
            self._pipeline.close()
            self._link.turn.soon(self._link.hang_up)
        else:
            self._link.watch_login()
        return self._shown(reply)

    def _forget_login(self) -> None:
        state = self._state
        state.prompt = state.held = state.room = None
        self._context = None
        self._held_back = None

    def _move(self, room: Conversation | None) -> None:
        """Talk in another room from now on, or in none."""
        state = self._state
        moved = [each.id for each in (state.room, room) if each is not None]
        state.room = room
        self._context = None
        self._service.rooms.reseat(self._link.session, moved)

    def _left(self, room: Conversation) -> None:
        if self._state.room is not None and self._state.room.id == room.id:
            self._move(None)

    def _note_quiet_rooms(self) -> None:
        session = self._link.session
        if self._receipts is not None and session.user is not None:
            account = session.user.account.id
            quiet = [id for id, room in session.rooms.items() if room.notify_of(account) is not Notify.ALL]
            self._receipts.quiet(quiet)

    # the past while the present goes on

    def _hold_back(self) -> None:
        """Hold back what happens while the past is being read, so that it comes after it; may overlap."""
        self._holds += 1
        self.outbox.hold()

    def _caught_up(self, call: Call, reply: Missed) -> Missed:
        room, receipts = call.arguments.get("room"), self._receipts
        if receipts is not None:
            reply = replace(reply, pages=tuple(map(receipts.again, reply.pages)))
            if not reply.remaining:
                receipts.caught_up(self._service.rooms.named(room).id if room is not None else None)
            for page in reply.pages:
                receipts.asked(page.conversation.id, page.last)
        self._let_go_after(reply.pages)
        return reply

    def _let_go_after(self, pages: tuple[History, ...]) -> None:
        shown = {page.conversation.id: page.last for page in pages}
        if self._receipts is not None:
            for page in pages:
                self._receipts.shown(page.conversation.id, page.last)
        self._link.turn.soon(lambda: self._let_go(shown))

    def _let_go(self, shown: dict[int, int]) -> None:
        self._holds -= 1
        held = newer(self._held_back or (), lambda conversation: shown.get(conversation, 0))
        if self._holds:
            self._held_back = held
            return
        self._held_back = None
        for event in held:
            self.deliver(event)
        self.outbox.release()

    # the mind

    @property
    def called(self) -> str:
        """The folded name of who is logged in."""
        user = self._link.session.user
        return user.account.name.folded if user is not None else ""

    def audience_key(self, conversation: int) -> Seat:
        session, here = self._link.session, self._state.room
        room = session.rooms.get(conversation)
        notify = Notify.ALL if room is None or session.user is None else room.notify_of(session.user.account.id)
        current = here is not None and here.id == conversation
        return Seat.of(self._preferences(), notify, telnet=self._link.telnet is not None, current=current)

    def new_audience(self, conversation: int) -> IAudience:
        return self.audience_key(conversation).audience(conversation, self._link.turn)

    def deliver(self, event: Event) -> None:
        if isinstance(event, PrivateEntry) and event.conversation.partner:
            if self._holds:
                if self._held_back is None:
                    self._held_back = []
                self._held_back.append(event)
                return
            if self._receipts is not None:
                self._receipts.shown(event.conversation.id, event.seq)
            if isinstance(event, Said) and event.author == event.conversation.partner and self._preferences().bell:
                self.outbox.write(BELL)
        elif isinstance(event, Removed):
            self._left(event.conversation)
        elif isinstance(event, SignedOut):
            self._forget_login()
            self._link.watch_login()
        elif isinstance(event, OwnSettings):
            self._note_quiet_rooms()
            return
        self._write(render(event, self._view()))

    def shown(self) -> Mapping[int, int]:
        return self._receipts.newly() if self._receipts is not None else {}

    def flush(self) -> None:
        """The session is being signed out; what it was shown may still be proven."""
        if self._receipts is not None:
            self._receipts.close()

    def probe(self) -> Awaitable[bool]:
        return self._link.shows_life()

    def close(self, reason: str) -> None:
        self._write(render(Closing(reason), self._view()))
        self._link.hang_up()

    # bytes out

    def _view(self) -> View:
        room, chosen = self._state.room, self._preferences()
        current = room.id if room is not None else None
        return View(current, chosen.style, self._service.house.now(), chosen.zone, chosen.time)

    def _preferences(self) -> Preferences:
        user = self._link.session.user
        return user.account.preferences if user is not None else UNSET

    def _shown(self, reply: Reply) -> bytes:
        return self._text(render(reply, self._view()))

    def _text(self, lines: str) -> bytes:
        line_ends = _as_it_is if self._link.telnet is None else with_line_ends
        return line_ends(lines.encode())

    def _write(self, lines: str) -> None:
        if lines:
            self.outbox.write(self._text(lines))


def decode(line: bytes) -> str:
    """A line as text.

    :raises BadText: when it is no UTF-8 or has control characters other than tabs.
    """
    try:
        text = line.decode()
    except UnicodeDecodeError:
        raise BadText() from None
    if not text.isprintable():
        for character in text:
            if unicodedata.category(character) == "Cc" and character != "\t":
                raise BadText("That line has control characters; it was not read. Type it again without them.")
    return text


def _as_it_is(lines: bytes) -> bytes:
    return lines
