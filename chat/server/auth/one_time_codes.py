"""One-time codes: what an operator gives to somebody who has no password, or has lost it.

People read a code aloud and type it, so it has no letters that look alike. It resists guessing both at a few tries a
minute and by somebody who has stolen its SHA-256, for as long as it is valid.
"""

from __future__ import annotations

from hashlib import sha256
from hmac import compare_digest
from secrets import choice
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred
from zope.interface import implementer

from chat.protocol.errors import BadCredentials
from chat.protocol.passwords import check_password
from chat.protocol.values import Account
from chat.server.auth.password_verification import PasswordVerification
from chat.server.core.credential_epochs import CredentialEpochs
from chat.server.interfaces import IClock, IDirectory, IOneTimeCodeCredentials, IStore, Proven

LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without i, l, o, 0 and 1."""

GROUPS, GROUP = 4, 4
"""Sixteen letters are 79 bits."""

HOURS = 48
"""How long a code is valid."""

_CHOSEN = "A new password was chosen for this account with a one-time code. Log in with it: login NAME"
_RESET = "Your password was reset by those who run the server. Ask them why."
"""What the other sessions of the account are told."""


def new_code() -> str:
    """A fresh code: ``k7mq-2xnp-w4ta-9hdr``."""
    return "-".join("".join(choice(LETTERS) for _ in range(GROUP)) for _ in range(GROUPS))


def digest(code: str) -> bytes:
    """What is stored of a code, however it is typed: 32 bytes of SHA-256."""
    letters = "".join(character for character in code.lower() if character.isalnum())
    return sha256(letters.encode("utf-8", "surrogatepass")).digest()


@implementer(ICredentialsChecker)
class OneTimeCodes:
    """Makes codes and checks them. Either way, what was valid for the account before ends."""

    credentialInterfaces = (IOneTimeCodeCredentials,)

    def __init__(
        self,
        directory: IDirectory,
        store: IStore,
        verification: PasswordVerification,
        epochs: CredentialEpochs,
        clock: IClock,
    ) -> None:
        self._directory = directory
        self._store = store
        self._verification = verification
        self._epochs = epochs
        self._clock = clock

    async def give(self, account: Account) -> tuple[str, int]:
        """Make a code with which the owner of an account chooses a password, once; the old password and all tokens end.

        :returns: the code, and when it expires, milliseconds since the epoch.
        """
        code = new_code()
        until = int(self._clock.seconds() + HOURS * 3600) * 1000
        epoch = await self._store.give_code(account.id, digest(code), until)
        self._epochs.account_changed(account.id, epoch, _RESET)
        return code, until

    def requestAvatarId(self, credentials: IOneTimeCodeCredentials) -> Deferred[Any]:
        """Store the new password, and fire with the account as `Proven`. Wrong codes count as wrong passwords do.

        Fails with `chat.protocol.errors.BadPassword` when the new password will not do, which is checked first, with
        `BadCredentials` for a wrong name, a wrong code and an expired one alike, or as
        `PasswordVerification.is_proven` does.
        """
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: IOneTimeCodeCredentials) -> Proven:
        check_password(credentials.password)
        account = self._directory.account(credentials.name)
        kept = await self._store.code(account.id if account is not None else 0)
        wanted, until = kept if kept is not None else (b"", 0)
        given = digest(credentials.code)
        in_time = until > self._clock.seconds() * 1000
        right = await self._verification.is_proven(
            credentials.name,
            account,
            credentials.peer,
            lambda: compare_digest(wanted, given) and in_time,
            "passwords or codes",
        )
        if account is None or not right:
            raise BadCredentials("Wrong name or code, or the code has expired. Ask for another one.", ask="code")
        verifier = await self._verification.new_verifier(credentials.password, credentials.peer)
        epoch = await self._store.use_code(account.id, given, verifier)
        self._epochs.account_changed(account.id, epoch, _CHOSEN)
        return Proven(account.id, epoch)
