"""``chat send`` and ``chat tail``, for scripts.

Standard output gets only messages; notices and errors go to standard error. Other messages that arrive meanwhile are
neither shown nor reported as received: they wait for another client.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from secrets import token_urlsafe
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chat.client.cli.factory import device_of, make_engine
from chat.client.cli.line_output import Printer
from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.failures import ClientFailure, Disconnected, NobodyThere, RequestRefused
from chat.client.model.send_queue import TRY_AGAIN
from chat.client.session.endpoint import ServerAddress
from chat.client.session.engine import Engine
from chat.client.session.observer import Phase, Status
from chat.client.session.peer_api import NullPeers
from chat.client.session.profiles import Files
from chat.client.session.reconnect import PAUSES
from chat.client.session.sync import SyncMode
from chat.protocol.errors import BadCredentials, CredentialsChanged, PlainLoginRefused
from chat.protocol.events import Entry, MembershipChanged, Refused, StoredAs
from chat.protocol.names import fold
from chat.protocol.values import Text
from chat.protocol.wire.field_codecs import write_body

_BY_PASSWORD = (BadCredentials.code, CredentialsChanged.code, PlainLoginRefused.code)
"""Refusals of a token after which a login with the password may succeed."""

SEND_TIMEOUT = 30.0
"""Seconds in which the server must store a message."""

Password = Callable[[str], str]
"""Asks for a password in a terminal without showing it; raises `NobodyThere` if there is no terminal."""

Write = Callable[[str], object]


class ScriptCommand:
    """A command that logs in, does one thing and ends.

    :param reactor: tells the time and makes connections.
    :param printer: prints what the engine reports.
    :param use: the suffix of the device name.
    :param user: the account; if empty, the last one used.
    """

    def __init__(
        self,
        reactor: Any,
        files: Files,
        address: ServerAddress,
        printer: Printer,
        ask: Password,
        *,
        use: str,
        user: str = "",
        engine: Callable[..., Engine] = make_engine,
    ) -> None:
        self._reactor = reactor
        self._files = files
        self._known = files.find(address)
        self._printer = printer
        self._ask = ask
        self._user = user or self._known.account
        self._password = ""
        device = device_of(files, use)
        self._engine = engine(
            reactor,
            files,
            address,
            printer,
            device=device,
            mode=SyncMode.ASKED,
            unattended=files.settings().unattended,
        )
        self._engine.direct = NullPeers()  # a script accepts no files

    async def _log_in(self) -> None:
        """Log in by token, or else with the password.

        :raises ClientFailure: when neither succeeds.
        """
        engine = self._engine
        if not self._user:
            raise ClientFailure("No account given. Add: --user NAME")
        token = self._known.tokens.get(f"{self._user}@{engine.device}")
        await engine.connect()
        try:
            if token is not None and await self._unlocked():
                try:
                    await engine.log_in_by_token(token)
                    return
                except RequestRefused as refused:
                    if refused.reply.code not in _BY_PASSWORD:
                        raise
            await engine.log_in(self._user, self._password or self._ask(f"Password for {self._user}: "))
        except NobodyThere as error:
            raise ClientFailure(f"{error} {self._advice()}") from None

    def _advice(self) -> str:
        if self._files.settings().unattended:
            return "Run this command once in a terminal; the client then remembers your login."
        return (
            f"Set unattended = yes in the section [chat] of {self._files.config}, then run this command once in a"
            " terminal."
        )

    async def _unlocked(self) -> bool:
        """Unlock the keys, if somebody can type the password.

        :returns: whether to log in by token; otherwise a login with the password creates the missing keys.
        :raises ClientFailure: when they cannot be unlocked.
        """
        seals, user = self._engine.seals, self._user
        if seals.lacking(user):
            self._password = self._ask(f"Password for {user}: ")
            return False
        if wanted := seals.wanted(user):
            await seals.unlock(user, self._ask(wanted))
        return True


class _Aside(Printer):
    """Prints errors, and who has joined or left an encrypted conversation since it was last read.

    :ivar since: the seq of the last row that was read before.
    """

    since = 0

    def rows_added(self, talk: ConversationModel, rows: Sequence[Entry], live: bool) -> None:
        moved = [row for row in rows if isinstance(row, MembershipChanged) and row.seq > self.since]
        if moved and talk.sealed:
            super().rows_added(talk, moved, live)


class Send(ScriptCommand):
    """``chat send NAME TEXT``.

    :param name: a person, or a room (``#ROOM``).
    :param write: called with the server's answer, in whole lines.
    :param aside: called with notices and errors.
    :param person: whether to add how many messages are unread.
    """

    def __init__(
        self,
        reactor: Any,
        files: Files,
        address: ServerAddress,
        name: str,
        write: Write,
        aside: Write,
        ask: Password,
        *,
        person: bool = False,
        **more: Any,
    ) -> None:
        self._aside = _Aside(aside)
        super().__init__(reactor, files, address, self._aside, ask, use="send", **more)
        self._name = name
        self._room = name[1:] if name.startswith("#") else ""
        self._results = Printer(write, aside)
        self._person = person
        key = Key(bool(self._room), fold(self._room or name))
        self._printer.only = lambda talk: talk.key == key

    async def run(self, text: str) -> int:
        """Send a message. Temporary failures are retried for `SEND_TIMEOUT` seconds, with the same retry id.

        :returns: 0 when the server has stored it.
        """
        room, name = self._room, self._name
        cmd, args = ("say", {"room": room}) if room else ("message", {"user": name})
        retry, tries = token_urlsafe(12), 0
        body: dict[str, object] | None = None
        deadline = self._reactor.seconds() + SEND_TIMEOUT
        try:
            said = _text(text)
            await self._log_in()
            if self._engine.seals.locked(self._user):
                raise ClientFailure("Not sent: your keys are locked, so this cannot be encrypted.")
            while True:
                try:
                    if body is None:
                        body = await self._seal(said)
                    reply = await self._engine.ask(cmd, args | {"text": body, "retry": retry})
                except Disconnected as error:
                    reply = Refused("busy", str(error))
                if not (isinstance(reply, Refused) and reply.code in TRY_AGAIN):
                    break
                pause = reply.wait or PAUSES[min(tries, len(PAUSES) - 1)]
                if self._reactor.seconds() + pause > deadline:
                    break
                tries += 1
                await deferLater(self._reactor, pause)
            self._results.show(reply)
            if self._person:
                self._say_what_waits()
            return 0 if isinstance(reply, StoredAs) else 1
        except ClientFailure as error:
            self._printer.give_up(error)
            return 1
        finally:
            self._engine.close()

    async def _seal(self, said: Text) -> dict[str, object]:
        """The body of a message, encrypted if the conversation requires it; reads the conversation first to find out.

        :raises ClientFailure: when it must not be sent, or the connection is lost.
        """
        title = self._room or self._name
        talk = self._engine.state.talk(Key(bool(self._room), fold(title)), title)
        self._aside.since = self._engine.seals.end(talk) or 0
        await self._engine.sync.follow(talk)
        return write_body(await self._engine.seals.seal(talk, said.text) or said)

    def _say_what_waits(self) -> None:
        waiting = sum(talk.unread for talk in self._engine.state.talks.values())
        if waiting:
            self._printer.note(f"You have {waiting} unread {'message' if waiting == 1 else 'messages'}. To read: chat")


class Tail(ScriptCommand):
    """``chat tail ROOM``.

    :param write: called with the messages of the room, in whole lines.
    :param aside: called with notices and errors.
    """

    def __init__(
        self,
        reactor: Any,
        files: Files,
        address: ServerAddress,
        room: str,
        write: Write,
        aside: Write,
        ask: Password,
        **more: Any,
    ) -> None:
        super().__init__(reactor, files, address, Printer(write, aside), ask, use="tail", **more)
        self._room = room
        self._printer.only = lambda talk: False

    async def run(self, lines: int) -> int:
        """Print the last lines of a room, and each new one, until interrupted.

        :returns: 1 when this account is not in the room, or the session has ended.
        """
        ended: Deferred[Status] = Deferred()

        def changed(status: Status) -> None:
            if status.phase in (Phase.ENDED, Phase.CLOSED) and not ended.called:
                ended.callback(status)

        try:
            await self._log_in()
            talk: ConversationModel | None = self._engine.state.talks.get(Key(True, fold(self._room)))
            if talk is None:
                raise ClientFailure(f"You are not in {self._room}. Enter it first: connect {self._room}")
            self._printer.here = talk
            await self._engine.sync.follow(talk)
            self._printer.show_past(talk.rows[-lines:] if lines else [])
            self._printer.only = lambda each: each is talk
            self._printer.on_status = changed
            status = await ended
            raise ClientFailure(status.reason)
        except ClientFailure as error:
            self._printer.give_up(error)
            return 1
        finally:
            self._engine.close()

    async def _unlocked(self) -> bool:
        """Continue without keys: unencrypted messages can be read all the same."""
        try:
            return await super()._unlocked()
        except ClientFailure as error:
            self._printer.note(f"{error} Continuing without keys.")
            return True


def _text(text: str) -> Text:
    """:raises ClientFailure: when the text is not a valid message."""
    try:
        return Text(text)
    except ValueError as error:
        raise ClientFailure(f"{error}") from None
