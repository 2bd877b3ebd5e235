"""Figures that tests have measured, each with the bound that it has to keep; ``tests/conftest.py`` prints them.

A figure is only printed by way of a bound: what is not asserted is not told.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass
from math import inf
from typing import NewType

Line = NewType("Line", str)
"""Words with figures in them, all of which keep their bounds."""

TOLD: dict[str, tuple[str, ...]] = {}


@dataclass(frozen=True, slots=True)
class Bounded:
    """A figure and its bounds.

    :param open: whether ``high`` itself is too much.
    """

    value: float
    low: float = -inf
    high: float = inf
    open: bool = False

    @property
    def kept(self) -> bool:
        return self.low <= self.value and (self.value < self.high if self.open else self.value <= self.high)

    def __format__(self, spec: str) -> str:
        return format(self.value, spec)


def at_most(value: float, high: float) -> Bounded:
    return Bounded(value, high=high)


def below(value: float, high: float) -> Bounded:
    return Bounded(value, high=high, open=True)


def at_least(value: float, low: float) -> Bounded:
    return Bounded(value, low=low)


def exactly(value: float, expected: float) -> Bounded:
    return Bounded(value, expected, expected)


def line(words: str, **bounded: Bounded) -> Line:
    """Put figures into words.

    :param words: with a field for each of the figures, and without any figure of their own.
    :raises AssertionError: when a figure does not keep its bounds, or stands there without one.
    """
    literal = "".join(text for text, *_ in string.Formatter().parse(words))
    if re.search(r"(?<![\w(])\d", literal):
        raise AssertionError(f"a figure without a bound: {words}")
    broken = [
        f"{name} is {each.value:g}, not {each.low:g} to {each.high:g}"
        for name, each in bounded.items()
        if not each.kept
    ]
    shown = words.format(**bounded)
    if broken:
        raise AssertionError(f"{'; '.join(broken)}: {shown}")
    return Line(shown)


def tell(what: str, *lines: Line) -> None:
    """Let figures be shown at the end of the run.

    :param what: measured on what; short.
    """
    TOLD[what] = lines
