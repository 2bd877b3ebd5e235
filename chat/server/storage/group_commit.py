"""Group commit: many jobs, one transaction, one failure each.

Jobs run in the order in which they were asked for. A job that is refused (`ChatError`) before it changed
anything simply fails. Any other failure rolls the batch back and runs it again with each job in a part of
its own, so that only the one that fails is undone: a job may run twice. When the database itself
fails (a full disk), nothing is kept and all fail.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred

from chat.protocol.errors import ChatError
from chat.server.interfaces import Committed
from chat.server.storage.transaction import Transaction

REMEDIES: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_FULL: "Free some disk space.",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable for the server.",
    sqlite3.SQLITE_PERM: "Make the file and its folder writable for the server.",
    sqlite3.SQLITE_CANTOPEN: "Make the file and its folder writable for the server.",
    sqlite3.SQLITE_BUSY: "Another program is using the database: end it.",
    sqlite3.SQLITE_LOCKED: "Another program is using the database: end it.",
    sqlite3.SQLITE_PROTOCOL: "Another program is using the database: end it.",
    sqlite3.SQLITE_IOERR: "Check the disk.",
    sqlite3.SQLITE_NOMEM: "The machine has no memory left: end other programs.",
    sqlite3.SQLITE_CORRUPT: "The file is damaged: stop the server and put a backup in its place.",
    sqlite3.SQLITE_NOTADB: "The file is damaged: stop the server and put a backup in its place.",
}
"""What the operator can do when the database itself fails, by SQLite's primary error code
(sqlite.org/rescode.html). Any other code means that a statement is wrong, which is a bug of ours."""


class DatabaseReplaced(Exception):
    """The database file was removed, moved, or replaced by another one: what is written to it now is lost at the end
    of the process."""

    remedy: Final = "Put the file back that was there, or restart the server to use what is there now."


def remedy(error: BaseException) -> str | None:
    """What to do about a failure of the database, or nothing when it is the fault of one job."""
    if isinstance(error, DatabaseReplaced):
        return error.remedy
    if not isinstance(error, sqlite3.Error):
        return None
    return REMEDIES.get(getattr(error, "sqlite_errorcode", 0) & 0xFF)


class Job:
    """A call that waits for its turn, and then its outcome waits for the reactor thread."""

    __slots__ = ("arguments", "call", "deferred", "failure", "options", "result")

    def __init__(self, call: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> None:
        self.call = call
        self.arguments = arguments
        self.options = options
        self.deferred: Deferred[Any] = Deferred()
        self.result: Any = None
        self.failure: Exception | None = None

    def run(self, subject: object) -> None:
        """Call with what it works on.

        :raises Exception: whatever the call raises.
        """
        self.failure = None
        self.result = self.call(subject, *self.arguments, **self.options)

    def settle(self) -> None:
        """Tell whoever waits; on the reactor thread."""
        if self.failure is None:
            self.deferred.callback(self.result)
        else:
            self.deferred.errback(self.failure)


def commit(transaction: Transaction, jobs: Sequence[Job]) -> list[Committed]:
    """Run all jobs and make what they did durable, once.

    :returns: the rows they appended, in order; each job holds its result or its failure.
    :raises sqlite3.Error: when the database fails (`remedy`): nothing was kept, no job has an outcome.
    """
    try:
        transaction.begin()
        for job in jobs:
            _run(transaction, job)
        return transaction.commit()
    except Exception as error:
        transaction.rollback()
        if remedy(error):
            raise
    return _commit_in_parts(transaction, jobs)


def _run(transaction: Transaction, job: Job) -> None:
    before = transaction.changes
    try:
        job.run(transaction)
    except ChatError as error:
        if transaction.changes != before:
            raise
        job.failure = error


def _commit_in_parts(transaction: Transaction, jobs: Sequence[Job]) -> list[Committed]:
    try:
        transaction.begin()
        for job in jobs:
            _run_as_part(transaction, job)
        return transaction.commit()
    except Exception:
        transaction.rollback()
        raise


def _run_as_part(transaction: Transaction, job: Job) -> None:
    mark = transaction.savepoint()
    try:
        job.run(transaction)
        transaction.release()
    except Exception as error:
        if remedy(error):
            raise
        transaction.undo(mark)
        job.failure = error
