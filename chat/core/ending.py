"""The planned end of the server: everybody is told some time before, and once more shortly before."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from chat.core.administration import one_line
from chat.core.house import House
from chat.errors import NoEffect
from chat.events import Notice
from chat.interfaces import IDelayed

LAST_CALLS = (600, 300, 60, 10)
"""Seconds before the end at which everybody is told again."""


class Ending:
    """:param stop: ends the process, with a reason that may be empty."""

    def __init__(self, house: House, stop: Callable[[str], object]) -> None:
        self._house = house
        self._stop = stop
        self._calls: list[IDelayed] = []

    def plan(self, seconds: int, reason: str) -> None:
        """End the server after so many seconds, instead of when that was planned before.

        :param reason: what people are told, or empty.
        """
        self._forget()
        reason = one_line(reason)
        if not seconds:
            # The reply is still to be written.
            self._at(0, lambda: self._stop(reason))
            return
        self._tell(seconds, reason)
        for left in LAST_CALLS:
            if left < seconds:
                self._at(seconds - left, partial(self._tell, left, reason))
        self._at(seconds, lambda: self._stop(reason))

    def cancel(self) -> None:
        """Go on after all.

        :raises NoEffect: when no end was planned.
        """
        if not self._forget():
            raise NoEffect("No end is planned.")
        self._house.everyone.post(Notice("The server goes on."))

    def _at(self, seconds: float, call: Callable[[], object]) -> None:
        self._calls.append(self._house.clock.call_later(seconds, call))

    def _tell(self, seconds: int, reason: str) -> None:
        minutes, rest = divmod(seconds, 60)
        span = f"{seconds} seconds" if rest or not minutes else "1 minute" if minutes == 1 else f"{minutes} minutes"
        self._house.everyone.post(Notice(f"The server ends in {span}{f': {reason}' if reason else '.'}"))

    def _forget(self) -> bool:
        """:returns: whether an end was planned."""
        planned = [each for each in self._calls if each.active()]
        for each in planned:
            each.cancel()
        self._calls = []
        return bool(planned)
