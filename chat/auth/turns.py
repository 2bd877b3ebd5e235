"""So many at a time for each network, and the others in order."""

from __future__ import annotations

from collections import deque

from twisted.internet.defer import Deferred, fail, succeed
from twisted.python.failure import Failure

from chat.errors import Busy


class _Line:
    __slots__ = ("busy", "calling", "waiting")

    def __init__(self) -> None:
        self.busy = 0
        self.calling = False
        self.waiting: deque[Deferred[None]] = deque()


class Turns:
    """Turns by key; a key that nobody uses or waits for is forgotten.

    Unlike `twisted.internet.defer.DeferredSemaphore`, a thousand waiters that give their turns back as soon
    as they get them are called in a loop, not each from within the one before.

    :param at_once: how many turns of one key are out at the same time.
    :param most_waiting: how many may wait for one key.
    """

    def __init__(self, at_once: int, most_waiting: int) -> None:
        self._at_once = at_once
        self._most_waiting = most_waiting
        self._lines: dict[str, _Line] = {}

    def __len__(self) -> int:
        """How many keys are in use."""
        return len(self._lines)

    def take(self, key: str) -> Deferred[None]:
        """Fires when it is one's turn; each turn is to be given back once.

        Fails with `chat.errors.Busy` when too many wait. Canceled, it leaves the line.
        """
        line = self._lines.setdefault(key, _Line())
        if line.busy < self._at_once and not line.waiting:
            line.busy += 1
            return succeed(None)
        if len(line.waiting) >= self._most_waiting:
            return fail(Failure(Busy()))
        turn: Deferred[None] = Deferred(line.waiting.remove)
        line.waiting.append(turn)
        return turn

    def give_back(self, key: str) -> None:
        """End a turn, and begin the next one in line."""
        line = self._lines[key]
        line.busy -= 1
        if line.calling:
            return
        line.calling = True
        while line.waiting and line.busy < self._at_once:
            line.busy += 1
            line.waiting.popleft().callback(None)
        line.calling = False
        if not line.busy:
            del self._lines[key]
