"""The engine on a file: batches, failures of the database, files, and threads that do not wait for each other."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, cast

from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher

from chat.protocol.errors import Busy, Misconfigured, StoreUnavailable
from chat.protocol.values import Pair
from chat.server.storage import commit_batching as gathering
from chat.server.storage import sqlite as on_file
from chat.server.storage.connection import Connection
from chat.server.storage.group_commit import Job
from chat.server.storage.sqlite import SqliteStore
from chat.server.storage.store import Lane
from chat.server.storage.transaction import Transaction
from chat.server.storage.workers import ReaderThread
from tests.server.storage.engines import EngineCase, OnFile, text


class FileCase(OnFile):
    """With a room of Bob's, and what the log said about trouble."""

    store: SqliteStore

    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        self.bob = (await self.person("bob")).id
        self.lobby = await self.room(self.bob)
        self.commits.clear()
        self.events: list[LogEvent] = []
        observer = cast("ILogObserver", self.events.append)
        globalLogPublisher.addObserver(observer)
        self.addCleanup(globalLogPublisher.removeObserver, observer)

    def pragma(self, words: str) -> Deferred[None]:
        """Set something on the writer's connection."""

        def set_it(transaction: Transaction) -> None:
            transaction.connection.execute(f"PRAGMA {words}").fetchall()

        return self.store._write(set_it)

    def occupy(self) -> tuple[Deferred[None], threading.Event]:
        """Keep the writer in a batch of one job until the event is set: what is asked for next is the next batch."""
        started, go = threading.Event(), threading.Event()

        def wait(transaction: Transaction) -> None:
            started.set()
            go.wait()

        busy = self.store._write(wait)
        started.wait()
        return busy, go

    def write_read_only(self, transaction: Transaction) -> None:
        """Fail as SQLite does on a file that may not be written."""
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            connection.execute("DELETE FROM log")

    def said(self, word: str) -> list[str]:
        """Lines of the log that hold a word."""
        lines = [str(event["log_format"]).format(**event) for event in self.events if event.get("log_format")]
        return [line for line in lines if word in line]


