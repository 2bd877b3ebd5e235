"""What is looked at before ``twistd`` uses it; what only shows with real processes is in ``tests.e2e``."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from typing import Any, ClassVar, cast
from unittest import TestCase

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from twisted.python.reflect import namedAny
from zope.interface import implementer

from chat.protocol.errors import Misconfigured
from chat.server.process.twistd import LOG, HarmlessLog, Launch, Twistd


class TwistdCase(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.pidfile = os.path.join(self.folder, "twistd.pid")
        self.log = os.path.join(self.folder, "twistd.log")

    def twistd(self, **options: Any) -> Twistd:
        given = dict.fromkeys(("nodaemon", "debug", "syslog", "logger", "chroot", "uid", "gid"))
        return Twistd({**given, "rundir": ".", "pidfile": self.pidfile, "logfile": self.log, **options})


WRITTEN: list[LogEvent] = []
"""What `keep` was given."""


def keep() -> ILogObserver:
    """What an operator may name with ``--logger``."""

    @implementer(ILogObserver)
    def observer(event: LogEvent) -> None:
        WRITTEN.append(event)

    return cast(ILogObserver, observer)


def keep_as_of_old() -> Callable[[dict[str, Any]], None]:
    """The same, of the older kind."""
    return WRITTEN.append


class WhereverTheLogGoes(TwistdCase):
    EVENT: ClassVar[LogEvent] = {
        "log_format": "{name}",
        "name": "a\x1b[2J\nb",
        "log_level": LogLevel.info,
        "log_time": 0.0,
    }

    def given(self, logger: str | None) -> dict[str, Any]:
        options = {"logger": logger, "syslog": False, "prefix": "chat", "nodaemon": True, "logfile": self.log}
        log = HarmlessLog()
        log.stand_before(options)
        self.assertIs(log.chosen, logger is not None)
        log()(dict(self.EVENT))
        return options

    def test_a_file(self) -> None:
        options = self.given(None)
        self.assertIs(namedAny(options["logger"]), LOG)
        with open(self.log, encoding="utf-8") as file:
            self.assertIn(r"] a\x1b[2J\nb" + "\n", file.read())

    def test_what_the_operator_has_chosen(self) -> None:
        for name in ("keep", "keep_as_of_old"):
            WRITTEN.clear()
            self.given(f"{__name__}.{name}")
            self.assertEqual([formatEvent(event) for event in WRITTEN], [r"a\x1b[2J\nb"])

    def test_a_logger_that_is_none(self) -> None:
        with self.assertRaisesRegex(Misconfigured, "--logger no.such.logger cannot be imported"):
            self.given("no.such.logger")

    def test_a_server_whose_log_goes_elsewhere_names_no_file(self) -> None:
        self.assertEqual(self.twistd(logger=HarmlessLog()).logfile, self.log)
        chosen = HarmlessLog()
        chosen.stand_before({"logger": f"{__name__}.keep"})
        self.assertEqual(self.twistd(logger=chosen).logfile, "")


class PidFiles(TwistdCase):
    def write(self, words: str, age: float = 0) -> None:
        with open(self.pidfile, "w", encoding="utf-8") as file:
            file.write(words)
        written = os.stat(self.pidfile).st_mtime - age
        os.utime(self.pidfile, (written, written))

    def process(self, *words: str) -> int:
        process = subprocess.Popen(
            [sys.executable, "-c", "print(flush=True); input()", *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert process.stdout is not None
        process.stdout.readline()  # for a moment after its start a process has no command line
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process.pid

    def test_a_twistd_that_wrote_it_runs(self) -> None:
        number = self.process("twistd")
        self.write(f"{number}\n")
        with self.assertRaisesRegex(
            Misconfigured, rf"a server is already running here, process {number} .*: kill {number}\Z"
        ):
            self.twistd().check()
        self.assertTrue(os.path.exists(self.pidfile))

    def test_what_was_written_before_its_process_began_is_stale(self) -> None:
        self.write(str(self.process("twistd")), age=10)
        self.twistd().check()
        self.assertFalse(os.path.exists(self.pidfile))

    def test_a_process_of_another_program_is_stale(self) -> None:
        for words in (str(self.process("other")), str(os.getpid()), "0", "999999999999999999999", "nonsense", "\xff"):
            self.write(words)
            self.twistd().check()
            self.assertFalse(os.path.exists(self.pidfile), words)


class LastWords(TwistdCase):
    def test_in_the_foreground(self) -> None:
        self.assertEqual(self.twistd(nodaemon=True).how_to_stop("x.lock"), "Ctrl-C stops the server.")

    def test_name_the_log_that_is_written(self) -> None:
        stop = f"kill $(cat {self.pidfile}) stops the server"
        for options, words in (
            ({}, f"; its log is {self.log}."),
            ({"logfile": None}, f"; its log is {os.path.abspath('twistd.log')}."),
            ({"syslog": True}, "; its log is the system log."),
            ({"logger": "mine"}, "."),
        ):
            self.assertEqual(self.twistd(**options).how_to_stop("x.lock"), stop + words)

    def test_without_a_pid_file(self) -> None:
        """The lock of the database names the process as well."""
        words = f"kill $(cat x.lock) stops the server; its log is {self.log}."
        self.assertEqual(self.twistd(pidfile="").how_to_stop("x.lock"), words)


class Launches(TestCase):
    def setUp(self) -> None:
        self.end, pipe = os.pipe()
        self.addCleanup(os.close, self.end)
        self.options = {"statusPipe": pipe}
        self.launch = Launch(self.options)
        self.launch.begin()

    def test_twistd_does_not_report_for_it(self) -> None:
        self.assertEqual(self.options, {})
        self.launch.succeeded()
        self.assertEqual(os.read(self.end, 100), b"0")
        self.assertEqual(os.read(self.end, 100), b"")

    def test_it_reports_once(self) -> None:
        self.launch.succeeded()
        self.launch.succeeded()
        self.assertEqual(os.read(self.end, 100), b"0")


del TwistdCase
