"""The past: history and catching up."""

from __future__ import annotations

from datetime import tzinfo

from chat.protocol.errors import NotInRoom
from chat.protocol.events import History, Missed
from chat.protocol.grammar.durations import Lines, Span
from chat.protocol.grammar.parameters import Here, Place, Room
from chat.protocol.grammar.program_parameters import ConversationId, Seq
from chat.protocol.grammar.search_queries import beginning
from chat.protocol.values import is_msgid, parse_msgid, parse_reference
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "History"

_LAST_LINES = Span()

AROUND = 10
"""Lines that are shown before and after one that is cited by its id."""

SHOWN = 200
"""The most lines that catching up shows at once."""


@command(
    group=GROUP,
    barrier=True,
    examples=("history", "history 50", "history ops 2h", "history ann", "history since 09:00", "history before r1.41"),
)
async def history(
    chat: ChatService,
    session: Session,
    where: Place | None = None,
    span: Lines = _LAST_LINES,
    *,
    room: Here | None = None,
    conversation: ConversationId | None = None,
    after: Seq | None = None,
    before: Seq | None = None,
    limit: Seq | None = None,
) -> History:
    """show earlier messages of this room, or of another place

    Without a room or name it shows the current room: the last 20 lines, as many as you ask for, or all since a time.
    Each line begins with its id. history ID shows the lines around a message; history before ID and history after ID
    show the lines next to it.
    """
    if span.before or span.after:
        conversation, seq = _cited(span.before or span.after)
        before, after = (seq, None) if span.before else (None, seq)
    elif where is not None and is_msgid(where):
        conversation, seq = _cited(where)
        after, before, limit = max(0, seq - AROUND - 1), seq + AROUND + 1, 2 * AROUND + 1
    if conversation is not None:
        found, readable_after = await chat.history.by_id(session, conversation)
    elif (place := where or room) is not None:
        found, readable_after = await chat.history.place(session, place)
    else:
        raise NotInRoom("You are not in a room. Usage: history ROOM (or history NAME)")
    return await chat.history.history(
        session,
        found,
        readable_after,
        after=after,
        before=before,
        since=beginning(span, chat.clock.seconds(), zone_of(session)),
        limit=max(1, limit) if limit is not None else span.lines,
    )


def _cited(msgid: str) -> tuple[int, int]:
    """The conversation of a message, and its seq."""
    reference, seq = parse_msgid(msgid)
    return parse_reference(reference)[1], seq


def zone_of(session: Session) -> tzinfo | None:
    """The time zone in which whoever is logged in means times; nothing for the server's own."""
    return session.user.account.preferences.zone if session.user is not None else None


@command("unread", group=GROUP, barrier=True, examples=("catchup", "catchup ops"))
async def catchup(chat: ChatService, session: Session, room: Room | None = None) -> Missed:
    """show what you missed, and mark it as read"""
    wanted = chat.rooms.of_member(session, room) if room is not None else None
    return await chat.history.catch_up(session, wanted, SHOWN)
