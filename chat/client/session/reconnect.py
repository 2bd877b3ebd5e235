"""Coming back after a connection was lost: when it is tried again, and what ends that.

It knows no server and no account: how a try is made, and whether anybody still wants one, it is told. The rules:

* The pauses grow, and no two clients make the same ones: a server that comes up again is not called by all at once.
* A server that cannot answer, or is too busy, is tried again, for as long as somebody wants it.
* One that says no for good is not called again, nor one that is another one than before.
* One whose answers make no sense is tried again as well: one bad answer may come from somebody on the way, or from a
  server that was just starting. Only `DOUBTS` of them in a row end it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from chat.client.model.failures import ClientFailure, RequestRefused, ServerNotTrusted
from chat.client.model.send_queue import TRY_AGAIN

PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each try to come back; the last one holds from then on."""

DOUBTS: Final = 6
"""Tries in a row that end in a bad answer, after which the server is not called again."""


class Reconnector:
    """Tries until one is back.

    :param clock: the reactor, as far as it knows the time.
    :param jitter: a random number from 0 to 1.
    :param wanted: whether one still wants to come back.
    :param waits: told before each pause why one is not back, and how many seconds it takes.
    :param attempt: one try, which is told the same reason; raises why it came to nothing.
    :ivar under_way: whether one is trying.
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
        """Try until one is back, or does not want to be any more.

        :param reason: in one line, why one is out.
        :raises ServerNotTrusted: when the server is not to be called again.
        :raises RequestRefused: when it does not let one in.
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
        """Wait no longer: try at once, or see that nobody wants it any more."""
        if self._pause is not None:
            self._pause.cancel()
