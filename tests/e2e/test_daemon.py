"""``twistd chatserver``: it announces itself on the terminal, goes to the background, and ends by its pid file."""

from __future__ import annotations

import contextlib
import io
import os
import signal

from chat.operator.chatctl import main
from tests.e2e.stage import PASSWORD, StageCase


class Daemon(StageCase):
    running = False

    def test_from_start_to_end(self) -> None:
        ended = self.stage.run("--listen=tcp:0:interface=127.0.0.1", daemon=True)
        self.assertEqual((ended.status, ended.error), (0, ""))
        self.assertIn("chat: listening.\n", ended.out)
        pidfile, log = self.stage.path("twistd.pid"), self.stage.path("twistd.log")
        last = f"kill $(cat {pidfile}) stops the server; its log is {log}.\n"
        self.assertTrue(ended.out.endswith(last), ended.out)
        self.stage.find_port(ended.out)
        process = self.stage.process()
        self.addCleanup(self.end, process)
        ann = self.person("ann", "lobby")
        ann.types("hello", "history")
        ann.sees("ann: hello")
        os.kill(process, signal.SIGTERM)
        ann.sees("* Server is shutting down. The operator stopped it.")
        ann.sees_the_end()
        self.stage.wait(lambda: not os.path.exists(pidfile), "the pid file stays")
        with open(log, encoding="utf-8") as file:
            text = file.read()
        self.assertNotIn("Traceback", text)
        self.assertNotIn("hello", text)
        self.stage.start()
        self.person("ann")

    def test_it_serves_when_the_terminal_is_free_again(self) -> None:
        """Nobody has to wait once more: whoever started it is told after the last step of the start."""
        ended = self.stage.run("--listen=tcp:0:interface=127.0.0.1", daemon=True, twistds=("--logfile=mine.log",))
        self.addCleanup(self.end, self.stage.process())
        self.assertIn(f"its log is {self.stage.path('mine.log')}.", ended.out)
        self.stage.find_port(ended.out)
        self.assertIn("Account ann created.", self.stage.pipe(f"new ann {PASSWORD}\nquit\n", "-N"))
        os.kill(self.stage.process(), signal.SIGTERM)

    def test_its_files_stay_where_it_was_started(self) -> None:
        """``twistd`` goes to another folder only when they are open."""
        os.mkdir(self.stage.path("elsewhere"))
        self.stage.write("config.ini", "[chatserver]\nname = One\n")
        ended = self.stage.run("--listen=tcp:0:interface=127.0.0.1", daemon=True, twistds=("--rundir=elsewhere",))
        self.assertEqual((ended.status, ended.error), (0, ""))
        self.addCleanup(self.end, self.stage.process())
        self.stage.write("config.ini", "[chatserver]\nname = Two\n")
        control = f"--control={self.stage.path('chat.control')}"
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            main([control, "reload"])
            main([control, "status"])
            main([control, "check"])
        self.assertRegex(out.getvalue(), r"Changed: name.\nstatus\n  name +Two\n")
        for name in ("credentials.db", "chat.pem"):
            self.assertIn(f"Only its owner can read {self.stage.path(name)}.", out.getvalue())

    def test_what_somebody_typed_begins_no_line_of_the_log(self) -> None:
        """Whichever way the log is written."""
        ended = self.stage.run("--listen=tcp:0:interface=127.0.0.1", daemon=True)
        self.assertEqual((ended.status, ended.error), (0, ""))
        self.addCleanup(self.end, self.stage.process())
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            main([f"--control={self.stage.path('chat.control')}", "kick", "a\u202eb"])
        with open(self.stage.path("twistd.log"), encoding="utf-8") as file:
            self.assertIn(r"gives the command: admin kick a\u202eb", file.read())

    def end(self, process: int) -> None:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return
