"""The servers that are compared: how each is started, entered and spoken to."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from benchmarks.furnishing import PASSWORD, Furnishing
from benchmarks.processes import Process, free_port

ROOM = "bench"
"""The room that everybody of a comparison is in."""

LIFTED = ("--rate", "1000000", "--burst", "1000000", "--network-connections", "100000", "--bcrypt-cost", "4")
"""The limits that keep one person from flooding others are what a benchmark does; all else is as shipped."""


class Peer(Protocol):
    """A server that can be compared.

    :ivar entered: what somebody is shown who is in the room now.
    """

    name: str
    entered: bytes

    def furnish(self, folder: Path, people: Sequence[str]) -> None:
        """Make what has to be there before the start."""

    def command(self, port: int) -> Sequence[str]:
        """What runs it, in its folder."""

    def entering(self, name: str) -> bytes:
        """What to send to be in the room as somebody."""

    def saying(self, words: bytes) -> bytes:
        """How words are said to the room."""

    def writing(self, name: str, words: bytes) -> bytes:
        """How words are written to one person."""


class Chat:
    """This project's server, spoken to as from netcat.

    :param options: of ``twistd chatserver``.
    """

    name = "chatserver"
    entered = b"* You are in "

    def __init__(self, options: Sequence[str] = LIFTED) -> None:
        self._options = options

    def furnish(self, folder: Path, people: Sequence[str]) -> None:
        with Furnishing(folder / "credentials.db") as furnishing:
            furnishing.room(ROOM, furnishing.people(people))

    def command(self, port: int) -> Sequence[str]:
        twistd = str(Path(sys.executable).with_name("twistd"))
        return (twistd, "-n", "chatserver", "--listen", f"tcp:{port}", *self._options)

    def entering(self, name: str) -> bytes:
        return f"login {name} {PASSWORD}\n".encode()

    def saying(self, words: bytes) -> bytes:
        return words + b"\n"

    def writing(self, name: str, words: bytes) -> bytes:
        return b"message %s %s\n" % (name.encode(), words)


class Yardstick:
    """See `benchmarks.yardstick`."""

    name = "yardstick"
    entered = b"welcome\n"

    def furnish(self, folder: Path, people: Sequence[str]) -> None:
        pass

    def command(self, port: int) -> Sequence[str]:
        return (sys.executable, str(Path(__file__).with_name("yardstick.py")), str(port), "yardstick.db")

    def entering(self, name: str) -> bytes:
        return f"{name} {ROOM}\n".encode()

    def saying(self, words: bytes) -> bytes:
        return words + b"\n"

    def writing(self, name: str, words: bytes) -> bytes:
        return b"@%s %s\n" % (name.encode(), words)


@contextmanager
def running(peer: Peer, people: Sequence[str] = ()) -> Iterator[Process]:
    """A peer in a temporary folder, furnished for these people; it ends with the block."""
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        if people:
            peer.furnish(folder, people)
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
