"""What is called by a name, in the order of the names and by the names that somebody mistyped."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from typing import Generic, TypeVar

from chat.protocol.grammar.typos import TypoIndex

T = TypeVar("T")

_END = "\U0010ffff"
"""Comes after whatever may follow in a name."""


class SortedNames:
    """Folded names in their order: adding one, and reading a page of them, costs no more than a few look-ups."""

    __slots__ = ("_names",)

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._names = sorted(names)

    def __len__(self) -> int:
        return len(self._names)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def add(self, name: str) -> None:
        """:param name: one that is not there yet."""
        insort(self._names, name)

    def remove(self, name: str) -> bool:
        """:returns: whether it was there."""
        place = bisect_left(self._names, name)
        if self._names[place : place + 1] != [name]:
            return False
        del self._names[place]
        return True

    def page(self, after: str, most: int, beginning: str = "") -> tuple[list[str], int]:
        """The names after one of them.

        :param after: a folded name, or the beginning of one; empty for the first page.
        :param most: how many at most.
        :param beginning: what all of them begin with.
        :returns: the names, and how many follow on later pages.
        """
        start, end = bisect_right(self._names, after) if after else 0, len(self._names)
        if beginning:
            start = max(start, bisect_left(self._names, beginning))
            end = bisect_right(self._names, beginning + _END, lo=min(start, end))
        found = self._names[start : min(start + most, end)]
        return found, max(0, end - start - len(found))


class NameIndex(MutableMapping[str, T], Generic[T]):
    """Values by folded name, which are also found in the order of their names, and by a name one edit away.

    :param corrects: whether mistyped names are looked for; an index that nobody asks for them is smaller.
    """

    def __init__(self, corrects: bool = True) -> None:
        self._values: dict[str, T] = {}
        self._order = SortedNames()
        self._typos = TypoIndex(self._values) if corrects else None

    def fill(self, values: Iterable[tuple[str, T]]) -> None:
        """Add many values, and sort the names once."""
        for name, value in values:
            self._values[name] = value
            if self._typos is not None:
                self._typos.add(name)
        self._order = SortedNames(self._values)

    def __getitem__(self, name: str) -> T:
        return self._values[name]

    def get(self, name: str) -> T | None:  # type: ignore[override]  # no default: nobody asks with one
        """Asked for the words of every line; the inherited one raises an exception inside."""
        return self._values.get(name)

    def __contains__(self, name: object) -> bool:
        return name in self._values

    def __setitem__(self, name: str, value: T) -> None:
        if name not in self._values:
            self._order.add(name)
            if self._typos is not None:
                self._typos.add(name)
        self._values[name] = value

    def __delitem__(self, name: str) -> None:
        del self._values[name]
        self._order.remove(name)

    def __iter__(self) -> Iterator[str]:
        """The names in their order."""
        return iter(self._order)

    def __len__(self) -> int:
        return len(self._values)

    def page(self, after: str, most: int, beginning: str = "") -> tuple[list[T], int]:
        """The values of a page of names; see `SortedNames.page`."""
        names, more = self._order.page(after, most, beginning)
        return [self._values[name] for name in names], more

    def near(self, word: str, accept: Callable[[T], bool] | None = None) -> T | None:
        """The value whose name is one edit away from a folded word, or nothing.

        :param accept: whether a value may be given away.
        """
        if self._typos is None:
            return None
        found = (self._values[name] for name in self._typos.near(word))
        return next((value for value in found if accept is None or accept(value)), None)
