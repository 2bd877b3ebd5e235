"""What is left of connections that have ended."""

from __future__ import annotations

import gc
import weakref

from chat.server.frontends.connection_counter import ALL_COLLECTED_AFTER
from tests.server.frontends.server import ServerCase


class Ended(ServerCase):
    def test_connections_that_come_and_go_leave_nothing_although_nobody_collects(self) -> None:
        gc.disable()
        self.addCleanup(gc.enable)
        left = weakref.WeakSet[object]()
        for _ in range(ALL_COLLECTED_AFTER + 1):
            caller = self.call("text")
            left.add(caller.protocol)
            caller.hangs_up()
        del caller
        self.assertLess(len(left), 10)
