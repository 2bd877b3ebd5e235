"""Character classes for regular expressions, made of what the Unicode tables say."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

BEYOND_ASCII: Final = range(0x80, 0x20000)
"""The planes in which nearly all characters are, but for ASCII."""

Ranges = list[tuple[int, int]]


def ranges_of(codes: Iterable[int], apart: int = 1) -> Ranges:
    """Ranges that hold these ascending codes, and what lies between two that are not further apart."""
    ranges: Ranges = []
    for code in codes:
        if ranges and code - ranges[-1][1] <= apart:
            ranges[-1] = ranges[-1][0], code
        else:
            ranges.append((code, code))
    return ranges


def character_class(ranges: Iterable[tuple[int, int]]) -> str:
    """These ranges as a regular expression that matches one character.

    Up to U+FFFF it becomes a bit map, which takes some nanoseconds a character. Each range beyond is compared alone:
    keep those apart where most texts have none of them.
    """
    return f"[{''.join(f'{chr(first)}-{chr(last)}' for first, last in ranges)}]"
