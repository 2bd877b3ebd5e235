"""Reconnects after a connection was lost, with growing pauses.

It knows neither server nor account; callbacks make each attempt. The rules:

* Pauses grow and are random, so that not all clients reconnect to a restarted server at the same moment.
* The client keeps trying as long as the server is unreachable or busy.
* It stops if the server refuses for good, or is not the same server as before.
* Invalid data does not stop it at once: somebody on the way may have sent it, or a server that is just starting. Only
  `DOUBTS` invalid answers in a row do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from chat.client.model.failures import ClientFailure, RequestRefused, ServerNotTrusted
from chat.client.model.send_queue import TRY_AGAIN

PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each attempt; the last value repeats."""

DOUBTS: Final = 6
"""Attempts in a row with an invalid answer, after which the client stops."""


class Reconnector:
    """Makes attempts until one succeeds.

    :param clock: tells the time and schedules calls (``IReactorTime``).
    :param jitter: returns a random number from 0 to 1.
    :param wanted: whether the client still wants to reconnect.
    :param waits: called before each pause with the reason, and the pause in seconds.
    :param attempt: makes one attempt, given the same reason; raises why it failed.
    :ivar under_way: whether attempts are being made.
    """

    def __init__(
        self,
        clock: Any,
        jitter: Callable[[], float],
        wanted: Callable[[], bool],
        waits: Callable[[str, float], object],
        attempt: Callable[[str], Awaitable[object]],
    ) -> None:
        self.under_way = False
        self._clock = clock
        self._jitter = jitter
        self._wanted = wanted
        self._waits = waits
        self._attempt = attempt
        self._pause: Deferred[None] | None = None

    async def come_back(self, reason: str) -> None:
        """Make attempts until one succeeds or `wanted` is false.

        :param reason: one line that says why the connection was lost.
        :raises ServerNotTrusted: when the client must not connect to this server again.
        :raises RequestRefused: when the server refuses the login.
        """
        self.under_way = True
        try:
            await self._try(reason)
        finally:
            self.under_way = False

    async def _try(self, reason: str) -> None:
        tries = doubts = 0
        while self._wanted():
            pause = PAUSES[min(tries, len(PAUSES) - 1)] * (0.5 + self._jitter())
            tries += 1
            self._waits(reason, pause)
            await self._sleep(pause)
            if not self._wanted():
                return
            try:
                await self._attempt(reason)
                return
            except ServerNotTrusted as error:
                doubts += 1
                if error.final or doubts >= DOUBTS:
                    raise
                reason = str(error)
                continue
            except RequestRefused as refused:
                if refused.reply.code not in TRY_AGAIN:
                    raise
                reason = refused.reply.text
            except ClientFailure as error:
                reason = str(error)
            doubts = 0

    async def _sleep(self, seconds: float) -> None:
        self._pause = deferLater(self._clock, seconds)
        try:
            await self._pause
        except CancelledError:
            pass  # by `wake`
        finally:
            self._pause = None

    def wake(self) -> None:
        """End the pause: make an attempt now, or stop if it is no longer wanted."""
        if self._pause is not None:
            self._pause.cancel()
