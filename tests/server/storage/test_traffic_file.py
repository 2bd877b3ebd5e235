"""Lines of the traffic log."""

from __future__ import annotations

import json
import os
import tempfile
import unittest
from collections.abc import Callable
from dataclasses import fields, replace

from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs

from chat.protocol.events import Traffic
from chat.server.storage.traffic_file import MOST_WAITING, TrafficFile, line


class Lines(unittest.TestCase):
    def test_a_line_is_json_whatever_the_words_are(self) -> None:
        event = Traffic(1_763_700_000_007, "text", 'a"b\\c\nö', 5, "2001:db8::/64", "r2", "ops", size=100)
        written = line(event)
        self.assertEqual(1, written.count("\n"))
        self.assertEqual(
            {
                "time": "2025-11-21T04:40:00.007Z",
                "kind": "text",
                "account": 'a"b\\c\nö',
                "session": 5,
                "network": "2001:db8::/64",
                "conversation": "r2",
                "room": "ops",
                "size": 100,
            },
            json.loads(written),
        )

    def test_one_that_is_private_names_the_other(self) -> None:
        event = Traffic(0, "text", "bob", conversation="k3", partner="ann")
        self.assertEqual("ann", json.loads(line(event))["with"])

    def test_whatever_is_missing_is_left_out_of_a_full_line(self) -> None:
        full = Traffic(0, "text", "bob", 5, "192.0.2.7", "r2", "ops", "ann", 100, 3)
        names = {each: "with" if each == "partner" else each for each in (field.name for field in fields(Traffic))}
        for missing in names.keys() - {"time", "kind"}:
            event = replace(full, **{missing: type(getattr(full, missing))()})
            self.assertEqual(set(names.values()) - {names[missing]}, json.loads(line(event)).keys(), missing)

    def test_what_has_nothing_to_say_is_left_out(self) -> None:
        self.assertEqual({"time", "kind"}, json.loads(line(Traffic(0, "connected"))).keys())


class Files(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "traffic.log")
        self.turn: list[Callable[[], object]] = []
        self.file = TrafficFile(self.path, soon=self.turn.append)

    def read(self) -> list[int]:
        with open(self.path, encoding="utf-8") as file:
            return [json.loads(each)["session"] for each in file]

    def test_what_one_turn_brings_is_written_at_its_end(self) -> None:
        for session in (1, 2):
            self.file.write([Traffic(0, "connected", session=session)])
        self.assertEqual(([], 1), (self.read(), len(self.turn)))
        self.turn.pop()()
        self.assertEqual([1, 2], self.read())
        self.file.write([Traffic(0, "connected", session=3)])
        self.assertEqual(1, len(self.turn))
        self.file.close()
        self.turn.pop()()
        self.assertEqual([1, 2, 3], self.read())

    def test_a_slow_disk_stops_nobody(self) -> None:
        """What comes while it writes is written after it, in one piece, and nothing is there twice."""
        self.file.close()
        waiting: list[tuple[Callable[[], object], Deferred[object]]] = []

        def in_thread(work: Callable[[], object]) -> Deferred[object]:
            done: Deferred[object] = Deferred()
            waiting.append((work, done))
            return done

        def works() -> None:
            work, done = waiting.pop(0)
            done.callback(work())

        self.file = TrafficFile(self.path, soon=self.turn.append, in_thread=in_thread)
        for session in (1, 2, 3):
            self.file.write([Traffic(0, "connected", session=session)])
            for call in self.turn[:]:
                self.turn.remove(call)
                call()
        self.assertEqual(([], 1), (self.read(), len(waiting)))
        works()
        self.assertEqual(([1], 1), (self.read(), len(waiting)))
        works()
        self.assertEqual(([1, 2, 3], 0), (self.read(), len(waiting)))
        self.file.write([Traffic(0, "connected", session=4)])
        self.turn.pop()()
        self.file.write([Traffic(0, "connected", session=5)])
        self.file.close()
        works()
        self.assertEqual([1, 2, 3, 4, 5], self.read())

    def test_what_a_slow_disk_cannot_take_is_counted(self) -> None:
        self.file.close()
        file = TrafficFile(self.path, soon=self.turn.append)
        for _ in range(MOST_WAITING // 1_000 + 2):
            file.write([Traffic(0, "connected", session=1)] * 1_000)
        with capturedLogs() as logs:
            self.turn.pop()()
        self.assertEqual([2_000], [each["left_out"] for each in logs if "left_out" in each])
        file.close()
        self.assertEqual(MOST_WAITING, len(self.read()))
