"""How accounts are made and passwords changed."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Collection
from hmac import compare_digest

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chat.protocol.errors import BadCredentials, BadInvitation, BadText, InvitationNeeded, NameTaken, TooFast, TooLong
from chat.protocol.names import read_name
from chat.protocol.passwords import check_password, check_verifier, new_verifier
from chat.protocol.values import Account, Name, Peer, Rank, Verifier
from chat.server.auth.hashing import IHashing
from chat.server.auth.one_time_codes import HOURS, digest, new_code
from chat.server.auth.password_verification import PasswordVerification
from chat.server.core.rate_limit import BucketRegistry, TokenBucket
from chat.server.core.spans import time_left
from chat.server.interfaces import IClock, IDirectory, IStore, Proven

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


class Registrar:
    """Makes accounts, one for each name, and changes their passwords.

    :param cost: the bcrypt cost of new passwords.
    :param verbs: every verb and alias; none of them may be a name.
    :param a_minute: how many accounts one network may make in a minute; a whole class registers at once.
    """

    def __init__(
        self,
        directory: IDirectory,
        store: IStore,
        hashing: IHashing,
        verification: PasswordVerification,
        clock: IClock,
        cost: int,
        verbs: Collection[str],
        a_minute: int = 60,
    ) -> None:
        self._directory = directory
        self._store = store
        self._hashing = hashing
        self._verification = verification
        self._clock = clock
        self._cost = cost
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

    async def register(
        self,
        name: str,
        password: str,
        realname: str,
        peer: Peer,
        invitation: bytes | None = None,
        allowed: Callable[[], object] = lambda: None,
    ) -> Account:
        """Make an account; nothing is hashed before everything else is in order.

        Whoever hangs up meanwhile leaves a whole account behind, or none.

        :param invitation: the digest of the code that is used up by it, or nothing where none is needed.
        :param allowed: called once more when the password is hashed; raises where nobody may register any more.
        :raises BadInvitation: when the code was used or has expired.
        :raises BadName, NameTaken: see `read_free_name`; `NameTaken` also for a name that looks like another one.
        :raises BadPassword: see `chat.protocol.passwords.check_password`.
        :raises TooLong, BadText: see `read_realname`.
        :raises TooFast: when this network made many accounts of late.
        :raises Busy: when too many passwords wait to be hashed.
        """
        free = self.read_free_name(name)
        check_password(password)
        realname = self._claim(free, realname, peer)
        try:
            verifier = await self._hashing.run(peer.network, new_verifier, password, self._cost)
            allowed()
        except BaseException:
            self._claimed.discard(free.folded)
            raise
        return await _unabandoned(Deferred.fromCoroutine(self._create(free, realname, verifier, invitation=invitation)))

    async def register_verifier(
        self, name: str, verifier: Verifier, realname: str, peer: Peer, invitation: bytes | None = None
    ) -> Account:
        """The same with what is stored instead of the password, which stays with whoever chose it.

        :raises BadVerifier: see `chat.protocol.passwords.check_verifier`; bcrypt has to cost what it costs here.
        """
        free = self.read_free_name(name)
        self.check_verifier(verifier)
        realname = self._claim(free, realname, peer)
        return await _unabandoned(Deferred.fromCoroutine(self._create(free, realname, verifier, invitation=invitation)))

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

    async def check_invitation(self, code: str | None, peer: Peer) -> bytes:
        """Look at an invitation code; wrong ones take from the accounts that a network may make.

        :returns: its digest, for `register`.
        :raises InvitationNeeded: without one.
        :raises BadInvitation: when it was never made, was used, or has expired.
        :raises TooFast: when this network tried many of late.
        """
        if not code:
            raise InvitationNeeded()
        given = digest(code)
        if not await self._store.has_invitation(given, int(self._clock.seconds() * 1000)):
            self._count(peer.network)
            raise BadInvitation()
        return given

    def _claim(self, free: Name, realname: str, peer: Peer) -> str:
        """Let nobody else have the name; `_create`, or a failure before it, ends that.

        :returns: the real name as it is to be stored.
        """
        realname = read_realname(realname)
        self._count(peer.network)
        self._claimed.add(free.folded)
        return realname

    async def create(self, word: str, rank: Rank) -> Account:
        """Make an account in somebody else's name; nobody can log in to it before it has a password.

        :raises BadName, NameTaken: see `read_free_name`.
        """
        free = self.read_free_name(word)
        self._claimed.add(free.folded)
        return await self._create(free, "", None, rank)

    async def give_code(self, account: Account) -> tuple[str, int, int]:
        """A code with which the owner of an account chooses a password, once; the old password and all tokens end.

        :returns: the code, when it ends (milliseconds since the epoch), and the new epoch of the account's credentials.
        """
        code = new_code()
        until = int(self._clock.seconds() + HOURS * 3600) * 1000
        epoch = await self._store.give_code(account.id, digest(code), until)
        return code, until, epoch

    async def claim(self, name: str, code: str, password: str, peer: Peer) -> Proven:
        """Choose a password with a code; wrong codes count as wrong passwords do.

        :raises BadPassword: when it will not do; looked at first.
        :raises BadCredentials: a wrong name, a wrong code and one that has ended alike.
        :raises LockedOut, TooFast: see `PasswordVerification.is_proven`.
        """
        check_password(password)
        account = self._directory.account(name)
        kept = await self._store.code(account.id if account is not None else 0)
        wanted, until = kept if kept is not None else (b"", 0)
        given = digest(code)
        in_time = until > self._clock.seconds() * 1000
        right = await self._verification.is_proven(
            name, account, peer, lambda: compare_digest(wanted, given) and in_time, "passwords or codes"
        )
        if account is None or not right:
            raise BadCredentials("Wrong name or code, or the code has ended. Ask for another one.", ask="code")
        verifier = await self._hashing.run(peer.network, new_verifier, password, self._cost)
        return Proven(account.id, await self._store.use_code(account.id, given, verifier))

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
        verifier = await self._hashing.run(peer.network, new_verifier, new, self._cost)
        return await self.set_verifier(account, verifier, epoch=epoch, device=device)

    def check_verifier(self, verifier: Verifier) -> None:
        """Look at a verifier that somebody made of a new password.

        :raises BadVerifier: see `chat.protocol.passwords.check_verifier`; bcrypt has to cost what it costs here.
        """
        check_verifier(verifier, self._cost)

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
