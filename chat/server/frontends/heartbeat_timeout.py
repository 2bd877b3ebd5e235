"""The time-out of peers that promised heartbeats."""

from __future__ import annotations

from chat.server.frontends.contract import Link
from chat.server.interfaces import IDelayed


class HeartbeatTimeout:
    """Ends the connection of a program that promised heartbeats and has fallen silent."""

    __slots__ = ("_heard", "_link", "_over", "_timer")

    def __init__(self, link: Link) -> None:
        self._link = link
        self._heard = 0.0
        self._over = False
        self._timer: IDelayed | None = None

    def heard(self) -> None:
        """A frame has come."""
        clock = self._link.service.clock
        self._heard = clock.monotonic()
        if self._timer is None and self._link.session.heartbeat and not self._over:
            self._wait(self._link.service.settings.timeout)

    def stop(self) -> None:
        self._over = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _wait(self, seconds: float) -> None:
        self._timer = self._link.deadline(seconds, self._check)

    def _check(self) -> None:
        timeout = self._link.service.settings.timeout
        if self._link.unread():  # it is not silent: so many of its requests wait that nothing is read
            self._heard = self._link.service.clock.monotonic()
        left = self._heard + timeout - self._link.service.clock.monotonic()
        if left > 0:
            self._wait(left)
        else:
            self._link.session.mind.close(f"No heartbeat for {timeout} seconds.")
