"""How wrong passwords are slowed down. Pure: time is an argument, in seconds that never jump.

An account is locked out from one *source* at a time. A source is a network, or something that only the owner has: a
device that has shown a token of the account, or a session that is logged in to it. So a stranger elsewhere locks nobody
out, and a neighbour behind the same address locks out nobody whose device is known.

- An account from one source has three free tries. Each wrong one after them doubles the time until the next, up to the
  block time. Tries that are still being checked count as if they were wrong, so a thousand guesses at once get no
  further than three.
- All tries from one network together may fail fifty times a minute, so that one password cannot be tried on every name.
  This never refuses an account that has logged in from that network before: a school behind one address goes on when
  somebody there guesses.

Whether a name exists must not show. So the second rule has two counts, and both are looked at after the password:

- Wrong tries are answered by the count of *all* names, which fails alike for names that exist and those that do not.
- Right tries are refused by the count of names that exist and have not logged in from there. Names that do not exist
  are not in it, so guesses at those keep nobody out.

A right try that is refused is told, and counted, as a wrong one. The right password forgets the count of its account
and source; silence forgets everything.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil

from chat.protocol.errors import LockedOut, TooFast
from chat.protocol.values.quantities import time_left

FREE_TRIES = 3
"""Wrong passwords for one account, from one source, that cost no time."""

NETWORK_FAILURES = 50
"""Wrong passwords from one network, for whichever accounts, that are free; so many come back each minute."""

_MINUTE = 60.0
_REMEMBERED_BLOCKS = 10
_LEAST_REMEMBERED = 600.0


class _Tries:
    """What is known of one account from one source."""

    __slots__ = ("failed", "pending", "until", "when")

    def __init__(self, when: float) -> None:
        self.failed = 0
        self.pending = 0
        self.until = when
        self.when = when


class _Network:
    """Wrong passwords of one network: two buckets that leak `NETWORK_FAILURES` a minute.

    :ivar all: for all names.
    :ivar strange: for names that exist and have not logged in from there; never above the other one.
    """

    __slots__ = ("all", "strange", "when")

    def __init__(self, when: float) -> None:
        self.all = 0.0
        self.strange = 0.0
        self.when = when

    def leak(self, when: float) -> None:
        leaked = (when - self.when) * NETWORK_FAILURES / _MINUTE
        self.all = max(0.0, self.all - leaked)
        self.strange = max(0.0, self.strange - leaked)
        self.when = when


class Lockout:
    """The wrong passwords of late.

    Accounts are given by their folded name, whether they exist or not: both are locked out alike.

    :param block_time: the longest lock-out of one account from one source, in seconds.
    :param most: how many pairs of account and source, and how many networks, are remembered; beyond it the oldest are
        forgotten.
    """

    def __init__(self, block_time: float, most: int = 50_000) -> None:
        self._block_time = block_time
        self._most = most
        # Silence so long that waiting for it gives fewer tries than the longest lock-out does.
        self._remembered = max(_LEAST_REMEMBERED, _REMEMBERED_BLOCKS * block_time)
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()
        self._networks: OrderedDict[str, _Network] = OrderedDict()

    def __len__(self) -> int:
        """How many pairs of account and source, and how many networks, are remembered."""
        return len(self._tries) + len(self._networks)

    # one account from one source

    def check(self, account: str, source: str, when: float, what: str = "passwords") -> None:
        """Find out whether a password may be looked at.

        :param what: what there were too many of, as whoever tries reads it.
        :raises LockedOut: with the seconds left; the right password would be refused as well.
        """
        tries = self._tries.get((account, source))
        if tries is not None and when < tries.until:
            raise _locked_out(f"Too many wrong {what}.", tries.until - when)

    def begin(self, account: str, source: str, when: float, what: str = "passwords") -> None:
        """A password is about to be checked; `failed`, `succeeded` or `withdrawn` has to follow.

        :param what: see `check`.
        :raises LockedOut: see `check`.
        :raises TooFast: when so many are being checked that this one could be a try too many.
        """
        self.check(account, source, when, what)
        tries = self._tries_of(account, source, when)
        if tries.pending and tries.pending >= FREE_TRIES - tries.failed:
            raise TooFast("Another login with this name is being checked. Try again in a second.", wait=1.0)
        tries.pending += 1

    def failed(self, account: str, source: str, when: float) -> None:
        """The password was wrong."""
        tries = self._tries_of(account, source, when)
        tries.pending = max(0, tries.pending - 1)
        tries.failed += 1
        if tries.failed >= FREE_TRIES:
            # Bounded before it is raised: somebody may go on for years.
            doublings = min(tries.failed - FREE_TRIES + 1, 32)
            tries.until = when + min(2.0**doublings, self._block_time)

    def succeeded(self, account: str, source: str) -> None:
        """The password was right: forget what this account got wrong from there."""
        tries = self._tries.get((account, source))
        if tries is not None:
            tries.failed = 0
            self._end_try(account, source, tries)

    def withdrawn(self, account: str, source: str) -> None:
        """The password was not looked at after all."""
        tries = self._tries.get((account, source))
        if tries is not None:
            self._end_try(account, source, tries)

    # a network

    def refuses_strangers(self, network: str, when: float) -> bool:
        """Whether the right password of an account that has not logged in from a network is refused there."""
        return self._network(network, when).strange > NETWORK_FAILURES - 1

    def failed_from(self, network: str, when: float, strange: bool, what: str = "passwords") -> None:
        """Count a wrong password, of whichever account, and find out what is said of it.

        :param strange: whether an account of that name exists and has not logged in from there.
        :raises LockedOut: when there were too many from that network; it says nothing of the account.
        """
        state = self._network(network, when)
        crowded = state.all - (NETWORK_FAILURES - 1)
        if crowded <= 0:
            state.all += 1
        if strange and state.strange <= NETWORK_FAILURES - 1:
            state.strange += 1
        state.all = max(state.all, state.strange)
        self._networks[network] = state
        self._networks.move_to_end(network)
        self._forget(when)
        if crowded > 0:
            wait = crowded * _MINUTE / NETWORK_FAILURES
            raise _locked_out(f"Too many wrong {what} from your network.", wait)

    def _network(self, network: str, when: float) -> _Network:
        state = self._networks.get(network)
        if state is None:
            return _Network(when)
        state.leak(when)
        return state

    # memory

    def _end_try(self, account: str, source: str, tries: _Tries) -> None:
        tries.pending = max(0, tries.pending - 1)
        if not tries.pending and not tries.failed:
            del self._tries[account, source]

    def _tries_of(self, account: str, source: str, when: float) -> _Tries:
        """What is known of a pair, which becomes the newest one."""
        key = (account, source)
        tries = self._tries.get(key)
        if tries is None:
            tries = self._tries[key] = _Tries(when)
        elif when - tries.when >= self._remembered:
            tries.failed = 0
        tries.when = when
        self._tries.move_to_end(key)
        self._forget(when)
        return tries

    def _forget(self, when: float) -> None:
        """Drop what is old enough, and the oldest of what is too much."""
        while self._tries:
            key, tries = next(iter(self._tries.items()))
            if len(self._tries) <= self._most and (tries.pending or when - tries.when < self._remembered):
                break
            del self._tries[key]
        while self._networks:
            network, state = next(iter(self._networks.items()))
            if len(self._networks) <= self._most and when - state.when < self._remembered:
                break
            del self._networks[network]


def _locked_out(what: str, wait: float) -> LockedOut:
    return LockedOut(f"{what} Try again in {time_left(ceil(wait * 1000))}.", wait=wait)
