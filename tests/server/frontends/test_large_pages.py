"""Pages of long lines: how somebody on netcat reads all of them, and what one page costs."""

from __future__ import annotations

import re
import time

from chat.protocol.events import History, Said
from chat.protocol.values import Conversation, Kind, Text
from chat.protocol.wire import columns
from chat.protocol.wire import sanitize as safe
from chat.protocol.wire.jsonlines import encode
from chat.protocol.wire.text import render
from chat.protocol.wire.view import View
from chat.server.storage.log import PAGE_BYTES
from tests.server.frontends.server import Caller, ServerCase

LINES = 60
"""Lines that are said: about a megabyte."""

_HINT = re.compile(
    r"^\* (?:Older|Newer) lines exist\. Type: (history (?:before|after) r\d+\.\d+(?: \d+)?)$", re.MULTILINE
)
_NUMBER = re.compile(r"\bline (\d+) ж")


class ReadingOn(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        bob = self.person("bob")
        bob.types("create big", "logout")
        ann = self.program("ann")
        ann.asks("connect", room="big")
        for number in range(LINES):
            ann.asks("say", room="big", text=f"line {number} " + "ж" * 8_000)
        self.quiet(ann)

    def read(self, caller: Caller, command: str) -> list[list[int]]:
        """Type a command, then what the end of each page says, to the last page.

        :returns: the numbers of the lines on each.
        """
        pages = []
        while command:
            caller.types(command)
            shown = caller.gets()
            self.assertLess(len(shown.encode()), PAGE_BYTES + 1_000)
            pages.append([int(number) for number in _NUMBER.findall(shown)])
            hints = _HINT.findall(shown)
            self.assertLessEqual(len(hints), 1)
            if hints:
                self.assertTrue(shown.endswith(f"{hints[0]}\n"), "it stands below the page")
            command = hints[0] if hints else ""
        return pages

    def test_history_backward(self) -> None:
        carol = self.person("carol", "big")
        pages = self.read(carol, "history big 500")
        self.assertGreater(len(pages), 3)
        self.assertEqual([number for page in reversed(pages) for number in page], list(range(LINES)))

    def test_history_since_a_time(self) -> None:
        carol = self.person("carol", "big")
        pages = self.read(carol, "history big 2h")
        self.assertGreater(len(pages), 3)
        self.assertEqual([number for page in pages for number in page], list(range(LINES)))

    def test_catching_up(self) -> None:
        bob = self.call("text")
        bob.types("login bob", "correct horse")
        self.quiet(bob)
        seen: list[int] = []
        shown = "waiting. Type catchup."
        while "waiting. Type catchup." in shown:
            bob.types("catchup")
            shown = bob.gets()
            self.assertLess(len(shown.encode()), PAGE_BYTES + 1_000)
            seen += map(int, _NUMBER.findall(shown))
        self.assertEqual(seen, list(range(LINES)))

    def test_what_a_search_finds(self) -> None:
        carol = self.person("carol", "big")
        carol.types("/search line")
        shown = carol.gets()
        self.assertLess(len(shown.encode()), PAGE_BYTES + 1_000)
        self.assertEqual([int(number) for number in _NUMBER.findall(shown)], list(range(LINES - 16, LINES)))
        self.assertIn("Older results were left out.", shown)


class PrivateMessages(ServerCase):
    def test_those_that_do_not_fit_after_login_wait_for_catchup(self) -> None:
        bob = self.person("bob")
        bob.types("logout")
        ann = self.program("ann")
        for number in range(LINES):
            ann.asks("message", user="bob", text=f"line {number} " + "ж" * 8_000)
        bob = self.call("text")
        bob.types("login bob", "correct horse")
        shown = bob.gets()
        seen = [int(number) for number in _NUMBER.findall(shown)]
        self.assertIn(f"* {LINES - len(seen)} more private messages waiting. Type catchup.", shown)
        while len(seen) < LINES:
            bob.types("catchup")
            found = [int(number) for number in _NUMBER.findall(bob.gets())]
            self.assertTrue(found)
            seen += found
        self.assertEqual(seen, list(range(LINES)))


class WhatAPageCosts(ServerCase):
    """Rendering is done with tables and regular expressions: some nanoseconds a character, in every script."""

    SCRIPTS = ("привет мир ", "中文字符", "e\u0301\u0302", "👩‍👩‍👧 ", "при\u200bвет\x1b ", "𑂮𑂹 ", "สวัสดี ", "ab\x01\t ")

    def test_the_reactor_renders_a_full_page_in_a_few_milliseconds(self) -> None:
        safe.prepare()
        columns.prepare()
        room = Conversation(1, "big", "")
        for script in self.SCRIPTS:
            body = Text((script * 16_000).encode()[:15_900].decode(errors="ignore"))
            rows = tuple(Said(room, seq, Kind.TEXT, "ann", "d", 0, body) for seq in range(1, 17))
            page = History(room, rows, True, 1, 100)
            taken = []
            for show in (lambda page=page: render(page, View()), lambda page=page: encode(page)):
                costs = []
                for _ in range(3):
                    begun = time.thread_time()
                    show()
                    costs.append(time.thread_time() - begun)
                taken.append(min(costs))
            self.assertLess(max(taken), 0.03, f"{script!r}: {taken}")

    def test_so_is_the_width_of_a_column(self) -> None:
        columns.prepare()
        for script in self.SCRIPTS:
            text = safe.safe(script * (256 * 1024 // len(script.encode())))
            begun = time.thread_time()
            columns.width(text)
            self.assertLess(time.thread_time() - begun, 0.02, script)
