"""Long work in as many turns of the reactor as it takes, so that everybody else goes on meanwhile."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from twisted.internet.defer import Deferred

from chat.server.interfaces import ITurn

T = TypeVar("T")


async def collect(parts: Iterable[T], turn: ITurn) -> list[T]:
    """Everything that an iterable yields; between two parts, others may have their turn.

    :param parts: makes each part when it is asked for it.
    """
    collected: list[T] = []
    if turn.spent():
        await _another(turn)
    for part in parts:
        collected.append(part)
        if turn.spent():
            await _another(turn)
    return collected


def _another(turn: ITurn) -> Deferred[None]:
    """Fires in a turn whose time is not spent."""
    waiting: Deferred[None] = Deferred()
    turn.later(lambda: waiting.callback(None))
    return waiting
