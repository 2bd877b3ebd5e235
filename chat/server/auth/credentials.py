"""Credentials: one class for each way to log in. None shows its secret when it is printed."""

from __future__ import annotations

from dataclasses import dataclass, field

from zope.interface import implementer

from chat.protocol.values import Peer, Verifier
from chat.server.auth.scram import ScramExchange
from chat.server.core.user import RefusedLogin
from chat.server.interfaces import (
    IOneTimeCodeCredentials,
    IPasswordCredentials,
    IRegistrationCredentials,
    IScramCredentials,
    ITakeoverCredentials,
    ITokenCredentials,
    TokenRecord,
)


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
    """A session token that an earlier login handed out to this device (`chat.server.auth.tokens`)."""

    token: str = field(repr=False)
    device: str
    peer: Peer
    record: TokenRecord | None = field(default=None, init=False)


@implementer(IScramCredentials)
@dataclass(frozen=True, slots=True)
class ScramCredentials:
    """The proof that ends an exchange (`chat.server.auth.scram`)."""

    exchange: ScramExchange | None = field(repr=False)
    client_final: str = field(repr=False)
    peer: Peer


@implementer(IRegistrationCredentials)
@dataclass(frozen=True, slots=True)
class RegistrationCredentials:
    """A new account: its name as it was typed, and its password or what a client made of it."""

    name: str
    secret: str | Verifier = field(repr=False)
    realname: str
    invitation: str | None = field(repr=False)
    peer: Peer


@implementer(IOneTimeCodeCredentials)
@dataclass(frozen=True, slots=True)
class OneTimeCodeCredentials:
    """A one-time code, and the password that its owner chooses with it."""

    name: str
    code: str = field(repr=False)
    password: str = field(repr=False)
    peer: Peer


@implementer(ITakeoverCredentials)
@dataclass(frozen=True, slots=True)
class TakeoverCredentials:
    """A login that was right and found no place, if the session has made one."""

    refused: RefusedLogin | None = field(repr=False)
