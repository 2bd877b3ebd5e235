"""How wrong passwords are slowed down. Pure: time is an argument, in seconds that never jump.

Two counts, and both are kept by network, so that a stranger elsewhere locks nobody out:

- An account from one network has three free tries. Each wrong one after them doubles the time until the next,
  up to the block time. Tries that are still being checked count as if they were wrong, so a thousand
  guesses at once get no further than three.
- All accounts from one network together may fail fifty times a minute. One person who mistypes never gets
  there; one who tries a password on every name does.

The right password forgets the first count; silence forgets both.
"""

from __future__ import annotations

from collections import OrderedDict
from math import ceil

from chat.errors import LockedOut, TooFast

FREE_TRIES = 3
"""Wrong passwords for one account, from one network, that cost no time."""

NETWORK_FAILURES = 50
"""Wrong passwords from one network, for whichever accounts, that are free; so many come back each minute."""

_MINUTE = 60.0
_REMEMBERED_BLOCKS = 10
_LEAST_REMEMBERED = 600.0


class _Tries:
    """What is known of one account from one network."""

    __slots__ = ("failed", "pending", "until", "when")

    def __init__(self, when: float) -> None:
        self.failed = 0
        self.pending = 0
        self.until = when
        self.when = when


class _Level:
    """Wrong passwords of one network: a bucket that leaks `NETWORK_FAILURES` a minute."""

    __slots__ = ("height", "when")

    def __init__(self, when: float) -> None:
        self.height = 0.0
        self.when = when

    def leak(self, when: float) -> None:
        self.height = max(0.0, self.height - (when - self.when) * NETWORK_FAILURES / _MINUTE)
        self.when = when


class Lockout:
    """The wrong passwords of late.

    Accounts are given by their folded name, whether they exist or not: both are locked out alike.

    :param block_time: the longest lock-out of one account from one network, in seconds.
    :param most: how many accounts and networks are remembered; beyond it the oldest are forgotten.
    """

    def __init__(self, block_time: float, most: int = 50_000) -> None:
        self._block_time = block_time
        self._most = most
        # Silence so long that waiting for it gives fewer tries than the longest lock-out does.
        self._remembered = max(_LEAST_REMEMBERED, _REMEMBERED_BLOCKS * block_time)
        self._tries: OrderedDict[tuple[str, str], _Tries] = OrderedDict()
        self._levels: OrderedDict[str, _Level] = OrderedDict()

    def __len__(self) -> int:
        """How many accounts and networks are remembered."""
        return len(self._tries) + len(self._levels)

    def check(self, account: str, network: str, when: float, what: str = "passwords") -> None:
        """Find out whether a password may be looked at.

        :param what: what there were too many of, as whoever tries reads it.
        :raises LockedOut: with the seconds left; the right password would be refused as well.
        """
        tries = self._tries.get((account, network))
        if tries is not None and when < tries.until:
            raise _locked_out(f"Too many wrong {what}.", tries.until - when)
        level = self._levels.get(network)
        if level is not None:
            level.leak(when)
            if level.height > NETWORK_FAILURES - 1:
                wait = (level.height - (NETWORK_FAILURES - 1)) * _MINUTE / NETWORK_FAILURES
                raise _locked_out(f"Too many wrong {what} from your network.", wait)

    def begin(self, account: str, network: str, when: float, what: str = "passwords") -> None:
        """A password is about to be checked; `failed`, `succeeded` or `withdrawn` has to follow.

        :param what: see `check`.
        :raises LockedOut: see `check`.
        :raises TooFast: when so many are being checked that this one could be a try too many.
        """
        self.check(account, network, when, what)
        tries = self._tries_of(account, network, when)
        if tries.pending and tries.pending >= FREE_TRIES - tries.failed:
            raise TooFast("Another login with this name is being checked. Try again in a second.", wait=1.0)
        tries.pending += 1

    def failed(self, account: str, network: str, when: float) -> None:
        """The password was wrong."""
        tries = self._tries_of(account, network, when)
        tries.pending = max(0, tries.pending - 1)
        tries.failed += 1
        if tries.failed >= FREE_TRIES:
            # Bounded before it is raised: somebody may go on for years.
            doublings = min(tries.failed - FREE_TRIES + 1, 32)
            tries.until = when + min(2.0**doublings, self._block_time)
        level = self._levels.get(network)
        if level is None:
            level = self._levels[network] = _Level(when)
        self._levels.move_to_end(network)
        level.leak(when)
        level.height += 1
        self._forget(when)

    def succeeded(self, account: str, network: str) -> None:
        """The password was right: forget what this account got wrong from there."""
        tries = self._tries.get((account, network))
        if tries is not None:
            tries.failed = 0
            self._end_try(account, network, tries)

    def withdrawn(self, account: str, network: str) -> None:
        """The password was not looked at after all."""
        tries = self._tries.get((account, network))
        if tries is not None:
            self._end_try(account, network, tries)

    def _end_try(self, account: str, network: str, tries: _Tries) -> None:
        tries.pending = max(0, tries.pending - 1)
        if not tries.pending and not tries.failed:
            del self._tries[account, network]

    def _tries_of(self, account: str, network: str, when: float) -> _Tries:
        """What is known of a pair, which becomes the newest one."""
        key = (account, network)
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
        while self._levels:
            network, level = next(iter(self._levels.items()))
            if len(self._levels) <= self._most and when - level.when < self._remembered:
                break
            del self._levels[network]


def _locked_out(what: str, wait: float) -> LockedOut:
    seconds = ceil(wait)
    return LockedOut(f"{what} Try again in {seconds} second{'' if seconds == 1 else 's'}.", wait=wait)
