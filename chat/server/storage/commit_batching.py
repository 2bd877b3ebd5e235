"""What waits for the writer: gathered on the reactor's thread, and handed over for one commit at a time.

A commit has a price of its own (a sync of the disk, two threads that wake each other, a turn of the reactor) which all
that it holds share, so it pays to let it hold more. The rules:

* One commit at a time: what comes while one is on its way goes into the next one.
* What comes in one turn of the reactor goes into one commit, whoever said it. It is handed over as the very last thing
  of the turn: a writer that is woken earlier and the reactor's thread only get in each other's way.
* Where the commit before held several, whoever they were of will mostly go on: the next one waits for as many, but no
  longer than `PATIENCE`. Now and then it waits for one more: where many talk without waiting for each other, commits
  grow until they hold what comes in that time. Else it begins at once: who talks alone waits for nobody.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from chat.server.storage.group_commit import Job

MOST_WAITING: Final = 20_000
"""Jobs that may wait; one more is refused."""

MOST_AT_ONCE: Final = 5_000
"""Jobs in one transaction: it is over in well under a second, and then its senders have their answers."""

PATIENCE: Final = 0.005
"""Seconds that a commit waits for others, at most. Nobody sees them, and where 1,000 lines are said in a second they
make what the server does for each a third: a commit, and one ``send`` to each member."""

RARELY: Final = 256
"""Commits after which one waits for one more than the last one held, at the latest, where that was in vain before."""


class CommitBatcher:
    """:param hand_over: gets the jobs of the next commit.
    :param call_later: calls on the reactor's thread after some seconds (``reactor.callLater``).
    :param soon: calls at the end of the reactor's turn. Without these two, nothing waits but for the commit before.
    """

    def __init__(
        self,
        hand_over: Callable[[list[Job]], object],
        call_later: Callable[[float, Callable[[], object]], Any] | None,
        soon: Callable[[Callable[[], object]], object] | None,
    ) -> None:
        self._hand_over = hand_over
        self._call_later = call_later
        self._soon = soon or at_once
        self._jobs: list[Job] = []
        self._committing = False
        self._arranged = False
        self._timer: Any = None
        self._enough = 1
        self._last = 1
        self._until_more = self._pause = 1

    @property
    def under_way(self) -> bool:
        """Whether a commit was handed over, and it is not known what came of it."""
        return self._committing

    def __len__(self) -> int:
        return len(self._jobs)

    def add(self, job: Job) -> bool:
        """Let a job wait for the next commit.

        :returns: whether there was room.
        """
        if len(self._jobs) >= MOST_WAITING:
            return False
        self._jobs.append(job)
        if self._timer is not None:
            if len(self._jobs) == self._enough:
                self._timer.cancel()
                self._waited()
        elif not (self._committing or self._arranged):
            self._arrange()
        return True

    def committed(self) -> None:
        """What was handed over is on disk, or has failed."""
        self._committing = False
        if self._jobs and not self._arranged:
            self._arrange()

    def end(self) -> None:
        """Hand over all that waits."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while self._jobs:
            self._begin()

    def _arrange(self) -> None:
        self._arranged = True
        self._enough = self._last
        if self._last > 1:
            self._until_more -= 1
            if not self._until_more:
                self._enough += 1
        if len(self._jobs) < self._enough and self._call_later is not None:
            self._timer = self._call_later(PATIENCE, self._waited)
        else:
            self._soon(self._at_last)

    def _waited(self) -> None:
        """As many have come as were waited for, or the time is over."""
        self._timer = None
        self._soon(self._at_last)

    def _at_last(self) -> None:
        """The turn ends: begin after all else that is to be done then."""
        self._soon(self._begin)

    def _begin(self) -> None:
        self._arranged = False
        if not self._jobs:
            return  # the end has come
        self._committing = True
        jobs = self._jobs[:MOST_AT_ONCE]
        del self._jobs[:MOST_AT_ONCE]
        if self._enough > self._last:
            self._pause = 1 if len(jobs) >= self._enough else min(2 * self._pause, RARELY)
            self._until_more = self._pause
        self._last = len(jobs)
        self._hand_over(jobs)


def at_once(call: Callable[[], object]) -> None:
    """For where a turn has no end."""
    call()
