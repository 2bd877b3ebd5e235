"""Spans of time as people read them."""

from __future__ import annotations

from math import ceil

_UNITS = ((86_400_000, "days"), (3_600_000, "hours"), (60_000, "minutes"))


def time_left(milliseconds: int) -> str:
    """A time that is left, rounded up: ``30 seconds``, ``5 minutes``, ``3 hours``, ``2 days``."""
    for unit, noun in _UNITS:
        if milliseconds >= 2 * unit:
            return f"{ceil(milliseconds / unit)} {noun}"
    seconds = max(1, ceil(milliseconds / 1_000))
    return f"{seconds} second{'' if seconds == 1 else 's'}"
