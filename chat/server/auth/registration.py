"""How accounts are made and passwords changed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure
from zope.interface import implementer

from chat.protocol.errors import (
    BadCredentials,
    BadInvitation,
    BadText,
    InvitationNeeded,
    NameTaken,
    RegistrationClosed,
    TooFast,
    TooLong,
)
from chat.protocol.names import read_name
from chat.protocol.passwords import check_password, check_verifier
from chat.protocol.values import Account, Name, Peer, Rank, Verifier
from chat.protocol.values.quantities import time_left
from chat.server.auth.one_time_codes import digest, new_code
from chat.server.auth.password_verification import PasswordVerification
from chat.server.core.rate_limit import BucketRegistry, TokenBucket
from chat.server.interfaces import IClock, IDirectory, IRegistrationCredentials, IStore, Proven

MOST_REALNAME = 60
"""The most characters that a real name may have."""

INVITATION_DAYS = 30
"""How long an invitation code works."""

_MOST_NETWORKS = 10_000


def read_realname(words: str) -> str:
    """Read a real name, which may be empty; it is composed (NFC), and spaces around it are dropped.

    :raises TooLong: beyond `MOST_REALNAME` characters.
    :raises BadText: when a character cannot be shown on a line.
    """
    words = words.strip()
    # No character decomposes into more than four, so a longer one need not be composed: that takes long.
    realname = unicodedata.normalize("NFC", words) if len(words) <= 4 * MOST_REALNAME else words
    if len(realname) > MOST_REALNAME:
        raise TooLong(f"A real name has at most {MOST_REALNAME} characters; this one has {len(realname)}.")
    if not realname.isprintable():
        raise BadText("A real name is one line of printable characters.")
    return realname


@implementer(ICredentialsChecker)
class Registrar:
    """Makes accounts, one for each name, and changes their passwords.

    :param policy: gives the ``registration`` setting of now.
    :param verbs: every verb and alias; none of them may be a name.
    :param a_minute: how many accounts one network may make in a minute; a whole class registers at once.
    """

    credentialInterfaces = (IRegistrationCredentials,)

    def __init__(
        self,
        directory: IDirectory,
        store: IStore,
        verification: PasswordVerification,
        clock: IClock,
        policy: Callable[[], str],
        verbs: Collection[str],
        a_minute: int = 60,
    ) -> None:
        self._directory = directory
        self._store = store
        self._verification = verification
        self._clock = clock
        self._policy = policy
        self._verbs = frozenset(verbs)
        self._made: BucketRegistry[str] = BucketRegistry(lambda: TokenBucket(a_minute / 60, a_minute), _MOST_NETWORKS)
        self._claimed: set[str] = set()

    def read_free_name(self, word: str) -> Name:
        """Read a name that a new account could have; worth asking before a password is asked for.

        :raises BadName: see `chat.protocol.names.read_name`.
        :raises NameTaken: when it exists, or is being registered at this moment.
        """
        name = read_name(word, verbs=self._verbs)
        account = self._directory.account(name.shown)
        if account is not None:
            raise _taken(account.name)
        if name.folded in self._claimed:
            raise _taken(name)
        return name

    def requestAvatarId(self, credentials: IRegistrationCredentials) -> Deferred[Any]:
        """Make an account, and fire with it as `Proven`; nothing is hashed before everything else is in order.

        If the person hangs up meanwhile, the account is made as a whole or not at all. Fails with:

        - `RegistrationClosed`, `InvitationNeeded`, `BadInvitation`: when the ``registration`` setting does not allow
          it, or the code was never made, was used, or has expired.
        - `BadName`, `NameTaken`: see `read_free_name`; `NameTaken` also for a name that looks like another one.
        - `BadPassword`: see `chat.protocol.passwords.check_password`; `BadVerifier`: see `check_verifier`.
        - `TooLong`, `BadText`: see `read_realname`.
        - `TooFast`: when this network has just made many accounts, or tried many codes.
        - `Busy`: when too many passwords wait to be hashed.
        """
        return Deferred.fromCoroutine(self._register(credentials))

    async def _register(self, credentials: IRegistrationCredentials) -> Proven:
        secret, peer = credentials.secret, credentials.peer
        used = await self._check_allowed(credentials.invitation, peer)
        free = self.read_free_name(credentials.name)
        if isinstance(secret, Verifier):
            self.check_verifier(secret)
        else:
            check_password(secret)
        realname = read_realname(credentials.realname)
        self._count(peer.network)
        self._claimed.add(free.folded)  # `_create`, or a failure before it, ends that
        if isinstance(secret, str):
            try:
                secret = await self._verification.new_verifier(secret, peer)
                self._check_policy(used)
            except BaseException:
                self._claimed.discard(free.folded)
                raise
        account = await _unabandoned(Deferred.fromCoroutine(self._create(free, realname, secret, invitation=used)))
        return Proven(account.id, 0)

    async def invite(self, number: int, by: str) -> tuple[tuple[str, ...], int]:
        """Make invitation codes; each lets one account be made within `INVITATION_DAYS`.

        :param by: who made them, as people may read it.
        :returns: the codes, and when they expire, milliseconds since the epoch.
        """
        now = int(self._clock.seconds() * 1000)
        until = now + INVITATION_DAYS * 24 * 3600 * 1000
        codes = tuple(new_code() for _ in range(number))
        await self._store.add_invitations([digest(each) for each in codes], now, until, by)
        return codes, until

    async def _check_allowed(self, code: str | None, peer: Peer) -> bytes | None:
        """Find out whether somebody may make an account; wrong codes take from the accounts that a network may make.

        :param code: an invitation code as it was typed, or nothing.
        :returns: the digest of the code if it is used up by that, or nothing where none is needed.
        :raises RegistrationClosed, InvitationNeeded, BadInvitation, TooFast: see `requestAvatarId`.
        """
        if self._policy() == "open":
            return None
        used = digest(code) if code else None
        self._check_policy(used)
        if used is not None and not await self._store.has_invitation(used, int(self._clock.seconds() * 1000)):
            self._count(peer.network)
            raise BadInvitation()
        self._check_policy(used)
        return used

    def _check_policy(self, used: bytes | None) -> None:
        """Find out whether the settings still let somebody make an account; they may be read again at any time.

        :param used: the digest of an invitation code, or nothing.
        :raises RegistrationClosed, InvitationNeeded: when not.
        """
        policy = self._policy()
        if policy == "closed":
            raise RegistrationClosed()
        if policy == "code" and used is None:
            raise InvitationNeeded()

    async def create(self, name: str, rank: Rank) -> Account:
        """Make an account in somebody else's name; nobody can log in to it before it has a password.

        :raises BadName, NameTaken: see `read_free_name`.
        """
        free = self.read_free_name(name)
        self._claimed.add(free.folded)
        return await self._create(free, "", None, rank)

    async def verify(self, account: Account, password: str, peer: Peer, ask: str) -> None:
        """Find out whether it is really the owner who asks; wrong passwords count as those of a login do.

        :param ask: the argument that is worth asking again.
        :raises BadCredentials: when the password is wrong.
        :raises LockedOut, TooFast, Busy: see `PasswordVerification.is_right`.
        """
        if not await self._verification.is_right(account.name.folded, account, password, peer):
            raise BadCredentials("That is not your password. Nothing was changed.", ask=ask)

    async def change_password(
        self, account: Account, old: str, new: str, peer: Peer, *, epoch: int = 0, device: str = ""
    ) -> int:
        """Replace a password, which ends all tokens of the account.

        :param epoch: of the session that asks for it, on ``device``.
        :returns: the new epoch of the account's credentials.

        :raises BadPassword: when the new one will not do; looked at first, since it costs nothing.
        :raises BadCredentials, LockedOut, TooFast, Busy: see `verify`.
        :raises CredentialsChanged: see `chat.server.interfaces.IStore.set_password`.
        """
        check_password(new, "new")
        await self.verify(account, old, peer, "old")
        verifier = await self._verification.new_verifier(new, peer)
        return await self.set_verifier(account, verifier, epoch=epoch, device=device)

    def check_verifier(self, verifier: Verifier) -> None:
        """Look at a verifier that somebody made of a new password.

        :raises BadVerifier: see `chat.protocol.passwords.check_verifier`; bcrypt has to cost what it costs here.
        """
        check_verifier(verifier, self._verification.cost)

    async def set_verifier(self, account: Account, verifier: Verifier, *, epoch: int = 0, device: str = "") -> int:
        """Replace a password by what is stored of the new one, which ends all tokens of the account.

        See `change_password`.
        """
        return await self._store.set_password(account.id, verifier, epoch, device)

    def _count(self, network: str) -> None:
        """Take one of the accounts that a network may make."""
        when = self._clock.monotonic()
        allowed, wait = self._made.of(network, when).take(when)
        if not allowed:
            raise TooFast(
                f"Many accounts were made from your network just now. Try again in {time_left(round(wait * 1000))}.",
                wait=wait,
            )

    async def _create(
        self,
        name: Name,
        realname: str,
        verifier: Verifier | None,
        rank: Rank = Rank.MEMBER,
        invitation: bytes | None = None,
    ) -> Account:
        try:
            when = int(self._clock.seconds() * 1000)
            account = await self._store.create_account(name, realname, verifier, when, rank, invitation)
        except NameTaken:
            if name.skeleton and self._directory.account(name.shown) is None:
                raise NameTaken(f"The name {name.shown} looks like one that is taken. Choose another one.") from None
            raise _taken(name) from None
        finally:
            self._claimed.discard(name.folded)
        self._directory.add_account(account)
        return account


def _taken(name: Name) -> NameTaken:
    return NameTaken(f"The name {name.shown} is taken. If it is yours: login {name.shown}")


def _unabandoned(work: Deferred[Account]) -> Deferred[Account]:
    """The outcome of work that goes on even when the one who waits for it is canceled."""
    outcome: Deferred[Account] = Deferred()

    def settle(result: Account | Failure) -> Account | Failure | None:
        if outcome.called:
            return result  # nobody waits any more; a failure is left for Twisted to log
        outcome.callback(result)
        return None

    work.addBoth(settle)
    return outcome
