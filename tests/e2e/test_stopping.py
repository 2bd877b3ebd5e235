"""The end: everybody is told, status 0, within seconds; and what an end leaves behind hinders no start."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys

from tests.e2e.stage import PASSWORD, Stage, StageCase

IN_A_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execvp(sys.argv[1], sys.argv[1:])
"""
"""Runs a program as the one that is told when its terminal is closed."""


class Stopping(StageCase):
    def everybody_is_told(self, number: int) -> None:
        ann, guest = self.person("ann", "lobby"), self.guest("guest")
        program = self.stage.enter("program")
        program.types('{"id": 1, "cmd": "hello"}')
        program.sees('"welcome"')
        silent = self.stage.enter("silent")
        with self.seconds(5):
            self.assertEqual(self.stage.stop(number), 0)
        words = "Server is shutting down. The operator stopped it."
        ann.sees(f"* {words}")
        guest.sees(f"* {words}")
        program.sees(f'{{"type":"closing","reason":"{words}"}}')
        for actor in (ann, guest, program, silent):
            actor.sees_the_end()
        self.assertNotIn("Traceback", self.stage.log())
        self.assertNotIn("Unhandled", self.stage.log())

    def test_sigterm(self) -> None:
        self.everybody_is_told(signal.SIGTERM)

    def test_sigint(self) -> None:
        self.everybody_is_told(signal.SIGINT)

    def test_sigint_twice(self) -> None:
        """An impatient operator does no harm."""
        self.person("ann", "lobby")
        assert self.stage.server is not None
        self.stage.server.send_signal(signal.SIGINT)
        self.assertEqual(self.stage.stop(signal.SIGINT), 0)
        self.assertNotIn("Traceback", self.stage.log())

    def test_the_terminal_is_closed(self) -> None:
        self.stage.stop()
        ours, terminal = os.openpty()
        listen = self.stage.command("--listen=tcp:0:interface=127.0.0.1")
        with subprocess.Popen(
            [sys.executable, "-c", IN_A_TERMINAL, *listen],
            cwd=self.stage.folder, stdin=terminal, stdout=terminal, stderr=terminal, start_new_session=True,
        ) as server:  # fmt: skip
            os.close(terminal)
            said = b""
            while b"Ctrl-C stops" not in said:
                said += os.read(ours, 4_096)
            self.stage.find_port(said.decode())
            guest = self.guest("guest")
            os.close(ours)
            self.assertEqual(server.wait(10), 0)
        guest.sees("* Server is shutting down. The operator stopped it.")

    def test_without_a_terminal_sighup_reads_the_settings_again(self) -> None:
        self.guest("who has seen that the server runs")
        self.stage.write("config.ini", "[chatserver]\nname = Room 12\n")
        assert self.stage.server is not None
        self.stage.server.send_signal(signal.SIGHUP)
        self.stage.wait(lambda: "Changed: name; a restart" in self.stage.log(), "the settings are not read")
        self.stage.write("config.ini", "[chatserver]\nrate = much\n")
        self.stage.server.send_signal(signal.SIGHUP)
        self.stage.wait(lambda: "Nothing has changed." in self.stage.log(), "the mistake is not told")
        self.stage.enter("who comes later").sees("Welcome to Room 12")

    def test_with_somebody_who_never_reads(self) -> None:
        ann = self.person("ann", "lobby")
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            deaf.connect(("127.0.0.1", self.stage.port))
            deaf.sendall(f"new deaf {PASSWORD}\nconnect lobby\n".encode())
            ann.sees("* deaf has entered lobby.")
            for number in range(100):
                ann.types(f"{number} {'x' * 8_000}")
            ann.does_not_see("! ")
            with self.seconds(5):
                self.assertEqual(self.stage.stop(), 0)
        ann.sees("* Server is shutting down.")

    def test_what_was_typed_just_before_is_kept_or_refused(self) -> None:
        """Never lost in silence: each line is in the history, or was answered."""
        bob, ann = self.person("bob", "lobby"), self.person("ann", "lobby")
        for number in range(200):
            ann.types(f"line {number}")
        bob.sees("ann: line 0")
        self.assertEqual(self.stage.stop(), 0)
        ann.sees_the_end()
        refused = ann.shown.count("! ")
        self.stage.start()
        again = self.person("ann")
        again.types("history 500", "/ping")
        again.sees("* pong")
        stored = again.shown.count("ann: line ")
        self.assertGreater(stored, 0)
        self.assertLessEqual(stored + refused, 200)


class StaleFiles(StageCase):
    running = False

    def pid_file(self, number: int) -> None:
        self.stage.write("twistd.pid", str(number))

    def test_of_a_dead_process(self) -> None:
        with subprocess.Popen([sys.executable, "-c", ""]) as dead:
            dead.wait()
        self.pid_file(dead.pid)
        self.stage.start()
        self.person("ann")

    def test_of_a_living_process_that_is_no_twistd(self) -> None:
        """The number was given to somebody else after a crash or a reboot."""
        self.pid_file(os.getpid())
        self.stage.start()
        self.person("ann")

    def test_whose_number_another_twistd_has_now(self) -> None:
        """As after a reboot, where several are started."""
        with subprocess.Popen([sys.executable, "-c", "input()", "twistd"], stdin=subprocess.PIPE) as other:
            self.addCleanup(other.kill)
            self.pid_file(other.pid)
            os.utime(self.stage.path("twistd.pid"), (0, 0))
            self.stage.start()
            self.person("ann")

    def test_that_holds_nonsense(self) -> None:
        self.stage.write("twistd.pid", "nonsense\n")
        self.stage.start()
        self.person("ann")

    def test_a_second_server_on_the_same_database(self) -> None:
        """Refused in one line, and the first one goes on."""
        self.stage.start()
        other = Stage()
        self.addCleanup(other.close)
        ended = other.run("--listen=tcp:0", f"--db={self.stage.path('credentials.db')}")
        assert self.stage.server is not None
        self.assertEqual(
            ended.error,
            f"chatserver: {self.stage.path('credentials.db')} is in use by another chat server"
            f" (process {self.stage.server.pid}). Stop it first, or choose another file with --db.\n",
        )
        self.assertEqual((ended.out, ended.status != 0), ("", True))
        self.person("ann")

    def test_a_second_server_in_the_same_folder(self) -> None:
        """Refused in one line; the pid file of the first one is not taken for a stale one."""
        self.stage.start()
        assert self.stage.server is not None
        for daemon in (False, True):
            ended = self.stage.run("--listen=tcp:0", daemon=daemon)
            self.assertEqual(
                ended.error,
                f"chatserver: a server is already running here, process {self.stage.server.pid}"
                f" ({self.stage.path('twistd.pid')}). Start this one in another folder, or stop the other:"
                f" kill {self.stage.server.pid}\n",
            )
            self.assertEqual((ended.out, ended.status != 0), ("", True))
        self.person("ann")
        self.assertEqual(self.stage.stop(), 0)
