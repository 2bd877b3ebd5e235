"""What was deleted leaves the files of the store, little by little, so that nobody waits for it."""

from __future__ import annotations

from twisted.python.failure import Failure

from chat.protocol.errors import ChatError
from chat.server.core.node import Node
from chat.server.interfaces import IDelayed

EVERY = 60.0
"""Seconds between two looks for something that was deleted."""

PAUSE = 0.5
"""Seconds between two steps, in which others write."""


class SecureErase:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._timer: IDelayed | None = None

    def start(self) -> None:
        """Look from now on, first when the start is over."""
        self._timer = self._node.clock.call_later(EVERY, self._step)

    def stop(self) -> None:
        """Take no further step; the store does what is left when it stops, or the next start."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def _step(self) -> None:
        self._timer = None
        self._node.store.scrub().addCallbacks(self._stepped, self._failed)

    def _stepped(self, more: bool) -> None:
        if not self._node.stopping:
            self._timer = self._node.clock.call_later(PAUSE if more else EVERY, self._step)

    def _failed(self, failure: Failure) -> None:
        """The store has said so in the log; the next look tries again."""
        failure.trap(ChatError)
        self._stepped(False)