class Batching(FileCase):
    async def test_what_waits_during_a_commit_goes_into_the_next_one(self) -> None:
        """A hundred rows that came while the writer was busy cost one commit, and the sink is called once."""
        busy, go = self.occupy()
        sent = [self.store.append(text(self.lobby, self.bob, f"{n}")) for n in range(100)]
        go.set()
        await busy
        await gatherResults(sent)
        self.assertEqual([len(commit) for commit in self.commits], [100])

    async def test_a_batch_is_bounded(self) -> None:
        self.patch(gathering, "MOST_AT_ONCE", 10)
        busy, go = self.occupy()
        sent = [self.store.append(text(self.lobby, self.bob, f"{n}")) for n in range(100)]
        go.set()
        await busy
        await gatherResults(sent)
        self.assertLessEqual(max(len(commit) for commit in self.commits), 10)
        self.assertEqual([committed.row.seq for committed in self.rows], list(range(2, 102)))

    async def test_a_full_queue_refuses_at_once(self) -> None:
        self.patch(gathering, "MOST_WAITING", 3)
        busy, go = self.occupy()
        sent = [self.store.append(text(self.lobby, self.bob)) for _ in range(3)]
        self.failureResultOf(self.store.append(text(self.lobby, self.bob)), Busy)
        go.set()
        await busy
        await gatherResults(sent)
        self.assertEqual((await self.store.append(text(self.lobby, self.bob))).seq, 5)

    async def test_what_the_caller_changes_while_it_waits_changes_nothing(self) -> None:
        """Collections are the caller's own: it may go on using them."""
        eve = (await self.person("eve")).id
        private = (await self.store.append(text(Pair.of(self.bob, eve), eve))).conversation
        busy, go = self.occupy()
        reading = self.store._read(Lane.READS, lambda connection: go.wait())
        marks, blocked = {self.lobby: 1}, {eve}
        marked = self.store.mark_read(self.bob, marks)
        asked = self.store.waiting(self.bob, "phone", blocked)
        marks.clear()
        blocked.clear()
        go.set()
        await gatherResults([busy, marked])
        await reading
        self.assertEqual(
            [(place.conversation, place.unread) for place in (await asked).places], [(self.lobby, 0), (private, 0)]
        )
        (lobby, _), _ = await self.store.waiting(self.bob, "phone", ())
        self.assertEqual(lobby.read, 1)

    async def test_a_slow_read_delays_no_write(self) -> None:
        go = threading.Event()
        slow = self.store._read(Lane.READS, lambda connection: go.wait())
        stored = await self.store.append(text(self.lobby, self.bob))
        self.assertNoResult(slow)
        go.set()
        await slow
        self.assertEqual(stored.seq, 2)

    async def test_a_read_sees_what_the_sink_has_not_heard_of(self) -> None:
        """It can wait until the sink has: what it read comes live then, and is known to be the same."""
        self.successResultOf(self.store.published())
        held, call = list[tuple[Any, ...]](), self.store._call_from_thread

        def hold_commits(function: Callable[..., object], *arguments: object) -> None:
            if function == self.store._deliver:
                held.append((function, *arguments))
            else:
                call(function, *arguments)

        self.patch(self.store, "_call_from_thread", hold_commits)
        sent = self.store.append(text(self.lobby, self.bob))
        while (await self.store.history(self.lobby, limit=1)).last != 2:
            pass
        published = self.store.published()
        self.assertNoResult(published)
        self.assertEqual(self.rows, [])
        while not held:
            await self.store.pairs_of(self.bob)
        for function, *arguments in held:
            function(*arguments)
        self.assertEqual([committed.row.seq for committed in self.rows], [2])
        self.successResultOf(published)
        await sent

    async def test_a_read_sees_one_moment(self) -> None:
        """Queries of one read do not see what is committed between them."""
        first, go = threading.Event(), threading.Event()

        def count_twice(connection: Connection) -> list[int]:
            counts = []
            for _ in range(2):
                counts.append(connection.execute("SELECT count(*) FROM log").fetchone()[0])
                first.set()
                go.wait()
            return counts

        counted = self.store._read(Lane.READS, count_twice)
        first.wait()
        await self.store.append(text(self.lobby, self.bob))
        go.set()
        self.assertEqual(await counted, [1, 1])

    async def test_a_job_that_fails_after_a_change_is_undone_alone(self) -> None:
        def change_and_fail(transaction: Transaction) -> None:
            transaction.execute("UPDATE rooms SET topic = 'half done'")
            raise Busy()

        busy, go = self.occupy()
        sent = [self.store.append(text(self.lobby, self.bob, "a"))]
        bad = self.store._write(change_and_fail)
        sent.append(self.store.append(text(self.lobby, self.bob, "b")))
        go.set()
        await busy
        self.assertEqual([stored.seq for stored in await gatherResults(sent)], [2, 3])
        with self.assertRaises(Busy):
            await bad
        (room,) = (await self.restart()).rooms
        self.assertEqual((room.record.topic, room.last), ("", 3))
        self.assertEqual([committed.row.seq for committed in self.rows], [2, 3])

    async def test_reading_cannot_write(self) -> None:
        with self.assertRaises(StoreUnavailable):
            await self.store._read(Lane.READS, lambda connection: connection.execute("DELETE FROM log"))
        self.assertEqual(await self.words(self.lobby), [""])


