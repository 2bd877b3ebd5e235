"""Replies for those who run the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a listing.

    :param unit: how its cells are meant: ``time`` (milliseconds since the epoch), ``bytes``, ``seconds``, or empty for
        words, numbers and truth values.
    """

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """Some rows of a table, in order.

    :param rows: a cell for each column; ``None`` where there is nothing to say.
    :param more: how many rows follow.
    :param next: what to give as ``after`` to get those that follow, or empty.
    :raises ValueError: when a row has more or fewer cells.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: int = 0
    next: str = ""

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError("a row has a cell for each column")


@dataclass(frozen=True, slots=True)
class Fact:
    """One fact and its value; see `Column` for the units."""

    name: str
    value: Any
    unit: str = ""


@dataclass(frozen=True, slots=True)
class Facts:
    """The facts about one thing."""

    title: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class OneTimeCode:
    """A one-time code with which the owner of an account chooses a password.

    :param until: when it ends.
    """

    account: str
    secret: str
    until: int


@dataclass(frozen=True, slots=True)
class InvitationCodes:
    """Invitation codes, each good for one account.

    :param until: when they expire.
    """

    secrets: tuple[str, ...]
    until: int
