"""Lines of the traffic log."""

from __future__ import annotations

import json
import unittest

from chat.events import Traffic
from chat.storage.traffic import line


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

    def test_what_has_nothing_to_say_is_left_out(self) -> None:
        self.assertEqual({"time", "kind"}, json.loads(line(Traffic(0, "connected"))).keys())
