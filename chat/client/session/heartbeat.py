"""Pings the server at regular intervals, and drops the connection if the server stops answering."""

from __future__ import annotations

from typing import Any, Final

from chat.client.session.protocol import ChatClient

MOST_SILENT: Final = 2
"""Intervals without anything from the server, after which the connection counts as broken."""

LATE: Final = 1.0
"""Seconds by which a timer may be late. If it is later, this machine was asleep, and silence means nothing."""


class Heartbeat:
    """The heartbeat of one connection at a time.

    :param clock: tells the time and schedules calls (``IReactorTime``).
    """

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._timer: Any = None
        self._heard = self._due = 0.0

    def begin(self, client: ChatClient, every: float) -> None:
        """Start to ping the server.

        :param every: seconds between two pings.
        """
        self.end()
        self.heard()
        self._wait(every / 2, client, every)

    def heard(self, _: object = None) -> None:
        """The server has sent something."""
        self._heard = self._clock.seconds()

    def end(self) -> None:
        """Stop: the connection has ended."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _beat(self, client: ChatClient, every: float) -> None:
        now = self._clock.seconds()
        if now - self._due > LATE:  # this machine was asleep; data from the server may still be unread
            self.heard()
        elif now - self._heard > MOST_SILENT * every:
            client.drop("The server stopped answering.")
            return
        client.request("ping").addCallbacks(self.heard, lambda _: None)
        self._wait(every, client, every)

    def _wait(self, seconds: float, client: ChatClient, every: float) -> None:
        self._due = self._clock.seconds() + seconds
        self._timer = self._clock.callLater(seconds, self._beat, client, every)
