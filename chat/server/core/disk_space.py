"""Whether the disk has room: below a floor nothing new is taken, while people read and come in as before."""

from __future__ import annotations

from chat.server.core.background_task import BackgroundTask
from chat.server.core.node import Node
from chat.server.logs import Logger

EVERY = 5.0
"""Seconds between two looks at the disk."""

_MIB = 1024 * 1024

log = Logger()


class DiskSpaceMonitor:
    def __init__(self, node: Node) -> None:
        self._node = node
        self.task = BackgroundTask(node.clock, self._look, EVERY)

    async def _look(self) -> float:
        node = self._node
        floor = node.settings.disk_floor * _MIB
        free = node.store.disk().free
        full = free is not None and free < floor
        if full and not node.full:
            log.error(
                "Low disk space: {free} MiB free, minimum {floor} (disk-floor)."
                " Messages are rejected until space is freed.",
                free=(free or 0) // _MIB,
                floor=node.settings.disk_floor,
            )
        elif node.full and not full:
            log.info("Enough disk space is free again. Messages are accepted.")
        node.full = full
        return EVERY
