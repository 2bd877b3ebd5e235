"""Time, and the end of the reactor's turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from twisted.internet.defer import Deferred


class IClock(Protocol):
    """The part of ``IReactorTime`` that is used; ``seconds`` is wall time, since the epoch.

    Order never depends on it; durations are measured with `monotonic`.
    """

    def seconds(self) -> float: ...

    def monotonic(self) -> float:
        """Seconds that never jump."""

    def call_later(self, delay: float, call: Callable[[], object]) -> IDelayed:
        """Call once, after so many seconds."""

    def sleep(self, seconds: float) -> Deferred[None]:
        """Fires after so many seconds."""


class IDelayed(Protocol):
    """A call that is still to come."""

    def cancel(self) -> None: ...

    def active(self) -> bool: ...


class ITurn(Protocol):
    """The reactor's turn: its end, and its time, which all share who have more than one thing to do.

    A loop over lines or rows does one of them at least, asks `spent` before each further one, and goes on in `later`.
    """

    def soon(self, call: Callable[[], object]) -> None:
        """Call once, at the end of this turn, in the order of asking."""

    def spent(self) -> bool:
        """Whether the loops of this turn have had their time."""

    def later(self, call: Callable[[], object]) -> None:
        """Call once, in a turn to come, after what is ready then was read; in the order of asking."""
