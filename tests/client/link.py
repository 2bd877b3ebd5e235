"""A client and a whole server without sockets, threads or time, and a wire between them that the test may cut."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, succeed
from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.testing import StringTransport
from twisted.python.failure import Failure

from chat.client.model.failures import ClientFailure
from chat.client.session.login import Login
from chat.client.session.protocol import ChatClient, Trust
from chat.protocol.events import Event
from tests.server.auth.fakes import COST
from tests.server.frontends.server import Caller, Server, ServerCase

P = ParamSpec("P")
T = TypeVar("T")


def at_once(function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
    """In place of a thread."""
    return succeed(function(*args, **kwargs))


class FakeCertificate:
    """As much of a certificate as a client looks at; there is a name in place of a key."""

    def __init__(self, name: bytes) -> None:
        self.fingerprint = sha256(name).digest()

    def digest(self, kind: str) -> bytes:
        assert kind == "sha256"
        return self.fingerprint.hex(":").upper().encode()


class NearEnd(StringTransport):
    """The client's transport."""

    def __init__(self, certificate: FakeCertificate | None) -> None:
        super().__init__()
        self._certificate = certificate
        self.aborting = False

    def getPeerCertificate(self) -> FakeCertificate | None:
        return self._certificate

    def abortConnection(self) -> None:
        self.aborting = True
        self.loseConnection()


class Link:
    """One connection.

    :param certificate: what the server shows, for a connection over TLS.
    :param seen_by_server: the certificate that TLS was made with at the server's end, where somebody stands between.
    :param address: from which the client comes.
    :ivar sent: every byte that the client has sent.
    :ivar got: every byte that the server has sent.
    :ivar tamper: what a bad server makes of each of its frames, if it is one.
    """

    def __init__(
        self,
        server: Server,
        client: ChatClient,
        certificate: FakeCertificate | None = None,
        seen_by_server: FakeCertificate | None = None,
        address: str = "192.0.2.7",
    ) -> None:
        self._server = server
        self.client = client
        self.sent = b""
        self.got = b""
        self.over = False
        self.tamper: Callable[[dict[str, Any]], list[dict[str, Any]]] | None = None
        self.near = NearEnd(certificate)
        self.far = Caller(server, "auto", address)
        if behind := seen_by_server or certificate:
            peer = self.far.protocol.peer
            self.far.protocol.peer = replace(peer, encrypted=True, binding=behind.fingerprint)
        client.makeConnection(self.near)
        if certificate is not None:
            client.handshakeCompleted()

    def answer(self, type: str, **fields: object) -> None:
        """An impostor answers what the client asked last; the server gets nothing of it."""
        id = json.loads(self.near.value().splitlines()[-1])["id"]
        self.sent += self.near.value()
        self.near.clear()
        self.client.dataReceived(json.dumps({"type": type, "id": id, **fields}).encode() + b"\n")

    def pump(self) -> bool:
        """Carry what waits, both ways.

        :returns: whether anything did.
        """
        if self.over:
            return False
        there, back = self.near.value(), self.far.wire.value()
        self.near.clear()
        self.far.wire.clear()
        self.sent += there
        self.got += back
        if there:
            self.far.sends(there)
            self._server.settle()
        if back and self.tamper is not None:
            frames = [frame for line in back.splitlines() for frame in self.tamper(json.loads(line))]
            back = b"".join(json.dumps(frame).encode() + b"\n" for frame in frames)
        if back:
            self.client.dataReceived(back)
        if not there and not back:
            self._finish()
        return bool(there or back)

    def _finish(self) -> None:
        """Both ends have said all: has one of them hung up?"""
        if self.near.disconnecting or self.far.ended or self.far.wire.disconnected:
            self.cut(orderly=True)

    def cut(self, orderly: bool = False) -> None:
        """The connection is gone; what was on its way is lost."""
        if self.over:
            return
        self.over = True
        reason = ConnectionDone() if orderly else ConnectionLost()
        self.client.connectionLost(Failure(reason))
        self.far.protocol.connectionLost(Failure(reason))


class LinkCase(ServerCase):
    """Clients of a server that runs."""

    def setUp(self) -> None:
        super().setUp()
        self.links: list[Link] = []
        self.events: list[Event] = []
        self.reasons: list[ClientFailure] = []

    def link(
        self,
        certificate: FakeCertificate | None = None,
        seen_by_server: FakeCertificate | None = None,
        trust: Trust | None = None,
    ) -> ChatClient:
        """Somebody connects; any certificate will do unless ``trust`` says otherwise."""
        if certificate is not None and trust is None:
            trust = bytes.hex
        client = ChatClient(self.events.append, trust=trust, lost=self.reasons.append)
        client.ready.addErrback(lambda _: None)
        self.links.append(Link(self.server, client, certificate, seen_by_server))
        return client

    def login(self, client: ChatClient | None = None, **more: Any) -> Login:
        return Login(client or self.link(), at_once, **{"least_cost": COST} | more)

    def settle(self) -> None:
        """Until nothing is on its way any more."""
        self.server.settle()
        while sum(link.pump() for link in self.links):
            pass

    def run_link(self, work: Any) -> Any:
        """The result of a coroutine that talks to the server."""
        outcome: Deferred[Any] = Deferred.fromCoroutine(work)
        self.settle()
        return self.successResultOf(outcome)

    def fails(self, work: Any, *kinds: type[Exception]) -> Any:
        """The exception that a coroutine ends with which talks to the server."""
        outcome: Deferred[Any] = Deferred.fromCoroutine(work)
        self.settle()
        return self.failureResultOf(outcome, *kinds).value
