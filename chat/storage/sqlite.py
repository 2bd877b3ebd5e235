"""The store on a SQLite file: one thread writes, one reads, and the reactor's thread hears of both.

Theory of operation. What is to be written waits on the reactor's thread (`chat.storage.gathering`) and is
handed to the writer for one commit at a time: the busier the server, the more a commit holds. What
came of it goes to the reactor's thread in one call: first the sink gets the rows, then those who
asked get their results. The reader has its own thread and queue, so that a slow history delays no
message. A connection is opened, used and closed by one thread alone.

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

from chat.durations import Durations
from chat.errors import Busy, Misconfigured, ShuttingDown
from chat.interfaces import Committed, Disk, Sink, Snapshot
from chat.journal import Logger
from chat.storage.aside import Aside
from chat.storage.commits import Job
from chat.storage.disk import look
from chat.storage.gathering import MOST_WAITING, Gathering, at_once
from chat.storage.store import Store, snapshot
from chat.storage.transaction import Transaction
from chat.storage.trouble import Trouble
from chat.storage.upgrade import connect, prepare
from chat.storage.workers import Reader, Worker, Writer

P = ParamSpec("P")
T = TypeVar("T")

PATIENCE: Final = 5.0
"""Seconds that the writer waits for another program which holds the database (a backup, a shell)
before its batch fails. It is a thread: waiting stops nothing but other writes."""


class SqliteStore(Store):
    """The log and the accounts in one SQLite file.

    :param path: the file; `chat.storage.upgrade` makes it, `chat.storage.hold` holds it.
    :param call_from_thread: calls a function with its arguments on the reactor's thread, in the order of
        asking (``reactor.callFromThread``).
    :param call_later: calls on the reactor's thread after some seconds (``reactor.callLater``).
    :param soon: calls at the end of the reactor's turn (`chat.interfaces.ITurn`). Without these two, what is
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
        self._writing = Trouble(path, monotonic, "Nothing of {jobs} requests was kept")
        self._reading = Trouble(path, monotonic, "Nothing of {jobs} requests was read")
        self._gathering = Gathering(self._hand_to_writer, call_later, soon)
        self._soon = soon or at_once
        self._asked: list[Job] = []
        self._unanswered = 0
        self._helper = Aside(self._path, patience, call_from_thread)
        self._committed: Sink | None = None
        self._writer: Writer | None = None
        self._reader: Reader | None = None
        self._ending: tuple[Worker, ...] = ()
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
        self._writer = Writer(self._path, self._patience, self._thread_ended, self._hand_over_commit)
        self._reader = Reader(self._path, self._patience, self._thread_ended, self._hand_over_reads)
        self._running = 2
        self._writer.start()
        self._reader.start()
        return taken

    def stop(self) -> Deferred[None]:
        if self._writer is not None and self._reader is not None:
            self._gathering.end()
            self._ask_reader()
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
        return {
            "writing": len(self._gathering),
            "reading": self._unanswered,
        }

    def _write(
        self, call: Callable[Concatenate[Transaction, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        if self._writer is None:
            return fail(ShuttingDown())
        job = Job(call, arguments, options)
        return job.deferred if self._gathering.add(job) else fail(Busy())

    def _read(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        if self._reader is None:
            return fail(ShuttingDown())
        if self._unanswered >= MOST_WAITING:
            return fail(Busy())
        self._unanswered += 1
        job = Job(call, arguments, options)
        self._asked.append(job)
        if len(self._asked) == 1:
            self._soon(self._ask_reader)
        return job.deferred

    def _aside(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        if self._writer is None:
            return fail(ShuttingDown())
        return self._helper.run(Job(call, arguments, options))

    def _hand_to_writer(self, jobs: list[Job]) -> None:
        assert self._writer is not None, "nothing is gathered before the start and after the end"
        self._writer.put(jobs)

    # --- in the threads ---------------------------------------------------------------------------

    def _hand_over_commit(self, jobs: list[Job], committed: Sequence[Committed], trouble: Exception | None) -> None:
        self._call_from_thread(self._deliver, jobs, committed, trouble)

    def _hand_over_reads(self, jobs: list[Job], trouble: Exception | None) -> None:
        self._call_from_thread(self._answer, jobs, trouble)

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
        for job in jobs:
            job.settle()

    def _ask_reader(self) -> None:
        """Hand over at once what one turn asks for: a reader that is woken for each question gets in the way."""
        asked, self._asked = self._asked, []
        if asked and self._reader is not None:
            self._reader.put(asked)

    def _answer(self, jobs: list[Job], trouble: Exception | None) -> None:
        self._unanswered -= len(jobs)
        if trouble is not None:
            self._reading.note(trouble, sum(job.failure is not None for job in jobs))
        else:
            self._reading.over()
        for job in jobs:
            job.settle()

    def _forget_thread(self) -> None:
        self._running -= 1
        if not self._running:
            for worker in self._ending:
                worker.join()
            stopped, self._stopped = self._stopped, []
            for waiting in stopped:
                waiting.callback(None)
