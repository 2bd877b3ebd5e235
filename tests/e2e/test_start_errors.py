"""What keeps the server from starting: one line each, which says what to do; in the foreground and as a daemon."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
from unittest import skipIf

from chat.storage.upgrade import APPLICATION
from tests.e2e.stage import StageCase

ROOT = os.geteuid() == 0


class StartErrors(StageCase):
    running = False
    modes: tuple[bool, ...] = (False, True)

    def refused(self, *options: str, start: str = "", words: tuple[str, ...]) -> None:
        """Starting fails with one line on stderr that begins so and says these words.

        The first one of a test is tried as a daemon as well.
        """
        modes, self.modes = self.modes, (False,)
        for daemon in modes:
            with self.subTest(options=options, daemon=daemon):
                done = subprocess.run(
                    self.stage.command(*options, daemon=daemon),
                    cwd=self.stage.folder,
                    capture_output=True,
                    text=True,
                    timeout=10,
                    check=False,
                )
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual(done.stdout, "")
                self.assertRegex(done.stderr, r"\Achatserver: [^\n]+\n\Z")
                self.assertTrue(done.stderr.startswith(f"chatserver: {start}"), done.stderr)
                for each in words:
                    self.assertIn(each, done.stderr)
                self.assertEqual([name for name in os.listdir(self.stage.folder) if name.startswith("twistd")], [])

    def test_a_taken_port(self) -> None:
        with socket.create_server(("", 0)) as taken:
            port = taken.getsockname()[1]
            self.refused(
                f"--listen=tcp:{port}",
                start=f"listen tcp:{port}: the port is taken.",
                words=("Stop what listens there", "--listen tcp:"),
            )

    @skipIf(ROOT, "root may listen on every port")
    def test_a_port_below_1024(self) -> None:
        self.refused("--listen=tcp:80", start="listen tcp:80: Permission denied.", words=("--listen tcp:7777",))

    def test_a_bad_endpoint(self) -> None:
        for words in ("nonsense", "tcp", "tcp:port", "tcp:0:interface=nowhere.invalid", "irc=tcp:0", "tcp:99999999"):
            self.refused(f"--listen={words}", start=f"listen {words}: ", words=())

    def test_a_bad_endpoint_after_a_good_one(self) -> None:
        self.refused("--listen=tcp:0", "--listen=irc=tcp:0", start="listen irc=tcp:0: there is no kind irc.", words=())

    def test_a_bad_setting_on_the_command_line(self) -> None:
        self.refused("--bcrypt-cost=99", start="--bcrypt-cost: use a number from 4 to 15", words=())
        self.refused("--sessions=two", start="--sessions: use one of: one, per-device, many", words=())
        self.refused("--timeout=10", start="timeout (10) must be at least twice heartbeat (30)", words=())

    def test_an_unknown_option(self) -> None:
        self.refused("--nosuchoption=1", start="option --nosuchoption not recognized", words=("--help",))
        self.refused("word", start="", words=("--help",))
        self.refused("--db", start="option --db requires argument", words=("--help",))

    def test_a_bad_config_file(self) -> None:
        """The line is named, and what would do."""
        for text, start in (
            ("[chatserver]\nname = x\nburst = many\n", "config.ini, line 3: burst: use a number from 1"),
            ("[chatserver]\n\nnosuch = 1\n", "config.ini, line 3: there is no setting 'nosuch'"),
            ("[chatserver]\nname = x\nname = y\n", ""),
            ("name = x\n", ""),
            ("[chatserver]\nnonsense\n", ""),
            ("[chatserver]\ntimeout = 10\n", "timeout (10) must be"),
        ):
            self.stage.write("config.ini", text)
            self.refused("--listen=tcp:0", start=start, words=() if start else ("config.ini", "line"))

    def test_a_config_file_that_is_not_there(self) -> None:
        self.refused("--config=nowhere.ini", start="nowhere.ini cannot be read: No such file", words=("--config",))
        os.mkdir(self.stage.path("folder"))
        self.refused("--config=folder", start="folder cannot be read: Is a directory", words=("--config",))

    def test_a_folder_in_place_of_the_database(self) -> None:
        os.mkdir(self.stage.path("folder"))
        self.refused("--listen=tcp:0", "--db=folder", start="folder", words=("--db",))

    def test_a_folder_that_is_not_there(self) -> None:
        self.refused("--listen=tcp:0", "--db=nowhere/chat.db", start="nowhere", words=("--db",))

    @skipIf(ROOT, "root may write everywhere")
    def test_a_folder_that_cannot_be_written(self) -> None:
        os.mkdir(self.stage.path("locked"), 0o500)
        self.refused("--listen=tcp:0", "--db=locked/chat.db", start="locked", words=("--db",))

    @skipIf(ROOT, "root may read everything")
    def test_a_database_that_cannot_be_read(self) -> None:
        self.stage.write("chat.db", "")
        os.chmod(self.stage.path("chat.db"), 0)
        self.refused("--listen=tcp:0", "--db=chat.db", start="chat.db", words=("--db",))

    def test_garbage_in_place_of_the_database(self) -> None:
        self.stage.write("chat.db", "garbage " * 1_000)
        self.refused("--listen=tcp:0", "--db=chat.db", start="chat.db", words=("--db",))
        with open(self.stage.path("chat.db"), encoding="utf-8") as file:
            self.assertEqual(file.read(), "garbage " * 1_000)

    def test_the_database_of_another_program(self) -> None:
        with sqlite3.connect(self.stage.path("chat.db")) as connection:
            connection.execute("CREATE TABLE mine (x)")
        connection.close()
        self.refused("--listen=tcp:0", "--db=chat.db", start="chat.db is the database of another program", words=())

    def test_a_newer_schema(self) -> None:
        with sqlite3.connect(self.stage.path("chat.db")) as connection:
            connection.execute(f"PRAGMA application_id = {APPLICATION}")
            connection.execute("PRAGMA user_version = 9999")
        connection.close()
        self.refused(
            "--listen=tcp:0",
            "--db=chat.db",
            start="chat.db was written by a newer version of this server (schema 9999",
            words=("Install that version", "--db"),
        )


class Fallbacks(StageCase):
    running = False

    def test_a_config_file_is_read(self) -> None:
        """The command line wins over it."""
        self.stage.write("config.ini", "[chatserver]\nname = Room 12\nburst = 41\nlisten = tcp:1\n")
        self.stage.start()
        self.assertIn("Room 12: listening.", self.stage.log())
        guest = self.stage.enter("guest")
        guest.sees("Welcome to Room 12 (nobody online).")

    def test_all_addresses(self) -> None:
        """IPv4 and, where there is IPv6, that too."""
        self.stage.start("--listen=auto=tcp:0")
        ports = [int(line.split()[2]) for line in self.stage.log().splitlines() if line.startswith("  nc localhost")]
        for host in ("127.0.0.1", "::1") if _has_ipv6() else ("127.0.0.1",):
            with socket.create_connection((host, ports[0]), 5) as connection:
                connection.sendall(b'{"cmd": "ping"}\n')
                self.assertEqual(connection.recv(100), b'{"type":"pong"}\n')


def _has_ipv6() -> bool:
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False
