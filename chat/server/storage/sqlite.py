"""The store on a SQLite file: one thread writes, three read, and the reactor's thread hears of them all.

Theory of operation. What is to be written waits on the reactor's thread (`chat.server.storage.commit_batching`) and is
handed to the writer for one commit at a time: the busier the server, the more a commit holds. What came of it goes to
the reactor's thread in one call: first the sink gets the rows, then those who asked get their results. Reads have
threads and queues of their own (`chat.server.storage.read_queue`): one for what people wait for, such as logins and
histories; one for searches; one for what the server asks itself, which may look at every conversation. A connection is
opened, used and closed by one thread alone.

The threads begin in `SqliteStore.start` and not before: ``twistd`` becomes a daemon by a fork, which no
thread survives.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from chat.protocol.errors import Busy, Misconfigured, ShuttingDown
from chat.server.interfaces import Committed, Disk, Sink, Snapshot
from chat.server.logs import Logger
from chat.server.storage.background_jobs import BackgroundJobs
from chat.server.storage.commit_batching import MOST_WAITING, CommitBatcher, at_once
from chat.server.storage.connection import Connection
from chat.server.storage.disk import look
from chat.server.storage.group_commit import Job
from chat.server.storage.histogram import Histogram
from chat.server.storage.migrations import connect, prepare
from chat.server.storage.outage_log import OutageLog
from chat.server.storage.read_queue import ReadQueue
from chat.server.storage.scrub import Scrub
from chat.server.storage.store import Lane, Store, snapshot
from chat.server.storage.transaction import Transaction
from chat.server.storage.workers import Scrubber, StoreThread, WriterThread

P = ParamSpec("P")
T = TypeVar("T")

MOST_SEARCHES: Final = 40
"""Searches that may wait: the last of them waits 10 seconds (`chat.server.storage.search.DEADLINE`)."""

_MANY_SEARCHES: Final = "Too many searches are running. Try again in a minute."

PATIENCE: Final = 5.0
"""Seconds that the writer waits for another program which holds the database (a backup, a shell)
before its batch fails. It is a thread: waiting stops nothing but other writes."""


class SqliteStore(Store):
    """The log and the accounts in one SQLite file.

    :param path: the file; `chat.server.storage.migrations` makes it, `chat.server.storage.lock_file` holds it.
    :param call_from_thread: calls a function with its arguments on the reactor's thread, in the order of
        asking (``reactor.callFromThread``).
    :param call_later: calls on the reactor's thread after some seconds (``reactor.callLater``).
    :param soon: calls at the end of the reactor's turn (`chat.server.interfaces.ITurn`). Without these two, what is
        to be written waits for nothing but the commit before it.
    :param patience: seconds to wait for another program that holds the database.
    :param monotonic: seconds that never jump.
    """

    _log = Logger()

    def __init__(
        self,
        path: str,
        call_from_thread: Callable[..., object],
        call_later: Callable[[float, Callable[[], object]], Any] | None = None,
        soon: Callable[[Callable[[], object]], object] | None = None,
        *,
        patience: float = PATIENCE,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = os.path.abspath(path)
        self._call_from_thread = call_from_thread
        self._patience = patience
        self._writing = OutageLog(path, monotonic, "{jobs} requests were not stored")
        self._reading = OutageLog(path, monotonic, "{jobs} requests were not read")
        self._gathering = CommitBatcher(self._hand_to_writer, call_later, soon)
        self._soon = soon or at_once
        self._helper = BackgroundJobs(self._path, patience, call_from_thread)
        self._committed: Sink | None = None
        self._writer: WriterThread | None = None
        self._queues: dict[Lane, ReadQueue] = {}
        self._scrubber: Scrubber | None = None
        self._ending: tuple[StoreThread, ...] = ()
        self._running = 0
        self._stopped: list[Deferred[None]] = []
        self._unpublished: list[Deferred[None]] = []

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
        self._writer = WriterThread(self._path, self._patience, self._thread_ended, self._hand_over_commit)
        self._queues = {
            Lane.READS: self._read_queue("chat-reader", MOST_WAITING),
            Lane.SEARCHES: self._read_queue("chat-search", MOST_SEARCHES, _MANY_SEARCHES),
            Lane.SURVEYS: self._read_queue("chat-upkeep", MOST_WAITING),
        }
        self._scrubber = Scrubber(self._path, self._patience, self._thread_ended, self._hand_over_steps)
        self._ending = (self._writer, *(queue.worker for queue in self._queues.values()), self._scrubber)
        self._running = len(self._ending)
        for worker in self._ending:
            worker.start()
        return taken

    def _read_queue(self, name: str, most: int, refusal: str | None = None) -> ReadQueue:
        return ReadQueue(
            name,
            self._path,
            self._patience,
            self._thread_ended,
            self._call_from_thread,
            self._soon,
            self._reading,
            most,
            refusal,
        )

    def stop(self) -> Deferred[None]:
        if self._writer is not None:
            self._gathering.end()
            self._writer.end()
            for queue in self._queues.values():
                queue.end()
            self._writer = None
            self._queues = {}
        if not self._running:
            return succeed(None)
        stopped: Deferred[None] = Deferred()
        self._stopped.append(stopped)
        return stopped

    def published(self) -> Deferred[None]:
        if not self._gathering.under_way or self._writer is None or not self._writer.committing:
            return succeed(None)
        waiting: Deferred[None] = Deferred()
        self._unpublished.append(waiting)
        return waiting

    def disk(self) -> Disk:
        return look(self._path)

    def commits(self) -> tuple[tuple[int, ...], float]:
        """How often a commit took how long (the buckets of `Histogram`), and the seconds in all."""
        durations = self._writer.durations if self._writer is not None else Histogram()
        return tuple(durations.counts), durations.total

    def queues(self) -> dict[str, int]:
        """How many jobs wait for the writer and for those who read."""
        return {
            "writing": len(self._gathering),
            "reading": len(self._queues.get(Lane.READS, ())),
            "searching": len(self._queues.get(Lane.SEARCHES, ())),
        }

    def scrub(self) -> Deferred[bool]:
        if self._writer is None or self._scrubber is None:
            return fail(ShuttingDown())
        job = Job(Scrub.step, (), {})
        self._scrubber.put([job])
        return job.deferred

    def _write(
        self, call: Callable[Concatenate[Transaction, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        if self._writer is None:
            return fail(ShuttingDown())
        job = Job(call, arguments, options)
        return job.deferred if self._gathering.add(job) else fail(Busy())

    def _read(
        self, lane: Lane, call: Callable[Concatenate[Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        if self._writer is None:
            return fail(ShuttingDown())
        job = Job(call, arguments, options)
        return self._helper.run(job) if lane is Lane.BACKGROUND else self._queues[lane].ask(job)

    def _hand_to_writer(self, jobs: list[Job]) -> None:
        assert self._writer is not None, "nothing is gathered before the start and after the end"
        self._writer.put(jobs)

    # --- in the threads ---------------------------------------------------------------------------

    def _hand_over_commit(self, jobs: list[Job], committed: Sequence[Committed], trouble: Exception | None) -> None:
        self._call_from_thread(self._deliver, jobs, committed, trouble)

    def _hand_over_steps(self, jobs: list[Job], trouble: Exception | None) -> None:
        self._call_from_thread(self._stepped, jobs, trouble)

    def _thread_ended(self) -> None:
        self._call_from_thread(self._forget_thread)

    # --- on the reactor's thread --------------------------------------------------------------------

    def _deliver(self, jobs: list[Job], committed: Sequence[Committed], trouble: Exception | None) -> None:
        """Tell the sink what is on disk, then everybody who asked what came of it."""
        self._gathering.committed()
        if trouble is not None:
            self._writing.note(trouble, len(jobs))
        else:
            self._writing.over()
        if committed:
            assert self._committed is not None
            try:
                self._committed(committed)
            except Exception:
                self._log.failure("The rows of a commit were not delivered to everybody")
        unpublished, self._unpublished = self._unpublished, []
        for waiting in unpublished:
            waiting.callback(None)
        for job in jobs:
            job.settle()

    def _stepped(self, jobs: list[Job], trouble: Exception | None) -> None:
        if trouble is not None:
            self._writing.note(trouble, len(jobs))
        for job in jobs:
            job.settle()

    def _forget_thread(self) -> None:
        self._running -= 1
        if self._running == 1 and self._scrubber is not None:
            self._scrubber.end()
            self._scrubber = None
        if not self._running:
            for worker in self._ending:
                worker.join()
            stopped, self._stopped = self._stopped, []
            for waiting in stopped:
                waiting.callback(None)
