"""Whether a password is right: the one place that finds out, for logins and for changes of a password.

A name that nobody has takes the way of a wrong password in every step: one look into the store, one hash of the
same cost, one count in the lock-out.
"""

from __future__ import annotations

from secrets import token_bytes

from chat.auth.hashing import IHashing
from chat.auth.lockout import FREE_TRIES, Lockout
from chat.auth.turns import Turns
from chat.errors import Busy, ShuttingDown, StoreUnavailable
from chat.interfaces import IClock, IStore
from chat.names import fold
from chat.stretch import decoy_verifier, matches, stretch
from chat.values import Account, Peer, Verifier

_NO_ACCOUNT = 0
"""Ids count from 1."""

_MOST_WAITING = 1_000


class Verification:
    """Checks passwords, a few at a time for each network.

    As many at a time as one account has free tries: so nobody with the right password is refused for being
    quick, and of a thousand guesses sent at once the later ones are refused by what the first ones did.

    :param cost: the bcrypt cost of new passwords, and so of decoys.
    :param secret: what decoy salts are made of. A fresh one at each start will do as long as no client is shown
        a salt; for SCRAM it has to be kept, or a restart would betray which names have no account.
    """

    def __init__(
        self,
        store: IStore,
        hashing: IHashing,
        lockout: Lockout,
        clock: IClock,
        cost: int,
        secret: bytes | None = None,
    ) -> None:
        self._store = store
        self._hashing = hashing
        self._lockout = lockout
        self._clock = clock
        self._cost = cost
        self._secret = secret or token_bytes(32)
        self._turns = Turns(FREE_TRIES, _MOST_WAITING)

    async def is_right(self, name: str, account: Account | None, password: str, peer: Peer) -> bool:
        """Check the password of an account, or of a name that no account has (which is never right).

        :param name: as it was typed.
        :raises LockedOut: before anything is hashed, even when the password is right.
        :raises TooFast: when another try with this name could use up what is left.
        :raises Busy: when too many logins wait.
        """
        folded = fold(name)
        self._lockout.check(folded, peer.network, self._clock.monotonic())
        await self._turns.take(peer.network)
        try:
            return await self._try(folded, account, password, peer.network)
        finally:
            self._turns.give_back(peer.network)

    async def _try(self, folded: str, account: Account | None, password: str, network: str) -> bool:
        """Count the try as pending before anything is awaited, and as what it was afterwards.

        A login that is given up halfway counts as wrong, or hanging up early would make guesses free.
        """
        self._lockout.begin(folded, network, self._clock.monotonic())
        try:
            verifier = await self._store.verifier(account.id if account is not None else _NO_ACCOUNT)
            if verifier is None:
                verifier = decoy_verifier(folded, self._secret, self._cost)
            right = await self._hashing.run(_proves, password, verifier) and account is not None
        except (Busy, ShuttingDown, StoreUnavailable):
            self._lockout.withdrawn(folded, network)
            raise
        except BaseException:
            self._lockout.failed(folded, network, self._clock.monotonic())
            raise
        if right:
            self._lockout.succeeded(folded, network)
        else:
            self._lockout.failed(folded, network, self._clock.monotonic())
        return right


def _proves(password: str, verifier: Verifier) -> bool:
    """Slow."""
    return matches(stretch(password, verifier.salt), verifier)
