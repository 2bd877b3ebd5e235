"""A fair queue: a key that asks for much does not delay a key that asks for little.

Keys share what is given out equally. The next item is one of the key that has the fewest items at work; among
those with equally few, of the key that has waited longest since its last item finished. So a key with nothing at
work is served before any other key gets a second item, however many items that one has waiting.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Generic, TypeVar

T = TypeVar("T")
K = TypeVar("K", bound=Hashable)


class FairQueue(Generic[K, T]):
    """Waiting items by key; not safe to share between threads without a lock.

    At its bound it drops the newest item of the key that has most waiting, so that one key cannot fill it.

    :param most: how many items may wait.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._size = 0
        # In the order in which keys began to wait, or finished their last item.
        self._waiting: dict[K, deque[T]] = {}
        self._at_work: dict[K, int] = {}

    def __len__(self) -> int:
        """How many items wait."""
        return self._size

    def put(self, key: K, item: T) -> T | None:
        """Add an item.

        :returns: the item that was dropped because too many wait, which may be this one, or nothing.
        """
        waiting = self._waiting.get(key)
        dropped: T | None = None
        if self._size >= self._most:
            longest = max(self._waiting, key=self._length, default=key)
            if self._length(longest) <= self._length(key) + 1:
                return item
            dropped = self._waiting[longest].pop()
            self._size -= 1
        if waiting is None:
            self._waiting[key] = waiting = deque()
        waiting.append(item)
        self._size += 1
        return dropped

    def take(self) -> tuple[K, T]:
        """Remove the item whose turn it is; `finish` has to follow for its key.

        :raises LookupError: when nothing waits.
        """
        if not self._size:
            raise LookupError("nothing waits")
        at_work = self._at_work
        key = next((each for each in self._waiting if each not in at_work), None)
        if key is None:
            key = min(self._waiting, key=at_work.__getitem__)
        waiting = self._waiting.pop(key)
        item = waiting.popleft()
        self._size -= 1
        if waiting:
            self._waiting[key] = waiting
        at_work[key] = at_work.get(key, 0) + 1
        return key, item

    def finish(self, key: K) -> None:
        """An item that was taken is done."""
        left = self._at_work[key] - 1
        if left:
            self._at_work[key] = left
        else:
            del self._at_work[key]
        waiting = self._waiting.pop(key, None)
        if waiting is not None:
            self._waiting[key] = waiting

    def remove(self, key: K, item: T) -> None:
        """Remove an item that waits; nothing happens when it does not."""
        waiting = self._waiting.get(key)
        if waiting is None or item not in waiting:
            return
        waiting.remove(item)
        self._size -= 1
        if not waiting:
            del self._waiting[key]

    def _length(self, key: K) -> int:
        return len(self._waiting.get(key, ()))
