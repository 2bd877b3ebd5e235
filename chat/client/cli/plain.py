"""``chat --plain``: a conversation line by line, on any terminal or through pipes."""

from __future__ import annotations

import sys
import termios
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet.defer import Deferred, DeferredQueue
from twisted.internet.interfaces import IHalfCloseableProtocol
from twisted.internet.protocol import connectionDone
from twisted.protocols.basic import LineReceiver
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.client.cli.line_output import Printer
from chat.client.input.input_commands import CommandInput, refusal
from chat.client.model.conversation import Key
from chat.client.model.failures import ClientFailure, RequestRefused
from chat.client.session.engine import Engine
from chat.client.session.login import why_not
from chat.client.session.observer import Phase, Status
from chat.client.session.server_record import Known
from chat.protocol.errors import AlreadySignedIn, BadPassword, RegistrationClosed
from chat.protocol.events import LoggedOut, Refused, Reply, RoomEntered, RoomLeft
from chat.protocol.grammar.context import Ask
from chat.protocol.names import fold

GOODBYE = "Client is terminating. Bye!"

MOST_WAITING = 1_000
"""The most input lines that wait; beyond it standard input is paused."""


@implementer(IHalfCloseableProtocol)
class StandardInput(LineReceiver):
    """Standard input, in lines; ``None`` is its end."""

    delimiter = b"\n"
    MAX_LENGTH = 1 << 20

    def __init__(self) -> None:
        self._lines: DeferredQueue[str | None] = DeferredQueue()
        self._ended = False
        self._gone: Deferred[None] = Deferred()

    def lineReceived(self, line: bytes) -> None:
        self._lines.put(line.decode("utf-8", "replace").rstrip("\r"))
        if len(self._lines.pending) >= MOST_WAITING:
            self.pauseProducing()

    async def next(self) -> str | None:
        """The next line, or nothing at the end of input."""
        line: str | None = await self._lines.get()
        if self.paused and len(self._lines.pending) < MOST_WAITING // 2:
            self.resumeProducing()
        return line

    def write(self, text: str) -> None:
        """Show text."""
        if self.transport is not None:
            self.transport.write(text.encode("utf-8", "replace"))

    async def close(self) -> None:
        """Close when everything written has been sent."""
        if self.transport is not None and not self._gone.called:
            self.transport.loseConnection()
            await self._gone

    def end(self) -> None:
        """The input has ended."""
        if not self._ended:
            self._ended = True
            rest = self.clearLineBuffer()
            if rest:
                self._lines.put(rest.decode("utf-8", "replace"))
            self._lines.put(None)

    def readConnectionLost(self) -> None:
        self.end()

    def writeConnectionLost(self) -> None:
        self._lost()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._lost()

    def _lost(self) -> None:
        """The output is closed."""
        self.end()
        if not self._gone.called:
            self._gone.callback(None)


class InputEnded(Exception):
    """Standard input has ended before anybody was logged in."""


