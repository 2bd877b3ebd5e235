"""Events that no log holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chat.protocol.values import Conversation, Kind, value


@dataclass(frozen=True, slots=True)
class Broadcasted:
    """Somebody sent a message to everybody online; it is not stored."""

    author: str
    time: int
    text: str


@dataclass(frozen=True, slots=True)
class Presence:
    """People came, left, or are away.

    :param state: ``online``, ``offline``, ``away`` or ``back``.
    :param others: how many more a long burst had, beyond those named.
    :param text: what somebody who is away left as a note.
    """

    users: tuple[str, ...]
    state: str
    others: int = 0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Invited:
    """Somebody invited the reader to a room: ``connect`` accepts, ``decline`` refuses."""

    conversation: Conversation
    author: str
    time: int


@dataclass(frozen=True, slots=True)
class AskedConsent:
    """Somebody asks for the address of the reader's client: ``consent`` gives it, ``refuse`` refuses."""

    author: str


@dataclass(frozen=True, slots=True)
class Address:
    """Somebody gave the address on which their client listens.

    :param address: the one that the server sees.
    :param port: 1 to 65535.
    :param others: those of the client's own networks.
    """

    author: str
    address: str
    port: int
    others: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ConsentRefused:
    """Somebody declined to give an address."""

    author: str


@dataclass(frozen=True, slots=True)
class AddressChanged:
    """The owner of an address that the reader holds has moved to another address."""

    author: str


@dataclass(frozen=True, slots=True)
class Removed:
    """This session is no longer in a room: its account left, was kicked or banned.

    :param detail: the reason, or empty.
    :param until: the end of a ban, where it has one.
    """

    conversation: Conversation
    kind: Kind
    author: str
    detail: str = ""
    until: int | None = None


@dataclass(frozen=True, slots=True)
class SignedOut:
    """This session is no longer logged in; its connection stays.

    :param reason: in whole words.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """The reader's settings; also sent when another of the reader's sessions changed them.

    :param style: ``plain`` or ``classic``.
    :param time: whether live lines begin with the time.
    :param timezone: as the IANA database has it, or empty for the server's own.
    :param bell: whether private messages and mentions ring the bell.
    :param quiet: the rooms that are not shown in full while things happen there: room to ``on`` or ``mentions``.
    :param changed: the setting that this very command has changed, or empty.
    """

    style: str
    time: bool
    timezone: str
    bell: bool
    quiet: Mapping[str, str]
    realname: str
    changed: str = ""


@dataclass(frozen=True, slots=True)
class BlockChanged:
    """Another of the reader's sessions blocked or unblocked somebody.

    :param blocked: whether the block holds now.
    """

    user: str
    blocked: bool


@dataclass(frozen=True, slots=True)
class Closing:
    """The server ends this connection.

    :param reason: in whole words.
    """

    reason: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A notice from the administrators to everybody.

    :param text: in whole words.
    """

    text: str


@dataclass(frozen=True, slots=True)
class Delivered:
    """A device of the other person provably has everything up to this row."""

    conversation: Conversation
    seq: int


@dataclass(frozen=True, slots=True)
class Kept:
    """The other person has disconnected and may not have everything up to this row; it is kept for their next login."""

    conversation: Conversation
    seq: int


@value
class Traffic:
    """Something happened on the server: who, when, from where and how much, never what.

    :param kind: of the row that was stored, or ``connected``, ``logged-in``, ``login-refused``, ``broadcast`` ...
    :param account: a name, or empty.
    :param session: the number of a connection, or 0.
    :param network: what limits count by, or empty.
    :param conversation: as programs name it (``r2``), or empty.
    :param room: what it is called, if it is a room.
    :param partner: who else is in it, if it is private.
    :param size: bytes that were said.
    :param count: how often it happened within a minute, where it is not noted each time; otherwise 0.
    """

    time: int
    kind: str
    account: str = ""
    session: int = 0
    network: str = ""
    conversation: str = ""
    room: str = ""
    partner: str = ""
    size: int = 0
    count: int = 0
