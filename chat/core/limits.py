"""How fast somebody may act. Pure: time is an argument, in seconds that never jump."""

from __future__ import annotations


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
        self._when = 0.0

    def take(self, when: float, weight: float = 1.0, patience: float = 0.0) -> tuple[bool, float]:
        """Take what one act costs.

        :param patience: seconds that the act may be put off.
        :returns: whether the act may happen, and after how many seconds; nothing is taken if it may not.
        """
        tokens = min(self._burst, self._tokens + (when - self._when) * self._rate) if self._when else self._burst
        wait = max(0.0, (weight - tokens) / self._rate)
        allowed = wait <= patience
        self._when = when
        self._tokens = tokens - weight if allowed else tokens
        return allowed, wait
