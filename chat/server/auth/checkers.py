"""Cred's checkers for passwords, tokens and takeovers: credentials in, a `chat.server.interfaces.Proven` account out.

The other checkers are `chat.server.auth.scram.ScramServer`, `chat.server.auth.registration.Registrar` and
`chat.server.auth.one_time_codes.OneTimeCodes`. All of them fail with `chat.protocol.errors.ChatError`, which a session
shows as it is, and not with cred's ``UnauthorizedLogin``. The avatar id carries the epoch that the account's
credentials had before the checker awaited anything; cred declares it as bytes, hence the ``Any``.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred
from zope.interface import implementer

from chat.protocol.errors import BadCredentials, NothingToTakeOver
from chat.server.auth.password_verification import PasswordVerification
from chat.server.auth.tokens import digest
from chat.server.core.credential_epochs import CredentialEpochs
from chat.server.interfaces import (
    TOKEN_KEPT,
    IClock,
    IDirectory,
    IPasswordCredentials,
    IStore,
    ITakeoverCredentials,
    ITokenCredentials,
    Proven,
    TokenRecord,
)

_DAYS = TOKEN_KEPT // (24 * 3_600_000)

Presented = Callable[[TokenRecord, bytes, str], Awaitable[None]]
"""Told which used token was presented, its SHA-256, and from which address."""

TAKEOVER_TIME = 300.0
"""Seconds after the right password in which ``takeover`` needs no other one."""


@implementer(ICredentialsChecker)
class PasswordChecker:
    """Checks a name and a password. A wrong name and a wrong password cannot be told apart."""

    credentialInterfaces = (IPasswordCredentials,)

    def __init__(self, directory: IDirectory, verification: PasswordVerification, epochs: CredentialEpochs) -> None:
        self._directory = directory
        self._verification = verification
        self._epochs = epochs

    def requestAvatarId(self, credentials: IPasswordCredentials) -> Deferred[Any]:
        """Fires with the account as `Proven`.

        Fails with `chat.protocol.errors.BadCredentials`, or as `PasswordVerification.is_right` does.
        """
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: IPasswordCredentials) -> Proven:
        account = self._directory.account(credentials.name)
        epoch = self._epochs.current(account.id) if account is not None else 0
        right = await self._verification.is_right(credentials.name, account, credentials.password, credentials.peer)
        if account is None or not right:
            raise BadCredentials(ask="password")
        return Proven(account.id, epoch)


@implementer(ICredentialsChecker)
class TokenChecker:
    """Checks a session token of the same device; that takes no hash and no lock-out."""

    credentialInterfaces = (ITokenCredentials,)

    def __init__(self, directory: IDirectory, store: IStore, clock: IClock, presented: Presented) -> None:
        """:param presented: see `chat.server.core.token_theft.TokenTheft.presented`."""
        self._presented = presented
        self._directory = directory
        self._store = store
        self._clock = clock

    def requestAvatarId(self, credentials: ITokenCredentials) -> Deferred[Any]:
        """Fires with the account as `Proven`, or fails with `chat.protocol.errors.BadCredentials`."""
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: ITokenCredentials) -> Proven:
        stored = digest(credentials.token)
        record = await self._store.token(stored)
        if record is not None and record.used:
            await self._presented(record, stored, credentials.peer.address)
        if record is None or record.used or record.device != credentials.device:
            raise BadCredentials("This device is no longer signed in: log in with your password.")
        account = self._directory.account_by_id(record.account)
        if account is None:
            raise BadCredentials("This account does not exist any more.")
        if not record.present and self._clock.seconds() * 1000 - record.seen > TOKEN_KEPT:
            raise BadCredentials(
                f"This device was away for more than {_DAYS} days: log in with your password.",
                suggest=f"login {account.name.shown}",
            )
        credentials.record = record
        return Proven(account.id, record.epoch, by_token=True)


@implementer(ICredentialsChecker)
class TakeoverChecker:
    """Checks that a login of the same session was right shortly before, and that its credentials are still valid."""

    credentialInterfaces = (ITakeoverCredentials,)

    def __init__(self, epochs: CredentialEpochs, clock: IClock) -> None:
        self._epochs = epochs
        self._clock = clock

    def requestAvatarId(self, credentials: ITakeoverCredentials) -> Any:
        """The account as `Proven`.

        :raises NothingToTakeOver: see the class.
        """
        refused = credentials.refused
        if (
            refused is None
            or self._clock.monotonic() - refused.when > TAKEOVER_TIME
            or not self._epochs.is_valid(refused.proven.account, refused.proven.epoch)
        ):
            raise NothingToTakeOver()
        return refused.proven
