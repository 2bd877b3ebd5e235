"""Runs of the benchmarks that are too short to measure: they work, and nothing is lost, doubled or reordered."""

from __future__ import annotations

import unittest

from benchmarks.compare import SCENARIOS, compare
from benchmarks.peers import Chat, Yardstick
from benchmarks.talk import Pairs, Room


class ShortRuns(unittest.TestCase):
    """Both servers deliver everything; `compare` raises when one does not."""

    def test_a_room(self) -> None:
        room = Room(5, senders=2, window=3, messages=60)
        for compared in compare(room, (Chat(), Yardstick()), rounds=1, settle=0.0):
            self.assertEqual(60 * 4, compared.runs[0].deliveries)
            self.assertEqual(60, len(compared.runs[0].latencies))

    def test_pairs(self) -> None:
        for compared in compare(Pairs(2, messages=40), (Chat(), Yardstick()), rounds=1, settle=0.0):
            self.assertEqual(40, compared.runs[0].deliveries)

    def test_every_sender_says_as_much(self) -> None:
        """Messages are shared out evenly, or the last ones would not be said."""
        for scenario in SCENARIOS.values():
            if isinstance(scenario, Room):
                self.assertEqual(0, scenario.messages % scenario.senders)
