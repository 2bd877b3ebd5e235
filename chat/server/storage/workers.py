"""The threads of the store: one writes, others read; each opens, uses and closes a connection of its own."""

from __future__ import annotations

import os
import sqlite3
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Final

from chat.protocol.errors import StoreUnavailable
from chat.server.interfaces import Committed
from chat.server.storage.database_errors import DatabaseReplaced, database_failure
from chat.server.storage.group_commit import Job, commit
from chat.server.storage.histogram import Histogram
from chat.server.storage.migrations import connect
from chat.server.storage.scrub import Scrub
from chat.server.storage.transaction import Transaction

_AT_ONCE: Final = 5_000
"""Jobs that a thread takes at once."""

_ANSWERS: Final = 0.020
"""Seconds after which the reader hands over what it has found, although more is asked for: handing over wakes the
reactor, and then both threads want the interpreter, which costs more than a small query."""

_LAST_STEPS: Final = 1.0
"""Seconds that a stop takes at most for overwriting what was deleted: some 400 MiB. The next start does the rest."""

_UNREADABLE: Final = "The server cannot read its disk. Try again in a minute."


class StoreThread(ABC):
    """A thread with a queue and a connection of its own."""

    def __init__(self, name: str, path: str, patience: float, ended: Callable[[], object]) -> None:
        self._path = path
        self._patience = patience
        self._ended = ended
        self._waiting: SimpleQueue[list[Job]] = SimpleQueue()
        # A daemon thread: a process that ends without `stop` is not to hang in it. What was
        # acknowledged is on disk.
        self._thread = Thread(target=self._work, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def put(self, jobs: list[Job]) -> None:
        """Queue some jobs."""
        self._waiting.put(jobs)

    def end(self) -> None:
        """Let the thread end when everything that waits is done; it calls ``ended`` last."""
        self._waiting.put([])

    def join(self) -> None:
        self._thread.join()

    def _work(self) -> None:
        while jobs := self._take():
            self.serve(jobs)
        self.close()
        self._ended()

    def _take(self) -> list[Job]:
        """Wait for something, then take what else waits; nothing comes after the empty list of `end`."""
        taken = self._waiting.get()
        if not taken:
            return taken
        with suppress(Empty):
            while len(taken) < _AT_ONCE:
                more = self._waiting.get_nowait()
                if not more:
                    self.end()  # when these are done
                    break
                taken += more
        return taken

    @abstractmethod
    def serve(self, jobs: list[Job]) -> None:
        """Do what is asked and hand over what came of it; never raises."""

    @abstractmethod
    def close(self) -> None:
        """Close the connection, if it was opened."""


class WriterThread(StoreThread):
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
        self._file: os.stat_result | None = None
        self.durations = Histogram()

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

    @property
    def committing(self) -> bool:
        """Whether readers may see what is being committed, or was committed last."""
        return self._transaction is not None and self._transaction.committing

    def _open(self) -> Transaction:
        if self._transaction is None:
            connection = connect(self._path, self._patience)
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA foreign_keys = ON")
            connection.execute("PRAGMA secure_delete = ON")
            self._transaction = Transaction(connection)
            self._file = os.stat(self._path)
        self._check_file()
        return self._transaction

    def _check_file(self) -> None:
        """SQLite writes on to a file that was removed, and would say that all is well.

        :raises DatabaseReplaced: when another file, or none, is where the open one was.
        """
        assert self._file is not None, "it was opened"
        try:
            there = os.stat(self._path)
        except OSError as error:
            raise DatabaseReplaced(f"it is gone: {error.strerror}") from error
        if not os.path.samestat(self._file, there):
            raise DatabaseReplaced("it was replaced by another file while the server was running")

    def close(self) -> None:
        # The last connection that closes moves the write-ahead log into the database.
        if self._transaction is not None:
            self._transaction.connection.close()


class ReaderThread(StoreThread):
    """:param done: called in this thread with some jobs and what failed of the database."""

    def __init__(
        self,
        name: str,
        path: str,
        patience: float,
        ended: Callable[[], object],
        done: Callable[[list[Job], Exception | None], object],
    ) -> None:
        super().__init__(name, path, patience, ended)
        self._done = done
        self._connection: sqlite3.Connection | None = None

    def serve(self, jobs: list[Job]) -> None:
        """Run the jobs, many in one transaction: each sees all that was on disk when it was asked for, or more, and
        all its queries see the same moment."""
        answered: list[Job] = []
        trouble: Exception | None = None
        due = time.perf_counter() + _ANSWERS
        for job in jobs:
            try:
                job.run(self._begin())
            except Exception as error:
                self._end()
                job.failure = error
                if (failure := database_failure(error)) is not None:
                    trouble = failure
                    job.failure = StoreUnavailable(_UNREADABLE)
            answered.append(job)
            if time.perf_counter() >= due:
                self._end()
                self._done(answered, trouble)
                answered, trouble = [], None
                due = time.perf_counter() + _ANSWERS
        self._end()
        if answered:
            self._done(answered, trouble)

    def _begin(self) -> sqlite3.Connection:
        """The connection in a transaction."""
        if self._connection is None:
            connection = connect(self._path, self._patience)
            connection.execute("PRAGMA query_only = ON")
            self._connection = connection
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN")
        return self._connection

    def _end(self) -> None:
        """Leave the transaction; a connection that cannot do so is given up, and the next question opens another."""
        connection = self._connection
        if connection is None or not connection.in_transaction:
            return
        try:
            connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection = None
            with suppress(sqlite3.Error):
                connection.close()

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()


class Scrubber(StoreThread):
    """Overwrites what was deleted, step by step (`chat.server.storage.scrub`).

    It ends after all other threads of the store, since no connection may be open when its descriptor is closed, and
    takes the steps that are left then, as far as they come.

    :param done: called in this thread with some jobs and what failed of the database.
    """

    def __init__(
        self,
        path: str,
        patience: float,
        ended: Callable[[], object],
        done: Callable[[list[Job], Exception | None], object],
    ) -> None:
        super().__init__("chat-scrubber", path, patience, ended)
        self._done = done
        self._connection: sqlite3.Connection | None = None
        self._file = -1
        self._scrub: Scrub | None = None

    def serve(self, jobs: list[Job]) -> None:
        trouble: Exception | None = None
        for job in jobs:
            try:
                job.run(self._open())
            except Exception as error:
                trouble = error
                job.failure = StoreUnavailable()
        self._done(jobs, trouble)

    def _open(self) -> Scrub:
        if self._scrub is None:
            if self._connection is None:
                self._connection = connect(self._path, self._patience)
                # The writer waits for its commits. After a power cut the last step is taken again.
                self._connection.execute("PRAGMA synchronous = NORMAL")
            if self._file < 0:
                self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            self._scrub = Scrub(self._connection, self._path, self._file)
        return self._scrub

    def close(self) -> None:
        due = time.monotonic() + _LAST_STEPS
        with suppress(sqlite3.Error, OSError):
            scrub = self._open()
            while scrub.step() and time.monotonic() < due:
                pass
        if self._connection is not None:
            self._connection.close()
        if self._file >= 0:
            os.close(self._file)