class Trouble(FileCase):
    async def test_a_full_disk_refuses_and_recovers_by_itself(self) -> None:
        """What comes meanwhile fails whole, readers go on, the log says once what to do."""
        await self.pragma("max_page_count = 1")
        long = "x" * 16_000
        for _ in range(3):
            sent = [self.store.append(text(self.lobby, self.bob, long)) for _ in range(20)]
            outcomes = [await one.addErrback(lambda failure: failure.type) for one in sent]
            self.assertEqual(set(outcomes), {StoreUnavailable})
            self.assertEqual(await self.words(self.lobby), [""])
        self.assertEqual(self.commits, [])
        self.assertEqual(len(self.said("Free some disk space")), 1)
        await self.pragma("max_page_count = 1000000")
        self.assertEqual((await self.store.append(text(self.lobby, self.bob, long))).seq, 2)
        self.assertEqual(len(self.said("works again")), 1)

    async def test_a_question_that_fails_is_no_failing_commit(self) -> None:
        def fail(connection: Connection) -> None:
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR
            raise error

        for _ in range(2):
            with self.assertRaises(StoreUnavailable):
                await self.store._read(Lane.READS, fail)
        await self.store.append(text(self.lobby, self.bob))
        self.assertEqual((len(self.said("1 requests were not read")), self.said("works again")), (1, []))
        await self.store.pairs_of(self.bob)
        self.assertEqual(len(self.said("works again")), 1)

    def test_a_connection_that_cannot_be_led_out_of_its_transaction_is_given_up(self) -> None:
        class Broken:
            in_transaction = True

            def execute(self, sql: str) -> None:
                raise sqlite3.OperationalError("disk I/O error")

            def close(self) -> None:
                self.execute("")

        done: list[list[Job]] = []
        reader = ReaderThread("chat-reader", self.path, 0.1, lambda: None, lambda jobs, trouble: done.append(jobs))
        reader._connection = cast(Any, Broken())
        broken, fine = Job(lambda connection: connection.execute("SELECT 1"), (), {}), Job(lambda _: 5, (), {})
        reader.serve([broken, fine])
        self.addCleanup(reader.close)
        self.assertIsInstance(broken.failure, sqlite3.OperationalError)
        self.assertEqual((done, fine.result), ([[broken, fine]], 5))

    async def test_a_file_that_is_read_only_for_a_while(self) -> None:
        """What shares the batch with the failing write fails too, and nothing of it is kept."""
        busy, go = self.occupy()
        sent: list[Deferred[Any]] = [
            self.store.append(text(self.lobby, self.bob)),
            self.store._write(self.write_read_only),
        ]
        go.set()
        await busy
        outcomes = [await one.addErrback(lambda failure: failure.type) for one in sent]
        self.assertEqual(outcomes, [StoreUnavailable] * 2)
        self.assertEqual(len(self.said("writable")), 1)
        self.assertEqual((await self.store.append(text(self.lobby, self.bob))).seq, 2)

    async def test_a_database_that_another_program_holds(self) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with self.assertRaises(StoreUnavailable):
                await self.store.append(text(self.lobby, self.bob))
            self.assertEqual(await self.words(self.lobby), [""])
            other.execute("ROLLBACK")
        self.assertEqual(len(self.said("Another program")), 1)
        self.assertEqual((await self.store.append(text(self.lobby, self.bob))).seq, 2)

    async def test_the_log_says_it_again_after_a_minute(self) -> None:
        now = [0.0]
        self.store._writing._monotonic = lambda: now[0]
        for now[0] in (0.0, 59.0, 61.0, 62.0):
            with self.assertRaises(StoreUnavailable):
                await self.store._write(self.write_read_only)
        self.assertEqual(len(self.said("writable")), 2)

    async def test_a_bug_in_a_job_is_not_taken_for_a_full_disk(self) -> None:
        def wrong(transaction: Transaction) -> None:
            transaction.execute("SELECT nonsense FROM nowhere")

        with self.assertRaises(sqlite3.OperationalError):
            await self.store._write(wrong)
        self.assertEqual(self.said("fails"), [])


