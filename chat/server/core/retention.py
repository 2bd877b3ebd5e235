"""What is kept no longer goes, little by little, so that nobody waits for it."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chat.protocol.errors import ChatError
from chat.server.core.node import Node
from chat.server.interfaces import TOKEN_KEPT, IDelayed
from chat.server.logs import Logger

EVERY = 3_600.0
"""Seconds between two looks for what is kept no longer."""

PAUSE = 0.05
"""Seconds between two steps, in which others write."""

ENDED_KEPT = 24 * 3_600_000
"""Milliseconds for which it is remembered that a device was ended: longer than any login takes."""

PAIRS = 0
"""What stands for all private conversations."""

log = Logger()


class Retention:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._timer: IDelayed | None = None
        self._looking = False

    def start(self) -> None:
        """Look from now on, first when the start is over."""
        self._timer = self._node.clock.call_later(60.0, self._look)

    def stop(self) -> None:
        """Take no further step; the next start goes on."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    async def going(self, conversation: int, seconds: int) -> int:
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
        self.stop()
        self._timer = self._node.clock.call_later(1.0, self._look)

    def _look(self) -> None:
        if self._node.stopping:
            return
        self._timer = self._node.clock.call_later(EVERY, self._look)
        if not self._looking:
            self._looking = True
            Deferred.fromCoroutine(self._forget()).addErrback(self._failed)

    async def _forget(self) -> None:
        try:
            for conversation, upto in await self._node.store.outlived(self._node.now()):
                while await self._node.store.forget_before(conversation, upto) and not self._node.stopping:
                    await self._node.clock.sleep(PAUSE)
            await self._forget_tokens()
        finally:
            self._looking = False

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

    def _failed(self, failure: Failure) -> None:
        """The store has said so in the log; the next look tries again."""
        if not failure.check(ChatError):
            log.failure("what is kept no longer could not be removed", failure)
