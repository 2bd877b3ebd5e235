"""Replies that show something: people, rooms, what was said, help."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chat.protocol.events.rows import Entry
from chat.protocol.values import Conversation, Device, Rank, Role


@dataclass(frozen=True, slots=True)
class Person:
    """One line of a list of people.

    :param state: ``online``, ``offline`` or ``away``.
    """

    name: str
    state: str
    role: Role | None = None


@dataclass(frozen=True, slots=True)
class People:
    """A list of people.

    :param title: ``online``, ``users``, ``members`` or ``blocked``.
    :param room: the room whose members these are, or empty.
    :param more: how many did not fit.
    """

    title: str
    people: tuple[Person, ...]
    room: str = ""
    more: int = 0


@dataclass(frozen=True, slots=True)
class RoomLine:
    """One line of a list of rooms."""

    conversation: Conversation
    topic: str
    occupants: int
    members: int
    joined: bool
    unread: int = 0
    private: bool = False
    invited_by: str = ""
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """The settings of a room, and who runs it.

    :param history: from where on newcomers read: ``start`` or ``joining``.
    :param slow: seconds between two lines of one person, 0 for none.
    """

    conversation: Conversation
    topic: str
    created: int
    private: bool
    history: str
    slow: int
    members: int
    owners: tuple[str, ...]
    moderators: tuple[str, ...]
    sealed: bool = False


@dataclass(frozen=True, slots=True)
class Rooms:
    """A list of rooms: all that the reader may see, or the reader's own."""

    rooms: tuple[RoomLine, ...]
    mine: bool
    more: int = 0


@dataclass(frozen=True, slots=True)
class History:
    """A page of one conversation, oldest first.

    :param more: whether more remains in the direction that was asked for.
    :param first: the first seq that the log still holds.
    :param newer: whether that direction is towards the newest.
    """

    conversation: Conversation
    entries: tuple[Entry, ...]
    more: bool
    first: int
    last: int
    newer: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """The results of a search in all conversations that the reader may read, newest first.

    :param more: whether older ones were left out.
    :param partial: whether the server is still building its index, so that older messages may be missing.
    """

    entries: tuple[Entry, ...]
    more: bool
    partial: bool = False


@dataclass(frozen=True, slots=True)
class Missed:
    """What the reader missed, in order: one page per conversation, and how much is left."""

    pages: tuple[History, ...]
    remaining: int


@dataclass(frozen=True, slots=True)
class Profile:
    """What anybody may know about a user.

    :param since: when the oldest session of now began, or the last one ended; nothing where the reader is blocked.
    """

    name: str
    realname: str
    rank: Rank
    state: str
    away: str
    created: int
    since: int | None
    rooms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One of the reader's sessions.

    :param since: when it logged in.
    :param current: whether it is the session that asks.
    """

    device: str
    address: str
    since: int
    current: bool


@dataclass(frozen=True, slots=True)
class Devices:
    """Where an account is signed in, and the devices that can log in without a password."""

    sessions: tuple[SessionLine, ...]
    devices: tuple[Device, ...]


@dataclass(frozen=True, slots=True)
class VerbHelp:
    """What ``help`` knows of one verb; made from the command table."""

    verb: str
    aliases: tuple[str, ...]
    form: str
    summary: str
    detail: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Help:
    """All verbs by group, or one verb in full.

    :param groups: ``(title, verbs)``; empty when ``verb`` is given.
    :param more: what is typed to see one in full.
    """

    groups: tuple[tuple[str, tuple[VerbHelp, ...]], ...] = ()
    verb: VerbHelp | None = None
    more: str = "help VERB"


@dataclass(frozen=True, slots=True)
class CommandTable:
    """The verb table as plain JSON values, for grammar, help and completion in a client."""

    commands: tuple[Mapping[str, Any], ...]
