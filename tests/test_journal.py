"""`chat.journal`: what is of too low a level is not written."""

from __future__ import annotations

from twisted.logger import LogLevel, capturedLogs
from twisted.trial.unittest import SynchronousTestCase

from chat.journal import LEVELS, Logger, write_from
from chat.settings import LOG_LEVELS, Settings

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
