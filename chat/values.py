"""The nouns of the program: immutable values that are legal by construction.

Nothing here does I/O, imports Twisted, or knows how a value is stored, sent or shown. Times are whole
milliseconds since the Unix epoch, UTC; sequence numbers count from 1 in each conversation.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple, TypeAlias

from chat.preferences import UNSET, Notify, Preferences

BODY_BYTES = 16 * 1024
"""The most UTF-8 bytes that one body may have."""

BODY_LINES = 40
"""The most lines that one body may have."""

DEFAULT_DEVICE = "default"
"""The device of a login that names none."""

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")
_MSGID = re.compile(r"([rk][1-9][0-9]{0,9})\.([1-9][0-9]{0,9})")
_REFERENCE = re.compile(r"([rk])([1-9][0-9]{0,9})")


# --- what people write ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Text:
    """A body in the clear; may hold line breaks (``\\n``).

    :raises ValueError: when empty, or longer than `BODY_BYTES` or `BODY_LINES`.
    """

    text: str

    def __post_init__(self) -> None:
        text = self.text
        if not text or text.isspace():
            raise ValueError("a message needs some text")
        if len(text) * 4 > BODY_BYTES and len(text.encode()) > BODY_BYTES:
            raise ValueError(f"a message has at most {BODY_BYTES:,} bytes")
        if "\n" in text and text.count("\n") >= BODY_LINES:
            raise ValueError(f"a message has at most {BODY_LINES} lines")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A body that only its readers can read; stored and routed as it is.

    :param scheme: how it was sealed (``megolm.v1``).
    :param key: the id of the key, as the sender named it.
    :param ciphertext: at most `BODY_BYTES` bytes.
    """

    scheme: str
    key: str
    ciphertext: bytes

    def __post_init__(self) -> None:
        if not self.scheme or not self.ciphertext:
            raise ValueError("a sealed message needs a scheme and a ciphertext")
        if len(self.ciphertext) > BODY_BYTES:
            raise ValueError(f"a message has at most {BODY_BYTES:,} bytes")


Body: TypeAlias = Text | Sealed


# --- people ---------------------------------------------------------------------------------------


class Rank(StrEnum):
    """What an account may do on the whole server."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"


class Role(StrEnum):
    """What a member may do in one room."""

    MEMBER = "member"
    MODERATOR = "moderator"
    OWNER = "owner"

    @property
    def height(self) -> int:
        """0 for a member, 1 for a moderator, 2 for an owner."""
        return ("member", "moderator", "owner").index(self.value)


@dataclass(frozen=True, slots=True)
class Name:
    """A name of a person or a room that passed the rules (`chat.names`).

    :param shown: as its owner wrote it.
    :param folded: what is compared: two names with the same fold are the same name.
    :param skeleton: what it looks like (Unicode TS 39), or empty for an ASCII name.
    """

    shown: str
    folded: str
    skeleton: str = ""


SERVER = 0
"""The account id of rows that nobody wrote but the server itself; no account has it."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in.

    :param created: milliseconds since the epoch.
    :param seen: when a session of this account last began or ended.
    """

    id: int
    name: Name
    realname: str
    rank: Rank
    created: int
    seen: int
    preferences: Preferences = UNSET


@dataclass(frozen=True, slots=True)
class Verifier:
    """What is stored instead of a password (``chat.stretch``; RFC 5802 section 3).

    :param salt: the bcrypt salt string, which is the SCRAM salt as well.
    """

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


def device_name(word: str) -> str:
    """Check the name of a device.

    :returns: the same word.
    :raises ValueError: when it is not 1 to 32 of ``A-Za-z0-9_.-``, beginning with a letter or digit.
    """
    if not _DEVICE.fullmatch(word):
        raise ValueError("a device name has 1 to 32 letters, digits, _ - or .")
    return word


@dataclass(frozen=True, slots=True)
class Device:
    """A name that logins carry, and what is known of it.

    :param seen: milliseconds since the epoch, when a session of it last began or ended.
    :param has_token: whether it can come back without a password.
    """

    name: str
    seen: int
    has_token: bool


@dataclass(frozen=True, slots=True)
class Peer:
    """The other end of a connection.

    :param address: as people know it (``192.0.2.7``).
    :param network: what limits count by: the IPv4 address, or the /64 of an IPv6 one.
    :param encrypted: whether bytes cross the network under TLS.
    :param binding: what logins are bound to under TLS (``tls-server-end-point``, RFC 5929), or nothing.
    """

    address: str
    network: str
    loopback: bool = False
    encrypted: bool = False
    binding: bytes | None = None


# --- conversations --------------------------------------------------------------------------------


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
        return f"r{self.id}" if self.room else f"k{self.id}"

    def msgid(self, seq: int) -> str:
        """The name of one message for ever: ``r2.4712``."""
        return f"{self.reference}.{seq}"


def parse_reference(reference: str) -> tuple[str, int]:
    """Read what `Conversation.reference` wrote.

    :returns: ``("r" or "k", id)``.
    :raises ValueError: when it is neither.
    """
    found = _REFERENCE.fullmatch(reference)
    if found is None:
        raise ValueError(f"{reference[:40]!r} is no conversation id")
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
        raise ValueError(f"{msgid[:40]!r} is no message id")
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
    """

    account: int
    role: Role
    joined_seq: int
    joined: int
    entered: int
    notify: Notify = Notify.ALL


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


