"""What somebody presents at the door. Neither shows its secret when it is printed."""

from __future__ import annotations

from dataclasses import dataclass, field

from zope.interface import implementer

from chat.protocol.values import Peer
from chat.server.interfaces import IPasswordCredentials, ITokenCredentials, TokenRecord


@implementer(IPasswordCredentials)
@dataclass(frozen=True, slots=True)
class PasswordCredentials:
    """A name as it was typed, and a password."""

    name: str
    password: str = field(repr=False)
    peer: Peer


@implementer(ITokenCredentials)
@dataclass(slots=True)
class TokenCredentials:
    """What an earlier login of this device handed out (`chat.server.auth.tokens`)."""

    token: str = field(repr=False)
    device: str
    peer: Peer
    record: TokenRecord | None = field(default=None, init=False)
