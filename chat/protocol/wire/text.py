"""Events and replies as lines for people.

`render` is a table from type to function. The functions stand in ``rows``, ``live``, ``replies``,
``listings`` and ``reports``; importing those fills the table. Every line is complete, ends with ``\\n``, and holds
nothing that could harm a terminal (``chat.protocol.wire.sanitize``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from chat.protocol.events import Event, Invited, Reply, Standing
from chat.protocol.values.quantities import count
from chat.protocol.wire import listings, live, programs_only, replies, reports, rows
from chat.protocol.wire.columns import SCREEN
from chat.protocol.wire.phrases import place
from chat.protocol.wire.rows import history_lines, render_history
from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.view import PARTS, RENDERINGS, View, notice

__all__ = [
    "FEATURES",
    "View",
    "arrival",
    "greeting",
    "history_lines",
    "invitation_summary",
    "more_waiting",
    "render",
    "render_history",
    "render_parts",
    "waiting_summary",
]

FEATURES = (listings, live, programs_only, replies, reports, rows)
"""The modules whose functions show something."""

ROOMS = 5
"""The most rooms that `waiting_summary` names."""

ROOMS_NAMED = 20
"""The most rooms that `arrival` names."""

HOST = 53
"""The longest address that the line of `greeting` has room for."""


def render(shown: Event | Reply, view: View) -> str:
    """Complete lines, or nothing where nothing is to be shown."""
    return RENDERINGS[type(shown)](shown, view)


def render_parts(shown: Event | Reply, view: View) -> Iterator[str] | None:
    """The same piece by piece, each made when it is asked for; None for what is never long."""
    function = PARTS.get(type(shown))
    return function(shown, view) if function is not None else None


def waiting_summary(standings: Iterable[Standing], view: View) -> str:
    """How much waits, in one line: ``* 2 private messages, 14 lines in ops. Type catchup.``

    Nothing when nothing waits. Private messages are shown by themselves, in the classic style without a word.
    """
    waiting = [standing for standing in standings if standing.unread]
    rooms = [standing for standing in waiting if standing.conversation.room]
    private = sum(standing.unread for standing in waiting) - sum(standing.unread for standing in rooms)
    parts = [count(private, "private message")] if private and not view.classic else []
    parts += [f"{count(standing.unread, 'line')} in {place(standing.conversation)}" for standing in rooms[:ROOMS]]
    if rooms[ROOMS:]:
        rest = sum(standing.unread for standing in rooms[ROOMS:])
        parts.append(f"{count(rest, 'line')} in {count(len(rooms) - ROOMS, 'other room')}")
    hint = " Type catchup." if rooms else ""
    return notice(f"{', '.join(parts)}.{hint}", view) if parts else ""


def invitation_summary(invitations: Sequence[Invited], view: View) -> str:
    """Which rooms one may enter, in one line, or nothing."""
    shown = [f"{place(each.conversation)} (from {safe(each.author)})" for each in invitations[:ROOMS]]
    if not shown:
        return ""
    rest = f" and {len(invitations) - ROOMS:,} more" if invitations[ROOMS:] else ""
    return notice(f"You are invited to {', '.join(shown)}{rest}. Type connect ROOM or decline ROOM.", view)


def more_waiting(remaining: int, view: View) -> str:
    """What a login could not show of the private messages that wait."""
    return notice(f"{count(remaining, 'more private message')} waiting. Type catchup.", view) if remaining else ""


def arrival(rooms: Sequence[str], current: str | None, view: View) -> str:
    """Where a login begins to talk; the classic style, which knows of no rooms, does not miss one.

    :param rooms: the names of the rooms that one is a member of.
    """
    if current is None:
        none = "You are not in a room. Type list channels to see them all, then connect ROOM."
        return "" if view.classic else notice(none, view)
    mine = ", ".join(map(safe, rooms[:ROOMS_NAMED])) + (" ..." if rooms[ROOMS_NAMED:] else "")
    return notice(f"You are in {mine}. What you type is said in {safe(current)}; type /help for the commands.", view)


GREETING = "Welcome to "
"""How the greeting begins: clients that were slow to speak leave it out."""

GREETING_BYTES = 2_048
"""More than a greeting ever has."""


def greeting(
    name: str, online: int, encrypted: bool, host_hint: str, tls_port: int | None, registration: str = "open"
) -> str:
    """What a person sees first: at most 8 lines of plain ASCII, none wider than 72 columns.

    :param name: what the server calls itself.
    :param online: how many people are logged in.
    :param host_hint: the address under which the server can be reached, or empty when nobody knows.
    :param tls_port: where TLS is spoken, or nothing where it is not.
    :param registration: the setting of that name.
    """
    there = "1 person" if online == 1 else f"{online:,} people" if online else "nobody"
    name = "".join(char if char.isascii() and char.isprintable() else "?" for char in name)
    lines = [f"{GREETING}{name} ({there} online). You are not logged in."]
    if len(lines[0]) > SCREEN:
        lines = [f"{GREETING}{name[:60]}", f"({there} online). You are not logged in."]
    lines.append("  login NAME        log in (asks for the password)")
    if registration == "code":
        lines.append("  new NAME          make an account (asks for your invitation code)")
    elif registration == "open":
        lines.append("  new NAME          make an account")
    lines.append("  help              everything else")
    if not encrypted and tls_port is None:
        lines.append("This connection is not encrypted.")
    elif not encrypted:
        fits = host_hint and host_hint.isascii() and host_hint.isprintable() and len(host_hint) <= HOST
        command = f"ncat --ssl {host_hint if fits else 'HOST'} {tls_port}"
        warning = "This connection is not encrypted. Encrypted:"
        one_line = len(f"{warning} {command}") <= SCREEN
        lines += [f"{warning} {command}"] if one_line else [warning, f"  {command}"]
    return "".join(f"{line}\n" for line in lines)
