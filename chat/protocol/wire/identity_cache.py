"""What was made of a few large values that are the same for everybody, such as the page of all commands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class IdentityCache(Generic[T]):
    """Keeps what a function makes of a value, by the identity of the value: to compare it would cost as much.

    The values are kept as well, so that no other one gets the same identity.

    :param make: the function.
    :param most: how many are kept; beyond it all are forgotten.
    """

    def __init__(self, make: Callable[[Any], T], most: int = 16) -> None:
        self._make = make
        self._most = most
        self._kept: dict[int, tuple[object, T]] = {}

    def of(self, value: object) -> T:
        """What is made of a value."""
        kept = self._kept.get(id(value))
        if kept is None:
            if len(self._kept) >= self._most:
                self._kept.clear()
            kept = self._kept[id(value)] = (value, self._make(value))
        return kept[1]
