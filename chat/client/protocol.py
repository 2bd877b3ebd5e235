"""A connection to a chat server that speaks JSON lines.

How it works: requests are numbered; the reply that carries the number fires the Deferred of its request. Everything
else that comes is an event and goes to one callback, in order. The rules:

* A frame that cannot be read, or answers nothing that was asked, ends the connection: from a server that is not
  understood nothing can be believed.
* Whatever waits for an answer when the connection ends fails with one and the same reason.
* A password leaves this machine only where the caller has allowed it; a server that offers no other way is refused.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable, Mapping
from typing import Any

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IHandshakeListener
from twisted.internet.protocol import Protocol, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.client.failures import ClientFailure, Disconnected, RequestRefused, ServerNotTrusted, TooMuch
from chat.client.proof import Proof
from chat.errors import BadFrame
from chat.events import Challenge, Closing, Event, LoggedIn, Refused, Reply, Welcome
from chat.stretch import MOST_COST, SCRAM, SCRAM_PLUS, check_password, make_verifier, new_salt, stretch
from chat.values import Verifier
from chat.wire.jsonlines import parse

LEAST_COST = 10
"""The least cost of bcrypt that a server may ask for."""

MOST_BYTES = 16 * 1024 * 1024
"""The longest frame of a server: a page of 500 messages of the greatest length fits."""

MOST_SENT = 64 * 1024
"""The longest request, unless the server says otherwise."""

MOST_UNANSWERED = 1_000
"""Requests that may wait for their answers; one more fails at once."""

InThread = Callable[..., Deferred[Any]]
"""Calls a function with arguments off the reactor's thread: ``twisted.internet.threads.deferToThread``."""

log = Logger()


