"""Whether the disk has room: below a floor nothing new is taken, while people read and come in as before."""

from __future__ import annotations

from chat.server.core.node import House
from chat.server.interfaces import IDelayed
from chat.server.logs import Logger

EVERY = 5.0
"""Seconds between two looks at the disk."""

_MIB = 1024 * 1024

log = Logger()


class Space:
    def __init__(self, house: House) -> None:
        self._house = house
        self._timer: IDelayed | None = None

    def start(self) -> None:
        """Look now, and from now on."""
        self._look()

    def stop(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _look(self) -> None:
        house = self._house
        floor = house.settings.disk_floor * _MIB
        free = house.store.disk().free
        full = free is not None and free < floor
        if full and not house.full:
            log.error(
                "Only {free} MiB of disk are free, and disk-floor is {floor}:"
                " nothing new is taken until there are more.",
                free=(free or 0) // _MIB,
                floor=house.settings.disk_floor,
            )
        elif house.full and not full:
            log.info("There is room on the disk again.")
        house.full = full
        self._timer = house.clock.call_later(EVERY, self._look)
