"""Waiting that ends early when the server does."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chat.server.interfaces import IClock, IDelayed


class Sleeper:
    """The commands that are put off because somebody is too fast."""

    def __init__(self, clock: IClock) -> None:
        self._clock = clock
        self._waiting: dict[Deferred[None], IDelayed] = {}

    def wait(self, seconds: float) -> Deferred[None]:
        """Fires after so many seconds, or at once when all pauses `end`."""
        waiting: Deferred[None] = Deferred()
        self._waiting[waiting] = self._clock.call_later(seconds, lambda: self._over(waiting))
        return waiting

    def end(self) -> None:
        """Let everybody go on who waits, in the order in which they came."""
        for waiting, delayed in tuple(self._waiting.items()):
            delayed.cancel()
            self._over(waiting)

    def _over(self, waiting: Deferred[None]) -> None:
        del self._waiting[waiting]
        waiting.callback(None)
