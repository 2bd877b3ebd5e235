"""The planned end of the server: everybody is told some time before, once more shortly before, and whoever comes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from chat.protocol.errors import NoEffect
from chat.protocol.events import Notice
from chat.protocol.values.quantities import time_left
from chat.server.core.node import Node
from chat.server.core.one_line import one_line
from chat.server.core.user import Session
from chat.server.interfaces import IDelayed

LAST_CALLS = (600, 300, 60, 10)
"""Seconds before the end at which everybody is told again."""


class Planned(NamedTuple):
    """An end that is planned.

    :param time: milliseconds since the epoch.
    :param reason: what people are told, or empty.
    """

    time: int
    reason: str


class Shutdown:
    """:param stop: ends the process, with a reason that may be empty.

    :ivar planned: the end to come, or nothing.
    """

    def __init__(self, node: Node, stop: Callable[[str], object]) -> None:
        self._node = node
        self._stop = stop
        self._calls: list[IDelayed] = []
        self.planned: Planned | None = None

    def plan(self, seconds: int, reason: str) -> None:
        """End the server after so many seconds, instead of when that was planned before.

        :param reason: what people are told, or empty.
        """
        self._forget()
        reason = one_line(reason)
        self.planned = Planned(self._node.now() + seconds * 1000, reason)
        if seconds:
            self._node.everyone.post(_notice(seconds, reason))
            for left in LAST_CALLS:
                if left < seconds:
                    self._at(seconds - left, partial(self._node.everyone.post, _notice(left, reason)))
        # Never within this call: the reply is still to be written.
        self._at(seconds, lambda: self._stop(reason))

    def cancel(self) -> None:
        """Go on after all.

        :raises NoEffect: when no end was planned.
        """
        if self.planned is None:
            raise NoEffect("No shutdown is planned.")
        self._forget()
        self._node.everyone.post(Notice("The shutdown has been cancelled."))

    def remind(self, session: Session) -> None:
        """Tell somebody who has come of an end that is planned."""
        if self.planned is not None:
            left = self.planned.time - self._node.now()
            session.mind.deliver(_notice(left / 1000, self.planned.reason))

    def _at(self, seconds: float, call: Callable[[], object]) -> None:
        self._calls.append(self._node.clock.call_later(seconds, call))

    def _forget(self) -> None:
        for each in self._calls:
            if each.active():
                each.cancel()
        self._calls = []
        self.planned = None


def _notice(seconds: float, reason: str) -> Notice:
    return Notice(f"The server shuts down in {time_left(round(seconds * 1000))}{f': {reason}' if reason else '.'}")
