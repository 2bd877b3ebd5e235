"""Searches as they are typed, and when a span of time begins; for the server, and for a client that searches itself."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from typing import NamedTuple

from chat.protocol.errors import BadUsage
from chat.protocol.grammar.durations import Span, SpanType
from chat.protocol.grammar.parameters import is_longer

QUERY_BYTES = 1_024
"""The most bytes of a search."""

_FORM = "WORDS [in:ROOM] [from:NAME] [since:2h]"
_EMPTY = re.compile(r'(?:^|(?<=\s))(?:in|from|since):(?:"")?(?=\s|$)', re.IGNORECASE)
_FILTER = re.compile(r'(?:^|(?<=\s))(in|from|since):("[^"]*"|\S+)', re.IGNORECASE)


class Query(NamedTuple):
    """A search as it was typed, taken apart.

    :param words: what has to occur.
    :param place: the room or person after ``in:``, or empty; so with the others.
    """

    words: str
    place: str
    author: str
    since: str

    @property
    def span(self) -> Span | None:
        """What ``since:`` says, or nothing.

        :raises BadUsage: when it says no time.
        """
        if not self.since:
            return None
        try:
            return SpanType().read(f"since {self.since}")
        except BadUsage:
            raise BadUsage(f"{self.since[:40]} is not a time. Use since:2h, since:09:00 or since:2026-11-20") from None


def read_query(text: str) -> Query:
    """Take ``in:``, ``from:`` and ``since:`` out of a search.

    :raises BadUsage: when nothing is left to look for, or a filter says nothing.
    """
    if is_longer(text, QUERY_BYTES):
        raise BadUsage(f"A search can have at most {QUERY_BYTES:,} bytes. Usage: /search {_FORM}")
    if empty := _EMPTY.search(text):
        raise BadUsage(f"{empty[0].strip()} needs a value right after it. Usage: /search {_FORM}")
    filters = {name.lower(): value.strip('"') for name, value in _FILTER.findall(text)}
    words = " ".join(_FILTER.sub("", text).split())
    if not any(character.isalnum() for character in words):
        raise BadUsage(f"Nothing to search for. Usage: /search {_FORM}")
    return Query(words, filters.get("in", ""), filters.get("from", ""), filters.get("since", ""))


def beginning(span: Span, now: float, zone: tzinfo | None) -> int | None:
    """When a span begins.

    :param now: seconds since the epoch.
    :param zone: of a time of day or a date; nothing for the server's own.
    :returns: milliseconds since the epoch, or nothing where lines are counted. A time of day is the last such time.
    :raises BadUsage: when there is no such time.
    """
    if span.seconds is not None:
        return int((now - span.seconds) * 1000)
    if not span.clock:
        return None
    today = datetime.fromtimestamp(now, UTC).astimezone(zone)
    try:
        if ":" in span.clock:
            hour, minute = map(int, span.clock.split(":"))
            start = today.replace(hour=hour, minute=minute, second=0, microsecond=0)
            start -= timedelta(days=start > today)
        else:
            midnight = datetime.fromisoformat(span.clock)
            start = midnight.astimezone() if zone is None else midnight.replace(tzinfo=zone)
    except (ValueError, OverflowError, OSError):
        raise BadUsage(f"{span.clock} is not a time. Use since 09:00 or since 2026-11-20") from None
    return int(start.timestamp() * 1000)
