"""How a time is written for programs: RFC 3339, UTC, milliseconds, ``2026-11-20T09:12:03.120Z``."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_LAST: Final = datetime.max.replace(tzinfo=UTC)


def write_time(time: int) -> str:
    """:param time: milliseconds since the epoch; what lies beyond the year 9999 is written as its end."""
    try:
        moment = _EPOCH + timedelta(milliseconds=time)
    except OverflowError:
        moment = _LAST
    return moment.isoformat(timespec="milliseconds")[:-6] + "Z"


def read_time(words: str) -> int:
    """Read what `write_time` wrote, or another spelling of RFC 3339.

    :raises ValueError: when it is none; `TypeError` when it is no string, or names no zone.
    """
    return (datetime.fromisoformat(words) - _EPOCH) // _MILLISECOND
