"""A semaphore with a count of its own for each key, such as a network."""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from chat.protocol.errors import Busy


class _Key:
    __slots__ = ("held", "releasing", "waiting")

    def __init__(self) -> None:
        self.held = 0
        self.releasing = False
        self.waiting: deque[Deferred[None]] = deque()


class KeyedSemaphore:
    """Limits how many hold each key at the same time; others wait in order. A key without holders is forgotten.

    Unlike `twisted.internet.defer.DeferredSemaphore`, a thousand waiters that release as soon as they acquire
    are called in a loop, not each from within the one before.

    :param limit: how many may hold one key at the same time.
    :param most_waiting: how many may wait for one key.
    """

    def __init__(self, limit: int, most_waiting: int) -> None:
        self._limit = limit
        self._most_waiting = most_waiting
        self._keys: dict[str, _Key] = {}

    def __len__(self) -> int:
        """How many keys are in use."""
        return len(self._keys)

    def acquire(self, key: str) -> Deferred[None]:
        """Fires when the key is acquired; each acquisition needs one `release`.

        Fails with `chat.protocol.errors.Busy` when too many wait. Canceled, it stops waiting.
        """
        state = self._keys.setdefault(key, _Key())
        if state.held < self._limit and not state.waiting:
            state.held += 1
            return succeed(None)
        if len(state.waiting) >= self._most_waiting:
            return fail(Failure(Busy()))
        acquired: Deferred[None] = Deferred(state.waiting.remove)
        state.waiting.append(acquired)
        return acquired

    def release(self, key: str) -> None:
        """Release a key, and let the next one that waits for it acquire it."""
        state = self._keys[key]
        state.held -= 1
        if state.releasing:
            return
        state.releasing = True
        while state.waiting and state.held < self._limit:
            state.held += 1
            state.waiting.popleft().callback(None)
        state.releasing = False
        if not state.held:
            del self._keys[key]
