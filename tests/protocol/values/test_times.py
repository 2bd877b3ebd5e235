"""How times are written for programs."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.values import read_time, write_time
from chat.protocol.wire.phrases import at


class FarTimes(SynchronousTestCase):
    """A ban of an older version may end thousands of years from now; whoever reads of it must hear of it."""

    def test_are_written_as_the_last_moment(self) -> None:
        for time in (10**15, 604_800 * 999_999 * 1_000, 2**62):
            self.assertEqual(write_time(time), "9999-12-31T23:59:59.999Z")
        self.assertEqual(read_time(write_time(2**62)) // 1_000, 253_402_300_799)

    def test_are_shown_in_every_zone(self) -> None:
        for time in (253_402_300_799_999, 10**15, 2**62):
            for zone in (UTC, None, timezone(timedelta(hours=14)), timezone(-timedelta(hours=12))):
                self.assertIn(at(time, zone).year, (9999, 10_000))
