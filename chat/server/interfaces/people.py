"""Avatars, credentials and accounts, and how a session logs in."""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

from twisted.cred.credentials import ICredentials
from zope.interface import Attribute, Interface

from chat.protocol.values import (
    Account,
    Rank,
    Verifier,
)


class IChatUser(Interface):
    """The avatar: an account that is present."""

    account = Attribute("The `chat.protocol.values.Account`.")
    sessions = Attribute("The sessions of this account on this node, the oldest first.")


class Proven(NamedTuple):
    """An account that a checker found the credentials of: cred's avatar id.

    :param epoch: what the credentials of the account were proven in (`chat.server.core.credential_epochs`).
    :param by_token: whether the token of a device was the proof, so that the session replaces what that device left.
    :param takeover_of: the device of a refused login that is taken over, so that the session is that device and other
        sessions end where the ``sessions`` policy leaves no place; empty otherwise.
    :param signature: by which the server proves itself in return, where the proof was SCRAM.
    """

    account: int
    epoch: int
    by_token: bool = False
    takeover_of: str = ""
    signature: str = ""


class IPasswordCredentials(ICredentials):
    """A name and a password, sent in the clear or under TLS (``plain`` login)."""

    name = Attribute("The name as it was typed, a str.")
    password = Attribute("The password, a str.")
    peer = Attribute("The `chat.protocol.values.Peer` that it came from.")


class ITokenCredentials(ICredentials):
    """A session token that an earlier login handed out."""

    token = Attribute("The token, a str.")
    device = Attribute("The device that it was made for, a str.")
    peer = Attribute("The `chat.protocol.values.Peer` that it came from.")
    record = Attribute("The `chat.server.interfaces.TokenRecord` that the checker found, or None.")


class IScramCredentials(ICredentials):
    """The proof that ends a SCRAM exchange."""

    exchange = Attribute("The exchange that the session has begun, or None.")
    client_final = Attribute("The client's final message, a str.")
    peer = Attribute("The `chat.protocol.values.Peer` that it came from.")


class IRegistrationCredentials(ICredentials):
    """What a new account is to be; the checker makes the account."""

    name = Attribute("The name as it was typed, a str.")
    secret = Attribute("The password, a str, or the `chat.protocol.values.Verifier` that a client made of it.")
    realname = Attribute("The real name, a str, which may be empty.")
    invitation = Attribute("An invitation code as it was typed, or None.")
    peer = Attribute("The `chat.protocol.values.Peer` that it came from.")


class IOneTimeCodeCredentials(ICredentials):
    """A one-time code, and the password that its owner chooses with it."""

    name = Attribute("The name as it was typed, a str.")
    code = Attribute("The code as it was typed, a str.")
    password = Attribute("The new password, a str.")
    peer = Attribute("The `chat.protocol.values.Peer` that it came from.")


class ITakeoverCredentials(ICredentials):
    """An earlier login of the same session that was right and found no place."""

    refused = Attribute("The `chat.server.core.user.RefusedLogin`, or None.")


class IDirectory(Protocol):
    """The accounts, in memory."""

    def account(self, word: str) -> Account | None:
        """The account of that name, in whichever case and with or without ``@``."""

    def account_by_id(self, id: int) -> Account | None: ...

    def add_account(self, account: Account) -> None: ...


class IAuthenticator(Protocol):
    """How a session logs in; each coroutine fails with a `chat.protocol.errors.ChatError`."""

    async def log_in(self, session: Any, name: str, password: str) -> bool:
        """Log in with a password.

        :returns: whether the account was made by this (``auto-register``).
        """

    async def challenge(self, session: Any, name: str, client_first: str) -> str:
        """Begin a login without the password (SCRAM-BCRYPT), in place of one that had begun here.

        :returns: the server's first message: a salt and what is to be proven over.
        """

    async def prove(self, session: Any, client_final: str) -> str:
        """Log in with the proof that `challenge` asked for.

        :returns: the server's final message, by which it proves itself.
        """

    async def log_in_by_token(self, session: Any, token: str) -> str:
        """Log in with what `hand_out_token` gave this device, or what an earlier call of this did.

        :returns: the token for the next time, mostly the same.
        """

    async def register(
        self, session: Any, name: str, secret: str | Verifier, realname: str, invitation: str | None = None
    ) -> None:
        """Make an account and log in to it, where the ``registration`` setting allows that.

        :param secret: the password, or what a client that keeps the password to itself made of it.
        :param invitation: an invitation code, as it was typed.
        """

    async def claim(self, session: Any, name: str, code: str, password: str) -> None:
        """Choose a password with a one-time code, and log in."""

    async def invite(self, number: int, by: str) -> tuple[tuple[str, ...], int]:
        """Make invitation codes, each of which lets one account be made.

        :param by: who made them, as people may read it.
        :returns: the codes, and when they expire, milliseconds since the epoch.
        """

    async def create_account(self, name: str, rank: Rank) -> Account:
        """Make an account for somebody else, to which nobody can log in yet."""

    async def give_code(self, account: Account) -> tuple[str, int]:
        """End an account's password and tokens, and let its owner choose a password.

        :returns: a one-time code, and when it ends, milliseconds since the epoch.
        """

    async def take_over(self, session: Any) -> str:
        """Log in where the right password was refused because the account is signed in elsewhere.

        :returns: the server's final message where the right password was proven without being sent, or nothing.
        """

    def ways_in(self, session: Any) -> tuple[str, ...]:
        """How this very connection may log in: ``scram-bcrypt``, ``scram-bcrypt-plus``, ``password``, ``token``."""

    def check_shown(self, session: Any) -> None:
        """:raises SecretNotShown: where a one-time code would cross the network in the clear, and must not."""

    async def hand_out_token(self, session: Any) -> str:
        """A new token that logs this device in again, in place of those it had.

        Empty where it cannot be kept, or would cross the network in the clear and must not.
        """

    async def end_token(self, session: Any) -> None:
        """Let this device need the password again, as far as that can be kept."""

    async def change_password(self, session: Any, old: str, new: str) -> None: ...

    async def challenge_owner(self, session: Any, client_first: str) -> str:
        """Begin a proof that it is really the owner of the account who acts.

        :returns: the server's first message.
        """

    async def prove_owner(self, session: Any, client_final: str) -> None:
        """Look at that proof, which ends it: `check_owner` without the password."""

    async def change_verifier(self, session: Any, client_final: str, verifier: Verifier) -> None:
        """Look at that proof, and replace the password by what is stored of the new one."""

    async def check_owner(self, session: Any, password: str) -> None:
        """Find out whether it is really the owner of the account who acts."""