@implementer(IHandshakeListener)
class ChatClient(Protocol):
    """One connection; see ``twisted.internet.endpoints.connectProtocol`` for how it is made.

    :param tell: gets each event, in order.
    :param in_thread: where bcrypt runs.
    :param fingerprint: the SHA-256 of the server's certificate in DER, for a connection over TLS. Another certificate
        ends the connection before a byte is sent, and logins are bound to it.
    :param lost: called once when the connection has ended, with the reason.
    :param plain: whether a password may be sent to a server that knows no other way.
    :param least_cost: the least cost of bcrypt that a server may ask for; tests lower it.
    :param most_bytes: the longest frame that is read.
    :ivar welcome: what the server said to ``hello``.
    """

    transport: Any

    def __init__(
        self,
        tell: Callable[[Event], object],
        in_thread: InThread,
        *,
        fingerprint: bytes | None = None,
        lost: Callable[[ClientFailure], object] | None = None,
        plain: bool = False,
        least_cost: int = LEAST_COST,
        most_bytes: int = MOST_BYTES,
    ) -> None:
        self.welcome: Welcome | None = None
        self._tell = tell
        self._in_thread = in_thread
        self._fingerprint = fingerprint
        self._lost = lost
        self._plain = plain
        self._least_cost = least_cost
        self._most_bytes = most_bytes
        self._pieces: list[bytes] = []
        self._held = 0
        self._asked = 0
        self._unanswered: dict[int, Deferred[Reply]] = {}
        self._farewell = ""
        self._over: ClientFailure | None = None
        self._unconfirmed: Proof | None = None

    # asking

    def request(self, cmd: str, args: Mapping[str, object] | None = None, retry: str | None = None) -> Deferred[Reply]:
        """Send a command.

        :param retry: 11 to 64 random characters that make a message harmless to send again.

        Fires with the reply, which may be a `chat.events.Refused`; fails with `Disconnected` when there is no
        connection any more, with `ServerNotTrusted` when it was ended for what the server sent, and with `TooMuch`
        when the request is too long or too many wait. Canceled, its reply is ignored.
        """
        if self._over is not None:
            return fail(Failure(self._over))
        if len(self._unanswered) >= MOST_UNANSWERED:
            return fail(Failure(TooMuch("Too many requests wait for the server's answer.")))
        frame: dict[str, object] = {"id": self._asked + 1, "cmd": cmd, "args": dict(args or {})}
        if retry is not None:
            frame["retry"] = retry
        line = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        most = self.welcome.limits.get("frame", MOST_SENT) if self.welcome is not None else MOST_SENT
        if len(line) > most:
            return fail(Failure(TooMuch(f"That is too long: the server takes {most:,} bytes.")))
        self._asked += 1
        answer: Deferred[Reply] = Deferred()
        self._unanswered[self._asked] = answer
        self.transport.write(line + b"\n")
        return answer

    async def ask(self, cmd: str, args: Mapping[str, object] | None = None, retry: str | None = None) -> Reply:
        """The same for who has no use for a refusal.

        :raises RequestRefused: when the server says no; else as `request` fails.
        """
        reply = await self.request(cmd, args, retry)
        if isinstance(reply, Refused):
            raise RequestRefused(reply)
        return reply

    async def hello(self, client: str = "", device: str | None = None, heartbeat: bool = False) -> Welcome:
        """Say who speaks; each way to log in says it, if nobody did.

        :param heartbeat: promise to send something every so many seconds as `chat.events.LoggedIn` will say.
        """
        args: dict[str, object] = {"client": client, "heartbeat": heartbeat}
        if device is not None:
            args["device"] = device
        reply = await self.ask("hello", args)
        if not isinstance(reply, Welcome):
            raise self._distrust("The server does not answer a hello with a welcome.")
        self.welcome = reply
        return reply

    # logging in

    async def log_in(self, user: str, password: str, device: str | None = None) -> LoggedIn:
        """Prove a password and let the server prove itself.

        :raises RequestRefused: when the server says no: ``bad-credentials``, ``locked-out``, ``already-signed-in``.
        :raises ServerNotTrusted: when it offers no way that keeps the password here, asks for too little or too much
            work, or cannot prove itself in the end.
        """
        who: dict[str, object] = {"user": user}
        if device is not None:
            who["device"] = device
        if not await self._keeps_passwords_here():
            return self._logged_in(await self.ask("login", who | {"password": password}))
        proof = Proof(password, self._fingerprint, self._least_cost)
        reply = await self.ask("login", who | {"scram": proof.first})
        if not isinstance(reply, Challenge):
            raise self._distrust("The server logs in whoever comes, without looking at the password.")
        try:
            proof.read(reply.scram)
        except ServerNotTrusted as error:
            raise self._distrust(str(error)) from None
        final = await self._in_thread(proof.final)
        # Should the account be signed in elsewhere, a takeover brings the server's signature.
        self._unconfirmed = proof
        return self._logged_in(await self.ask("scram", {"final": final}))

    async def take_over(self) -> LoggedIn:
        """Log in where the right password was refused because the account is signed in elsewhere."""
        return self._logged_in(await self.ask("takeover"))

    async def log_in_by_token(self, token: str, device: str | None = None) -> LoggedIn:
        """Log in with what an earlier login of this device handed out."""
        self._unconfirmed = None
        args: dict[str, object] = {"token": token}
        if device is not None:
            args["device"] = device
        return self._logged_in(await self.ask("login", args))

    async def register(self, user: str, password: str, realname: str = "", device: str | None = None) -> LoggedIn:
        """Make an account; the server gets a verifier, and not the password.

        :raises chat.errors.BadPassword: when it will not do as one.
        :raises RequestRefused, ServerNotTrusted: see `log_in`.
        """
        check_password(password)
        self._unconfirmed = None
        args: dict[str, object] = {"user": user, "realname": realname}
        if device is not None:
            args["device"] = device
        if await self._keeps_passwords_here():
            verifier = await self._in_thread(_new_verifier, password, self._cost())
            args["verifier"] = _spelled(verifier)
        else:
            args["password"] = password
        return self._logged_in(await self.ask("register", args))

    async def _keeps_passwords_here(self) -> bool:
        """Whether the server can do without the password.

        :raises ServerNotTrusted: when it cannot, and the caller has not allowed to send it.
        """
        welcome = self.welcome or await self.hello()
        wanted = SCRAM if self._fingerprint is None else SCRAM_PLUS
        if wanted in welcome.auth:
            return True
        if self._plain and SCRAM not in welcome.auth:
            return False
        what = "without sending the password" if self._fingerprint is None else "that is bound to this TLS connection"
        raise self._distrust(f"The server offers no login {what}; somebody may stand in between. Nothing was sent.")

    def _cost(self) -> int:
        """The cost of bcrypt for a new password: the server's, but no less than ours."""
        assert self.welcome is not None, "_keeps_passwords_here asked"
        cost = self.welcome.limits.get("cost", self._least_cost)
        if cost > MOST_COST:
            raise self._distrust(f"The server asks for a cost of {cost}; {MOST_COST} is the most that is sensible.")
        return max(cost, self._least_cost)

    def _logged_in(self, reply: Reply) -> LoggedIn:
        proof, self._unconfirmed = self._unconfirmed, None
        if not isinstance(reply, LoggedIn):
            raise self._distrust("The server does not answer a login with one.")
        if proof is not None:
            try:
                proof.check(reply.scram)
            except ServerNotTrusted as error:
                raise self._distrust(str(error)) from None
        return reply

    # Twisted's side

    def handshakeCompleted(self) -> None:
        """See ``twisted.internet.interfaces.IHandshakeListener``: nothing of ours was sent yet."""
        if self._fingerprint is None:
            return
        certificate = self.transport.getPeerCertificate()
        seen = bytes.fromhex(certificate.digest("sha256").decode().replace(":", "")) if certificate else b""
        if seen != self._fingerprint:
            self._distrust("The server has another certificate than the one that is known. Nothing was sent.")

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
                self._distrust(f"The server sent a frame of more than {self._most_bytes:,} bytes.")
            elif line.strip():
                self._read(line)
        if rest and self._over is None:
            self._pieces.append(rest)
            self._held += len(rest)
            if self._held > self._most_bytes:
                self._distrust(f"The server sent a frame of more than {self._most_bytes:,} bytes.")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._pieces.clear()
        self._end(Disconnected(self._farewell or "The connection to the server is lost."))

    def close(self) -> None:
        """Send what waits, and end the connection."""
        self.transport.loseConnection()

    # reading

    def _read(self, line: bytes) -> None:
        try:
            shown, id = parse(line)
        except BadFrame as error:
            self._distrust(f"The server sent what cannot be read. {error.line}")
            return
        if id is not None:
            self._answer(shown, id)
        elif isinstance(shown, Event):
            self._report(shown)
        else:
            text = f": {shown.text}" if isinstance(shown, Refused) else "."
            self._distrust(f"The server answered nothing that was asked{text}")

    def _answer(self, shown: Event | Reply, id: str | int) -> None:
        answer = self._unanswered.pop(id, None) if isinstance(id, int) else None
        if answer is None or isinstance(shown, Event):
            self._distrust("The server answered nothing that was asked.")
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
            log.failure("an event could not be shown")

    # the end

    def _distrust(self, words: str) -> ServerNotTrusted:
        """End the connection because of what the server did.

        :returns: what to raise.
        """
        error = ServerNotTrusted(words)
        self.transport.abortConnection()
        self._end(error)
        return error

    def _end(self, reason: ClientFailure) -> None:
        """Fail everything that waits, once; the first reason is the one that counts."""
        if self._over is not None:
            return
        self._over = reason
        waiting, self._unanswered = self._unanswered, {}
        for answer in waiting.values():
            answer.errback(Failure(reason))
        if self._lost is not None:
            self._lost(reason)


def _new_verifier(password: str, cost: int) -> Verifier:
    """Slow."""
    salt = new_salt(cost)
    return make_verifier(stretch(password, salt), salt)


def _spelled(verifier: Verifier) -> dict[str, object]:
    """A verifier as JSON values."""
    return {
        "salt": b64encode(verifier.salt).decode(),
        "iterations": verifier.iterations,
        "stored_key": b64encode(verifier.stored_key).decode(),
        "server_key": b64encode(verifier.server_key).decode(),
    }
