"""Many people in one thread: plain sockets and one epoll, as cheap as Python can be.

Bytes are never cut into lines here: what counts as heard is counted (`MARK`), and a checksum of everything is kept, so
that one delivery costs the clients little more than its ``recv``. To see words, give a client something to call.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self
from zlib import crc32

from benchmarks.processes import Failed

MARK = b"|"
"""Stands once in every line that is said, and nowhere else (IRC servers put ``~`` before names)."""

_READ = 64 * 1024
_MOST_EVENTS = 4_096
_KEPT = 4_096


class Step(NamedTuple):
    """Something to send, and what is shown when it was understood."""

    words: bytes
    answer: bytes


class Client:
    """One connection.

    :ivar checksum: of all that came since `forget`.
    :ivar received: what came since then, if it is kept; else the latest of it.
    :ivar heard: called with whatever comes, if anybody wants to look.
    """

    __slots__ = ("_clients", "_keeps", "_unsent", "checksum", "heard", "received", "socket")

    def __init__(self, clients: LoadClients, connected: socket.socket) -> None:
        self._clients = clients
        self._unsent = b""
        self._keeps = False
        self.socket = connected
        self.checksum = 0
        self.received = b""
        self.heard: Callable[[bytes], object] | None = None

    def forget(self, keep: bool = False) -> None:
        """Forget what came.

        :param keep: whether all that comes from now on is kept.
        """
        self.received = b""
        self.checksum = 0
        self._keeps = keep

    def send(self, words: bytes) -> None:
        """Send, now or as soon as the server reads on."""
        if self._unsent:
            self._unsent += words
            return
        sent = self._send(words)
        if sent < len(words):
            self._unsent = words[sent:]
            self._clients.watch(self, writing=True)

    def go_on(self) -> None:
        """The server has read something."""
        self._unsent = self._unsent[self._send(self._unsent) :]
        if not self._unsent:
            self._clients.watch(self, writing=False)

    def _send(self, words: bytes) -> int:
        try:
            return self.socket.send(words)
        except (BlockingIOError, ssl.SSLWantWriteError):
            return 0

    def take(self) -> int:
        """Take what has come.

        :returns: how many marks were in it.
        :raises Failed: when the server has ended the connection.
        """
        taken = self._receive()
        self.checksum = crc32(taken, self.checksum)
        self.received = self.received + taken if self._keeps or len(self.received) < _KEPT else taken
        if self.heard is not None:
            self.heard(taken)
        return taken.count(MARK)

    def _receive(self) -> bytes:
        taken = b""
        try:
            while True:
                part = self.socket.recv(_READ)
                if not part:
                    raise Failed(f"the server ended a connection; last it said {self.received[-300:]!r}")
                taken += part
                if not isinstance(self.socket, ssl.SSLSocket):
                    return taken
        except (BlockingIOError, ssl.SSLWantReadError):
            return taken


class LoadClients:
    """People on one server.

    :param encrypted: whether they speak TLS.
    """

    def __init__(self, port: int, encrypted: bool = False) -> None:
        self._port = port
        self._tls = _trusting() if encrypted else None
        self._epoll = select.epoll()
        self._clients: dict[int, Client] = {}
        self._made = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        for client in self._clients.values():
            client.socket.close()
        self._epoll.close()

    def connect(self) -> Client:
        """One more connection, from an address of its own."""
        place = self._made = self._made + 1
        connected = socket.socket()
        connected.bind((f"127.{1 + place // 62_500}.{place // 250 % 250}.{1 + place % 250}", 0))
        connected.connect(("127.0.0.1", self._port))
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._tls is not None:
            connected = self._tls.wrap_socket(connected)
        connected.setblocking(False)
        client = self._clients[connected.fileno()] = Client(self, connected)
        self._epoll.register(connected.fileno(), select.EPOLLIN)
        return client

    def watch(self, client: Client, writing: bool) -> None:
        """Whether a client has something left to send."""
        self._epoll.modify(client.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if writing else 0))

    def turn(self, seconds: float) -> int:
        """Take what has come, waiting so long for it.

        :returns: how many marks were in it, of all clients.
        :raises Failed: when the server has ended a connection.
        """
        marks = 0
        clients = self._clients
        for number, event in self._epoll.poll(seconds, _MOST_EVENTS):
            client = clients[number]
            if event & select.EPOLLOUT:
                client.go_on()
            if event != select.EPOLLOUT:
                marks += client.take()
        return marks

    def rest(self, seconds: float) -> None:
        """Take what comes for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.turn(left)

    def wait_for(self, clients: Sequence[Client], words: bytes, seconds: float = 60.0) -> None:
        """Wait until each of these was shown something.

        :raises Failed: when that takes too long.
        """
        end = time.monotonic() + seconds
        missing = list(clients)
        while missing := [each for each in missing if words not in each.received]:
            if time.monotonic() > end:
                raise Failed(f"{len(missing)} people wait for {words!r}; one was shown {missing[0].received[-300:]!r}")
            self.turn(1.0)

    def enter(self, people: Sequence[Sequence[Step]], at_once: int = 100) -> list[Client]:
        """Connect people who take some steps each, so many people at a time, and wait until they are in."""
        entered: list[Client] = []
        for start in range(0, len(people), at_once):
            group = people[start : start + at_once]
            clients = [self.connect() for _ in group]
            for steps in zip(*group, strict=True):
                for client, step in zip(clients, steps, strict=True):
                    client.forget(keep=True)
                    client.send(step.words)
                self.wait_for(clients, steps[0].answer)
            for client in clients:
                client.forget()
            entered += clients
        return entered


def _trusting() -> Any:
    """TLS to a certificate that the server has just made for itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
