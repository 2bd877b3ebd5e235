"""Rows of a log, live or from history."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from chat.protocol.values import Body, Conversation, Kind, value


@value
class Said:
    """Somebody said something in a room or privately.

    :param kind: `Kind.TEXT`, `Kind.ACTION` or `Kind.SEALED`.
    :param body: nothing where it was deleted or forgotten.
    :param again: whether the reader may have been shown it before.
    """

    conversation: Conversation
    seq: int
    kind: Kind
    author: str
    device: str
    time: int
    body: Body | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Edited:
    """Somebody edited one of their messages.

    :param ref: the seq of the message that this replaces, in the same conversation.
    :param body: nothing where it was deleted or forgotten.
    :param again: whether the reader may have been shown it before.
    """

    conversation: Conversation
    seq: int
    ref: int
    author: str
    device: str
    time: int
    body: Body | None
    again: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message was deleted with all its edits; its place in the log remains.

    :param ref: the seq of that message, in the same conversation.
    :param of: who had written it.
    """

    conversation: Conversation
    seq: int
    ref: int
    author: str
    of: str
    time: int


PrivateEntry: TypeAlias = Said | Edited | Deleted
"""What stands in a private conversation."""


@dataclass(frozen=True, slots=True)
class TopicChanged:
    """Somebody set the topic of a room; empty for none."""

    conversation: Conversation
    seq: int
    author: str
    time: int
    topic: str


@dataclass(frozen=True, slots=True)
class RoomChanged:
    """An owner changed a setting of a room.

    :param setting: ``private``, ``history``, ``slow`` or ``sealed``.
    :param value: ``on`` or ``off``; ``start`` or ``joining``; seconds; ``on``.
    """

    conversation: Conversation
    seq: int
    author: str
    time: int
    setting: str
    value: str


@dataclass(frozen=True, slots=True)
class MembershipChanged:
    """A row about who belongs to a room and who may do what there.

    :param kind: created, joined, left, invited, declined, kicked, banned, unbanned, muted, unmuted or role.
    :param target: whom it is about; the author's own name where it is about the author.
    :param detail: the reason, or the new role.
    :param until: the end of a ban or mute, where it has one; only in a live event.
    """

    conversation: Conversation
    seq: int
    kind: Kind
    author: str
    target: str
    time: int
    detail: str = ""
    until: int | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """Rows that this reader does not get (from somebody blocked); they are not lost."""

    conversation: Conversation
    first: int
    last: int


Entry: TypeAlias = Said | Edited | Deleted | TopicChanged | RoomChanged | MembershipChanged | Skipped
"""What stands in a history."""
