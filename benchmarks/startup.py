"""A start with a hundred thousand messages in the database, and how long it takes to read some of them."""

from __future__ import annotations

import socket
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fixtures import Fixtures
from benchmarks.peers import Chat, started
from benchmarks.processes import PATIENCE, Failed

LIMIT = 2.0
"""Seconds from the start of the process to the first greeting."""

MESSAGES = 100_000
PEOPLE = 1_000
ROOMS = 20
ASKED = 20
"""How often each history is asked for; the median counts."""


@dataclass(frozen=True, slots=True)
class Startup:
    """:param greeted: seconds from the start of the process until a person who waits is greeted.
    :param histories: seconds from asking to the last line, by what was asked.
    """

    messages: int
    greeted: float
    histories: Mapping[str, float]


def measure(messages: int = MESSAGES) -> Startup:
    """:raises Failed: when the server does not start, or shows less than it has."""
    peer = Chat()
    names = [f"member{number}" for number in range(PEOPLE)]
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        with Fixtures(folder / "credentials.db") as fixtures:
            accounts = fixtures.people(names)
            share = PEOPLE // ROOMS
            rooms = [
                fixtures.room(f"room{number}", accounts[number * share : (number + 1) * share])
                for number in range(ROOMS)
            ]
            fixtures.said(rooms, accounts[::share], messages)
        with started(peer, folder) as server, _Person(server.port, server.started + PATIENCE) as person:
            person.wait_for(b"Welcome")
            greeted = time.monotonic() - server.started
            for step in peer.entering(names[0], ""):
                person.ask(step.words, step.answer)
            histories = {
                f"history {lines}": person.history(lines, min(lines, messages // ROOMS)) for lines in (20, 500)
            }
    return Startup(messages, greeted, histories)


class _Person:
    """One person, who waits for each answer."""

    def __init__(self, port: int, end: float) -> None:
        self._socket = _connected(port, end)
        self._socket.settimeout(PATIENCE)
        self._received = b""

    def __enter__(self) -> _Person:
        return self

    def __exit__(self, *error: object) -> None:
        self._socket.close()

    def wait_for(self, words: bytes) -> None:
        """:raises Failed: when the server says anything but that."""
        while words not in self._received:
            try:
                data = self._socket.recv(256 * 1024)
            except TimeoutError:
                data = b""
            if not data:
                raise Failed(f"somebody waited for {words!r} and was shown {self._received[-300:]!r}")
            self._received += data

    def ask(self, words: bytes, answer: bytes) -> float:
        """:returns: the seconds until the answer was shown."""
        self._received = b""
        begun = time.monotonic()
        self._socket.sendall(words)
        self.wait_for(answer)
        return time.monotonic() - begun

    def history(self, lines: int, least: int) -> float:
        """Ask for the last so many lines, again and again.

        :raises Failed: when fewer come.
        """
        taken = []
        for _ in range(ASKED):
            taken.append(self.ask(b"/history %d\n/ping\n" % lines, b"pong"))
            shown = self._received.count(b"\n")
            if shown < least:
                raise Failed(f"history showed {shown:,} lines instead of {least:,}")
        return sorted(taken)[len(taken) // 2]


def _connected(port: int, end: float) -> socket.socket:
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port))
        except ConnectionRefusedError:
            if time.monotonic() > end:
                raise Failed("the server did not start") from None
            time.sleep(0.002)
