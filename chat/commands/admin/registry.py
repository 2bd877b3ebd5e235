"""The table that the modules beside it fill; whoever wants it filled imports `chat.commands.admin.table`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chat.events import Column, Listing
from chat.grammar.parameters import Names, NameType, ParameterType
from chat.grammar.verbs import Table
from chat.names import fold

T = TypeVar("T")

ADMIN = Table()

command = ADMIN.command
"""What changes something is a barrier, as in the other table, and is written into the log."""

PAGE = 1_000
"""The most rows of one listing: a frame stays well below what may wait for a slow reader."""


def page(
    title: str,
    columns: Sequence[Column],
    subjects: Sequence[T],
    key: Callable[[T], str],
    row: Callable[[T], tuple[Any, ...]],
) -> Listing:
    """The first `PAGE` of some subjects as a listing.

    :param key: what is given as ``after`` to go on behind a subject.
    :param row: its cells; called for those alone that are shown.
    """
    shown, rest = subjects[:PAGE], len(subjects) - PAGE
    following = key(shown[-1]) if rest > 0 else ""
    return Listing(title, tuple(columns), tuple(row(each) for each in shown), max(0, rest), following)


class PrefixType(ParameterType):
    """How a name begins."""

    form = "BEGINNING"

    def read(self, word: str) -> str:
        return fold(word)


class SubjectType(NameType):
    """Somebody, or a network."""

    form = "NAME|ADDRESS"

    def certain(self, word: str, names: Names) -> bool:
        return (word[:1].isdigit() and ("." in word or ":" in word)) or super().certain(word, names)


class AfterType(ParameterType):
    """What the page before ended with."""

    form = "AFTER"
