"""A server of 10,000 accounts and 10,000 rooms, as far as the grammar sees it, and how much work a call is."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any, cast

from chat.protocol.grammar.context import Context
from chat.protocol.names import read_name
from chat.protocol.values import Account, Name, Rank
from chat.server.commands.table import TABLE
from chat.server.core.directory import Directory
from chat.server.core.name_index import NameIndex
from chat.server.core.visibility import KnownNames

MANY = 10_000

_TRIES = 7


@dataclass(frozen=True)
class _Record:
    name: Name
    private: bool = False


@dataclass(frozen=True)
class _Room:
    record: _Record

    @property
    def name(self) -> str:
        return self.record.name.shown


class _Stranger:
    """As much of a session as it takes to know only what everybody may know."""

    administers = False
    user = None


@cache
def names(many: int = MANY) -> KnownNames:
    """So many accounts, ``bob`` among them, and so many rooms; names of 32 letters in each."""
    rooms: NameIndex[Any] = NameIndex()
    rooms.fill((name, _Room(_Record(Name(name, name)))) for name in _names("room", many))
    directory = Directory()
    people = (read_name(name) for name in ("bob", *_names("user", many - 1)))
    directory.fill((Account(id, name, "", Rank.MEMBER, 0, 0) for id, name in enumerate(people, start=1)), ())
    return KnownNames(directory, rooms, cast(Any, _Stranger()))


def contexts() -> tuple[Context, ...]:
    """Of a guest, of a user outside a room, and in one."""
    known = names()
    return (
        Context(TABLE, known),
        Context(TABLE, known, logged_in=True),
        Context(TABLE, known, logged_in=True, room="room00001"),
    )


def cost(work: Callable[[], object], enough: float) -> float:
    """The seconds of CPU that something takes at best: what else the machine does must not count.

    :param enough: less than that is not measured again.
    """
    best = float("inf")
    collects = gc.isenabled()
    gc.disable()  # the heap of the tests is much larger than that of a server
    try:
        for _ in range(_TRIES):
            began = time.thread_time()
            work()
            best = min(best, time.thread_time() - began)
            if best < enough:
                break
    finally:
        if collects:
            gc.enable()
    return best


def _names(what: str, many: int) -> list[str]:
    return [f"{what}{number:05}" if number % 2 else f"{what}{number:05}".ljust(32, "x") for number in range(many)]
