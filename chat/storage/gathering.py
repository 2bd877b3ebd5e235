"""What waits for the writer: gathered on the reactor's thread, and handed over for one commit at a time.

A commit has a price of its own (a sync of the disk, two threads that wake each other, a turn of the reactor) which all
that it holds share, so it pays to let it hold more. The rules:

* One commit at a time: what comes while one is on its way goes into the next one.
* What comes in one turn of the reactor goes into one commit, whoever said it.
* Where the commit before held several, whoever they were of will mostly go on: the next one waits for as many, but no
  longer than `PATIENCE`. Else it begins at once: who talks alone waits for nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chat.storage.commits import Job

MOST_WAITING: Final = 20_000
"""Jobs that may wait; one more is refused."""

MOST_AT_ONCE: Final = 5_000
"""Jobs in one transaction: it is over in well under a second, and then its senders have their answers."""

PATIENCE: Final = 0.002
"""Seconds that a commit waits for others, at most. Nobody sees them, and where 1,000 lines are said in a second they
halve what the server does for each: a commit, and one ``send`` to each member."""


class Gathering:
    """:param hand_over: gets the jobs of the next commit.
    :param call_later: calls on the reactor's thread after some seconds (``reactor.callLater``); where there is none,
        nothing waits but for the commit before.
    """

    def __init__(
        self,
        hand_over: Callable[[list[Job]], object],
        call_later: Callable[[float, Callable[[], object]], Any] | None,
    ) -> None:
        self._hand_over = hand_over
        self._call_later = call_later
        self._jobs: list[Job] = []
        self._committing = False
        self._timer: Any = None
        self._last = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> bool:
        """Let a job wait for the next commit.

        :returns: whether there was room.
        """
        if len(self._jobs) >= MOST_WAITING:
            return False
        self._jobs.append(job)
        if not self._committing:
            if self._timer is None:
                self._arrange()
            elif len(self._jobs) == self._last:
                self._timer.reset(0)
        return True

    def committed(self) -> None:
        """What was handed over is on disk, or has failed."""
        self._committing = False
        if self._jobs and self._timer is None:
            self._arrange()

    def end(self) -> None:
        """Hand over all that waits."""
        if self._timer is not None:
            self._timer.cancel()
        while self._jobs:
            self._begin()

    def _arrange(self) -> None:
        if self._call_later is None:
            self._begin()
        else:
            wait = PATIENCE if 1 < self._last > len(self._jobs) else 0.0
            self._timer = self._call_later(wait, self._begin)

    def _begin(self) -> None:
        self._timer = None
        self._committing = True
        jobs = self._jobs[:MOST_AT_ONCE]
        self._last = len(jobs)
        del self._jobs[:MOST_AT_ONCE]
        self._hand_over(jobs)
