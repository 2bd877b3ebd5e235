"""Signs of life on a connection to a server: one is given so often, and one is expected.

It knows one connection and the time. What it does to a server that has fallen silent is to drop the connection; what
becomes of that is for others to say.
"""

from __future__ import annotations

from typing import Any, Final

from chat.client.session.protocol import ChatClient

MOST_SILENT: Final = 2
"""Beats without any sign of the server's, after which the connection counts as broken."""

LATE: Final = 1.0
"""Seconds by which a beat may come too late before it says nothing about the server."""


class Heartbeat:
    """Of one connection after the other.

    :param clock: the reactor, as far as it knows the time.
    """

    def __init__(self, clock: Any) -> None:
        self._clock = clock
        self._timer: Any = None
        self._heard = self._due = 0.0

    def begin(self, client: ChatClient, every: float) -> None:
        """Give a sign of life on a connection from now on.

        :param every: seconds between two of them.
        """
        self.end()
        self.heard()
        self._wait(every / 2, client, every)

    def heard(self, _: object = None) -> None:
        """The server has given one."""
        self._heard = self._clock.seconds()

    def end(self) -> None:
        """The connection is over, or was given up."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _beat(self, client: ChatClient, every: float) -> None:
        now = self._clock.seconds()
        if now - self._due > LATE:  # this machine slept, and what the server has said meanwhile is read only now
            self.heard()
        elif now - self._heard > MOST_SILENT * every:
            client.drop("The server stopped answering.")
            return
        client.request("ping").addCallbacks(self.heard, lambda _: None)
        self._wait(every, client, every)

    def _wait(self, seconds: float, client: ChatClient, every: float) -> None:
        self._due = self._clock.seconds() + seconds
        self._timer = self._clock.callLater(seconds, self._beat, client, every)
