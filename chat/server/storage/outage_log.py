"""Telling the operator that the database fails, and that it works again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from twisted.python.failure import Failure

from chat.server.logs import Logger
from chat.server.storage.database_errors import database_failure

QUIET: Final = 60.0
"""Seconds between two lines in the log about the same trouble."""


class OutageLog:
    """Tells the operator once that the database fails and what to do, and once that it works again.

    :param lost: what became of the requests, with their number as ``{jobs}``.
    """

    _log = Logger()

    def __init__(self, path: str, monotonic: Callable[[], float], lost: str) -> None:
        self._path = path
        self._lost = lost
        self._monotonic = monotonic
        self._told: float | None = None
        self._failing = False

    def note(self, error: Exception, jobs: int) -> None:
        self._failing = True
        now = self._monotonic()
        if self._told is not None and now - self._told < QUIET:
            return
        self._told = now
        known = database_failure(error)
        if known is None:
            self._log.failure("The database {path} failed in an unexpected way", Failure(error), path=self._path)
            return
        self._log.error(
            "The database {path} fails: {error}. {remedy} {lost}, and the senders were informed;"
            " the server recovers by itself.",
            path=self._path,
            error=str(known),
            remedy=known.remedy,
            lost=self._lost.format(jobs=jobs),
        )

    def over(self) -> None:
        if self._failing:
            self._failing = False
            self._log.info("The database {path} works again.", path=self._path)
