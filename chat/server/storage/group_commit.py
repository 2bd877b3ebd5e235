"""Group commit: many jobs, one transaction, one failure each.

Jobs run in the order in which they were asked for. A job that is refused (`ChatError`) before it changed
anything simply fails. Any other failure rolls the batch back and runs it again with each job in a part of
its own, so that only the one that fails is undone: a job may run twice. When the database itself
fails (a full disk), nothing is kept and all fail.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred

from chat.protocol.errors import ChatError
from chat.server.interfaces import Committed
from chat.server.storage.database_errors import database_failure
from chat.server.storage.transaction import Transaction


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
    :raises DatabaseFailure: when the database fails: nothing was kept, no job has an outcome.
    """
    try:
        transaction.begin()
        for job in jobs:
            _run(transaction, job)
        return transaction.commit()
    except Exception as error:
        transaction.rollback()
        if (failure := database_failure(error)) is not None:
            raise failure from error
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
    except Exception as error:
        transaction.rollback()
        if (failure := database_failure(error)) is not None:
            raise failure from error
        raise


def _run_as_part(transaction: Transaction, job: Job) -> None:
    mark = transaction.savepoint()
    try:
        job.run(transaction)
        transaction.release()
    except Exception as error:
        if database_failure(error) is not None:
            raise
        transaction.undo(mark)
        job.failure = error
