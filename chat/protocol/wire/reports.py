"""What those who run the server are shown, as lines: tables, facts, codes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chat.protocol.events import Facts, InvitationCodes, Listing, OneTimeCode, Traffic
from chat.protocol.values.quantities import count, duration
from chat.protocol.wire.columns import columns
from chat.protocol.wire.phrases import at, clock, moment
from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.view import View, notice, renders

_STEPS = ("bytes", "KiB", "MiB", "GiB", "TiB")


def _time(value: int, view: View) -> str:
    return moment(value, view.now, view.zone)


def _seconds(value: float, view: View) -> str:
    return duration(round(value * 1000))


def _bytes(value: float, view: View) -> str:
    """``512 bytes``, ``1.5 MiB``"""
    step = 0
    while value >= 1024 and step < len(_STEPS) - 1:
        value /= 1024
        step += 1
    return f"{value:,.1f} {_STEPS[step]}" if step else f"{value:,.0f} bytes"


_UNITS: dict[str, Callable[[Any, View], str]] = {"time": _time, "seconds": _seconds, "bytes": _bytes}


def cell(value: Any, unit: str, view: View) -> str:
    """One value as a person reads it; ``-`` where there is none."""
    if value is None or value == "":
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value)
    shown = _UNITS.get(unit)
    if shown is not None and abs(value) < 1 << 45:
        return shown(value, view)
    return f"{value:,}"


@renders(Listing)
def listing(reply: Listing, view: View) -> str:
    if not reply.rows:
        return notice(f"No {reply.title}.", view)
    heads = [column.name for column in reply.columns]
    units = [column.unit for column in reply.columns]
    rows = [[cell(value, unit, view) for value, unit in zip(row, units, strict=True)] for row in reply.rows]
    heading = notice(f"{reply.title}, {len(rows) + reply.more:,}:", view)
    more = f"  and {reply.more:,} more\n" if reply.more else ""
    return heading + columns([heads, *rows]) + more


@renders(Facts)
def facts(reply: Facts, view: View) -> str:
    rows = [(fact.name, cell(fact.value, fact.unit, view)) for fact in reply.facts]
    return notice(reply.title, view) + (columns(rows) if rows else "")


@renders(OneTimeCode)
def one_time_code(reply: OneTimeCode, view: View) -> str:
    account, until = safe(reply.account), moment(reply.until, view.now, view.zone)
    return notice(f"To choose a password, {account} types: claim {account} {safe(reply.secret)}", view) + notice(
        f"The code works once, until {until}.", view
    )


@renders(InvitationCodes)
def invitation_codes(reply: InvitationCodes, view: View) -> str:
    until = moment(reply.until, view.now, view.zone)
    heading = notice(f"{count(len(reply.secrets), 'invitation code')}; each works once, until {until}:", view)
    return heading + "".join(f"  {safe(each)}\n" for each in reply.secrets)


@renders(Traffic)
def traffic(event: Traffic, view: View) -> str:
    when = at(event.time, view.zone)
    size = f"{event.size:,} bytes" if event.size else ""
    place = f"to {event.partner}" if event.partner else event.room or event.conversation
    count = f"{event.count:,} times" if event.count else ""
    words = (event.kind, event.account, place, size, event.network, count)
    return notice(f"{clock(when)}:{when.second:02} {' '.join(safe(word) for word in words if word)}", view)
