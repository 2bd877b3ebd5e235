"""What people set for themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from chat.protocol.errors import BadUsage
from chat.protocol.events import OwnSettings
from chat.protocol.grammar.parameters import SettingType, SettingValueType
from chat.protocol.grammar.time_zones import find_time_zone
from chat.protocol.preferences import QUIET, SETTINGS, SWITCH, Style
from chat.server.auth.registration import read_realname
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Settings"


async def _style(chat: ChatService, session: Session, value: str) -> None:
    if value.lower() not in tuple(Style):
        raise BadUsage("The style must be plain or classic. Usage: set style classic")
    await chat.preferences.prefer(session, style=Style(value.lower()))


async def _time(chat: ChatService, session: Session, value: str) -> None:
    await chat.preferences.prefer(session, time=_switched("time", value))


async def _timezone(chat: ChatService, session: Session, value: str) -> None:
    await chat.preferences.prefer(session, timezone="" if value.lower() in ("", "server") else find_time_zone(value))


async def _bell(chat: ChatService, session: Session, value: str) -> None:
    await chat.preferences.prefer(session, bell=_switched("bell", value))


async def _quiet(chat: ChatService, session: Session, value: str) -> None:
    *room, word = value.split() or [""]
    if len(room) != 1 or word.lower() not in QUIET:
        raise BadUsage("Usage: set quiet ROOM mentions (or: on, off)")
    await chat.preferences.notify(session, chat.rooms.of_member(session, room[0]), QUIET[word.lower()])


async def _realname(chat: ChatService, session: Session, value: str) -> None:
    await chat.preferences.set_realname(session, "" if value.lower() == "none" else read_realname(value))


def _switched(setting: str, value: str) -> bool:
    if value.lower() not in SWITCH:
        raise BadUsage(f"{setting} must be on or off. Usage: set {setting} on")
    return SWITCH[value.lower()]


_SETTERS: dict[str, Callable[[ChatService, Session, str], Awaitable[None]]] = {
    "style": _style,
    "time": _time,
    "timezone": _timezone,
    "bell": _bell,
    "quiet": _quiet,
    "realname": _realname,
}


@command(
    group=GROUP,
    name="set",
    barrier=True,
    examples=("set", "set style classic", "set timezone Europe/Berlin", "set quiet ops mentions"),
)
async def set_(
    chat: ChatService,
    session: Session,
    setting: Annotated[str, SettingType(*SETTINGS)] | None = None,
    value: Annotated[str, SettingValueType()] | None = None,
) -> OwnSettings:
    """show your settings, or change one

    They are stored with your account and apply wherever you log in.

    style is plain or classic. classic leaves out the * and ! before server lines and shows every message as NAME: TEXT.

    time on shows the time before each line. timezone sets your time zone, such as Europe/Berlin; server uses the
    server's.

    bell on rings when you get a private message, or when somebody says your name in a room.

    quiet ROOM on hides the lines of a room as they arrive, quiet ROOM mentions shows only lines with your name, and
    quiet ROOM off shows everything. Hidden lines wait for catchup.

    realname is shown beside your name in whois; none removes it.
    """
    if setting is None or value is None:
        return chat.preferences.of(session)
    await _SETTERS[setting](chat, session, value)
    return chat.preferences.of(session, changed=setting)