@dataclass(frozen=True, slots=True)
class Invitation:
    """An account may enter a room once.

    :param by: the account that invited it.
    :param created: milliseconds since the epoch.
    """

    account: int
    by: int
    created: int


@dataclass(frozen=True, slots=True)
class Sanction:
    """A ban from the whole server, or a mute on it, of an account or of a network.

    :param kind: `Kind.BANNED` or `Kind.MUTED`.
    :param account: 0 where a network is meant.
    :param network: in CIDR notation, or empty.
    :param until: milliseconds since the epoch, or nothing for ever.
    :param by: who decided it, as people may read it.
    """

    kind: Kind
    account: int
    network: str
    until: int | None
    reason: str
    by: str
    created: int

    def lasts(self, when: int) -> bool:
        """Whether it has not ended yet."""
        return self.until is None or self.until > when


# --- the log --------------------------------------------------------------------------------------

# What is made for every message and checked elsewhere is a tuple: a frozen dataclass takes three times as long to make.


class Kind(StrEnum):
    """What a row of the log is."""

    TEXT = "text"
    ACTION = "action"
    SEALED = "sealed"
    REDACTION = "redaction"
    EDIT = "edit"
    TOPIC = "topic"
    SETTING = "setting"
    CREATED = "created"
    JOINED = "joined"
    LEFT = "left"
    INVITED = "invited"
    DECLINED = "declined"
    KICKED = "kicked"
    BANNED = "banned"
    UNBANNED = "unbanned"
    MUTED = "muted"
    UNMUTED = "unmuted"
    ROLE = "role"
    CLOSED = "closed"


SPOKEN = frozenset({Kind.TEXT, Kind.ACTION, Kind.SEALED, Kind.EDIT})
"""The kinds that count as unread and that somebody who blocks the author does not see."""


class Draft(NamedTuple):
    """A row before it is stored.

    :param conversation: an id, or the pair whose conversation is made when it does not exist.
    :param time: milliseconds since the epoch.
    :param ref: the seq that this row refers to (`Kind.EDIT`, `Kind.REDACTION`).
    :param target: the account that a membership row is about, or that wrote what is redacted.
    :param body: what was said; the topic; the reason of a ban; the role of `Kind.ROLE`;
        see `room_setting` for `Kind.SETTING`.
    :param until: the end of a ban or mute, milliseconds since the epoch.
    :param retry: the sender's retry id: the same again returns the first result.
    :param most_waiting: refuse when so many rows of this author wait unread in the pair; nothing for no bound.
    """

    conversation: int | Pair
    kind: Kind
    author: int
    device: str
    time: int
    body: Body | None = None
    ref: int | None = None
    target: int | None = None
    until: int | None = None
    retry: str | None = None
    most_waiting: int | None = None


class Stored(NamedTuple):
    """What the log made of a draft: it is on disk.

    :param repeated: whether an earlier try with the same retry id had stored it already.
    """

    conversation: int
    seq: int
    time: int
    repeated: bool = False


class Row(NamedTuple):
    """A row of the log as it is read back; a body that was emptied is ``None``."""

    conversation: int
    seq: int
    kind: Kind
    author: int
    device: str
    time: int
    body: Body | None = None
    ref: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of one conversation, oldest first.

    :param first: the first seq that the log still holds (retention removes a prefix).
    :param last: the newest seq.
    :param more: whether rows remain beyond the page, in the direction that was asked for.
    """

    rows: tuple[Row, ...]
    first: int
    last: int
    more: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where one account stands in one conversation.

    :param partner: the other account of a private conversation, or nothing for a room.
    :param first: the first seq that the log still holds.
    :param last: the newest seq.
    :param received: up to where this device provably has everything.
    :param read: up to where the person has seen everything, on any device.
    :param unread: rows said by others, by nobody blocked, after the later of the two marks.
    """

    conversation: int
    partner: int | None
    first: int
    last: int
    received: int
    read: int
    unread: int


class Unsure(NamedTuple):
    """What a device may have been shown although nothing proves it.

    :param before: every row up to this time, milliseconds since the epoch; 0 for none.
    :param shown: rows up to a seq, by conversation.
    """

    before: int
    shown: Mapping[int, int]

    def may_have_seen(self, row: Row) -> bool:
        return row.time <= self.before or row.seq <= self.shown.get(row.conversation, 0)

    def and_shown(self, marks: Mapping[int, int]) -> Unsure:
        """The same, and what another session was shown just now."""
        return Unsure(self.before, {**self.shown, **marks})


SURE = Unsure(0, {})


class Origin(NamedTuple):
    """Where an act came from, so that its own session can be left out of the delivery."""

    node: str
    session: int
