"""``chat send`` and ``chat tail``: one thing done, for scripts."""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_urlsafe
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chat.client.calling import device_of, make_engine
from chat.client.dialing import Address
from chat.client.engine import Engine
from chat.client.failures import ClientFailure, Disconnected, RequestRefused
from chat.client.files import Files
from chat.client.observing import Phase, Status
from chat.client.peering import Peering
from chat.client.printing import Printer
from chat.client.returning import PAUSES
from chat.client.sending import TRY_AGAIN
from chat.client.talks import Key, Talk
from chat.errors import BadCredentials
from chat.events import Refused, StoredAs
from chat.names import fold
from chat.values import Text
from chat.wire.codecs import write_body

PATIENCE = 30.0
"""Seconds in which a message has to be kept."""

Password = Callable[[str], str]
"""Asks a person at a terminal for a word that is not shown; raises `ClientFailure` where there is nobody."""


class Errand:
    """One thing to do for one account.

    :param reactor: tells the time and makes connections.
    :param user: whose account, or empty for the one that was logged in last.
    """

    def __init__(
        self,
        reactor: Any,
        files: Files,
        address: Address,
        printer: Printer,
        ask: Password,
        *,
        user: str = "",
        use: str,
        engine: Callable[..., Engine] = make_engine,
    ) -> None:
        self._reactor = reactor
        self._known = files.find(address)
        self._printer = printer
        self._ask = ask
        self._user = user or self._known.account
        self._password = ""
        self._engine = engine(reactor, files, address, printer, device=device_of(files, use))
        self._engine.direct = Peering()  # files are for a person to take

    async def _log_in(self) -> None:
        """By token, and by password where that will not do.

        :raises ClientFailure: when neither does.
        """
        engine = self._engine
        if not self._user:
            raise ClientFailure("Say who you are: --user NAME")
        token = self._known.tokens.get(f"{self._user}@{engine.device}")
        await engine.connect()
        if token is not None and await self._unlocked():
            try:
                await engine.log_in_by_token(token)
                return
            except RequestRefused as refused:
                if refused.reply.code != BadCredentials.code:
                    raise
        await engine.log_in(self._user, self._password or self._ask(f"Password of {self._user}: "))

    async def _unlocked(self) -> bool:
        """Open the keys, where there is somebody to ask.

        :returns: whether the token will do; else the password makes the keys that are missing.
        """
        seals, user = self._engine.seals, self._user
        try:
            if seals.lacking(user):
                self._password = self._ask(f"Password of {user}: ")
                return False
            if wanted := seals.wanted(user):
                await seals.unlock(user, self._ask(wanted))
        except ClientFailure as error:
            self._printer.note(f"{error} Going on without keys.")
        return True

    async def send(self, name: str, text: str) -> int:
        """Say something to a person, or to a room (``#ROOM``).

        Tried again for `PATIENCE` seconds where it could not be kept just now, under the same retry id.

        :returns: 0 when it is kept.
        """
        room = name[1:] if name.startswith("#") else ""
        cmd, args = ("say", {"room": room}) if room else ("message", {"user": name})
        retry, tries = token_urlsafe(12), 0
        body: dict[str, object] | None = None
        deadline = self._reactor.seconds() + PATIENCE
        try:
            said = _text(text)
            await self._log_in()
            while True:
                try:
                    if body is None:
                        body = await self._seal(room, name, said)
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
            self._printer.show(reply)
            return 0 if isinstance(reply, StoredAs) else 1
        except ClientFailure as error:
            self._printer.give_up(error)
            return 1
        finally:
            self._engine.close()

    async def _seal(self, room: str, name: str, said: Text) -> dict[str, object]:
        """The body of a message, sealed where it has to be."""
        talk = self._engine.state.talk(Key(bool(room), fold(room or name)), room or name)
        return write_body(await self._engine.seals.seal(talk, said.text) or said)

    async def tail(self, room: str, lines: int) -> int:
        """Show the last lines of a room, and each one that comes, until somebody ends it.

        :returns: 1 when there is no such room, or the server wants no more of us.
        """
        ended: Deferred[Status] = Deferred()

        def changed(status: Status) -> None:
            if status.phase in (Phase.ENDED, Phase.CLOSED) and not ended.called:
                ended.callback(status)

        try:
            await self._log_in()
            talk: Talk | None = self._engine.state.talks.get(Key(True, fold(room)))
            if talk is None:
                raise ClientFailure(f"You are not in {room}. Enter it first: connect {room}")
            self._printer.here = talk
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


def _text(text: str) -> Text:
    """:raises ClientFailure: when it is no message, with what to do."""
    try:
        return Text(text)
    except ValueError as error:
        raise ClientFailure(f"{error}") from None
