"""`chat.server.logs`: what is of too low a level is not written, and what others chose does no harm in the log."""

from __future__ import annotations

from io import StringIO

from twisted.logger import LogLevel, LogPublisher, capturedLogs, textFileLogObserver
from twisted.python import log as legacy
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chat.server.logs import LEVELS, MOST_CHARACTERS, MOST_LINES, HarmlessObserver, Logger, write_from
from chat.server.settings.schema import LOG_LEVELS, Settings

log = Logger()


class FromALevelOn(SynchronousTestCase):
    def setUp(self) -> None:
        self.addCleanup(write_from, Settings().log_level)

    def written(self) -> list[str]:
        with capturedLogs() as events:
            for level in LEVELS.values():
                log.emit(level, "something happened")
        self.assertEqual({event["log_namespace"] for event in events}, {__name__})
        return [event["log_level"].name for event in events]

    def test_everything_but_what_only_developers_want_to_know(self) -> None:
        self.assertEqual(self.written(), ["info", "warn", "error", "critical"])

    def test_what_was_chosen(self) -> None:
        for level in LOG_LEVELS:
            write_from(level)
            self.assertEqual(self.written(), list(LEVELS)[list(LEVELS).index(level) :])

    def test_a_failure_is_always_written(self) -> None:
        write_from("error")
        with capturedLogs() as events:
            try:
                raise ValueError("a bug")
            except ValueError:
                log.failure("it broke")
        self.assertEqual([event["log_level"] for event in events], [LogLevel.critical])
        self.flushLoggedErrors(ValueError)


HARMFUL = "eve\n2026-11-20T09:12:03+0000 [chat#error] forged\r\x1b[2J\x1b]0;title\x07\x9b1m\u202eevil\u2028next\x00"
HARMLESS = r"eve\n2026-11-20T09:12:03+0000 [chat#error] forged\r\x1b[2J\x1b]0;title\x07\x9b1m\u202eevil\u2028next\x00"


class Spoiled(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class WhatOthersChose(SynchronousTestCase):
    """Whatever the event, what is written is what `twistd` writes of it, line for line."""

    def setUp(self) -> None:
        self.file = StringIO()
        self.publisher = LogPublisher(HarmlessObserver(textFileLogObserver(self.file, timeFormat=None)))
        self.log = Logger("chat", observer=self.publisher)

    def written(self) -> str:
        return self.file.getvalue()

    def test_a_value_begins_no_line_and_moves_no_cursor(self) -> None:
        self.log.info("{actor} gives a command", actor=HARMFUL)
        self.assertEqual(self.written(), f"- [chat#info] {HARMLESS} gives a command\n")

    def test_nor_does_what_is_no_text_yet(self) -> None:
        """An error is formatted only when it is written."""
        self.log.warn("it broke: {reason} {thing!r}", reason=ValueError(HARMFUL), thing="fine")
        self.assertEqual(self.written(), f"- [chat#warn] it broke: {HARMLESS} 'fine'\n")

    def test_nor_does_the_text_of_an_error_in_a_traceback(self) -> None:
        try:
            raise ValueError(HARMFUL)
        except ValueError:
            self.log.failure("incident {incident}", incident="7")
        first, *rest = self.written().split("\n")
        self.assertEqual(first, "- [chat#critical] incident 7")
        self.assertTrue(all(line.startswith("\t") for line in rest[:-1]), rest)
        self.assertTrue(self.written().replace("\n", "").replace("\t", "").isprintable())
        self.assertIn("Traceback", self.written())

    def test_nor_does_an_event_of_a_library(self) -> None:
        """Of the older kind, with a system that a protocol chose; and one without a format."""
        self.publisher({"log_format": "{x}", "x": HARMFUL, "log_system": f"A,{HARMFUL}", "log_level": LogLevel.info})
        self.assertEqual(self.written(), f"- [A,{HARMLESS}] {HARMLESS}\n")
        publisher = legacy.LogPublisher(publishPublisher=self.publisher, observerPublisher=LogPublisher())
        publisher.msg(HARMFUL, system="web")
        self.assertIn(f"[web] {HARMLESS}\n", self.written())

    def test_what_is_long_is_cut(self) -> None:
        self.log.info("{name}", name="x" * (MOST_CHARACTERS + 1_234))
        self.assertTrue(self.written().endswith("x... (1,234 more characters)\n"))
        self.assertLess(len(self.written()), MOST_CHARACTERS + 100)

    def test_so_is_a_traceback(self) -> None:
        self.log.failure("long", Failure(ValueError("x" * 10_000 + "\ny" * 10_000)))
        self.assertEqual(len(self.written().splitlines()), MOST_LINES + 1)

    def test_an_error_whose_text_cannot_be_made(self) -> None:
        self.log.failure("odd", Failure(Spoiled()))
        self.assertIn("odd", self.written())

    def test_letters_of_all_scripts_stay(self) -> None:
        self.log.info("{name} {n:,}", name="Дмитрий 李 é", n=1_234)
        self.assertEqual(self.written(), "- [chat#info] Дмитрий 李 é 1,234\n")
