"""The smallest Twisted server that keeps what it delivers: what ours costs is measured against it.

It does what no such server can leave out: a line goes to a writer thread, which commits whatever waits (SQLite,
``synchronous=FULL``) and hands it back in one call; then each room's lines are joined once and sent to every member
with one ``send``. It has no accounts, no rights, no limits, no commands, no history, and one look.

The first line of a connection is ``NAME ROOM``; after it, ``@NAME words`` is for one person and anything else for the
room. Run: ``python benchmarks/baseline_server.py PORT FILE``.
"""

from __future__ import annotations

import socket
import sqlite3
import sys
from collections.abc import Callable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

from twisted.internet.interfaces import IPullProducer
from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from zope.interface import implementer


class Line(NamedTuple):
    """What somebody said, to the room, or to one person."""

    author: Person
    to: str
    words: bytes


class Log:
    """:param stored: called in the writer's thread with the lines of each commit."""

    def __init__(self, path: str, stored: Callable[[list[Line]], object]) -> None:
        self._path = path
        self._stored = stored
        self._waiting: SimpleQueue[Line] = SimpleQueue()
        self.append = self._waiting.put
        Thread(target=self._write, daemon=True).start()

    def _write(self) -> None:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS log (id INTEGER PRIMARY KEY, place TEXT, author TEXT, body BLOB)"
        )
        while True:
            lines = [self._waiting.get()]
            with suppress(Empty):
                while True:
                    lines.append(self._waiting.get_nowait())
            rows = [(to or author.room, author.name, words) for author, to, words in lines]
            connection.execute("BEGIN")
            connection.executemany("INSERT INTO log (place, author, body) VALUES (?, ?, ?)", rows)
            connection.execute("COMMIT")
            self._stored(lines)


class House(Factory):
    """Who is here, and the delivery of what was stored."""

    noisy = False

    def __init__(self, path: str, call_from_thread: Callable[..., object]) -> None:
        self.people: dict[str, Person] = {}
        self.rooms: dict[str, set[Person]] = {}
        self.log = Log(path, lambda lines: call_from_thread(self.deliver, lines))

    def buildProtocol(self, addr: object) -> Person:
        return Person(self)

    def deliver(self, lines: list[Line]) -> None:
        """Send what is on disk now: one batch to each member of a room, without what the member said."""
        rooms: dict[str, list[tuple[Person, bytes]]] = {}
        for author, to, words in lines:
            shown = b"%s: %s\n" % (author.label, words)
            if not to:
                rooms.setdefault(author.room, []).append((author, shown))
            elif to in self.people:
                self.people[to].send(shown)
        for room, batch in rooms.items():
            authors = {author for author, _ in batch}
            whole = b"".join([shown for _, shown in batch])
            for person in self.rooms.get(room, ()):
                if person not in authors:
                    person.send(whole)
                elif others := b"".join([shown for author, shown in batch if author is not person]):
                    person.send(others)


@implementer(IPullProducer)
class Person(Protocol):
    """One connection."""

    transport: Any

    def __init__(self, node: House) -> None:
        self._node = node
        self._rest = b""
        self._unsent: list[bytes] | None = None
        self.name = self.room = ""
        self.label = b""

    def connectionMade(self) -> None:
        self.transport.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def dataReceived(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            if not self.name:
                self._enter(line)
            elif line[:1] == b"@":
                to, _, words = line[1:].partition(b" ")
                self._node.log.append(Line(self, to.decode(), words))
            else:
                self._node.log.append(Line(self, "", line))

    def _enter(self, line: bytes) -> None:
        self.name, self.room = line.decode().split()
        self.label = self.name.encode()
        self._node.people[self.name] = self
        self._node.rooms.setdefault(self.room, set()).add(self)
        self.send(b"welcome\n")

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self._node.people.pop(self.name, None)
        self._node.rooms.get(self.room, set()).discard(self)

    def send(self, batch: bytes) -> None:
        """Send at once what the socket takes; the rest waits until the transport is drained."""
        if self._unsent is not None:
            self._unsent.append(batch)
            return
        sent = 0
        with suppress(BlockingIOError):
            sent = self.transport.socket.send(batch)
        if sent < len(batch):
            self._unsent = [batch[sent:]]
            self.transport.registerProducer(self, False)

    def resumeProducing(self) -> None:
        unsent = self._unsent
        self._unsent = [] if unsent else None
        if unsent:
            self.transport.write(b"".join(unsent))
        else:
            self.transport.unregisterProducer()

    def stopProducing(self) -> None:
        self._unsent = []


def main() -> None:
    from twisted.internet import reactor

    port, path = sys.argv[1:]
    anything: Any = reactor
    anything.listenTCP(int(port), House(path, anything.callFromThread), backlog=1024, interface="::")
    anything.run()


if __name__ == "__main__":
    main()
