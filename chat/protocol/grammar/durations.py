"""Parameters that say how many, how long, or since when."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from chat.protocol.errors import BadUsage
from chat.protocol.grammar.parameters import Names, ParameterType

_DURATION = re.compile(r"([0-9]{1,9})([smhdw])")

_CLOCK = re.compile(r"[0-9]{1,2}:[0-9]{2}|[0-9]{4}-[0-9]{2}-[0-9]{2}")

_LIKE_A_DURATION = re.compile(r"[-+]?[0-9]+[a-z]*")
"""What somebody wrote who had a span of time in mind: ``5x``, ``-5m``, ``10``."""

_NEXT_TO = ("before", "after")
_NEXT = re.compile(r"([rk][0-9]{1,10}\.[0-9]{1,10})(?: +([0-9]{1,6}))?")

SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}
"""The units in which a span of time is written, from the smallest."""

YEARS = 100
"""The most years of a span of time: what ends later than that can neither be counted nor shown everywhere."""

MOST_SECONDS = YEARS * 365 * SECONDS["d"]

_LINES = 500
_LONGEST = 32
"""Bytes of whatever is an amount."""

_DIGITS = 20


class DurationType(ParameterType):
    """A span of time: ``90s``, ``30m``, ``2h``, ``7d``, ``4w``; read as seconds."""

    form = "TIME"
    json = f"seconds, or a string like 2h; at most {YEARS} years"
    most_bytes = _LONGEST

    def certain(self, word: str, names: Names) -> bool:
        return bool(_DURATION.fullmatch(word.lower()))

    def mistyped(self, word: str) -> bool:
        return bool(_LIKE_A_DURATION.fullmatch(word.lower()))

    def read(self, word: str) -> int:
        found = _DURATION.fullmatch(word.lower())
        if found is None or int(found[1]) == 0:
            raise BadUsage(f"{word[:40]!r} is not a duration; use 90s, 30m, 2h, 7d or 4w")
        return _checked(int(found[1]) * SECONDS[found[2]])

    def from_json(self, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return _checked(value)
        return int(super().from_json(value))


def _checked(seconds: int) -> int:
    if seconds > MOST_SECONDS:
        raise BadUsage(f"the longest duration is {YEARS} years; leave it out for no limit")
    return seconds


def is_number(word: str) -> bool:
    """Whether `int` reads a word without fail: ASCII digits, since ``²`` is a digit as well, and not too many."""
    return word.isascii() and word.isdigit() and len(word) <= _DIGITS


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a history is meant: the last so many lines, all since then, or those next to a message.

    :param seconds: how long ago it begins, or nothing.
    :param clock: a time of day or a date it begins at, as it was written, or empty.
    :param before: the id of the message before which it ends, or empty.
    :param after: the id of the message after which it begins, or empty.
    """

    lines: int = 20
    seconds: int | None = None
    clock: str = ""
    before: str = ""
    after: str = ""


class SpanType(ParameterType):
    """``20``, ``2h``, ``since 09:00`` or ``since 2026-11-20``; ``before r2.41`` or ``after r2.41 100`` reads on."""

    form = "N|2h|since TIME|before ID|after ID"
    rest = True
    most_bytes = 2 * _LONGEST

    def certain(self, word: str, names: Names) -> bool:
        first, _, rest = word.partition(" ")
        if first.lower() in _NEXT_TO:
            return bool(_NEXT.fullmatch(rest.strip()))
        if first.lower() == "since":
            return bool(_CLOCK.fullmatch(rest.strip()) or _DURATION.fullmatch(rest.strip()))
        return not rest and (is_number(first) or bool(_DURATION.fullmatch(first.lower())))

    def read(self, word: str) -> Span:
        first, _, rest = word.partition(" ")
        if first.lower() == "since" and (when := rest.strip()):
            if _DURATION.fullmatch(when.lower()):
                return Span(200, seconds=DurationType().read(when))
            if _CLOCK.fullmatch(when):
                return Span(200, clock=when)
        elif first.lower() in _NEXT_TO and (found := _NEXT.fullmatch(rest.strip())):
            lines = int(found[2] or Span().lines)
            if 1 <= lines <= _LINES:
                return Span(lines, before=found[1]) if first.lower() == "before" else Span(lines, after=found[1])
        elif not rest and is_number(first) and 1 <= int(first) <= _LINES:
            return Span(int(first))
        elif not rest and _DURATION.fullmatch(first.lower()):
            return Span(200, seconds=DurationType().read(first))
        raise BadUsage("use a number of lines (1 to 500), a duration like 2h, since 09:00, or before ID")

    def to_json(self, value: Any) -> str:
        if value.clock:
            return f"since {value.clock}"
        if value.before or value.after:
            word = f"before {value.before}" if value.before else f"after {value.after}"
            return word if value.lines == Span().lines else f"{word} {value.lines}"
        if value.seconds is None:
            return str(value.lines)
        unit = next(unit for unit in "wdhms" if value.seconds % SECONDS[unit] == 0)
        return f"{value.seconds // SECONDS[unit]}{unit}"


class NumberType(ParameterType):
    """A whole number from ``low`` to ``high``."""

    form = "N"
    json = "number"
    most_bytes = _LONGEST

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high

    def certain(self, word: str, names: Names) -> bool:
        return is_number(word)

    def read(self, word: str) -> int:
        if is_number(word) and self.low <= int(word) <= self.high:
            return int(word)
        raise BadUsage(f"expected a number from {self.low:,} to {self.high:,}")

    def from_json(self, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value
        raise BadUsage(f"expected a number from {self.low:,} to {self.high:,}")

    def details(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}


Duration = Annotated[int, DurationType()]
Lines = Annotated[Span, SpanType()]
