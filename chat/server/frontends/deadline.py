"""Deadlines for peers, which a busy or suspended server does not hold against them."""

from __future__ import annotations

from collections.abc import Callable

from chat.server.interfaces import IClock, IDelayed

LATE = 0.1
"""Seconds by which a timer may come too late before the server counts as the one that was not there."""

SECOND_LOOK = 0.1
"""Seconds in which what waits in the kernel is read."""


class Deadline:
    """A timer of the server by which a peer has to have done something.

    The reactor runs timers before it reads, so a timer that comes late comes before everything that the peer sent
    meanwhile. A late one is set once more, for as long as it was late; and where something of the peer's waits to be
    read, that is read first.

    :param unread: whether something of the peer's waits in the kernel.
    :param call: called once when the time is over.
    """

    __slots__ = ("_call", "_clock", "_due", "_looked", "_seconds", "_timer", "_unread")

    def __init__(self, clock: IClock, seconds: float, call: Callable[[], object], unread: Callable[[], bool]) -> None:
        self._clock = clock
        self._seconds = seconds
        self._call = call
        self._unread = unread
        self._looked = False
        self._wait(seconds)

    def cancel(self) -> None:
        self._timer.cancel()

    def active(self) -> bool:
        return self._timer.active()

    def _wait(self, seconds: float) -> None:
        self._due = self._clock.monotonic() + seconds
        self._timer: IDelayed = self._clock.call_later(seconds, self._over)

    def _over(self) -> None:
        late = self._clock.monotonic() - self._due
        if late > LATE:
            self._looked = False
            self._wait(min(late, self._seconds))
        elif not self._looked and self._unread():
            self._looked = True
            self._wait(SECOND_LOOK)
        else:
            self._call()
