"""The store on a SQLite file: one thread writes, one reads, and the reactor's thread hears of both.

Theory of operation. The writer takes everything that waits as soon as its last commit is done and puts
it into one transaction; nobody waits for a timer, and the busier the server, the larger the batch. What
came of a commit goes to the reactor's thread in one call: first the sink gets the rows, then those who
asked get their results. The reader has its own thread and queue, so that a slow history delays no
message. A connection is opened, used and closed by one thread alone.

The threads begin in `SqliteStore.start` and not before: ``twistd`` becomes a daemon by a fork, which no
thread survives.
"""

from __future__ import annotations

import os
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Concatenate, Final, ParamSpec, TypeVar, cast

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from chat.durations import Durations
from chat.errors import Busy, Misconfigured, ShuttingDown, StoreUnavailable
from chat.interfaces import Committed, Disk, Sink, Snapshot
from chat.journal import Logger
from chat.storage.aside import Aside
from chat.storage.commits import Job, commit, remedy
from chat.storage.disk import look
from chat.storage.store import Store, snapshot
from chat.storage.transaction import Transaction
from chat.storage.upgrade import connect, prepare

P = ParamSpec("P")
T = TypeVar("T")

MOST_WAITING: Final = 20_000
"""Jobs that may wait in each queue; one more fails at once with `Busy`."""

MOST_AT_ONCE: Final = 5_000
"""Jobs in one transaction: it is over in well under a second, and then its senders have their answers."""

PATIENCE: Final = 5.0
"""Seconds that the writer waits for another program which holds the database (a backup, a shell)
before its batch fails. It is a thread: waiting stops nothing but other writes."""

QUIET: Final = 60.0
"""Seconds between two lines in the log about the same trouble."""

_UNREADABLE: Final = "The server cannot read its disk just now. Try again in a minute."


class _Worker(ABC):
    """A thread with a bounded queue and a connection of its own."""

    def __init__(self, name: str, path: str, patience: float, ended: Callable[[], object]) -> None:
        self._path = path
        self._patience = patience
        self._ended = ended
        self._waiting: SimpleQueue[Job | None] = SimpleQueue()
        # A daemon thread: a process that ends without `stop` is not to hang in it. What was
        # acknowledged is on disk.
        self._thread = Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, job: Job) -> bool:
        """Queue a job.

        :returns: whether there was room.
        """
        if self._waiting.qsize() >= MOST_WAITING:
            return False
        self._waiting.put(job)
        return True

    @property
    def waiting(self) -> int:
        """How many jobs it has not taken yet."""
        return self._waiting.qsize()

    def end(self) -> None:
        """Let the thread end when everything that waits is done; it calls ``ended`` last."""
        self._waiting.put(None)

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        ending = False
        while not ending:
            jobs = self._take()
            if jobs[-1] is None:
                jobs.pop()
                ending = True
            if jobs:
                self.serve(cast("list[Job]", jobs))
        self.close()
        self._ended()

    def _take(self) -> list[Job | None]:
        """Wait for something, then take what else waits; nothing comes after the ``None`` of `end`."""
        taken = [self._waiting.get()]
        with suppress(Empty):
            while len(taken) < MOST_AT_ONCE:
                taken.append(self._waiting.get_nowait())
        return taken

    @abstractmethod
    def serve(self, jobs: list[Job]) -> None:
        """Do what is asked and hand over what came of it; never raises."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection, if it was opened."""


class _Writer(_Worker):
    """:param done: called in this thread with the jobs, the rows of the commit, and what failed."""

    def __init__(
        self,
        path: str,
        patience: float,
        ended: Callable[[], object],
        done: Callable[[list[Job], Sequence[Committed], Exception | None], object],
    ) -> None:
        super().__init__("chat-writer", path, patience, ended)
        self._done = done
        self._transaction: Transaction | None = None
        self.durations = Durations()

    def serve(self, jobs: list[Job]) -> None:
        committed: Sequence[Committed] = ()
        trouble: Exception | None = None
        begun = time.perf_counter()
        try:
            committed = commit(self._open(), jobs)
            self.durations.observe(time.perf_counter() - begun)
        except Exception as error:
            trouble = error
            for job in jobs:
                job.failure = StoreUnavailable()
        self._done(jobs, committed, trouble)

    def _open(self) -> Transaction:
        if self._transaction is None:
            connection = connect(self._path, self._patience)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            self._transaction = Transaction(connection)
        return self._transaction

    def close(self) -> None:
        # The last connection that closes moves the write-ahead log into the database.
        if self._transaction is not None:
            self._transaction.connection.close()


