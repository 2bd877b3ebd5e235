"""A server at a real port, whose timers the test turns by hand, and a peer at a real socket, with TLS or without."""

from __future__ import annotations

import os
import socket
import ssl
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred, succeed
from twisted.internet.interfaces import IAddress
from twisted.internet.task import deferLater
from twisted.trial.unittest import TestCase

from chat.server.core.dispatcher import Dispatcher
from chat.server.frontends.certificate import Certificate, ensure_certificate
from chat.server.frontends.connection import ChatFactory, Connection
from chat.server.process.reactor import ReactorTurn
from tests.server.frontends.server import Server

reactor: Any = installed

PATIENCE = 20.0
"""Seconds in which everything that is waited for has to happen."""


class End:
    """The far end of a connection.

    :ivar raw: every byte that has come, as it came.
    :ivar text: what of it could be read, deciphered where TLS is spoken.
    :ivar over: whether the server has ended the connection.
    :ivar reads: whether it takes what comes.
    """

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setblocking(False)
        self.raw = b""
        self.text = b""
        self.over = False
        self.reads = True
        self._tls: ssl.SSLObject | None = None
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()

    def begin_tls(self) -> None:
        """Send the ClientHello, if it was not sent yet; what came before it is no part of TLS."""
        if self._tls is not None:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        self._tls = context.wrap_bio(self._incoming, self._outgoing)
        self._shake()

    @property
    def secure(self) -> bool:
        """Whether the handshake is done."""
        return self._tls is not None and self._tls.version() is not None and self._tls.cipher() is not None

    def sends(self, data: bytes) -> None:
        if self._tls is not None:
            self._tls.write(data)
            self._flush()
        else:
            self.socket.sendall(data)

    def takes(self) -> bool:
        """Take what has come.

        :returns: whether there was anything.
        """
        try:
            came = self.socket.recv(1 << 16)
        except BlockingIOError:
            return False
        except ConnectionError:
            came = b""
        if not came:
            self.over = True
            return False
        self.raw += came
        if self._tls is None:
            self.text += came
            return True
        self._incoming.write(came)
        self._shake()
        with suppress(ssl.SSLError):
            while piece := self._tls.read(1 << 16):
                self.text += piece
        return True

    def _shake(self) -> None:
        assert self._tls is not None
        with suppress(ssl.SSLError):  # it wants to read, or the server has refused
            self._tls.do_handshake()
        self._flush()

    def _flush(self) -> None:
        with suppress(BlockingIOError, ConnectionError):
            self.socket.sendall(self._outgoing.read())


class NotingFactory(ChatFactory):
    """Notes what it makes."""

    made: list[Connection]

    def buildProtocol(self, addr: IAddress | None) -> Connection:
        connection = super().buildProtocol(addr)
        self.made.append(connection)
        return connection


class LiveCase(TestCase):
    """Everything is real but the server's timers, its store and its hashing."""

    settings: dict[str, Any] = {}  # noqa: RUF012  # read only
    timeout = 60

    def setUp(self) -> None:
        self.server = Server(**self.settings)
        self.successResultOf(Deferred.fromCoroutine(self.server.chat.start()))
        self.server.advance(60)
        self.addCleanup(lambda: Deferred.fromCoroutine(self.server.chat.stop("The test is over.")))
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        path = os.path.join(folder.name, "chat.pem")
        ensure_certificate(path, "chat")
        self.certificate = Certificate(path, self.server.clock.monotonic, lambda work: succeed(work()))
        self.turn = ReactorTurn(reactor)
        self._ends: list[End] = []

    def listen(self, kind: str = "auto") -> int:
        """:returns: the port."""
        server = self.server
        dispatcher = Dispatcher(server.chat)
        self.connections: list[Connection] = []
        factory = NotingFactory(kind, server.chat, dispatcher, self.turn, server.counter, self.certificate)
        factory.made = self.connections
        port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.addCleanup(self._close, port)
        number: int = port.getHost().port
        return number

    async def _close(self, port: Any) -> None:
        for end in self._ends:
            end.socket.close()
        for connection in self.connections:
            connection.transport.abortConnection()
        await port.stopListening()
        await self.until(lambda: not self.server.counter.total)

    async def call(self, port: int) -> End:
        """Connect, and wait until the server knows. What is sent then is read when something is waited for."""
        end = End(port)
        self._ends.append(end)
        known = len(self.connections)
        await self.until(lambda: len(self.connections) > known)
        return end

    async def shakes_hands(self, end: End) -> None:
        """Begin TLS, and wait until both ends are done."""
        end.begin_tls()
        await self.until(
            lambda: end.secure and getattr(self.connections[-1].transport.protocol, "_handshakeDone", False)
        )

    def arrives(self) -> None:
        """Wait, while nothing is read, until the kernel has what was sent."""
        begun = time.monotonic()
        while not self.connections[-1].unread():
            assert time.monotonic() - begun < PATIENCE, "it does not arrive"

    async def hangs_up(self, end: End) -> None:
        """End a connection, and wait until the server knows."""
        left = self.server.counter.total - 1
        end.socket.close()
        await self.until(lambda: self.server.counter.total == left)

    async def a_turn(self) -> None:
        """Let the reactor run once."""
        await deferLater(reactor, 0)

    async def until(self, done: Callable[[], object]) -> None:
        """Let the reactor run until something is so."""
        begun = time.monotonic()
        while not done():
            if time.monotonic() - begun > PATIENCE:
                raise AssertionError("it does not come to that")
            await deferLater(reactor, 0.002)
            for end in self._ends:
                while end.socket.fileno() >= 0 and not end.over and end.reads and end.takes():
                    pass
