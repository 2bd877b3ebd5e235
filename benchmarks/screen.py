"""The console client at a terminal of its own: how soon it can be used, and whether it freezes."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import socket
import struct
import sys
import termios
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fixtures import PASSWORD, Fixtures
from benchmarks.peers import ROOM, Chat, started
from benchmarks.processes import PATIENCE, Failed
from chat.client.session.login import LEAST_COST

LIMIT = 1.0
"""Seconds from the start of the process to a screen that can be used."""

FREEZE = 0.25
"""Seconds in which a key that is pressed has to show, whatever else goes on."""

STARTS = 5
"""How often it is started; the median counts."""

BURST = 3_000
HISTORY = 10_000
READY = b"F1: help"
"""Stands in the status line when one is logged in and everything is read."""

_KEYS = "¡¢£¤¥¦§©ª«¬®¯°±²³´µ¶"
"""Characters that nobody else writes."""


@dataclass(frozen=True, slots=True)
class Shown:
    """:param started: seconds from the start of the process until it could be used, each time.
    :param cpu: seconds of CPU that it took, each time.
    :param burst: seconds from the first of the lines of a burst being said to the last being painted.
    :param keys: seconds from each key that was pressed meanwhile until it showed.
    :param pages: seconds from each page that was turned back until something was painted, up to the first line.
    :param scrolled: seconds from the newest line to the first.
    """

    started: Sequence[float]
    cpu: Sequence[float]
    burst: float
    keys: Sequence[float]
    pages: Sequence[float]
    scrolled: float


def measure(burst: int = BURST, history: int = HISTORY) -> Shown:
    """:raises Failed: when something does not show."""
    peer = Chat()
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        with Fixtures(folder / "credentials.db", LEAST_COST) as fixtures:
            people = fixtures.people(["ann", "bob"])
            fixtures.said([fixtures.room(ROOM, people)], people[1:], history)
        with started(peer, folder) as server:
            server.wait_for_port()
            command = [sys.executable, "-c", "from chat.client.main import main; main()", f"127.0.0.1:{server.port}"]
            with Terminal([*command, "--user", "ann"], folder) as ann:
                ann.wait_for(b"Log in to")
                ann.press(PASSWORD.encode() + b"\r", READY)
            starts = [_start(command, folder) for _ in range(STARTS)]
            with Terminal(command, folder) as ann:
                ann.wait_for(READY)
                pages, scrolled = _scroll(ann)
            with Terminal(command, folder) as ann:
                ann.wait_for(READY)
                seconds, keys = _burst(ann, server.port, burst)
    return Shown([wall for wall, _ in starts], [cpu for _, cpu in starts], seconds, keys, pages, scrolled)


def _start(command: Sequence[str], folder: Path) -> tuple[float, float]:
    with Terminal(command, folder) as ann:
        return ann.wait_for(READY), ann.cpu()


def _scroll(ann: Terminal) -> tuple[list[float], float]:
    pages = []
    begun = time.monotonic()
    while b"line 0 of" not in ann.painted:
        if time.monotonic() - begun > 4 * PATIENCE:
            raise Failed(f"the first line of {HISTORY:,} is not reached")
        pages.append(ann.press(b"\x1b[5~"))
    return pages, time.monotonic() - begun


def _burst(ann: Terminal, port: int, lines: int) -> tuple[float, list[float]]:
    with socket.create_connection(("127.0.0.1", port)) as bob:
        bob.settimeout(PATIENCE)
        bob.sendall(f"login bob {PASSWORD}\n".encode())
        heard = b""
        while b"You are in" not in heard:
            heard += bob.recv(65536)
        bob.setblocking(False)
        said = b"".join(b"burst %d\n" % number for number in range(lines)) + b"the last line\n"
        begun = time.monotonic()
        keys: list[float] = []
        ann.painted = b""
        while b"the last line" not in ann.painted:
            if time.monotonic() - begun > PATIENCE:
                raise Failed("the last line of the burst is not painted")
            if said and select.select([], [bob], [], 0)[1]:
                said = said[bob.send(said[:16_384]) :]
            if select.select([bob], [], [], 0)[0]:
                bob.recv(65536)
            key = _KEYS[len(keys) % len(_KEYS)].encode()
            keys.append(ann.press(key, key))
        return time.monotonic() - begun, keys


class Terminal:
    """A program at a terminal of 80 by 24.

    :ivar painted: what was written since the last key.
    """

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self.painted = b""
        env = os.environ | {
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_DATA_HOME": str(folder / "data"),
            "XDG_RUNTIME_DIR": str(folder),
            "TERM": "xterm-256color",
        }
        self._begun = time.monotonic()
        self._pid, self._end = pty.fork()
        if self._pid == 0:
            os.execvpe(command[0], list(command), env)
        fcntl.ioctl(self._end, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *error: object) -> None:
        os.write(self._end, b"\x03")
        end = time.monotonic() + PATIENCE
        while self._read(end):
            pass
        os.close(self._end)
        if os.waitpid(self._pid, os.WNOHANG)[0] == 0:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)

    def _read(self, end: float) -> bool:
        """:returns: whether something was painted before the end, and not the end of the program."""
        if not select.select([self._end], [], [], max(0.0, end - time.monotonic()))[0]:
            return False
        try:
            data = os.read(self._end, 1 << 20)
        except OSError:
            return False
        self.painted += data
        return bool(data)

    def wait_for(self, words: bytes) -> float:
        """:returns: seconds since the start."""
        end = time.monotonic() + PATIENCE
        while words not in self.painted:
            if not self._read(end):
                raise Failed(f"{words!r} does not show; what shows ends with {self.painted[-200:]!r}")
        return time.monotonic() - self._begun

    def cpu(self) -> float:
        """Seconds of CPU that the program has taken."""
        fields = Path(f"/proc/{self._pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def press(self, key: bytes, shown: bytes = b"") -> float:
        """Press a key.

        :param shown: what it makes appear; empty for anything.
        :returns: the seconds until that was painted.
        """
        self.painted = b""
        begun = time.monotonic()
        os.write(self._end, key)
        while shown not in self.painted or not self.painted:
            if not self._read(begun + PATIENCE):
                raise Failed(f"{key!r} does not show")
        return time.monotonic() - begun
