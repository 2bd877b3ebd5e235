"""What is kept no longer goes, little by little, so that nobody waits for it."""

from __future__ import annotations

from chat.server.core.background_task import BackgroundTask
from chat.server.core.node import Node
from chat.server.interfaces import TOKEN_KEPT

EVERY = 3_600.0
"""Seconds between two looks for what is kept no longer."""

PAUSE = 0.05
"""Seconds between two steps, in which others write."""

ENDED_KEPT = 24 * 3_600_000
"""Milliseconds for which it is remembered that a device was ended: longer than any login takes."""

PAIRS = 0
"""What stands for all private conversations."""


class Retention:
    def __init__(self, node: Node) -> None:
        self._node = node
        self.task = BackgroundTask(node.clock, self._forget, EVERY)

    async def count_expired(self, conversation: int, seconds: int) -> int:
        """How many rows would go now if they were kept so long.

        :param conversation: or `PAIRS`.
        """
        return await self._node.store.older(conversation, self._node.now() - seconds * 1000)

    async def set(self, conversation: int, seconds: int | None) -> None:
        """Keep the rows of a conversation for a while.

        :param conversation: or `PAIRS`.
        :param seconds: nothing for ever.
        """
        await self._node.store.set_retention(conversation, None if seconds is None else seconds * 1000)
        self.task.start(1.0)

    async def _forget(self) -> float:
        for conversation, upto in await self._node.store.outlived(self._node.now()):
            while await self._node.store.forget_before(conversation, upto) and not self._node.stopping:
                await self._node.clock.sleep(PAUSE)
        await self._forget_tokens()
        return EVERY

    async def _forget_tokens(self) -> None:
        """Delete the tokens that nobody has used for so long that they let nobody in."""
        node, after = self._node, (0, "")
        while not node.stopping:
            now = node.now()
            last = await node.store.forget_unused(now - TOKEN_KEPT, now - ENDED_KEPT, after)
            if last is None:
                return
            after = last
            await node.clock.sleep(PAUSE)