class Plain:
    """The client of one person, line by line.

    :param hide: hides or shows what is typed; nothing if the input is a pipe.
    """

    def __init__(
        self,
        engine: Engine,
        printer: Printer,
        keys: StandardInput,
        clock: Any,
        hide: Callable[[bool], object] | None = None,
    ) -> None:
        self._engine = engine
        self._printer = printer
        self._keys = keys
        self._keyboard = CommandInput(engine, clock)
        self._person = hide is not None
        self._hide = hide or (lambda hidden: None)
        self._idle: Deferred[None] | None = None
        printer.on_status = self._changed
        printer.on_settled = self._wake
        printer.on_rows = lambda talk: self._engine.sync.saw(talk)

    async def run(self, known: Known, user: str = "") -> int:
        """Log in, run all input, and wait until the server has stored it.

        :param user: the account; if empty and a person types, the last one used.
        :returns: 0 when every line was stored, and none was refused or held back.
        """
        try:
            await self._engine.connect()
            await self._log_in(known, user)
            await self._talk()
            await self._all_settled()
            await self._engine.direct.settled()
            await self._engine.leave()
        except InputEnded:
            return 1
        except ClientFailure as error:
            self._printer.give_up(error)
            return 1
        finally:
            self._hide(False)
            self._engine.close()
        return 1 if self._printer.failed or len(self._engine.state.unsent) else 0

    # logging in

    async def _log_in(self, known: Known, user: str) -> None:
        if await self._by_token(known, user):
            return
        new, invitation = False, ""
        while True:
            if not user:
                user, new = await self._name()
                if not user:
                    continue
                if new and self._registration == "code":
                    invitation = (await self._prompt("Invitation code: ")).strip()
            password = await self._prompt("Password: ", hidden=True)
            try:
                if new:
                    await self._engine.register(user, password, invitation)
                else:
                    await self._engine.log_in(user, password)
                break
            except RequestRefused as refused:
                self._printer.refuse(why_not(refused.reply))
                if refused.reply.code == AlreadySignedIn.code:
                    if (await self._prompt("End that session and log in here (y/n)? ")).strip().lower() in ("y", "yes"):
                        await self._engine.take_over(password)
                        break
                    user = ""
                elif refused.reply.ask != "password":
                    user = ""
            except BadPassword as error:
                self._printer.show(refusal(error))
        self._welcome()

    async def _name(self) -> tuple[str, bool]:
        """Ask for the user name.

        :returns: the name, and whether to register it; an empty name to ask again.
        """
        closed = self._registration == "closed"
        line = (await self._prompt("Username: " if closed else "Username (or: new NAME to register): ")).strip()
        if not line.lower().startswith("new "):
            return line, False
        if closed:
            self._printer.refuse(RegistrationClosed.text)
            return "", False
        return line[4:].strip(), True

    @property
    def _registration(self) -> str:
        """Who may register on this server (`chat.protocol.events.Welcome`)."""
        welcome = self._engine.welcome
        return welcome.registration if welcome is not None else "open"

    async def _by_token(self, known: Known, user: str) -> bool:
        device = self._engine.device
        account = user or (known.account if self._person else "")
        token = known.tokens.get(f"{account}@{device}")
        if token is None or (self._person and self._engine.seals.lacking(account)):
            return False
        await self._unlock(account)
        try:
            await self._engine.log_in_by_token(token)
        except RequestRefused as refused:
            self._printer.show(refused.reply)
            return False
        self._welcome()
        return True

    async def _unlock(self, account: str) -> None:
        """Ask for the password of the keys; an empty line continues without them."""
        while self._person and (wanted := self._engine.seals.wanted(account)):
            passphrase = await self._prompt(wanted, hidden=True)
            if not passphrase:
                return
            try:
                await self._engine.seals.unlock(account, passphrase)
            except ClientFailure as error:
                self._printer.refuse(f"{error} Press Enter to continue without keys.")

    def _welcome(self) -> None:
        self._printer.note(f"You are logged in as {self._engine.state.me}.")
        room = self._engine.current_room
        if room:
            self._printer.here = self._engine.state.talk(Key(True, fold(room)), room)
            self._printer.note(f"You are in {room}.")
        else:
            self._printer.note("You are not in a room. To see all rooms: list channels. To enter one: connect ROOM")

    async def _prompt(self, words: str, hidden: bool = False) -> str:
        self._keys.write(words)
        self._hide(hidden)
        line = await self._keys.next()
        if hidden:
            self._hide(False)
            self._keys.write("\n")
        if line is None:
            raise InputEnded()
        return line

    # running lines

    async def _talk(self) -> None:
        printer = self._printer
        while (line := await self._keys.next()) is not None:
            outcome: Any = await self._keyboard.typed(line, printer.here)
            while isinstance(outcome, Ask):
                answer = await self._prompt(outcome.missing.prompt or "? ", outcome.missing.type.secret)
                outcome = await self._keyboard.answered(outcome, answer, printer.here)
            if isinstance(outcome, Reply):
                printer.show(outcome)
            if isinstance(outcome, Refused):
                printer.failed = True
            if isinstance(outcome, RoomEntered):
                printer.here = self._engine.state.talk_of(outcome.conversation)
            elif isinstance(outcome, RoomLeft) and printer.here is not None:
                if printer.here.key == Key.of(outcome.conversation):
                    printer.here = None
            elif isinstance(outcome, LoggedOut):
                return
            if self._engine.status.phase is Phase.ENDED:
                return

    async def _all_settled(self) -> None:
        """Wait until all lines are answered, or cannot be any more."""
        while len(self._engine.state.unsent) and self._engine.status.phase is not Phase.ENDED:
            self._idle = Deferred()
            await self._idle

    def _changed(self, status: Status) -> None:
        self._wake()
        if status.phase is Phase.ENDED:
            self._keys.end()

    def _wake(self) -> None:
        idle, self._idle = self._idle, None
        if idle is not None:
            idle.callback(None)


def hide_typing(hidden: bool) -> None:
    """Hide or show what is typed in the terminal."""
    with suppress(termios.error, ValueError, OSError):
        settings = termios.tcgetattr(sys.stdin.fileno())
        settings[3] = settings[3] & ~termios.ECHO if hidden else settings[3] | termios.ECHO
        termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, settings)
