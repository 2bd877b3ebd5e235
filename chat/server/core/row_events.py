"""Rows of the log as events: account ids become names, kinds become types."""

from __future__ import annotations

from functools import lru_cache

from chat.protocol.events import Deleted, Edited, Entry, MembershipChanged, RoomChanged, Said, Skipped, TopicChanged
from chat.protocol.values import SPOKEN, Conversation, Kind, Pair, Row
from chat.server.core.directory import Directory
from chat.server.core.room import words

_MEMBERSHIP = frozenset(
    {
        Kind.CREATED,
        Kind.JOINED,
        Kind.LEFT,
        Kind.INVITED,
        Kind.DECLINED,
        Kind.KICKED,
        Kind.BANNED,
        Kind.UNBANNED,
        Kind.MUTED,
        Kind.UNMUTED,
        Kind.ROLE,
        Kind.CLOSED,
    }
)


def entry(row: Row, conversation: Conversation, directory: Directory, until: int | None = None) -> Entry:
    """What a row tells a reader of this conversation."""
    kind, ref = row.kind, row.ref
    if kind is Kind.EDIT and ref is not None:
        author = directory.name_of(row.author)
        return Edited(conversation, row.seq, ref, author, row.device, row.time, row.body)
    if kind in SPOKEN:
        author = directory.name_of(row.author)
        return Said(conversation, row.seq, kind, author, row.device, row.time, row.body)
    if kind is Kind.TOPIC:
        return TopicChanged(conversation, row.seq, directory.name_of(row.author), row.time, words(row))
    if kind is Kind.REDACTION and ref is not None:
        of = directory.name_of(row.author if row.target is None else row.target)
        return Deleted(conversation, row.seq, ref, directory.name_of(row.author), of, row.time)
    if kind is Kind.SETTING:
        setting, _, value = words(row).partition(" ")
        return RoomChanged(conversation, row.seq, directory.name_of(row.author), row.time, setting, value)
    if kind in _MEMBERSHIP:
        target = row.author if row.target is None else row.target
        author, about = directory.name_of(row.author), directory.name_of(target)
        return MembershipChanged(conversation, row.seq, kind, author, about, row.time, words(row), until)
    return Skipped(conversation, row.seq, row.seq)


def private_conversation(id: int, pair: Pair, reader: int, directory: Directory) -> Conversation:
    """A private conversation as one of its two people knows it."""
    return _with(id, directory.name_of(pair.high if reader == pair.low else pair.low))


@lru_cache(maxsize=10_000)
def _with(id: int, partner: str) -> Conversation:
    """The same value again for those who go on talking."""
    return Conversation(id, partner=partner)
