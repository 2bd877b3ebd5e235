"""How late the reactor is: a call that is due each second tells by how much it came too late."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

EVERY = 1.0
"""Seconds between two calls."""

REMEMBERED = 30
"""Calls whose lateness is remembered: longer than Prometheus waits between two scrapes, so that none is missed."""


class ReactorLag:
    """:param call_later: calls once, after so many seconds.
    :param monotonic: seconds that never jump.
    """

    def __init__(
        self, call_later: Callable[[float, Callable[[], object]], Any], monotonic: Callable[[], float]
    ) -> None:
        self._call_later = call_later
        self._monotonic = monotonic
        self._late: deque[float] = deque(maxlen=REMEMBERED)
        self._due = 0.0
        self._timer: Any = None

    @property
    def longest(self) -> float:
        """By how many seconds the latest of the remembered calls was late."""
        return max(self._late, default=0.0)

    def start(self) -> None:
        self._due = self._monotonic() + EVERY
        self._timer = self._call_later(EVERY, self._called)

    def stop(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _called(self) -> None:
        self._late.append(max(0.0, self._monotonic() - self._due))
        self.start()
