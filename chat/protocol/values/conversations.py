"""Conversations: rooms and pairs, and how they and their messages are called."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from chat.protocol.preferences import Notify
from chat.protocol.values.kinds import Kind
from chat.protocol.values.people import Name, Role

_MSGID = re.compile(r"([rk][1-9][0-9]{0,9})\.([1-9][0-9]{0,9})")

_REFERENCE = re.compile(r"([rk])([1-9][0-9]{0,9})")


class Pair(NamedTuple):
    """The two accounts of a private conversation, the smaller id first."""

    low: int
    high: int

    @classmethod
    def of(cls, one: int, other: int) -> Pair:
        """The pair of two account ids, in whichever order they come (one may talk to oneself)."""
        return cls(one, other) if one <= other else cls(other, one)

    def beside(self, account: int) -> int:
        """The other account of the pair."""
        return self.high if account == self.low else self.low


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as one reader knows it.

    :param id: never reused.
    :param room: the room's name, or empty for a private conversation.
    :param partner: the other person's name, or empty for a room.
    """

    id: int
    room: str = ""
    partner: str = ""

    def __post_init__(self) -> None:
        if bool(self.room) == bool(self.partner):
            raise ValueError("a conversation is a room or has a partner")

    @property
    def reference(self) -> str:
        """What programs call it: ``r2`` for a room, ``k4`` for a pair."""
        return write_reference(self.id, bool(self.room))

    def msgid(self, seq: int) -> str:
        """The name of one message for ever: ``r2.4712``."""
        return f"{self.reference}.{seq}"


def write_reference(id: int, room: bool) -> str:
    """See `Conversation.reference`."""
    return f"{'r' if room else 'k'}{id}"


def parse_reference(reference: str) -> tuple[str, int]:
    """Read what `Conversation.reference` wrote.

    :returns: ``("r" or "k", id)``.
    :raises ValueError: when it is neither.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(f"{reference[:40]!r} is not a conversation id")
    return found[1], int(found[2])


def is_msgid(word: str) -> bool:
    """Whether a word is a message id."""
    return _MSGID.fullmatch(word) is not None


def parse_msgid(msgid: str) -> tuple[str, int]:
    """Read a message id.

    :returns: the conversation's reference and the sequence number.
    :raises ValueError: when it is none.
    """
    found = _MSGID.fullmatch(msgid)
    if found is None:
        raise ValueError(f"{msgid[:40]!r} is not a message id")
    return found[1], int(found[2])


@dataclass(frozen=True, slots=True)
class RoomRecord:
    """A room as it is stored.

    :param conversation: the id of its log.
    :param private: entered by invitation only.
    :param from_start: whether newcomers read the history from the start, or from joining.
    :param slow: seconds between two lines of one person, 0 for none.
    :param sealed: whether nothing is said there in the clear; for ever.
    """

    conversation: int
    name: Name
    topic: str
    created: int
    private: bool = False
    from_start: bool = True
    slow: int = 0
    sealed: bool = False


def room_setting(words: str) -> tuple[str, int]:
    """Read what a row of `Kind.SETTING` says: ``private on``, ``history joining``, ``slow 30``, ``sealed on``.

    :returns: a field of `RoomRecord` and its new value.
    :raises ValueError: when it says nothing.
    """
    name, _, value = words.partition(" ")
    if name == "private":
        return "private", value == "on"
    if name == "history":
        return "from_start", value == "start"
    if name == "slow":
        return "slow", int(value)
    if words == "sealed on":
        return "sealed", True
    raise ValueError(f"a room has no setting {name!r}")


@dataclass(frozen=True, slots=True)
class Member:
    """An account in a room.

    :param joined_seq: the last seq of the room when the account became a member.
    :param joined: milliseconds since the epoch.
    :param entered: when it last came into the room by ``connect``, milliseconds since the epoch.
    :param notify: what its text sessions are shown of the room while it happens.
    :param readable_after: the seq after which it may read: 0, or where it joined if the room shows newcomers no past.
    """

    account: int
    role: Role
    joined_seq: int
    joined: int
    entered: int
    notify: Notify = Notify.ALL
    readable_after: int = 0


@dataclass(frozen=True, slots=True)
class Restriction:
    """A ban or a mute.

    :param kind: `Kind.BANNED` or `Kind.MUTED`.
    :param until: milliseconds since the epoch, or nothing for ever.
    """

    account: int
    kind: Kind
    until: int | None
    reason: str

    def lasts(self, when: int) -> bool:
        """Whether it has not ended yet."""
        return self.until is None or self.until > when


@dataclass(frozen=True, slots=True)
class Invitation:
    """An account may enter a room once.

    :param by: the account that invited it.
    :param created: milliseconds since the epoch.
    """

    account: int
    by: int
    created: int
