"""Rows of a log as lines: what people said, and what became of topics and members.

A live row and a replayed one are the same line, but for what stands before it. Text from people never
starts a line: a name stands before the first line of a message, and a name and ``|`` before the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Any, TypeVar

from chat.protocol.events import (
    Broadcasted,
    Deleted,
    Edited,
    Entry,
    MembershipChanged,
    RoomChanged,
    Said,
    Skipped,
    TopicChanged,
)
from chat.protocol.values import Body, Conversation, Kind, Sealed, Text
from chat.protocol.values.quantities import duration
from chat.protocol.wire.phrases import at, clock, moment, place, weekday
from chat.protocol.wire.sanitize import safe, safe_lines
from chat.protocol.wire.view import View, notice, renders

DELETED = "(deleted)"
SEALED = "(encrypted: this client cannot read it)"


E = TypeVar("E", bound=Said | Edited | Deleted | TopicChanged | RoomChanged | MembershipChanged)

_ENTRIES: dict[type, Callable[[Any, View, str], str]] = {}
"""What shows a row after what stands before it: a time, an id."""


def _stamp(time: int, view: View) -> str:
    """The time before a live line, for those who want it."""
    return f"({clock(at(time, view.zone))}) " if view.times else ""


def _shows(kind: type[E]) -> Callable[[Callable[[E, View, str], str]], Callable[[E, View, str], str]]:
    """Register the function that shows rows of this type, live and replayed."""

    def register(function: Callable[[E, View, str], str]) -> Callable[[E, View, str], str]:
        _ENTRIES[kind] = function
        if kind is not Said:  # which has a shorter way when it is live
            renders(kind)(lambda event, view: function(event, view, _stamp(event.time, view)))
        return function

    return register


# --- messages -------------------------------------------------------------------------------------


@renders(Said)
def said(event: Said, view: View) -> str:
    body, conversation = event.body, event.conversation
    if (
        (conversation.id == view.current or conversation.partner)
        and type(body) is Text
        and body.text.isascii()
        and body.text.isprintable()
        and event.kind is Kind.TEXT
        and not (event.again or view.times)
    ):  # Nearly every line is one of these; nothing below would change it.
        author = safe(event.author)
        return f"{author if view.classic else _who(event, author)}: {body.text}\n"
    return _said(event, view, _stamp(event.time, view))


@_shows(Said)
def _said(event: Said, view: View, before: str) -> str:
    author = safe(event.author)
    room, who = ("", author) if view.classic else (_room(event.conversation, view), _who(event, author))
    again = "(again) " if event.again else ""
    first, *following = _lines(event.body)
    start = f"{'' if view.classic else '* '}{who} " if event.kind is Kind.ACTION else f"{who}: "
    return f"{before}{again}{room}{start}{first}\n" + _following(f"{room}{author}", following)


def _room(conversation: Conversation, view: View) -> str:
    """The mark of a room that is not the reader's current one."""
    return f"[{safe(conversation.room)}] " if conversation.room and conversation.id != view.current else ""


@_shows(Edited)
def _edited(event: Edited, view: View, before: str) -> str:
    author = safe(event.author)
    room, who = ("", author) if view.classic else (_room(event.conversation, view), _who(event, author))
    again = "(again) " if event.again else ""
    # Which message it was can be told where ids are shown; else it is nearly always the last one.
    which = f"edited {event.conversation.msgid(event.ref)}" if before[:1] in ("r", "k") else "edited"
    first, *following = _lines(event.body)
    return f"{before}{again}{room}{who} ({which}): {first}\n" + _following(f"{room}{author}", following)


@_shows(Deleted)
def _deleted(event: Deleted, view: View, before: str) -> str:
    author, room = safe(event.author), _room(event.conversation, view)
    whose = "" if event.of == event.author else f" of {safe(event.of)}"
    message = f"message {event.conversation.msgid(event.ref)}{whose}"
    return before + notice(f"{room}{author} deleted {message}.", view)


def _who(event: Said | Edited, author: str) -> str:
    """The author; to whom, where the reader wrote it (in another session); and what the reader's program says of it."""
    partner, mark = event.conversation.partner, event.body.mark if isinstance(event.body, Text) else ""
    if not partner:
        return f"{author} ({mark})" if mark else author
    private = "private" if event.author == partner else f"private to {safe(partner)}"
    return f"{author} ({private}, {mark})" if mark else f"{author} ({private})"


def _lines(body: Body | None) -> list[str]:
    if body is None:
        return [DELETED]
    return [SEALED] if isinstance(body, Sealed) else safe_lines(body.text)


def _following(who: str, lines: Iterable[str]) -> str:
    return "".join(f"{who}| {line}\n" if line else f"{who}|\n" for line in lines)


