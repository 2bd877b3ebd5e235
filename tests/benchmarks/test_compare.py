"""Runs of the benchmarks that are too short to measure: they work, and nothing is lost, doubled or reordered."""

from __future__ import annotations

import unittest

from benchmarks import spread
from benchmarks.compare import SCENARIOS, compare
from benchmarks.irc import Inspircd, Ngircd
from benchmarks.peers import BaselineServer, Chat, ChatPrograms, Peer
from benchmarks.plot import Bar, plot
from benchmarks.talk import Pairs, Room, Rooms

EVERYBODY: tuple[Peer, ...] = (Chat(), ChatPrograms(encrypted=True), BaselineServer(), Ngircd(), Inspircd())


class ShortRuns(unittest.TestCase):
    """All servers deliver everything; `compare` raises when one does not."""

    def setUp(self) -> None:
        self.peers = [peer for peer in EVERYBODY if not peer.missing()]

    def test_a_room(self) -> None:
        room = Room(5, senders=2, window=3, messages=60)
        for compared in compare(room, self.peers, rounds=1):
            self.assertEqual(60 * 4, compared.runs[0].deliveries)
            self.assertEqual(60, len(compared.runs[0].latencies))

    def test_a_room_with_a_rate(self) -> None:
        room = Room(3, senders=2, window=0, messages=60, rate=2_000.0)
        (compared,) = compare(room, (BaselineServer(),), rounds=1)
        self.assertEqual(60 * 2, compared.runs[0].deliveries)
        self.assertGreaterEqual(compared.runs[0].seconds, 59 / 2_000)

    def test_many_rooms(self) -> None:
        rooms = Rooms(4, members=3, active=2, messages=40)
        for compared in compare(rooms, (Chat(), BaselineServer()), rounds=1):
            self.assertEqual(40 * 2, compared.runs[0].deliveries)

    def test_pairs(self) -> None:
        for compared in compare(Pairs(2, messages=40), (Chat(), ChatPrograms(), BaselineServer()), rounds=1):
            self.assertEqual(40, compared.runs[0].deliveries)

    def test_the_same_people_in_few_rooms_and_in_many(self) -> None:
        few, many = spread.measure(messages=100, rounds=1, many=30, people=20, settle=0.1)
        self.assertEqual([2, 30], [few.rooms, many.rooms])
        self.assertEqual([1, 1], [len(few.costs), len(many.costs)])

    def test_every_sender_says_as_much(self) -> None:
        """Messages are shared out evenly, or the last ones would not be said."""
        for comparison in SCENARIOS.values():
            scenario = comparison.scenario
            if isinstance(scenario, Room):
                self.assertEqual(0, scenario.messages % scenario.senders)


class Drawing(unittest.TestCase):
    def test_a_longer_bar_costs_more(self) -> None:
        drawn = plot([Bar("a", "x", 0.5, 1.0, 0.2), Bar("b", "x", 2.0, 4.0, 1.0)])
        widths = [float(part.split('"')[0]) for part in drawn.split('width="')[3:] if "7aa6d8" in part]
        self.assertEqual(2, len(widths))
        self.assertLess(widths[0], widths[1])
