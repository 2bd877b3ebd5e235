"""What operators meet: senders are refused in words, readers go on, and it recovers by itself."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Sequence
from unittest import skipUnless

from chat.server.storage.migrations import SCHEMA, apply, connect, schema_files
from tests import figures
from tests.crash.trace import can_trace
from tests.e2e import jumping
from tests.e2e.program import Program
from tests.e2e.stage import PASSWORD, Actor, Stage, StageCase
from tests.figures import at_least, at_most, below, exactly
from tests.hostile.processor import Starvation

REFUSED = "! Nothing was sent or changed: the server cannot write to its disk. Try again in a minute."


class FaultCase(StageCase):
    """ann and bob are in the lobby, and something was said."""

    ann: Actor
    bob: Actor

    def setUp(self) -> None:
        super().setUp()
        if self.running:
            self.begin()

    def begin(self) -> None:
        self.ann, self.bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.ann.types("before")
        self.bob.sees("ann: before")

    def readers_go_on(self) -> None:
        self.bob.types("history", "online")
        self.bob.sees("ann: before", "ann", "(Warning: Users that have blocked you will not be listed)")

    def it_recovers(self) -> None:
        """And what was refused is nowhere."""
        self.ann.types("after")
        self.bob.sees("ann: after")
        self.bob.types("history")
        self.bob.sees("ann: before", "ann: after")
        self.assertNotIn("ann: during", self.bob.shown)
        self.assertNotIn("Traceback", self.stage.log())

    @property
    def pid(self) -> int:
        assert self.stage.server is not None
        return self.stage.server.pid


class TheDiskIsFull(FaultCase):
    """Shown with a limit to the size of files: the write fails in the same place."""

    def limit(self, most: int) -> None:
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (most, resource.RLIM_INFINITY))

    def test_senders_are_refused_until_there_is_room(self) -> None:
        self.limit(os.path.getsize(self.stage.path("credentials.db-wal")))
        self.ann.types("during", "message bob during")
        self.ann.sees(REFUSED, REFUSED)
        self.readers_go_on()
        self.limit(resource.RLIM_INFINITY)
        self.it_recovers()
        self.assertIn("credentials.db fails: ", self.stage.log())
        self.assertIn("credentials.db works again.", self.stage.log())

    def test_people_log_in_all_the_same(self) -> None:
        """Also where nobody has logged in by password since the start, before the disk was full."""
        self.stage.stop()
        with contextlib.closing(sqlite3.connect(self.stage.path("credentials.db"))) as database, database:
            database.execute("DELETE FROM secrets")
        self.stage.start()
        journal = self.stage.path("credentials.db-wal")
        self.stage.wait(lambda: os.path.exists(journal) and os.path.getsize(journal), "nothing is written at the start")
        bob = self.guest("bob again")
        self.limit(os.path.getsize(journal))
        bob.types("login bob", PASSWORD)
        bob.sees("Welcome to the chat system!")
        self.limit(resource.RLIM_INFINITY)

    def test_nobody_new_is_let_in_by_half(self) -> None:
        self.limit(os.path.getsize(self.stage.path("credentials.db-wal")))
        carol = self.guest("carol")
        carol.types("new carol", PASSWORD)
        carol.sees("! ")
        self.limit(resource.RLIM_INFINITY)
        carol.types("new carol", PASSWORD)
        carol.sees("Welcome to the chat system!")


class AnotherProgramHoldsTheDatabase(FaultCase):
    """It may do so for 30 s as well: each batch waits for 5 s, and no longer."""

    def test_senders_wait_and_are_refused(self) -> None:
        path = self.stage.path("credentials.db")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            self.ann.types("during")
            with self.seconds(2):
                self.readers_go_on()
            self.ann.sees(REFUSED)
            other.execute("ROLLBACK")
        self.it_recovers()
        self.assertIn("Another program is using the database: end it.", self.stage.log())

    def test_a_short_wait_refuses_nobody(self) -> None:
        path = self.stage.path("credentials.db")
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            self.ann.types("patient", "/ping")
            self.bob.does_not_see("patient")
            other.execute("ROLLBACK")
        self.bob.sees("ann: patient")
        self.it_recovers()


class TheFolderIsReadOnly(FaultCase):
    """Root may write everywhere, so it is given that up."""

    def setUp(self) -> None:
        if os.geteuid() == 0 and shutil.which("setpriv") is None:
            self.skipTest("setpriv is not installed")
        super().setUp()

    running = False

    def start(self) -> subprocess.CompletedProcess[str]:
        mortal = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
        return subprocess.run(
            [*mortal, *self.stage.command("--listen=tcp:0:interface=127.0.0.1")],
            cwd=self.stage.folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )

    def test_the_server_says_so_and_touches_nothing(self) -> None:
        self.stage.start()
        self.begin()
        self.stage.stop()
        before = sorted(os.listdir(self.stage.folder))
        os.chmod(self.stage.folder, 0o500)
        try:
            done = self.start()
        finally:
            os.chmod(self.stage.folder, 0o700)
        self.assertEqual(done.returncode, 1)
        self.assertRegex(
            done.stderr, r"\Achatserver: [^\n]+ cannot be created in [^\n]+, which is not writable\. [^\n]+\n"
        )
        self.assertEqual(sorted(os.listdir(self.stage.folder)), before)
        self.stage.start()
        self.person("ann").types("history")
        self.stage.actors[-1].sees("ann: before")


class TheFileIsDamaged(FaultCase):
    def damage(self) -> None:
        path = self.stage.path("credentials.db")
        size = os.path.getsize(path)
        with open(path, "r+b") as file:
            for page in range(4, size // 4096):
                file.seek(page * 4096)
                file.write(b"\x5a" * 4096)

    def test_while_the_server_runs(self) -> None:
        """Nothing is answered as if it were right, and the log says what to do."""
        with contextlib.closing(sqlite3.connect(self.stage.path("credentials.db"))) as other:
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.damage()
        self.ann.types("history", "during")
        self.ann.sees("! ", "! ")
        self.ann.types("/ping", "online")
        self.ann.sees("* pong", "bob")
        self.assertIn("The file is damaged: stop the server and put a backup in its place.", self.stage.log())
        self.assertNotIn("Traceback", self.stage.log())

    def test_at_the_start(self) -> None:
        self.stage.stop()
        self.damage()
        done = subprocess.run(
            self.stage.command("--listen=tcp:0"),
            cwd=self.stage.folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stderr, r"\Achatserver: credentials.db is damaged [^\n]+ Put a backup[^\n]+\n\Z")


@skipUnless(can_trace(), "strace is not installed, or may not look at other processes")
class KilledDuringAnUpgrade(StageCase):
    """At every call by which something becomes durable, until one upgrade gets through."""

    running = False
    PREPARE = "from chat.server.storage.migrations import prepare; prepare('credentials.db')"

    def old_database(self) -> None:
        for name in os.listdir(self.stage.folder):
            os.unlink(self.stage.path(name))
        self.stage.write("credentials.db", "")
        with contextlib.closing(connect(self.stage.path("credentials.db"), 0)) as database:
            database.execute("PRAGMA journal_mode = WAL")
            apply(database, 1, schema_files(SCHEMA)[0])
            database.execute("INSERT INTO accounts (shown, folded, created, seen) VALUES ('ann', 'ann', 1, 1)")

    def upgrade(self, kill_at: int) -> bool:
        """:returns: whether it was through before it was to be killed."""
        kill = f"inject=fsync,fdatasync,rename,pwrite64:signal=SIGKILL:when={kill_at}"
        command = ["strace", "-f", "-q", "-o", "trace", "-e", "trace=fsync,fdatasync,rename,pwrite64", "-e", kill]
        return subprocess.run([*command, sys.executable, "-c", self.PREPARE], cwd=self.stage.folder).returncode == 0

    def test_one_version_or_another_is_there_and_whole(self) -> None:
        kills, kill_at, through, damaged, lost = 0, 1, False, 0, 0
        while not through:
            self.old_database()
            through = self.upgrade(kill_at)
            kills += not through
            kill_at = kill_at * 8 // 5 + 1
            with contextlib.closing(sqlite3.connect(self.stage.path("credentials.db"))) as database:
                damaged += database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]
                lost += database.execute("SELECT shown FROM accounts").fetchall() != [("ann",)]
                version = database.execute("PRAGMA user_version").fetchone()[0]
                self.assertIn(version, range(1, len(schema_files(SCHEMA)) + 1))
            subprocess.run([sys.executable, "-c", self.PREPARE], cwd=self.stage.folder, check=True)
            with contextlib.closing(sqlite3.connect(self.stage.path("credentials.db"))) as database:
                self.assertEqual(database.execute("PRAGMA user_version").fetchone()[0], len(schema_files(SCHEMA)))
        figures.tell(
            "upgrade of the schema",
            figures.line(
                "killed in {kills} places; {damaged} databases damaged, {lost} accounts lost",
                kills=at_least(kills, 5),
                damaged=at_most(damaged, 0),
                lost=at_most(lost, 0),
            ),
        )
        self.stage.start()
        self.guest("ann")
        self.assertEqual(self.stage.stop(), 0)


class JumpingStage(Stage):
    """A server whose wall clock a test sets."""

    def command(self, *options: str, daemon: bool = False, twistds: Sequence[str] = ()) -> list[str]:
        usual = super().command(*options, daemon=daemon, twistds=twistds)
        return [sys.executable, os.path.abspath(jumping.__file__), *usual[1:]]

    def jump(self, hours: int) -> None:
        self.write("hours.new", str(hours))
        os.rename(self.path("hours.new"), self.path("hours"))


class TheClockJumps(FaultCase):
    """Order is by seq, and what waits for a time waits by a clock that never jumps."""

    def setUp(self) -> None:
        self.jumping = JumpingStage(*self.options)
        super().setUp()

    def jump(self, hours: int) -> None:
        self.jumping.jump(hours)
        self.ann.types("/ping")
        self.ann.sees("* pong")

    def begin(self) -> None:
        self.stage.stop()
        self.stage = self.jumping
        self.addCleanup(self.stage.close)
        self.jumping.jump(0)
        self.stage.start()
        super().begin()

    def test_an_hour_either_way(self) -> None:
        waiting = self.guest("waiting")
        self.bob.types("/quit")
        self.bob.sees_the_end()
        for number, hours in enumerate((1, -1, 0)):
            self.jump(hours)
            self.ann.types(f"line {number}", f"message bob private {number}")
            self.ann.sees("is not here; your message is kept")
        waiting.types("help")  # nobody was taken for silent for an hour
        waiting.sees("login")
        bob = self.person("bob")
        self.assertRegex(bob.shown, r"(?s)private 0.*private 1.*private 2")
        bob.types("history")
        bob.sees("ann: before", "line 0", "line 1", "line 2")

    def test_a_timer_that_runs_is_not_put_off_for_an_hour(self) -> None:
        """A silent person is greeted after a moment, although the clock is set back in this moment."""
        with socket.create_connection(("127.0.0.1", self.stage.port), 10) as silent:
            self.jump(0)  # the server has accepted when it has answered ann
            self.jump(-1)
            self.assertIn(b"You are not logged in.", silent.recv(1_000))


class AfterARestart(StageCase):
    """Everybody comes back at once."""

    PEOPLE = 500

    def test_five_hundred_people_come_back_in_two_seconds(self) -> None:
        tokens = asyncio.run(self.register())
        self.stage.stop()
        self.stage.start()
        assert self.stage.server is not None
        starvation = Starvation(self.stage.server.pid)
        begun, before = time.monotonic(), starvation.now()
        asyncio.run(asyncio.wait_for(self.come_back(tokens), 60))
        took = time.monotonic() - begun - starvation.since(before)
        figures.tell(
            "after a restart",
            figures.line(
                "{people} people came back at once, all of them in {took:.1f} s",
                people=exactly(len(tokens), self.PEOPLE),
                took=below(took, 2.0),
            ),
        )
        self.assertNotIn("Traceback", self.stage.log())

    async def register(self) -> dict[str, str]:
        tokens: dict[str, str] = {}

        async def one(number: int) -> None:
            name = f"person{number}"
            async with await Program().connect(self.stage.port, f"127.0.1.{number // 50 + 1}") as program:
                reply = await program.gets("logged-in", "new", user=name, password=PASSWORD)
                tokens[name] = reply["token"]
                await program.gets("room-entered", "connect", room="lobby")

        for start in range(0, self.PEOPLE, 50):
            await asyncio.gather(*(one(number) for number in range(start, start + 50)))
        return tokens

    async def come_back(self, tokens: dict[str, str]) -> None:
        programs = [Program() for _ in tokens]

        async def one(program: Program, name: str, token: str) -> None:
            await program.connect(self.stage.port)
            await program.gets("logged-in", "login", user=name, token=token)
            resumed = await program.gets("resumed", "resume")
            self.assertEqual(resumed["current"], "lobby")

        try:
            await asyncio.gather(*map(one, programs, tokens, tokens.values()))
        finally:
            for program in programs:
                await program.close()
