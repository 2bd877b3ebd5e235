"""Work that is done in the background, step by step, so that nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chat.protocol.errors import ChatError
from chat.server.interfaces import IClock, IDelayed
from chat.server.logs import Logger

log = Logger()


class BackgroundTask:
    """Runs a step, pauses for as long as the step asks, and runs it again; never two steps at once.

    It is not a `twisted.internet.task.LoopingCall` because each pause depends on how much is left to do.

    :param step: does part of the work. It returns the seconds until the next step, or nothing when all is done; then
        the task rests until `start` or `run`.
    :param retry: seconds until the next step after one has failed, or nothing to rest.
    """

    def __init__(
        self, clock: IClock, step: Callable[[], Coroutine[Any, Any, float | None]], retry: float | None
    ) -> None:
        self._clock = clock
        self._step = step
        self._retry = retry
        self._timer: IDelayed | None = None
        self._due = 0.0
        self._running = False
        self._asked: float | None = None
        self._stopped = False

    @property
    def resting(self) -> bool:
        """Whether no step runs or is planned."""
        return self._timer is None and not self._running

    def start(self, pause: float) -> None:
        """Run a step within so many seconds; while one runs, they are counted from its end."""
        if self._running:
            self._asked = pause if self._asked is None else min(pause, self._asked)
            return
        due = self._clock.monotonic() + pause
        if self._stopped or (self._timer is not None and self._due <= due):
            return
        self._cancel()
        self._due = due
        self._timer = self._clock.call_later(pause, self.run)

    def run(self) -> None:
        """Run a step now, unless one is running."""
        if self._running or self._stopped:
            return
        self._cancel()
        self._running = True
        Deferred.fromCoroutine(self._step()).addErrback(self._failed).addCallback(self._stepped)

    def stop(self) -> None:
        """Run no further step."""
        self._stopped = True
        self._cancel()

    def _cancel(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()

    def _failed(self, failure: Failure) -> float | None:
        """When the disk refuses something, the store has said so in the log."""
        if not failure.check(ChatError):
            log.failure("work in the background failed", failure)
        return self._retry

    def _stepped(self, pause: float | None) -> None:
        self._running = False
        pauses = [each for each in (pause, self._asked) if each is not None]
        self._asked = None
        if pauses:
            self.start(min(pauses))
