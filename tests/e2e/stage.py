"""A stage for plays with real processes: a server in a folder of its own, and people at real netcats.

A test is a play: the cast comes in (`StageCase.enter`), ``ann.types(...)``, ``bob.sees(...)``. Nobody sleeps:
`Actor.sees` waits for text. When something is not seen, the transcripts of everybody are printed side by side.
"""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import IO, NamedTuple
from unittest import SkipTest, TestCase

PATIENCE = 10.0
"""Seconds in which everything that is waited for has to happen."""

PASSWORD = "correct horse"
COLUMN = 38


def twistd() -> list[str]:
    """The twistd that belongs to this interpreter."""
    beside = os.path.join(os.path.dirname(sys.executable), "twistd")
    return [beside] if os.path.exists(beside) else [sys.executable, "-m", "twisted.scripts.twistd"]


class Actor:
    """Somebody at a netcat.

    :param command: how the connection is made; its standard input and output are the keyboard and the screen.
    """

    def __init__(self, stage: Stage, name: str, command: list[str]) -> None:
        self._stage = stage
        self.name = name
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0
        )
        os.set_blocking(self._screen.fileno(), False)
        self.shown = ""
        self._seen = 0
        self._left = b""
        stage.actors.append(self)

    @property
    def _screen(self) -> IO[bytes]:
        assert self.process.stdout is not None
        return self.process.stdout

    @property
    def _keyboard(self) -> IO[bytes]:
        assert self.process.stdin is not None
        return self.process.stdin

    def types(self, *lines: str) -> None:
        """Type lines, one after the other."""
        for line in lines:
            self._stage.note(self, f"> {line}")
            self._keyboard.write(line.encode() + b"\n")

    def sees(self, *texts: str) -> None:
        """Wait for texts that come one after the other, after all that was seen before."""
        for text in texts:
            self._stage.wait(partial(self._shows, text), f"{self.name} does not see: {text}")
            self._seen = self.shown.index(text, self._seen) + len(text)

    def _shows(self, text: str) -> bool:
        return text in self.shown[self._seen :]

    def does_not_see(self, *texts: str) -> None:
        """Nothing of it came since what was seen last, up to an answer to ``ping``, which is waited for."""
        since = self._seen
        self.types("/ping")
        self.sees("* pong")
        for text in texts:
            if text in self.shown[since : self._seen]:
                raise AssertionError(f"{self.name} sees: {text}\n{self._stage.transcripts()}")

    def sees_the_end(self) -> None:
        """Wait until the netcat has ended by itself."""
        self._stage.wait(lambda: self.process.poll() is not None, f"the netcat of {self.name} does not end")

    def finishes(self) -> None:
        """End the input, as a pipe does."""
        self._keyboard.close()

    def dies(self) -> None:
        """Be killed, without a word; the kernel ends the connection."""
        self.process.kill()
        self.process.wait()

    def hear(self) -> bool:
        """Take what has come.

        :returns: whether there was anything.
        """
        piece = self._screen.read(1 << 16)
        if not piece:
            return False
        self._left += piece
        text = self._left.decode(errors="ignore")
        self._left = b""
        self.shown += text
        for line in text.splitlines():
            self._stage.note(self, line)
        return True

    def leave(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for end in (self._screen, self._keyboard):
            with contextlib.suppress(OSError):
                end.close()


class Ended(NamedTuple):
    """What a program has printed, and its exit status."""

    status: int
    out: str
    error: str


class Stage:
    """A server in a temporary folder.

    :ivar port: where the running server listens.
    :ivar options: of ``chatserver``, for this start and the next ones.
    """

    def __init__(self, *options: str) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="stage-")
        self.folder = self._folder.name
        self.options = options
        self.actors: list[Actor] = []
        self.port = 0
        self.said = ""
        self.server: subprocess.Popen[bytes] | None = None
        self._events: list[tuple[Actor, str]] = []

    # the server

    def command(self, *options: str, daemon: bool = False, twistds: Sequence[str] = ()) -> list[str]:
        """The command line of a server with cheap passwords.

        :param twistds: options of ``twistd`` itself.
        """
        own = [*twistds] if daemon else ["-n", *twistds]
        return [*twistd(), *own, "chatserver", "--bcrypt-cost=4", *self.options, *options]

    def run(
        self, *options: str, daemon: bool = False, twistds: Sequence[str] = (), prefix: Sequence[str] = ()
    ) -> Ended:
        """Run a server that ends by itself, or that goes to the background.

        :param prefix: a program, with its arguments, that runs it.
        """
        done = subprocess.run(
            [*prefix, *self.command(*options, daemon=daemon, twistds=twistds)],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def process(self) -> int:
        """The number of the server in the background."""
        pidfile = self.path("twistd.pid")
        self.wait(lambda: os.path.exists(pidfile) and os.path.getsize(pidfile) > 0, "there is no pid file")
        with open(pidfile, encoding="ascii") as file:
            return int(file.read())

    def start(self, *options: str) -> None:
        """Start the server in the foreground and wait until it listens."""
        log = open(self.path("log"), "wb")  # noqa: SIM115  # the process has it
        self.server = subprocess.Popen(
            self.command("--listen=tcp:0:interface=127.0.0.1", *options),
            cwd=self.folder,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        log.close()
        self.wait(lambda: "Ctrl-C stops" in self.log() or self._ended(), "the server does not start")
        self.find_port(self.log())

    def find_port(self, said: str) -> None:
        found = re.search(r"nc \S+ (\d+)", said)
        if found is None:
            raise AssertionError(f"the server did not say where it listens:\n{said}")
        self.port = int(found[1])

    def _ended(self) -> bool:
        return self.server is not None and self.server.poll() is not None

    def log(self) -> str:
        """What the server has printed."""
        with open(self.path("log"), encoding="utf-8") as file:
            return file.read()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send the server a signal and wait for its end.

        :returns: its exit status, negative for a signal.
        """
        assert self.server is not None
        self.server.send_signal(number)
        self.wait(self._ended, "the server does not end")
        return self.server.wait()

    def path(self, name: str) -> str:
        return os.path.join(self.folder, name)

    def write(self, name: str, text: str) -> None:
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    # the play

    def enter(self, name: str, *options: str) -> Actor:
        """Somebody connects."""
        return Actor(self, name, ["nc", *options, "127.0.0.1", str(self.port)])

    def pipe(self, lines: str, *options: str) -> str:
        """What a pipe into netcat prints until it ends by itself."""
        done = subprocess.run(
            ["nc", *options, "127.0.0.1", str(self.port)],
            input=lines.encode(),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
        return done.stdout.decode()

    def wait(self, condition: Callable[[], object], otherwise: str) -> None:
        """Listen to everybody until something holds."""
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{otherwise}\n{self.transcripts()}")
            self._listen(0.02)

    def _listen(self, seconds: float) -> None:
        with selectors.DefaultSelector() as selector:
            for actor in self.actors:
                if actor.process.poll() is None:
                    assert actor.process.stdout is not None
                    selector.register(actor.process.stdout, selectors.EVENT_READ, actor)
            ready = selector.select(seconds) if selector.get_map() else []
        if not ready:
            time.sleep(0.005 if self.actors else 0.02)
        for actor in self.actors:
            if actor.process.stdout is not None and not actor.process.stdout.closed:
                while actor.hear():
                    pass

    def note(self, actor: Actor, line: str) -> None:
        self._events.append((actor, line))

    def transcripts(self) -> str:
        """What everybody typed and saw, side by side, in the order in which it happened; then the server's words."""
        heads = [f"{actor.name}{' (gone)' if actor.process.poll() is not None else ''}" for actor in self.actors]
        lines = [" | ".join(head.ljust(COLUMN) for head in heads), "-+-".join("-" * COLUMN for _ in heads)]
        for actor, line in self._events:
            place = self.actors.index(actor)
            for piece in textwrap.wrap(line, COLUMN, subsequent_indent="    ") or [""]:
                columns = [piece if each == place else "" for each in range(len(self.actors))]
                lines.append(" | ".join(column.ljust(COLUMN) for column in columns).rstrip())
        with contextlib.suppress(OSError):
            lines += ["", "the server:", self.log()]
        return "\n".join(lines)

    def close(self) -> None:
        for actor in self.actors:
            actor.leave()
        if self.server is not None and self.server.poll() is None:
            self.server.kill()
            self.server.wait()
        self._folder.cleanup()


class StageCase(TestCase):
    """A test on a stage of its own; ``options`` are the server's."""

    options: tuple[str, ...] = ("--rate=1000000", "--burst=1000000")
    running = True
    stage: Stage

    @classmethod
    def setUpClass(cls) -> None:
        if shutil.which("nc") is None:
            raise SkipTest("nc is not installed")

    def setUp(self) -> None:
        self.stage = self.new_stage()
        self.known: set[str] = set()
        self.addCleanup(self.stage.close)
        if self.running:
            self.stage.start()

    def new_stage(self) -> Stage:
        return Stage(*self.options)

    def _formatMessage(self, msg: str | None, standardMsg: str) -> str:
        return f"{super()._formatMessage(msg, standardMsg)}\n{self.stage.transcripts()}"

    # the cast

    def accounts(self, *names: str) -> None:
        """Make accounts, one netcat each, which leave again."""
        self.known.update(names)
        for name in names:
            self.stage.pipe(f"new {name} {PASSWORD}\nquit\n", "-N")

    def guest(self, name: str) -> Actor:
        """Somebody at the greeting."""
        actor = self.stage.enter(name)
        actor.sees("You are not logged in.", "This connection is not encrypted.")
        return actor

    def person(self, name: str, room: str | None = None) -> Actor:
        """Somebody who makes an account, or logs in to the one there is, and enters a room."""
        actor = self.stage.enter(name)
        actor.types(f"{'login' if name in self.known else 'new'} {name}", PASSWORD)
        actor.sees("Password (your typing is visible): ", "Welcome to the chat system!", "* You are ")
        self.known.add(name)
        if room is not None:
            actor.types(f"/connect {room}")
            actor.sees(f"* You are in {room}")
        return actor

    @contextlib.contextmanager
    def seconds(self, most: float) -> Iterator[None]:
        """What happens inside takes no longer."""
        begun = time.monotonic()
        yield
        self.assertLess(time.monotonic() - begun, most)