class TheFileIsTakenAway(FileCase):
    """SQLite writes on to a file that has no name any more; nobody is to be told that this is kept."""

    async def test_nothing_is_acknowledged_until_it_is_back(self) -> None:
        aside = f"{self.path}.aside"
        os.rename(self.path, aside)
        for _ in range(2):
            await self.assertFailure(self.store.append(text(self.lobby, self.bob, "lost")), StoreUnavailable)
        self.assertEqual(len(self.said("Put the original file back")), 1)
        os.rename(aside, self.path)
        await self.store.append(text(self.lobby, self.bob, "kept"))
        self.assertEqual(len(self.said("works again")), 1)

    async def test_or_replaced_by_another_one(self) -> None:
        os.rename(self.path, f"{self.path}.aside")
        shutil.copy(f"{self.path}.aside", self.path)
        await self.assertFailure(self.store.append(text(self.lobby, self.bob, "lost")), StoreUnavailable)
        self.assertEqual(len(self.said("replaced by another file")), 1)


class Files(FileCase):
    async def test_only_the_owner_can_read_them_whatever_the_umask(self) -> None:
        await self.store.stop()
        os.remove(self.path)
        umask = os.umask(0)
        self.addCleanup(os.umask, umask)
        self.store = self.successor()
        self.store.start(self.sink)
        await self.person("bob")
        folder = os.path.dirname(self.path)
        modes = {name: stat.S_IMODE(os.stat(os.path.join(folder, name)).st_mode) for name in os.listdir(folder)}
        self.assertEqual(modes, {"credentials.db": 0o600, "credentials.db-wal": 0o600, "credentials.db-shm": 0o600})

    async def test_stopping_leaves_one_file(self) -> None:
        await self.store.append(text(self.lobby, self.bob))
        await self.store.stop()
        self.assertEqual(os.listdir(os.path.dirname(self.path)), ["credentials.db"])

    async def test_what_one_turn_asks_for_is_handed_to_the_reader_at_its_end(self) -> None:
        await self.store.stop()
        ends: list[Callable[[], object]] = []
        store = SqliteStore(self.path, reactor.callFromThread, soon=ends.append)  # type: ignore[attr-defined]
        store.start(self.sink)
        asked = [store.pairs_of(self.bob), store.pairs_of(self.bob)]
        (end,) = ends
        self.assertEqual(store.queues()["reading"], 2)
        end()
        self.assertEqual(await gatherResults(asked), [{}, {}])
        self.assertEqual(store.queues()["reading"], 0)
        asked = [store.pairs_of(self.bob)]
        await store.stop()
        self.assertEqual(await gatherResults(asked), [{}])

    async def test_too_many_questions_are_refused_at_once(self) -> None:
        await self.store.stop()
        self.patch(on_file, "MOST_WAITING", 2)
        self.store = self.successor()
        self.store.start(self.sink)
        go = threading.Event()
        asked = [self.store._read(Lane.READS, lambda connection: go.wait()) for _ in range(2)]
        self.failureResultOf(self.store.pairs_of(self.bob), Busy)
        go.set()
        await gatherResults(asked)
        self.assertEqual(await self.store.pairs_of(self.bob), {})

    async def test_commits_are_synced(self) -> None:
        """Acknowledged means on the disk: FULL (2) syncs the write-ahead log at each commit."""
        asked = self.store._write(
            lambda tx: [tx.look(f"PRAGMA {word}", ())[0] for word in ("synchronous", "journal_mode")]
        )
        self.assertEqual(await asked, [2, "wal"])

    async def test_threads_begin_in_start_and_end_in_stop(self) -> None:
        names = {"chat-writer", "chat-reader"}
        self.assertLessEqual(names, {thread.name for thread in threading.enumerate()})
        await self.store.stop()
        idle = SqliteStore(self.path, reactor.callFromThread)  # type: ignore[attr-defined]
        await idle.stop()
        self.assertEqual(names & {thread.name for thread in threading.enumerate()}, set())

    def content(self) -> bytes:
        """Everything that is on the disk."""
        return b"".join(each.read_bytes() for each in Path(self.path).parent.iterdir())

    def spoil(self) -> None:
        Path(self.path).write_bytes(b"not a database " * 100)

    async def test_what_is_no_database_keeps_it_from_starting(self) -> None:
        await self.store.stop()
        self.spoil()
        with self.assertRaises(Misconfigured):
            self.successor().start(self.sink)


del EngineCase, OnFile, FileCase
