"""Rate limits: token buckets, and the bounded registries that keep them. Pure: time is an argument, in seconds that
never jump.

Buckets live as long as they are not full, whoever connects or goes meanwhile: a bucket that is full again says nothing
that a new one does not say, so a registry forgets it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)

MOST_BUCKETS = 50_000
"""Buckets that one registry keeps; beyond it the one that was used longest ago is forgotten."""


class TokenBucket:
    """So many acts at once, and so many a second in the long run.

    :param rate: tokens that come back in a second.
    :param burst: tokens that a rested bucket holds.
    """

    __slots__ = ("_burst", "_rate", "_tokens", "_when")

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._tokens = burst
        self._when: float | None = None

    def take(self, when: float, weight: float = 1.0, patience: float = 0.0) -> tuple[bool, float]:
        """Take what one act costs.

        :param patience: seconds that the act may be put off.
        :returns: whether the act may happen, and after how many seconds; nothing is taken if it may not.
        """
        tokens = self._tokens if self._when is None else self._tokens + (when - self._when) * self._rate
        if tokens > self._burst:
            tokens = self._burst
        wait = 0.0 if tokens >= weight else (weight - tokens) / self._rate
        allowed = wait <= patience
        self._when = when
        self._tokens = tokens - weight if allowed else tokens
        return allowed, wait

    def charge(self, when: float, weight: float, most: float) -> float:
        """Take what an act has cost that has happened already.

        :param most: the longest wait, in seconds; a debt beyond it is not counted.
        :returns: the seconds until the bucket is out of debt.
        """
        allowed, wait = self.take(when, weight, most)
        if not allowed:
            self._tokens = -most * self._rate
        return min(wait, most)

    def is_full(self, when: float) -> bool:
        """Whether nothing of it is missing any more."""
        return self._when is None or self._tokens + (when - self._when) * self._rate >= self._burst


class BucketRegistry(Generic[K]):
    """Token buckets by key, bounded, without those that are full.

    :param new: makes a full bucket.
    :param most: how many are kept.
    """

    __slots__ = ("_buckets", "_most", "_new")

    def __init__(self, new: Callable[[], TokenBucket], most: int = MOST_BUCKETS) -> None:
        self._new = new
        self._most = most
        self._buckets: OrderedDict[K, TokenBucket] = OrderedDict()

    def __len__(self) -> int:
        """How many buckets are kept."""
        return len(self._buckets)

    def of(self, key: K, when: float) -> TokenBucket:
        """The bucket of a key, to be used at once: it is not to be kept, as the registry may forget it."""
        buckets = self._buckets
        bucket = buckets.get(key)
        if bucket is None:
            self._forget(when)
            bucket = buckets[key] = self._new()
        else:
            buckets.move_to_end(key)
        return bucket

    def _forget(self, when: float) -> None:
        """Drop the two that were used longest ago if they are full, and one in any case where there is no room."""
        buckets = self._buckets
        for _ in range(2):  # more than come, so that all go in the end
            if not buckets:
                return
            oldest = next(iter(buckets))
            if not (buckets[oldest].is_full(when) or len(buckets) >= self._most):
                return
            del buckets[oldest]
