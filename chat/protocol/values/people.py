"""People, the devices they come with, and where they come from."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from chat.protocol.preferences import UNSET, Preferences
from chat.protocol.values.kinds import Kind

DEFAULT_DEVICE = "default"
"""The device of a login that names none."""

_DEVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


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
    """A name of a person or a room that passed the rules (`chat.protocol.names`).

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
    """What is stored instead of a password (``chat.protocol.passwords``; RFC 5802 section 3).

    :param salt: the bcrypt salt string, which is the SCRAM salt as well.
    """

    salt: bytes
    iterations: int
    stored_key: bytes
    server_key: bytes


class VerifierCost(NamedTuple):
    """What it costs to check a password, and how many accounts have a verifier of that cost.

    :param cost: of bcrypt.
    """

    cost: int
    iterations: int
    accounts: int


def device_name(word: str) -> str:
    """Check the name of a device.

    :returns: the same word.
    :raises ValueError: when it is not 1 to 32 of ``A-Za-z0-9_.-``, beginning with a letter or digit.
    """
    if not _DEVICE.fullmatch(word):
        raise ValueError("a device name must have 1 to 32 letters, digits, _ - or .")
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
    :param account: which account is logged in there, or 0.
    :param token: the SHA-256 of a token that this device says it has had, of whatever account, or nothing.
    """

    address: str
    network: str
    loopback: bool = False
    encrypted: bool = False
    binding: bytes | None = None
    account: int = 0
    token: bytes | None = field(default=None, repr=False)


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
