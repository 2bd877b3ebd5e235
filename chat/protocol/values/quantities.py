"""Numbers and spans of time in English words."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

_UNITS = (("day", 86_400), ("hour", 3_600), ("minute", 60), ("second", 1))


def count(number: int, noun: str) -> str:
    """``1 line``, ``14 lines``, ``1,200 lines``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def joined(parts: Sequence[str]) -> str:
    """``A``, ``A and B``, ``A, B and C``."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)


def duration(milliseconds: int) -> str:
    """The two largest units of a time span: ``10 minutes``, ``1 day and 2 hours``."""
    seconds = max(1, round(milliseconds / 1000))
    parts = []
    for noun, size in _UNITS:
        number, seconds = divmod(seconds, size)
        if number:
            parts.append(count(number, noun))
    return joined(parts[:2])


def time_left(milliseconds: int) -> str:
    """A time that is left, rounded up: ``30 seconds``, ``90 seconds``, ``5 minutes``, ``3 hours``, ``2 days``."""
    noun, size = next((unit for unit in _UNITS if milliseconds >= 2_000 * unit[1]), _UNITS[-1])
    return count(max(1, ceil(milliseconds / (1_000 * size))), noun)
