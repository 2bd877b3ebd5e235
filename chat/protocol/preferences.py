"""What people set for themselves: how lines look to them, and what they are called for."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields, replace
from datetime import tzinfo
from enum import StrEnum
from functools import cache
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

_read: list[ZoneInfo] = []
"""The time zones that stay in memory: `ZoneInfo` reads a file again once nobody holds it."""


class Style(StrEnum):
    """How lines look: ``classic`` is the exact look of wish 001."""

    PLAIN = "plain"
    CLASSIC = "classic"


class Notify(StrEnum):
    """What a member is shown of a room while it happens."""

    ALL = "all"
    MENTIONS = "mentions"
    NOTHING = "nothing"

    @property
    def quiet(self) -> str:
        """The same as people say it: how quiet the room is."""
        return {"all": "off", "mentions": "mentions", "nothing": "on"}[self.value]


@dataclass(frozen=True, slots=True)
class Preferences:
    """What is kept with an account.

    :param time: whether live lines begin with the time of day.
    :param timezone: as the IANA database has it (``Europe/Berlin``), or empty for the server's own.
    :param bell: whether a private message, or one that mentions the reader, rings the terminal's bell.
    :raises ValueError: when there is no such style or time zone.
    """

    style: Style = Style.PLAIN
    time: bool = False
    timezone: str = ""
    bell: bool = False

    def __post_init__(self) -> None:
        if self.style not in tuple(Style) or type(self.time) is not bool or type(self.bell) is not bool:
            raise ValueError("no such setting")
        if self.timezone != "" and self.timezone not in time_zones().values():
            raise ValueError("no such time zone")

    @property
    def zone(self) -> tzinfo | None:
        """For `datetime.astimezone`, to which nothing is the server's own zone."""
        return ZoneInfo(self.timezone) if self.timezone else None


QUIET = {each.quiet: each for each in Notify}
"""What each word of ``set quiet ROOM`` means."""

SWITCH = {"on": True, "off": False}
"""What each word means of a setting that is on or off."""


class Setting(NamedTuple):
    """Something that people set: ``set NAME VALUE``, or ``set NAME ROOM VALUE``.

    :param hint: what it may be, in a few words.
    :param words: all that it may be; nothing where people write words of their own.
    :param of_room: whether each room has one.
    """

    hint: str
    words: tuple[str, ...] = ()
    of_room: bool = False


SETTINGS: Mapping[str, Setting] = {
    "style": Setting("plain, or classic", tuple(Style)),
    "time": Setting("on: show the time before each line", tuple(SWITCH)),
    "timezone": Setting("such as Europe/Berlin, or server"),
    "bell": Setting("on: ring for private messages and your name", tuple(SWITCH)),
    "quiet": Setting("ROOM on, mentions or off", tuple(QUIET), of_room=True),
    "realname": Setting("what whois shows, or none"),
}
"""Every setting, in the order in which `set` lists them."""

UNSET = Preferences()
"""What nobody has changed; one value for everybody."""


def read_preferences(kept: str) -> Preferences:
    """Read what is kept: one JSON object, whose other members are left alone.

    What cannot be used (a time zone that this machine does not know any more) is as if it was never set.
    """
    if kept == "{}":
        return UNSET
    values: Mapping[str, Any] = json.loads(kept)
    preferences = UNSET
    for field in fields(Preferences):
        if field.name in values:
            with suppress(ValueError):
                preferences = replace(preferences, **{field.name: values[field.name]})
    return replace(preferences, style=Style(preferences.style))


@cache
def time_zones() -> Mapping[str, str]:
    """The time zones that this machine knows, by folded name."""
    return {name.casefold(): name for name in available_timezones()}


def prepare() -> None:
    """Read all time zones now, where nobody waits for it, instead of each when it is first used: 0.15 seconds."""
    for name in time_zones().values():
        with suppress(ZoneInfoNotFoundError, ValueError, OSError):
            _read.append(ZoneInfo(name))
