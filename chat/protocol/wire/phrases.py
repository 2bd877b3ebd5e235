"""Names, numbers and times, put into English words.

The names of days and months do not come from the locale: the server speaks one language, wherever it runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta, tzinfo

from chat.protocol.values import Conversation
from chat.protocol.values.quantities import count, joined
from chat.protocol.wire.sanitize import safe

NAMES = 10
"""The most names that one line lists."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LAST_DAY = datetime(9999, 12, 30, tzinfo=UTC)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)


def named(names: Sequence[str], others: int = 0) -> str:
    """Names of people, at most `NAMES`, and how many there are beyond: ``A, B and 7 others``."""
    shown = [safe(name) for name in names[:NAMES]]
    rest = others + len(names) - len(shown)
    return joined([*shown, count(rest, "other")] if rest else shown)


def listed(names: Sequence[str], others: int = 0) -> str:
    """Names of people in a remark, at most `NAMES`: ``ann, bob, carol``, ``ann, bob and 40 others``."""
    return ", ".join(map(safe, names)) if len(names) + others <= NAMES else named(names, others)


def place(conversation: Conversation) -> str:
    """What the reader calls a conversation: the room, or the other person."""
    return safe(conversation.room or conversation.partner)


# --- times ----------------------------------------------------------------------------------------


def at(time: int, zone: tzinfo | None) -> datetime:
    """Milliseconds since the epoch as a date and time of day, without a zone in the server's own.

    What lies beyond the year 9999 is shown as a day before its end, which every zone has.
    """
    try:
        return (_EPOCH + timedelta(milliseconds=time)).astimezone(zone)
    except OverflowError:
        return _LAST_DAY.astimezone(zone)


def clock(when: datetime) -> str:
    """``09:12``"""
    return f"{when.hour:02}:{when.minute:02}"


def day(when: date) -> str:
    """``20 November 2026``"""
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}"


def weekday(when: date) -> str:
    """``Friday 20 November 2026``"""
    return f"{_DAYS[when.weekday()]} {day(when)}"


def moment(time: int, now: int, zone: tzinfo | None) -> str:
    """A time as seen from now: ``09:12``, ``yesterday 17:40``, ``2 March 2026 08:00``."""
    when, today = at(time, zone), at(now, zone).date()
    if when.date() == today:
        return clock(when)
    if when.date() == today - timedelta(days=1):
        return f"yesterday {clock(when)}"
    return f"{day(when)} {clock(when)}"


def offset(when: datetime) -> str:
    """``UTC``, ``UTC+01:00``"""
    minutes = round((when.utcoffset() or timedelta()).total_seconds() / 60)
    hours, minutes_left = divmod(abs(minutes), 60)
    return f"UTC{'-' if minutes < 0 else '+'}{hours:02}:{minutes_left:02}" if minutes else "UTC"
