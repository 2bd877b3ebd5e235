"""`benchmarks.sealing` measures what it says; how fast that is, is no matter of tests."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from benchmarks.sealing import measure


class Sealing(SynchronousTestCase):
    def test_every_message_is_sealed_and_opened(self) -> None:
        found = measure(messages=110)
        self.assertGreater(found.sealed, 0)
        self.assertGreater(found.opened, 0)
