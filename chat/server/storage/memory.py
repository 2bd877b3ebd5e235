"""The store without a file: for tests, and for a server that is to remember nothing.

The same SQL over a private database in memory, without threads: every Deferred has fired when it is
returned. A test can hold the commits back, to see what happens before one, and let them fail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Concatenate, Final, ParamSpec, TypeVar

from twisted.internet.defer import Deferred, fail, succeed

from chat.protocol.errors import ShuttingDown, StoreUnavailable
from chat.server.interfaces import Disk, Sink, Snapshot
from chat.server.logs import Logger
from chat.server.storage.connection import Connection
from chat.server.storage.group_commit import Job, commit
from chat.server.storage.migrations import SCHEMA, apply, schema_files
from chat.server.storage.store import Lane, Store, snapshot
from chat.server.storage.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")

_MEMORY: Final = ":memory:"


class MemoryStore(Store):
    """Remembers as long as the object lives: after `stop`, `start` goes on with what was there."""

    _log = Logger()

    def __init__(self) -> None:
        self.free: int | None = None
        """What `disk` says is left; tests set it."""
        self._image: bytes | None = None
        self._connection: sqlite3.Connection | None = None
        self._transaction: Transaction | None = None
        self._committed: Sink | None = None
        self._jobs: list[Job] = []
        self._held = False
        self._committing = False
        self._failures = 0
        self._stopped: Deferred[None] | None = None

    def start(self, committed: Sink) -> Snapshot:
        connection = sqlite3.connect(_MEMORY, isolation_level=None)
        if self._image is None:
            for version, sql in enumerate(schema_files(SCHEMA), start=1):
                apply(connection, version, sql)
        else:
            connection.deserialize(self._image)
        connection.execute("PRAGMA foreign_keys = ON")
        self._connection = connection
        self._transaction = Transaction(connection)
        self._committed = committed
        return snapshot(connection)

    def stop(self) -> Deferred[None]:
        self._held = False
        stopped: Deferred[None] = Deferred()
        self._stopped = stopped
        self._commit_what_waits()
        return stopped

    def published(self) -> Deferred[None]:
        return succeed(None)

    def disk(self) -> Disk:
        return Disk(0, self.free)

    def scrub(self) -> Deferred[bool]:
        return succeed(False)  # there is no file

    # --- what tests use -------------------------------------------------------------------------

    def hold(self) -> None:
        """Commit nothing until `release`: what changes something waits, reads see what is committed."""
        self._held = True

    def release(self) -> None:
        """Commit what waits, all of it in one transaction, and each change at once from here on."""
        self._held = False
        self._commit_what_waits()

    def put_back(self, file: str) -> None:
        """Begin at the next start with what a database file holds."""
        with closing(sqlite3.connect(file, isolation_level=None)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")  # no log can stand beside a database in memory
            self._image = connection.serialize()

    def fail(self, times: int) -> None:
        """Let the next commits fail with `StoreUnavailable`."""
        self._failures = times

    # --- the engine -----------------------------------------------------------------------------

    def _write(
        self, call: Callable[Concatenate[Transaction, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        if self._transaction is None:
            return fail(ShuttingDown())
        job = Job(call, arguments, options)
        self._jobs.append(job)
        if not self._held:
            self._commit_what_waits()
        return job.deferred

    def _read(
        self, lane: Lane, call: Callable[Concatenate[Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        if self._connection is None:
            return fail(ShuttingDown())
        try:
            return succeed(call(self._connection, *arguments, **options))
        except Exception as error:
            return fail(error)

    def _commit_what_waits(self) -> None:
        """Commit until nothing waits.

        Whoever is told of a commit may ask for the next one: that comes after everybody has been
        told of this one, as it does with a writer thread.
        """
        if self._committing:
            return
        self._committing = True
        try:
            while self._jobs and not self._held:
                jobs, self._jobs = self._jobs, []
                self._commit(jobs)
        finally:
            self._committing = False
        if self._stopped is not None:
            stopped, self._stopped = self._stopped, None
            self._close()
            stopped.callback(None)

    def _close(self) -> None:
        if self._connection is not None:
            self._image = self._connection.serialize()
            self._connection.close()
            self._connection = self._transaction = self._committed = None

    def _commit(self, jobs: list[Job]) -> None:
        assert self._transaction is not None
        assert self._committed is not None
        if self._failures:
            self._failures -= 1
            for job in jobs:
                job.failure = StoreUnavailable()
        elif rows := commit(self._transaction, jobs):
            try:
                self._committed(rows)
            except Exception:
                self._log.failure("The rows of a commit were not delivered to everybody")
        for job in jobs:
            job.settle()