class _Reader(_Worker):
    """:param done: called in this thread with a job and what failed of the database."""

    def __init__(
        self,
        path: str,
        patience: float,
        ended: Callable[[], object],
        done: Callable[[Job, Exception | None], object],
    ) -> None:
        super().__init__("chat-reader", path, patience, ended)
        self._done = done
        self._connection: sqlite3.Connection | None = None

    def serve(self, jobs: list[Job]) -> None:
        for job in jobs:
            trouble: Exception | None = None
            try:
                self._read(job)
            except Exception as error:
                job.failure = error
                if remedy(error):
                    trouble = error
                    job.failure = StoreUnavailable(_UNREADABLE)
            self._done(job, trouble)

    def _read(self, job: Job) -> None:
        """Run a job in one transaction, so that all its queries see the same moment."""
        if self._connection is None:
            connection = connect(self._path, self._patience)
            connection.execute("PRAGMA query_only = ON")
            self._connection = connection
        self._connection.execute("BEGIN")
        try:
            job.run(self._connection)
        finally:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class _Trouble:
    """Tells the operator once that the database fails and what to do, and once that it works again."""

    _log = Logger()

    def __init__(self, path: str, monotonic: Callable[[], float]) -> None:
        self._path = path
        self._monotonic = monotonic
        self._told: float | None = None
        self._failing = False

    def note(self, error: Exception, jobs: int) -> None:
        self._failing = True
        now = self._monotonic()
        if self._told is not None and now - self._told < QUIET:
            return
        self._told = now
        known = remedy(error)
        if known is None:
            self._log.failure("The database {path} failed in an unexpected way", Failure(error), path=self._path)
            return
        self._log.error(
            "The database {path} fails: {error}. {remedy} Nothing of {jobs} requests was kept, and those who"
            " asked were told; the server goes on by itself when it can.",
            path=self._path,
            error=str(error),
            remedy=known,
            jobs=jobs,
        )

    def over(self) -> None:
        if self._failing:
            self._failing = False
            self._log.info("The database {path} works again.", path=self._path)


class SqliteStore(Store):
    """The log and the accounts in one SQLite file.

    :param path: the file; `chat.storage.upgrade` makes it, `chat.storage.hold` holds it.
    :param call_from_thread: calls a function with its arguments on the reactor's thread, in the order of
        asking (``reactor.callFromThread``).
    :param patience: seconds to wait for another program that holds the database.
    :param monotonic: seconds that never jump.
    """

    _log = Logger()

    def __init__(
        self,
        path: str,
        call_from_thread: Callable[..., object],
        *,
        patience: float = PATIENCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = os.path.abspath(path)
        self._call_from_thread = call_from_thread
        self._patience = patience
        self._trouble = _Trouble(path, monotonic)
        self._helper = Aside(self._path, patience, call_from_thread)
        self._committed: Sink | None = None
        self._writer: _Writer | None = None
        self._reader: _Reader | None = None
        self._ending: tuple[_Worker, ...] = ()
        self._running = 0
        self._stopped: list[Deferred[None]] = []

    def start(self, committed: Sink) -> Snapshot:
        """Open the database, made or upgraded where that was not done before, and begin the threads.

        :raises Misconfigured: when it cannot be used, with what to do.
        """
        prepare(self._path)
        try:
            with closing(connect(self._path, self._patience)) as connection:
                taken = snapshot(connection)
        except sqlite3.Error as error:
            raise Misconfigured(f"{self._path} cannot be read ({error}). Put a backup in its place.") from error
        self._committed = committed
        self._writer = _Writer(self._path, self._patience, self._thread_ended, self._hand_over_commit)
        self._reader = _Reader(self._path, self._patience, self._thread_ended, self._hand_over_read)
        self._running = 2
        self._writer.start()
        self._reader.start()
        return taken

    def stop(self) -> Deferred[None]:
        if self._writer is not None and self._reader is not None:
            writer, reader = self._writer, self._reader
            self._writer = self._reader = None
            writer.end()
            reader.end()
            self._ending = (writer, reader)
        if not self._running:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        return stopped

    def disk(self) -> Disk:
        return look(self._path)

    def commits(self) -> tuple[tuple[int, ...], float]:
        """How often a commit took how long (the buckets of `Durations`), and the seconds in all."""
        durations = self._writer.durations if self._writer is not None else Durations()
        return tuple(durations.counts), durations.total

    def queues(self) -> dict[str, int]:
        """How many jobs wait for the writer and the reader."""
        workers = {"writing": self._writer, "reading": self._reader}
        return {name: worker.waiting for name, worker in workers.items() if worker is not None}

    def _write(
        self, call: Callable[Concatenate[Transaction, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        return self._queue(self._writer, Job(call, arguments, options))

    def _read(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        return self._queue(self._reader, Job(call, arguments, options))

    def _aside(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        if self._writer is None:
            return fail(ShuttingDown())
        return self._helper.run(Job(call, arguments, options))

    def _queue(self, worker: _Worker | None, job: Job) -> Deferred[T]:
        if worker is None:
            return fail(ShuttingDown())
        if not worker.put(job):
            return fail(Busy())
        return job.deferred

    # --- in the threads ---------------------------------------------------------------------------

    def _hand_over_commit(self, jobs: list[Job], committed: Sequence[Committed], trouble: Exception | None) -> None:
        self._call_from_thread(self._deliver, jobs, committed, trouble)

    def _hand_over_read(self, job: Job, trouble: Exception | None) -> None:
        self._call_from_thread(self._answer, job, trouble)

    def _thread_ended(self) -> None:
        self._call_from_thread(self._forget_thread)

    # --- on the reactor's thread --------------------------------------------------------------------

    def _deliver(self, jobs: list[Job], committed: Sequence[Committed], trouble: Exception | None) -> None:
        """Tell the sink what is on disk, then everybody who asked what came of it."""
        if trouble is not None:
            self._trouble.note(trouble, len(jobs))
        else:
            self._trouble.over()
        if committed:
            assert self._committed is not None
            try:
                self._committed(committed)
            except Exception:
                self._log.failure("The rows of a commit were not delivered to everybody")
        for job in jobs:
            job.settle()

    def _answer(self, job: Job, trouble: Exception | None) -> None:
        if trouble is not None:
            self._trouble.note(trouble, 1)
        job.settle()

    def _forget_thread(self) -> None:
        self._running -= 1
        if not self._running:
            for worker in self._ending:
                worker.join()
            stopped, self._stopped = self._stopped, []
            for waiting in stopped:
                waiting.callback(None)
