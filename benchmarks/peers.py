"""The servers that are compared: how each is started, entered and spoken to."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from benchmarks.fixtures import PASSWORD, Fixtures
from benchmarks.load_clients import Step
from benchmarks.processes import Process, free_port

ROOM = "bench"
"""The room that everybody of a comparison is in, unless a scenario has many."""

LIFTED = ("--rate", "1000000", "--burst", "1000000", "--network-connections", "100000", "--bcrypt-cost", "4")
"""The limits that keep one person from flooding others are what a benchmark does; all else is as shipped."""

Rooms = Mapping[str, Sequence[str]]
"""Names of rooms, each with the names of its members; nobody is in two of them."""


class Peer(Protocol):
    """A server that can be compared.

    :ivar encrypted: whether it is spoken to under TLS.
    """

    name: str
    encrypted: bool

    def missing(self) -> str:
        """Why it cannot be run on this machine, or empty."""

    def furnish(self, folder: Path, rooms: Rooms) -> None:
        """Make what has to be there before the start."""

    def command(self, port: int) -> Sequence[str]:
        """What runs it, in its folder."""

    def entering(self, name: str, room: str) -> Sequence[Step]:
        """How to be in a room as somebody; as many steps for everybody."""

    def saying(self, room: str, words: bytes) -> bytes:
        """How words are said to a room in which one is."""

    def writing(self, name: str, words: bytes) -> bytes:
        """How words are written to one person."""


class Chat:
    """This project's server, spoken to as from netcat.

    :param options: of ``twistd chatserver``.
    """

    name = "chatserver"

    def __init__(self, encrypted: bool = False, options: Sequence[str] = LIFTED) -> None:
        self.encrypted = encrypted
        self._options = options
        if encrypted:
            self.name = f"{self.name} tls"

    def missing(self) -> str:
        return ""

    def furnish(self, folder: Path, rooms: Rooms) -> None:
        with Fixtures(folder / "credentials.db") as fixtures:
            for room, people in rooms.items():
                fixtures.room(room, fixtures.people(people))

    def command(self, port: int) -> Sequence[str]:
        twistd = str(Path(sys.executable).with_name("twistd"))
        return (twistd, "-n", "chatserver", "--listen", f"tcp:{port}", *self._options)

    def entering(self, name: str, room: str) -> Sequence[Step]:
        return (Step(f"login {name} {PASSWORD}\n".encode(), b"* You are "),)

    def saying(self, room: str, words: bytes) -> bytes:
        return words + b"\n"

    def writing(self, name: str, words: bytes) -> bytes:
        return b"message %s %s\n" % (name.encode(), words)


class ChatPrograms(Chat):
    """This project's server, spoken to as by programs."""

    name = "chatserver json"

    def entering(self, name: str, room: str) -> Sequence[Step]:
        return (
            Step(_request("login", user=name, password=PASSWORD), b'"logged-in"'),
            Step(_request("resume"), b'"resumed"'),
        )

    def saying(self, room: str, words: bytes) -> bytes:
        return _request("say", room=room, text=words.decode())

    def writing(self, name: str, words: bytes) -> bytes:
        return _request("message", user=name, text=words.decode())


def _request(command: str, **arguments: str) -> bytes:
    return json.dumps({"id": 1, "cmd": command, "args": arguments}).encode() + b"\n"


class BaselineServer:
    """See `benchmarks.baseline_server`."""

    name = "baseline"
    encrypted = False

    def missing(self) -> str:
        return ""

    def furnish(self, folder: Path, rooms: Rooms) -> None:
        pass

    def command(self, port: int) -> Sequence[str]:
        return (sys.executable, str(Path(__file__).with_name("baseline_server.py")), str(port), "baseline.db")

    def entering(self, name: str, room: str) -> Sequence[Step]:
        return (Step(f"{name} {room}\n".encode(), b"welcome\n"),)

    def saying(self, room: str, words: bytes) -> bytes:
        return words + b"\n"

    def writing(self, name: str, words: bytes) -> bytes:
        return b"@%s %s\n" % (name.encode(), words)


@contextmanager
def running(peer: Peer, rooms: Rooms) -> Iterator[Process]:
    """A peer in a temporary folder, furnished with these rooms; it ends with the block."""
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        peer.furnish(folder, rooms)
        with started(peer, folder) as server:
            server.wait_for_port()
            yield server


@contextmanager
def started(peer: Peer, folder: Path) -> Iterator[Process]:
    """A peer that was just started in a folder of one's own."""
    port = free_port()
    server = Process(peer.command(port), folder, port)
    try:
        yield server
    finally:
        server.stop()
