"""Bounded queues of reads, each before a thread of its own, so that no kind of read waits behind another."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred, fail

from chat.protocol.errors import Busy
from chat.server.storage.group_commit import Job
from chat.server.storage.outage_log import OutageLog
from chat.server.storage.workers import ReaderThread


class ReadQueue:
    """The queue of one reader.

    :param name: of the thread.
    :param most: questions that may wait; the next one fails with `Busy`.
    :param refusal: what that says.
    :param soon: calls at the end of the reactor's turn. What one turn asks for is handed over at once then: a thread
        that is woken for each question gets in the way.
    """

    def __init__(
        self,
        name: str,
        path: str,
        patience: float,
        ended: Callable[[], object],
        call_from_thread: Callable[..., object],
        soon: Callable[[Callable[[], object]], object],
        trouble: OutageLog,
        most: int,
        refusal: str | None = None,
    ) -> None:
        self.worker = ReaderThread(
            name, path, patience, ended, lambda jobs, failure: call_from_thread(self._answer, jobs, failure)
        )
        self._soon = soon
        self._trouble = trouble
        self._most = most
        self._refusal = refusal
        self._asked: list[Job] = []
        self._unanswered = 0
        self._closed = False

    def __len__(self) -> int:
        """How many questions wait for their answers."""
        return self._unanswered

    def ask(self, job: Job) -> Deferred[Any]:
        if self._unanswered >= self._most:
            return fail(Busy(self._refusal))
        self._unanswered += 1
        self._asked.append(job)
        if len(self._asked) == 1:
            self._soon(self._hand_over)
        return job.deferred

    def end(self) -> None:
        """Answer what was asked, and nothing after it."""
        self._hand_over()
        self._closed = True
        self.worker.end()

    def _hand_over(self) -> None:
        asked, self._asked = self._asked, []
        if asked and not self._closed:
            self.worker.put(asked)

    def _answer(self, jobs: list[Job], failure: Exception | None) -> None:
        self._unanswered -= len(jobs)
        if failure is not None:
            self._trouble.note(failure, sum(job.failure is not None for job in jobs))
        else:
            self._trouble.over()
        for job in jobs:
            job.settle()
