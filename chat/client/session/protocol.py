"""A connection to a chat server in JSON lines.

How it works: requests are numbered; the reply with the same number fires the Deferred of its request. Everything else
is an event and goes to one callback, in order. The rules:

* Over TLS nothing is sent before the caller has checked the server's certificate.
* An invalid frame, or a reply without a request, ends the connection: such a server cannot be trusted. An event of an
  unknown type is from a later version, and is ignored.
* A server that is full says so as a line of text, before it knows that a program is connected.
* A server greets a client that is slow to speak as a person. The greeting is skipped, up to the first frame.
* When the connection ends, all open requests fail with the same reason.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from OpenSSL import SSL
from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.client.model.failures import (
    ClientFailure,
    Disconnected,
    NoEncryption,
    RequestRefused,
    ServerNotTrusted,
    TooMuch,
)
from chat.protocol.errors import BadFrame
from chat.protocol.events import Closing, Event, Refused, Reply, Welcome
from chat.protocol.wire.jsonlines import UnknownType, parse
from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.text import GREETING, GREETING_BYTES

MOST_BYTES = 16 * 1024 * 1024
"""The longest frame that is accepted, in bytes: a page of 500 messages of the greatest length fits."""

MOST_SENT = 64 * 1024
"""The longest request in bytes, unless the server says otherwise."""

MOST_UNANSWERED = 1_000
"""The most open requests; one more fails at once."""

R = TypeVar("R", bound=Reply)

Trust = Callable[[bytes], object]
"""Checks the SHA-256 of a server's certificate (DER); raises `ServerNotTrusted` to refuse it."""

log = Logger()