@renders(Broadcasted)
def broadcasted(event: Broadcasted, view: View) -> str:
    author = safe(event.author)
    first, *following = safe_lines(event.text)
    mark = "" if view.classic else " (broadcast)"
    return f"{_stamp(event.time, view)}{author}{mark}: {first}\n" + _following(author, following)


# --- topics and members ---------------------------------------------------------------------------


@_shows(TopicChanged)
def _topic(event: TopicChanged, view: View, before: str) -> str:
    author, room = safe(event.author), place(event.conversation)
    if not event.topic:
        return before + notice(f"{author} cleared the topic of {room}.", view)
    return before + notice(f"{author} set the topic of {room}: {safe(event.topic)}", view)


_CHANGES = {
    ("private", "on"): "{author} made {room} private: entry is by invitation only.",
    ("private", "off"): "{author} opened {room}: anybody can enter.",
    ("history", "start"): "{author} let new members of {room} read it from its start.",
    ("history", "joining"): "{author} let new members of {room} read only what is said after they join.",
    (
        "sealed",
        "on",
    ): "{author} encrypted {room}: from now on only clients that hold its keys can read and write there.",
    ("slow", "0"): "{author} turned off slow mode in {room}.",
}


@_shows(RoomChanged)
def _room_changed(event: RoomChanged, view: View, before: str) -> str:
    span = ""
    words = _CHANGES.get((event.setting, event.value), "{author} set {setting} of {room} to {value}.")
    if event.setting == "slow" and (seconds := _seconds(event.value)):
        span = duration(seconds * 1_000)
        words = "{author} turned on slow mode in {room}: one line every {span} for each member."
    return before + notice(
        words.format(
            author=safe(event.author),
            room=place(event.conversation),
            setting=safe(event.setting),
            value=safe(event.value),
            span=span,
        ),
        view,
    )


def _seconds(value: str) -> int:
    """The seconds of slow mode, or 0 for whatever else a server says."""
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else 0


_MEMBERSHIP = {
    Kind.CREATED: "{author} has created {room}",
    Kind.JOINED: "{target} has entered {room}",
    Kind.LEFT: "{target} has left {room}",
    Kind.INVITED: "{author} has invited {target} to {room}",
    Kind.DECLINED: "{target} has declined the invitation to {room}",
    Kind.KICKED: "{target} was kicked from {room} by {author}",
    Kind.BANNED: "{target} was banned from {room} by {author}{until}",
    Kind.UNBANNED: "{target} was unbanned from {room} by {author}",
    Kind.MUTED: "{target} was muted in {room} by {author}{until}",
    Kind.UNMUTED: "{target} was unmuted in {room} by {author}",
    Kind.CLOSED: "{room} was closed by {author}",
    Kind.ROLE: "{author} made {target} {detail} of {room}",
}


@_shows(MembershipChanged)
def _membership(event: MembershipChanged, view: View, before: str) -> str:
    detail = safe(event.detail)
    words = _MEMBERSHIP[event.kind].format(
        author=safe(event.author),
        target=safe(event.target),
        room=place(event.conversation),
        until="" if event.until is None else f" for {duration(event.until - event.time)}",
        detail=detail,
    )
    reason = "" if event.kind is Kind.ROLE else detail
    return before + notice(f"{words}: {reason}" if reason else f"{words}.", view)


# --- what was before ------------------------------------------------------------------------------


def render_history(entries: Iterable[Entry], view: View, ids: bool = False) -> str:
    """All of what `history_lines` makes."""
    return "".join(history_lines(entries, view, ids))


def history_lines(entries: Iterable[Entry], view: View, ids: bool = False) -> Iterator[str]:
    """Rows that were said before, with their times and a date line where the day changes; each when it is asked for.

    Today's and yesterday's first lines need no date line, as ``(09:12)`` and ``(yesterday 17:40)`` say it.
    The classic style shows no times, as wish 001 has none, unless ids or times are asked for.

    :param entries: oldest first.
    :param ids: whether each row begins with its message id, so that it can be cited.
    """
    today = at(view.now, view.zone).date()
    recent = (today, today - timedelta(days=1))
    dated = ids or view.times or not view.classic
    last = None
    for entry in entries:
        if isinstance(entry, Skipped):
            continue
        when = at(entry.time, view.zone)
        if dated and when.date() != last and (last is not None or when.date() not in recent):
            yield f"-- {weekday(when)} --\n"
        last = when.date()
        before = f"{entry.conversation.msgid(entry.seq)} " if ids else ""
        if dated:
            before += f"({moment(entry.time, view.now, view.zone) if last in recent else clock(when)}) "
        yield _ENTRIES[type(entry)](entry, view, before)
