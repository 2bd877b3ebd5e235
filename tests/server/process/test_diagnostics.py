"""What ``chatctl check`` finds."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.server.interfaces import Disk
from chat.server.process.diagnostics import NOTE, OK, WRONG, check
from chat.server.settings.schema import Settings

MIB = 1024 * 1024


class TheDisk(SynchronousTestCase):
    def test_is_full_below_the_floor_and_where_nothing_is_left(self) -> None:
        for floor, free, state in ((256, 255, WRONG), (256, 256, NOTE), (256, 1024, OK), (0, 0, WRONG), (0, 1, OK)):
            settings = Settings(disk_floor=floor, certificate="none")
            (found,) = (each for each in check(settings, Disk(0, free * MIB), None) if each.subject == "disk")
            self.assertEqual(found.state, state, (floor, free))
