"""Whether a password is right: the one place that finds out, for logins and for changes of a password.

It is sent (`PasswordVerification.is_right`) or proven without being sent (`PasswordVerification.verifier`, then
`PasswordVerification.is_proven`); both look at the same verifier and count in the same lock-out. A name that nobody has
takes the way of a wrong password in every step: one look into the store, one hash of the same cost, one count.
"""

from __future__ import annotations

from collections.abc import Callable
from secrets import token_bytes
from typing import NamedTuple

from twisted.internet.defer import Deferred

from chat.protocol.errors import Busy, ShuttingDown, StoreUnavailable
from chat.protocol.names import fold
from chat.protocol.passwords import decoy_verifier, is_current, matches, new_verifier, stretch
from chat.protocol.values import Account, Peer, Verifier
from chat.server.auth.hashing import IHashing
from chat.server.auth.keyed_semaphore import KeyedSemaphore
from chat.server.auth.known_sources import KnownSources
from chat.server.auth.lockout import FREE_TRIES, Lockout
from chat.server.interfaces import IClock, IStore

_NO_ACCOUNT = 0
"""Ids count from 1."""

_MOST_WAITING = 1_000

_OWN_WORK = ""
"""What the server hashes for itself takes turns with the networks as one more of them."""

_MOST_RENEWED = 100
"""How many verifiers may wait to be replaced by current ones; those beyond wait for their next login."""

_SECRET_BYTES = 32

DECOYS = "decoys"
"""The secret that decoy salts are made of. It is kept: another one after a restart would betray which names have no
account."""


class _Attempt(NamedTuple):
    """Somebody tries a password.

    :ivar name: folded.
    :ivar source: what it counts under (`chat.server.auth.lockout`).
    :ivar own: whether that is something that only the owner of the account has.
    :ivar what: what too many of are refused.
    """

    name: str
    account: Account | None
    network: str
    source: str
    own: bool
    what: str


