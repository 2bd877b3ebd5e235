"""The threads that hash passwords.

Hashing is slow on purpose (`chat.protocol.passwords`) and frees the interpreter while it works, so it has a few threads
of its own. They are niced where the system can do that for one thread: a wave of logins makes the logins
wait, not the people who talk.

Networks take turns (`chat.server.auth.fair_queue`): the logins of one network delay a login from another by at most the
one hash that each thread is in. The queue is bounded; beyond the bound the newest login of the network that has most
waiting is refused and told when to try again.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, ParamSpec, Protocol, TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.python.failure import Failure

from chat.protocol.errors import Busy, ShuttingDown
from chat.protocol.values.quantities import time_left
from chat.server.auth.fair_queue import FairQueue

P = ParamSpec("P")
T = TypeVar("T")

NICENESS = 10
"""How far the threads step back behind the reactor's, of 19."""

_FIRST_GUESS = 0.25
"""Seconds that one hash is taken to need before any was measured: bcrypt at cost 12."""


class IHashing(Protocol):
    """Where slow functions run."""

    def run(self, network: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """Call a function off the reactor thread; the Deferred has its result or its exception.

        :param network: on whose behalf; networks take turns.

        Fails with `chat.protocol.errors.Busy` when too many calls wait. Canceled, a call that waits is never made.
        """


class _Job:
    """One call and the Deferred for its result, which is ``None`` once nobody waits for it any more."""

    __slots__ = ("call", "network", "result")

    def __init__(self, network: str, call: Callable[[], Any], result: Deferred[Any]) -> None:
        self.network = network
        self.call = call
        self.result: Deferred[Any] | None = result


class HashingPool:
    """A few threads and a bounded, fair queue before them; it implements `IHashing`.

    What is called before `start` waits for it.

    :param threads: how many hashes are made at the same time.
    :param most_waiting: how many calls may wait for a thread.
    :param call_from_thread: ``reactor.callFromThread``.
    """

    def __init__(self, threads: int, most_waiting: int, call_from_thread: Callable[..., object]) -> None:
        self._size = threads
        self._call_from_thread = call_from_thread
        # The reactor's own: what was asked for and has no result yet.
        self._open: set[_Job] = set()
        self._seconds = _FIRST_GUESS
        self._alive = 0
        self._ended: list[Deferred[None]] = []
        # Shared with the threads, under the lock of the condition.
        self._changed = threading.Condition()
        self._waiting: FairQueue[str, _Job] = FairQueue(most_waiting)
        self._stopped = False

    def start(self) -> None:
        """Start the threads. Not before the process has become a daemon: threads do not survive a fork."""
        for number in range(self._size):
            self._alive += 1
            threading.Thread(target=self._work, name=f"hashing-{number}", daemon=True).start()

    def stop(self) -> Deferred[None]:
        """Fail everything that has no result yet with `chat.protocol.errors.ShuttingDown` and end the threads.

        :returns: a Deferred that fires when each thread is through the one hash that it may be in.
        """
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for job in tuple(self._open):
            self._conclude(job, Failure(ShuttingDown()))
        ended: Deferred[None] = Deferred()
        self._ended.append(ended)
        self._tell_ended()
        return ended

    @property
    def waiting(self) -> int:
        """How many calls wait for a thread."""
        return len(self._waiting)

    def run(self, network: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        """See `IHashing.run`; after `stop` it fails with `chat.protocol.errors.ShuttingDown`."""
        if self._stopped:
            return fail(Failure(ShuttingDown()))
        result: Deferred[T] = Deferred(lambda _: self._abandon(job))
        job = _Job(network, lambda: function(*args, **kwargs), result)
        with self._changed:
            dropped = self._waiting.put(network, job)
            self._changed.notify()
        self._open.add(job)
        if dropped is not None:
            self._conclude(dropped, Failure(self._busy()))
        return result

    def _busy(self) -> Busy:
        """What those are told for whom there is no room in the queue."""
        wait = max(1.0, len(self._waiting) * self._seconds / self._size)
        left = time_left(round(wait * 1000))
        return Busy(f"Many people are logging in. Try again in {left}.", wait=wait)

    # on the reactor thread

    def _abandon(self, job: _Job) -> None:
        """Forget a canceled call; if a thread is in it already, its result is dropped."""
        job.result = None
        self._open.discard(job)
        with self._changed:
            self._waiting.remove(job.network, job)

    def _finish(self, job: _Job, outcome: object, seconds: float) -> None:
        self._seconds += (seconds - self._seconds) / 8
        self._conclude(job, outcome)

    def _conclude(self, job: _Job, outcome: object) -> None:
        self._open.discard(job)
        result, job.result = job.result, None
        if result is not None:
            result.callback(outcome)

    def _end_thread(self) -> None:
        self._alive -= 1
        self._tell_ended()

    def _tell_ended(self) -> None:
        while not self._alive and self._ended:
            self._ended.pop().callback(None)

    # on the threads

    def _work(self) -> None:
        _step_back()
        while (job := self._next()) is not None:
            began = time.monotonic()
            outcome: object
            try:
                outcome = job.call()
            except Exception:
                outcome = Failure()
            with self._changed:
                self._waiting.finish(job.network)
            self._call_from_thread(self._finish, job, outcome, time.monotonic() - began)
            # Neither the password nor the outcome outlives its turn in the frame of an idle thread.
            del job, outcome
        self._call_from_thread(self._end_thread)

    def _next(self) -> _Job | None:
        """Wait for the next call; nothing when the pool has stopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._stopped or self._waiting)
            return None if self._stopped else self._waiting.take()[1]


def _step_back() -> None:
    """Nice this thread alone, which only Linux knows to do; a system that forbids it is none the worse."""
    if sys.platform == "linux":
        with suppress(OSError):
            thread = threading.get_native_id()
            niceness = max(NICENESS, os.getpriority(os.PRIO_PROCESS, thread))
            os.setpriority(os.PRIO_PROCESS, thread, niceness)
