"""Slow work on the database that nobody else waits for: a copy, an export."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from threading import Thread
from typing import Any

from twisted.internet.defer import Deferred, fail

from chat.protocol.errors import Busy
from chat.server.storage.group_commit import Job
from chat.server.storage.migrations import connect


class BackgroundJobs:
    """One job at a time, each with a thread and a connection of its own.

    A process that ends does not wait for it: what it was writing is a draft, which counts for nothing.

    :param call_from_thread: calls a function with its arguments on the reactor's thread.
    """

    def __init__(self, path: str, patience: float, call_from_thread: Callable[..., object]) -> None:
        self._path = path
        self._patience = patience
        self._call_from_thread = call_from_thread
        self._busy = False

    def run(self, job: Job) -> Deferred[Any]:
        """Fails with `Busy` while another job runs."""
        if self._busy:
            return fail(Busy("A backup, restore test or export is running. Try again when it has finished."))
        self._busy = True
        Thread(target=self._work, args=(job,), name="chat-aside", daemon=True).start()
        return job.deferred

    def _work(self, job: Job) -> None:
        try:
            with closing(connect(self._path, self._patience)) as connection:
                job.run(connection)
        except Exception as error:
            job.failure = error
        self._call_from_thread(self._done, job)

    def _done(self, job: Job) -> None:
        self._busy = False
        job.settle()