@implementer(IHandshakeListener)
class ChatClient(Protocol):
    """One connection, made with ``twisted.internet.endpoints.connectProtocol``.

    :param tell: called with each event, in order.
    :param trust: checks the certificate; given for a connection over TLS, to which logins are then bound.
    :param lost: called once with the reason when the connection has ended.
    :param most_bytes: the longest frame that is accepted.
    :ivar ready: fires when the connection can be used; fails if it cannot be made.
    :ivar fingerprint: the SHA-256 of the server's certificate, or nothing without TLS.
    :ivar welcome: the server's answer to ``hello``.
    """

    transport: Any

    def __init__(
        self,
        tell: Callable[[Event], object],
        *,
        trust: Trust | None = None,
        lost: Callable[[ClientFailure], object] | None = None,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.ready: Deferred[None] = Deferred()
        self.fingerprint: bytes | None = None
        self.welcome: Welcome | None = None
        self._tell = tell
        self._trust = trust
        self._lost = lost
        self._most_bytes = most_bytes
        self._pieces: list[bytes] = []
        self._held = 0
        self._asked = 0
        self._unanswered: dict[int, Deferred[Reply]] = {}
        self._farewell = ""
        self._understood = False
        self._greeted = 0
        self._over: ClientFailure | None = None

    # requests

    def request(self, cmd: str, args: Mapping[str, object] | None = None, retry: str | None = None) -> Deferred[Reply]:
        """Send a command.

        :param retry: 11 to 64 random characters that make a message harmless to send again.

        Fires with the reply, which may be a `chat.protocol.events.Refused`. Fails with `Disconnected` when the
        connection has ended, with `ServerNotTrusted` when the client ended it because of what the server sent, and with
        `TooMuch` when the request is too long or too many are open. If it is cancelled, the reply is ignored.
        """
        if self._over is not None:
            return fail(Failure(self._over))
        if len(self._unanswered) >= MOST_UNANSWERED:
            return fail(Failure(TooMuch("Too many requests are waiting for the server. Try again later.")))
        frame: dict[str, object] = {"id": self._asked + 1, "cmd": cmd, "args": dict(args or {})}
        if retry is not None:
            frame["retry"] = retry
        line = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        most = self.welcome.limits.get("frame", MOST_SENT) if self.welcome is not None else MOST_SENT
        if len(line) > most:
            return fail(Failure(TooMuch(f"Not sent: too long. The server accepts at most {most:,} bytes.")))
        self._asked += 1
        answer: Deferred[Reply] = Deferred()
        self._unanswered[self._asked] = answer
        self.transport.write(line + b"\n")
        return answer

    async def ask(self, cmd: str, args: Mapping[str, object] | None = None, retry: str | None = None) -> Reply:
        """Send a command, and raise a refusal.

        :raises RequestRefused: when the server refuses; otherwise as `request` fails.
        """
        reply = await self.request(cmd, args, retry)
        if isinstance(reply, Refused):
            raise RequestRefused(reply)
        return reply

    async def expect(self, kind: type[R], cmd: str, args: Mapping[str, object] | None = None) -> R:
        """Send a command that has one type of answer.

        :raises ServerNotTrusted: when the server answers with another type; otherwise see `ask`.
        """
        reply = await self.ask(cmd, args)
        if not isinstance(reply, kind):
            raise self.distrust(f"The server sent an invalid answer to {cmd}.")
        return reply

    async def hello(self, client: str = "", device: str | None = None, heartbeat: bool = False) -> Welcome:
        """Introduce this client.

        :param heartbeat: promise to send something at the interval that `chat.protocol.events.LoggedIn` names.
        """
        args: dict[str, object] = {"client": client, "heartbeat": heartbeat}
        if device is not None:
            args["device"] = device
        self.welcome = await self.expect(Welcome, "hello", args)
        return self.welcome

    def distrust(self, words: str) -> ServerNotTrusted:
        """End the connection because of what the server did.

        :returns: what to raise.
        """
        error = ServerNotTrusted(words)
        self.transport.abortConnection()
        self._end(error)
        return error

    def drop(self, words: str) -> None:
        """End a broken connection."""
        self.transport.abortConnection()
        self._end(Disconnected(words))

    def close(self) -> None:
        """Send buffered data, and end the connection."""
        self.transport.loseConnection()

    # Protocol

    def connectionMade(self) -> None:
        if self._trust is None:
            self.ready.callback(None)

    def handshakeCompleted(self) -> None:
        """See ``twisted.internet.interfaces.IHandshakeListener``; nothing was sent so far."""
        if self._trust is None:
            return
        certificate = self.transport.getPeerCertificate()
        seen = bytes.fromhex(certificate.digest("sha256").decode().replace(":", "")) if certificate else b""
        try:
            self._trust(seen)
        except ServerNotTrusted as error:
            self.transport.abortConnection()
            self._end(error)
        else:
            self.fingerprint = seen
            self.ready.callback(None)

    def dataReceived(self, data: bytes) -> None:
        *lines, rest = data.split(b"\n")
        for line in lines:
            if self._over is not None:
                return
            if self._pieces:
                line = b"".join((*self._pieces, line))
                self._pieces.clear()
                self._held = 0
            if len(line) > self._most_bytes:
                self.distrust(f"The server sent a frame of more than {self._most_bytes:,} bytes.")
            elif line.strip():
                self._read(line)
        if rest and self._over is None:
            self._pieces.append(rest)
            self._held += len(rest)
            if self._held > self._most_bytes:
                self.distrust(f"The server sent a frame of more than {self._most_bytes:,} bytes.")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if not self.ready.called and reason.check(SSL.Error):
            self._end(NoEncryption("Cannot encrypt the connection: the server does not speak TLS on this port."))
        self._end(Disconnected(self._farewell or "The connection to the server was lost."))

    # reading

    def _read(self, line: bytes) -> None:
        try:
            shown, id = parse(line)
        except UnknownType as unknown:
            if unknown.id is not None:
                self.distrust("The server sent an answer that this client does not understand.")
            return
        except BadFrame as error:
            if line[:2] == b"! " and not self._understood:
                self._farewell = safe(line[2:].decode("utf-8", "replace"))[:200]
                self.transport.loseConnection()
            elif not self._is_greeting(line):
                self.distrust(f"The server sent invalid data. {error.line}")
            return
        self._understood = True
        if id is not None:
            self._answer(shown, id)
        elif isinstance(shown, Event):
            self._report(shown)
        else:
            text = f": {shown.text}" if isinstance(shown, Refused) else "."
            self.distrust(f"The server sent an answer without a request{text}")

    def _is_greeting(self, line: bytes) -> bool:
        """Whether a line belongs to a greeting for people, which can only come first."""
        if self._understood or not (self._greeted or line.startswith(GREETING.encode())):
            return False
        self._greeted += len(line) + 1
        return self._greeted <= GREETING_BYTES

    def _answer(self, shown: Event | Reply, id: str | int) -> None:
        answer = self._unanswered.pop(id, None) if isinstance(id, int) else None
        if answer is None or not isinstance(shown, Reply):
            self.distrust("The server sent an answer without a request.")
            if answer is not None and self._over is not None:
                answer.errback(Failure(self._over))
            return
        answer.callback(shown)

    def _report(self, event: Event) -> None:
        if isinstance(event, Closing):
            self._farewell = event.reason
        try:
            self._tell(event)
        except Exception:
            log.failure("failed to show an event")

    # the end

    def _end(self, reason: ClientFailure) -> None:
        """Fail all open requests, once; the first reason counts."""
        if self._over is not None:
            return
        self._over = reason
        self._pieces.clear()
        waiting, self._unanswered = self._unanswered, {}
        for answer in waiting.values():
            answer.errback(Failure(reason))
        if not self.ready.called:
            self.ready.errback(Failure(reason))
        if self._lost is not None:
            self._lost(reason)
