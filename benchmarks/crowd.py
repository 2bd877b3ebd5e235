"""Many people in one thread: plain sockets and one epoll, as cheap as Python can be.

Bytes are kept as they come and lines are only counted, so that one delivery costs the crowd one ``recv``; whoever
wants to see words gives a client something to call.
"""

from __future__ import annotations

import select
import socket
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from benchmarks.processes import Failed

_READ = 256 * 1024
_MOST_EVENTS = 4_096


class Client:
    """One connection.

    :ivar received: what came since it was last cleared.
    :ivar heard: called with whatever comes, if anybody wants to look.
    """

    __slots__ = ("_crowd", "_unsent", "heard", "received", "socket")

    def __init__(self, crowd: Crowd, connected: socket.socket) -> None:
        self._crowd = crowd
        self._unsent = b""
        self.socket = connected
        self.received: list[bytes] = []
        self.heard: Callable[[bytes], object] | None = None

    def send(self, data: bytes) -> None:
        """Send, now or as soon as the server reads on."""
        if self._unsent:
            self._unsent += data
            return
        sent = self._send(data)
        if sent < len(data):
            self._unsent = data[sent:]
            self._crowd.watch(self, writing=True)

    def go_on(self) -> None:
        """The server has read something."""
        self._unsent = self._unsent[self._send(self._unsent) :]
        if not self._unsent:
            self._crowd.watch(self, writing=False)

    def _send(self, data: bytes) -> int:
        try:
            return self.socket.send(data)
        except BlockingIOError:
            return 0


class Crowd:
    """People on one server."""

    def __init__(self, port: int) -> None:
        self._port = port
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
        connected.setblocking(False)
        client = self._clients[connected.fileno()] = Client(self, connected)
        self._epoll.register(connected.fileno(), select.EPOLLIN)
        return client

    def watch(self, client: Client, writing: bool) -> None:
        """Whether a client has something left to send."""
        self._epoll.modify(client.socket.fileno(), select.EPOLLIN | (select.EPOLLOUT if writing else 0))

    def turn(self, seconds: float) -> int:
        """Take what has come, waiting so long for it.

        :returns: how many lines that was, of all clients.
        :raises Failed: when the server has ended a connection.
        """
        lines = 0
        clients = self._clients
        for number, event in self._epoll.poll(seconds, _MOST_EVENTS):
            client = clients[number]
            if event & select.EPOLLOUT:
                client.go_on()
            if event == select.EPOLLOUT:
                continue
            data = client.socket.recv(_READ)
            if not data:
                raise Failed(f"the server ended a connection; last it said {b''.join(client.received)[-300:]!r}")
            client.received.append(data)
            lines += data.count(b"\n")
            if client.heard is not None:
                client.heard(data)
        return lines

    def rest(self, seconds: float) -> None:
        """Take what comes for a while."""
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            self.turn(left)

    def wait_for(self, clients: Sequence[Client], words: bytes, seconds: float = 30.0) -> None:
        """Wait until each of these was shown something, and forget what they received.

        :raises Failed: when that takes too long.
        """
        end = time.monotonic() + seconds
        missing = list(clients)
        while missing := [each for each in missing if words not in b"".join(each.received)]:
            if time.monotonic() > end:
                shown = b"".join(missing[0].received)[-300:]
                raise Failed(f"{len(missing)} people wait for {words!r}; one of them was shown {shown!r}")
            self.turn(1.0)
        for each in clients:
            each.received.clear()

    def enter(self, greetings: Sequence[bytes], entered: bytes, at_once: int = 100) -> list[Client]:
        """Connect people who say something each, so many at a time, and wait until they are in."""
        people: list[Client] = []
        for start in range(0, len(greetings), at_once):
            some = [self.connect() for _ in greetings[start : start + at_once]]
            for client, greeting in zip(some, greetings[start:], strict=False):
                client.send(greeting)
            self.wait_for(some, entered)
            people += some
        return people
