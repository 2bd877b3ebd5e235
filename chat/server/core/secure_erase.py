"""What was deleted leaves the files of the store, little by little, so that nobody waits for it."""

from __future__ import annotations

from chat.server.core.background_task import BackgroundTask
from chat.server.core.node import Node

EVERY = 60.0
"""Seconds between two looks for something that was deleted."""

PAUSE = 0.5
"""Seconds between two steps, in which others write."""


class SecureErase:
    def __init__(self, node: Node) -> None:
        self._node = node
        self.task = BackgroundTask(node.clock, self._step, EVERY)

    async def _step(self) -> float:
        return PAUSE if await self._node.store.scrub() else EVERY
