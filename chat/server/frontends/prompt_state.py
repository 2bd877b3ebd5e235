"""What somebody who types lines is in the middle of: the prompt that waits for an answer, the room one talks in, the
line that was held back; and how things look there.
"""

from __future__ import annotations

import unicodedata
from dataclasses import replace

from chat.protocol.errors import BadCredentials, BadText, PlainLoginRefused, RegistrationClosed, TooLong, UnknownCommand
from chat.protocol.events import Event, Refused, Reply
from chat.protocol.grammar.context import Ask, Call, Context, Held, NoNames
from chat.protocol.grammar.parser import answer, ask_again, read
from chat.protocol.preferences import UNSET, Preferences
from chat.protocol.values import Conversation
from chat.protocol.wire.text import View, render
from chat.server.core.dispatcher import attempt
from chat.server.frontends.contract import Line, NoCall
from chat.server.frontends.line_decoder import TOO_LONG
from chat.server.frontends.telnet import HIDE, SHOW, Telnet, with_line_ends

_NO_NAMES = NoNames()

LINE_BYTES = 8 * 1024
"""The longest line, without its end."""

TOO_LONG_LINE = f"A line can have at most {LINE_BYTES:,} bytes; this one was ignored. Send it in parts."


class PromptState:
    """One person's, on one connection.

    :ivar prompt: the command whose missing part the next line is.
    :ivar prompted: whether the command that runs now was completed at a prompt.
    :ivar room: where a line that is no command is said.
    :ivar held: the line that ``!`` says.
    :ivar tipped: whether it was told that a password need not stand on the line of its login.
    """

    __slots__ = ("_context", "_line", "held", "prompt", "prompted", "room", "tipped")

    def __init__(self, line: Line) -> None:
        self._line = line
        self._context: Context | None = None
        self.prompt: Ask | None = None
        self.prompted = False
        self.room: Conversation | None = None
        self.held: Held | None = None
        self.tipped = False

    def begin(self) -> None:
        """Somebody has logged in."""
        self._context = None

    def end(self) -> None:
        """Nobody is logged in any more."""
        self.leave_prompt()
        self.held = self.room = None
        self._context = None

    def move(self, room: Conversation | None) -> None:
        """Talk in another room from now on, or in none."""
        self.room = room
        self._context = None

    def leave_prompt(self) -> None:
        """No answer is expected any more; what comes next stands on a line of its own."""
        self.prompt = None
        outbox, telnet = self._line.outbox, self._line.link.telnet
        if not outbox.asking:
            return
        outbox.flush()
        outbox.answered()
        if telnet is not None and telnet.hidden:
            self._end_hiding(telnet)
        else:
            outbox.write(self.text("\n"))

    # lines in

    def read(self, line: object) -> Call | NoCall:
        """What a line means now."""
        telnet = self._line.link.telnet
        if self.prompt is not None:
            self._line.outbox.answered()
        if telnet is not None and telnet.hidden:
            self._end_hiding(telnet)
        if line is TOO_LONG:
            return self._unreadable(Refused(TooLong.code, TOO_LONG_LINE))
        assert isinstance(line, bytes), "a line is bytes or TOO_LONG"
        text = attempt(decode, line)
        if isinstance(text, Refused):
            return self._unreadable(text)
        context = self._context or self._new_context()
        ask = self.prompt
        if self.held is not None:
            self.held = self._context = None
        if ask is None:
            self.prompted = False
            reading = attempt(read, text, context)
        else:
            self.prompted, self.prompt = True, None
            reading = attempt(answer, ask, text, context)
        if isinstance(reading, Call):
            return reading
        if reading is None:
            return NoCall()
        if isinstance(reading, Refused):
            return NoCall(self.shown(reading), refused=True, unknown=reading.code == UnknownCommand.code)
        if isinstance(reading, Ask):
            return NoCall(self._ask(reading))
        self.held = reading
        self._context = None
        held = self.shown(
            Refused("held", f"Not sent. Did you mean: {reading.meant} ? Type ! to say it to {context.room} anyway.")
        )
        return NoCall(held, refused=True)

    def refused(self, call: Call, reply: Refused) -> bytes:
        """Show a refusal, and ask once more for what was mistyped."""
        again = self._again(call, reply)
        # login NAME would be taken for a password now
        if again and reply.text in (BadCredentials.text, BadCredentials.closed):
            reply = replace(reply, text=f"{BadCredentials.what} Try again.")
        return self.shown(reply) + again

    def _again(self, call: Call, reply: Refused) -> bytes:
        """Ask once more for what was mistyped at a prompt; not where the next line has come already.

        In a room that line may be a password as well, and so may those after it: none is said.
        """
        again = next((each for each in call.verb.parameters if each.name == reply.ask), None)
        if again is None and reply.wait is not None:  # who has to wait a little types it once more
            again = next((each for each in call.verb.parameters if each.type.secret and each.prompt), None)
        if again is None or not self.prompted:
            return b""
        shown = b""
        if self._line.lines_wait:
            if not again.type.secret or self.room is None:
                return b""
            dropped = self._line.drop_lines()
            words = f"What was typed after it was not read ({dropped} more), as it may hold a password."
            shown = self.shown(Refused("held", words))
        return shown + self._ask(ask_again(call, again.name), again=True)

    def _unreadable(self, why: Refused) -> NoCall:
        """Refuse a line without a meaning; what was asked before is asked again."""
        ask = self.prompt
        asked = self._ask(ask) if ask is not None else b""
        return NoCall(self.shown(why) + asked, refused=True, unknown=True)

    def _new_context(self) -> Context:
        line, room = self._line, self.room.room if self.room is not None else None
        logged_in, names = line.session.user is not None, line.service.rooms.names_for(line.session)
        table, registration = line.service.table, line.service.settings.registration
        if not logged_in and registration != "open":
            if registration == "closed":
                return Context(table, names, withheld={"new": RegistrationClosed})
            return Context(table, _NO_NAMES, unasked=frozenset())
        self._context = Context(table, names, logged_in, room, self.held)
        return self._context

    def _ask(self, ask: Ask, again: bool = False) -> bytes:
        """:param again: whether it was mistyped, so that somebody may want to know the way out."""
        line = self._line
        secret = any(each.type.secret for each in ask.call.verb.parameters if each.prompt)
        if secret and "password" not in line.service.authenticator.ways_in(line.session):
            return self.shown(Refused(PlainLoginRefused.code, PlainLoginRefused.text))
        self.prompt = ask
        prompt = ask.missing.prompt or ""
        if not ask.missing.type.secret:
            return self.text(f"{prompt} ")
        notes = ["your typing is visible"] if line.link.telnet is None else []
        if again:
            notes.append("an empty line cancels")
        shown = self.text(f"{prompt.rstrip(':')} ({'; '.join(notes)}): " if notes else f"{prompt} ")
        if line.link.telnet is None:
            return shown
        line.link.telnet.hidden = True
        return shown + HIDE

    def _end_hiding(self, telnet: Telnet) -> None:
        """Let telnet show again what is typed; the line end of a hidden line was not shown either."""
        telnet.hidden = False
        self._line.outbox.write(SHOW + b"\r\n")

    # how it looks

    @property
    def preferences(self) -> Preferences:
        """What who is logged in has chosen."""
        user = self._line.session.user
        return user.account.preferences if user is not None else UNSET

    def view(self) -> View:
        room, chosen = self.room, self.preferences
        current = room.id if room is not None else None
        return View(current, chosen.style, self._line.service.node.now(), chosen.zone, chosen.time)

    def shown(self, event: Event | Reply) -> bytes:
        """What a reply or an event looks like here."""
        return self.text(render(event, self.view()))

    def text(self, lines: str) -> bytes:
        data = lines.encode()
        return data if self._line.link.telnet is None else with_line_ends(data)


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
                raise BadText("That line contains control characters and was ignored. Type it again without them.")
    return text
