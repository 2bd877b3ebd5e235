"""``twistd chatserver``: it announces itself on the terminal, goes to the background, and ends by its pid file."""

from __future__ import annotations

import os
import signal
import subprocess

from tests.e2e.stage import StageCase


class Daemon(StageCase):
    running = False

    def test_from_start_to_end(self) -> None:
        done = subprocess.run(
            self.stage.command("--listen=tcp:0:interface=127.0.0.1", daemon=True),
            cwd=self.stage.folder,
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("chat: listening.\n", done.stdout)
        self.assertTrue(
            done.stdout.endswith("twistd.pid) stops the server; twistd.log says what it does.\n"), done.stdout
        )
        self.stage.find_port(done.stdout)
        pidfile = self.stage.path("twistd.pid")
        self.stage.wait(lambda: os.path.exists(pidfile) and os.path.getsize(pidfile) > 0, "there is no pid file")
        with open(pidfile, encoding="ascii") as file:
            process = int(file.read())
        self.addCleanup(self.end, process)
        ann = self.person("ann", "lobby")
        ann.types("hello", "history")
        ann.sees("ann: hello")
        os.kill(process, signal.SIGTERM)
        ann.sees("* Server is shutting down.")
        ann.sees_the_end()
        self.stage.wait(lambda: not os.path.exists(pidfile), "the pid file stays")
        with open(self.stage.path("twistd.log"), encoding="utf-8") as log:
            text = log.read()
        self.assertNotIn("Traceback", text)
        self.assertNotIn("hello", text)
        self.stage.start()
        self.person("ann")

    def end(self, process: int) -> None:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            return