class PasswordVerification:
    """Checks passwords, a few at a time for each source (`chat.server.auth.lockout`).

    As many at a time as one account has free tries: so nobody with the right password is refused for being
    quick, and of a thousand guesses sent at once the later ones are refused by what the first ones did.

    :ivar cost: the bcrypt cost of new passwords.
    """

    def __init__(
        self, store: IStore, hashing: IHashing, lockout: Lockout, known: KnownSources, clock: IClock, cost: int
    ) -> None:
        self._store = store
        self._hashing = hashing
        self._lockout = lockout
        self._known = known
        self._clock = clock
        self.cost = cost
        self._secret: bytes | None = None
        self._at_once = KeyedSemaphore(FREE_TRIES, _MOST_WAITING)
        self._renewing: set[int] = set()

    async def load_secret(self) -> bytes:
        """The secret of the decoys, read or made at the start so that it is there when the disk is full.

        A server that cannot store one makes do with one in memory: decoys then change once, at the next start.
        """
        if self._secret is None:
            try:
                secret = await self._store.secret(DECOYS)
            except (StoreUnavailable, Busy, ShuttingDown):
                secret = token_bytes(_SECRET_BYTES)
            if self._secret is None:  # two logins may have asked at the same time
                self._secret = secret
        return self._secret

    def new_verifier(self, password: str, peer: Peer) -> Deferred[Verifier]:
        """What is stored of a new password. Fails with `chat.protocol.errors.Busy` when too many wait to be hashed."""
        return self._hashing.run(peer.network, new_verifier, password, self.cost)

    async def is_right(self, name: str, account: Account | None, password: str, peer: Peer) -> bool:
        """Check the password of an account, or of a name that no account has (which is never right).

        :param name: as it was typed.
        :raises LockedOut: before anything is hashed, even when the password is right; or afterwards, when too many
            were wrong from that network.
        :raises TooFast: when another try with this name could use up what is left.
        :raises Busy: when too many logins wait.
        """
        attempt = await self._attempt(name, account, peer)
        await self._at_once.acquire(attempt.source)
        try:
            return await self._try(attempt, password)
        finally:
            self._at_once.release(attempt.source)

    async def verifier(self, name: str, account: Account | None, peer: Peer) -> Verifier:
        """What a proof is to be made for: an account's verifier, or a decoy that is always the same for a name.

        :param name: as it was typed.
        :raises LockedOut: before the verifier is looked up.
        """
        return await self._verifier(await self._attempt(name, account, peer))

    async def is_proven(
        self, name: str, account: Account | None, peer: Peer, proves: Callable[[], bool], what: str = "passwords"
    ) -> bool:
        """Look at a proof of the password, or at a code, which counts as a password does.

        :param name: as it was typed.
        :param proves: looks at it; quick.
        :param what: what too many of are refused.
        :raises LockedOut, TooFast: see `is_right`.
        """
        attempt = await self._attempt(name, account, peer, what)
        self._lockout.begin(attempt.name, attempt.source, self._clock.monotonic(), what)
        try:
            right = proves() and account is not None
        except BaseException:
            self._lockout.failed(attempt.name, attempt.source, self._clock.monotonic())
            raise
        return await self._conclude(attempt, right)

    async def _attempt(self, name: str, account: Account | None, peer: Peer, what: str = "passwords") -> _Attempt:
        """Find out what a try counts under.

        :raises LockedOut: when it is refused, whatever is tried.
        """
        own = await self._known.own_source(account, peer)
        attempt = _Attempt(fold(name), account, peer.network, own or peer.network, own is not None, what)
        self._lockout.check(attempt.name, attempt.source, self._clock.monotonic(), what)
        return attempt

    async def _verifier(self, attempt: _Attempt) -> Verifier:
        """The same steps whether there is an account or not."""
        secret, account = await self.load_secret(), attempt.account
        found, costs = await self._store.verifier_among(account.id if account is not None else _NO_ACCOUNT)
        decoy = decoy_verifier(attempt.name, secret, self.cost, costs)
        return decoy if found is None else found

    async def _try(self, attempt: _Attempt, password: str) -> bool:
        """Count the try as pending before anything is awaited, and as what it was afterwards.

        A login that is given up halfway counts as wrong, or hanging up early would make guesses free.
        """
        name, source, account = attempt.name, attempt.source, attempt.account
        self._lockout.begin(name, source, self._clock.monotonic())
        try:
            verifier = await self._verifier(attempt)
            right = await self._hashing.run(source, _proves, password, verifier) and account is not None
        except (Busy, ShuttingDown, StoreUnavailable):
            self._lockout.withdrawn(name, source)
            raise
        except BaseException:
            self._lockout.failed(name, source, self._clock.monotonic())
            raise
        right = await self._conclude(attempt, right)
        if right and account is not None and not is_current(verifier, self.cost):
            self._renew(account, verifier, password)
        return right

    async def _conclude(self, attempt: _Attempt, right: bool) -> bool:
        """Count a try that has begun, and find out whether the right password is let in.

        :raises LockedOut: when too many were wrong from that network.
        """
        name, source, lockout = attempt.name, attempt.source, self._lockout
        crowded = not attempt.own and lockout.refuses_strangers(attempt.network, self._clock.monotonic())
        if right and not crowded:
            lockout.succeeded(name, source)
            return True
        try:
            at_home = attempt.own or await self._known.has_network(attempt.account, attempt.network)
        except BaseException:
            if right:
                lockout.withdrawn(name, source)
            else:
                lockout.failed(name, source, self._clock.monotonic())
            raise
        if right and at_home:
            lockout.succeeded(name, source)
            return True
        now = self._clock.monotonic()
        lockout.failed(name, source, now)
        if not attempt.own:
            lockout.failed_from(attempt.network, now, attempt.account is not None and not at_home, attempt.what)
        return False

    def _renew(self, account: Account, verifier: Verifier, password: str) -> None:
        """Replace a verifier of another cost than the current one, while its owner is let in.

        One that costs more would make others wait at each login, one that costs less is easier to guess.
        """
        if account.id not in self._renewing and len(self._renewing) < _MOST_RENEWED:
            self._renewing.add(account.id)
            Deferred.fromCoroutine(self._replace(account, verifier, password))

    async def _replace(self, account: Account, verifier: Verifier, password: str) -> None:
        try:
            current = await self._hashing.run(_OWN_WORK, new_verifier, password, self.cost)
            await self._store.renew_verifier(account.id, verifier, current)
        except (Busy, ShuttingDown, StoreUnavailable):
            pass  # the next login tries again
        finally:
            self._renewing.discard(account.id)


def _proves(password: str, verifier: Verifier) -> bool:
    """Slow."""
    return matches(stretch(password, verifier.salt), verifier)
