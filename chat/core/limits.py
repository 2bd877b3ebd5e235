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
