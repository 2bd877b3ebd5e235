"""What keeps the server from starting: one line each, which says what to do; in the foreground and as a daemon."""

from __future__ import annotations

import fcntl
import os
import shutil
import socket
import sqlite3
from contextlib import closing
from typing import IO
from unittest import skipIf, skipUnless

from chat.server.storage.migrations import APPLICATION, prepare
from tests.e2e.stage import StageCase

ROOT = os.geteuid() == 0

NOBODY = 65_534
"""The user ``nobody``."""

AS_NOBODY = (
    *("setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"),
    *("--inh-caps=-all,+dac_read_search", "--ambient-caps=-all,+dac_read_search"),
)
"""Runs a program as nobody, who may read everything, the Python of these tests included, and write nowhere."""


class StartErrors(StageCase):
    running = False
    modes: tuple[bool, ...] = (False, True)

    def refused(
        self,
        *options: str,
        start: str = "",
        words: tuple[str, ...] = (),
        twistds: tuple[str, ...] = (),
        prefix: tuple[str, ...] = (),
    ) -> None:
        """Starting fails with one line on stderr that begins so and says these words; nothing is left behind.

        The first one of a test is tried as a daemon as well.
        """
        modes, self.modes = self.modes, (False,)
        for daemon in modes:
            with self.subTest(options=options, daemon=daemon):
                before = self.files()
                ended = self.stage.run(*options, daemon=daemon, twistds=twistds, prefix=prefix)
                self.assertNotEqual(ended.status, 0)
                self.assertEqual(ended.out, "")
                self.assertRegex(ended.error, r"\Achatserver: [^\n]+\n\Z")
                self.assertTrue(ended.error.startswith(f"chatserver: {start}"), ended.error)
                self.assertNotRegex(ended.error, r"\.\.\s|Errno|[a-z]Error")
                for each in words:
                    self.assertIn(each, ended.error)
                self.assertEqual(self.files(), before)

    def files(self) -> set[str]:
        return {os.path.join(folder, name) for folder, _, names in os.walk(self.stage.folder) for name in names}

    def test_a_taken_port(self) -> None:
        with socket.create_server(("", 0)) as taken:
            port = taken.getsockname()[1]
            self.refused(
                f"--listen=tcp:{port}",
                start=f"listen tcp:{port}: the port is in use.",
                words=("Stop the program that uses it", "--listen tcp:"),
            )

    @skipIf(ROOT, "root may listen on every port")
    def test_a_port_below_1024(self) -> None:
        self.refused("--listen=tcp:80", start="listen tcp:80: Permission denied.", words=("--listen tcp:7777",))

    def test_a_bad_endpoint(self) -> None:
        for words in ("nonsense", "tcp", "tcp:port", "tcp:99999999"):
            self.refused(f"--listen={words}", start=f"listen {words}: ")

    def test_an_address_that_is_not_here(self) -> None:
        words = ("Leave interface= out",)
        self.refused("--listen=tcp:0:interface=nowhere.invalid", words=("unknown address", *words))
        self.refused("--listen=tcp:0:interface=192.0.2.1", words=("this machine has no such address", *words))

    def test_a_bad_endpoint_after_a_good_one(self) -> None:
        self.refused("--listen=tcp:0", "--listen=irc=tcp:0", start="listen irc=tcp:0: there is no kind irc.")

    def test_a_bad_setting_on_the_command_line(self) -> None:
        self.refused("--bcrypt-cost=99", start="--bcrypt-cost: use a number from 4 to 15")
        self.refused("--sessions=two", start="--sessions: use one of: one, per-device, many")
        self.refused("--timeout=10", start="--timeout: timeout (10) must be at least twice heartbeat (30)")

    def test_an_unknown_option(self) -> None:
        self.refused("--nosuchoption=1", start="option --nosuchoption not recognized. ", words=("--help",))
        self.refused("word", start="word is not an option. ", words=("--help",))
        self.refused("--db", start="option --db requires argument. ", words=("--help",))

    def test_an_option_of_twistd_in_the_wrong_place(self) -> None:
        self.refused("-n", start="-n is an option of twistd. Type: twistd -n chatserver")
        self.refused("--logfile=x", start="--logfile is an option of twistd. Type: twistd --logfile")

    def test_a_bad_config_file(self) -> None:
        """A server that ignored a section would take passwords in the clear, say, against what the file wants."""
        self.stage.write("config.ini", "[chatsrver]\nplain-login = tls\n")
        self.refused("--listen=tcp:0", start="config.ini, line 1: unknown section [chatsrver]. ")
        self.stage.write("config.ini", "[chatserver]\n\ntimeout = 3\n")
        self.refused("--listen=tcp:0", start="config.ini, line 3: timeout (3) must be at least twice heartbeat (30)")

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
        self.refused("--listen=tcp:0", "--db=chat.db", start="chat.db belongs to another program")

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

    def test_a_certificate_that_is_none(self) -> None:
        self.stage.write("mine.pem", "nonsense")
        self.refused(
            "--listen=tcp:0",
            "--certificate=mine.pem",
            start="mine.pem is not a PEM file with a certificate and its private key: it contains no readable",
        )

    def test_a_control_socket_that_cannot_be_made(self) -> None:
        self.refused("--listen=tcp:0", "--control=nowhere/control", start="control: ", words=("No such file", "none"))

    def test_a_pid_file_or_log_that_cannot_be_made(self) -> None:
        self.refused(
            "--listen=tcp:0",
            twistds=("--pidfile=nowhere/pid", "--logfile=nowhere/log"),
            start=f"the folder {self.stage.path('nowhere')} does not exist. Create it, or give another --logfile",
        )
        os.mkdir(self.stage.path("folder"))
        self.refused(
            "--listen=tcp:0", twistds=("--pidfile=folder",), start=self.stage.path("folder is a folder. Name a file: ")
        )

    def test_what_twistd_cannot_do_for_it(self) -> None:
        self.refused("--listen=tcp:0", twistds=("--rundir=nowhere",), start="the folder nowhere does not exist. ")
        self.refused("--listen=tcp:0", twistds=("--chroot=/",), start="--chroot is not supported")
        self.modes = (True,)
        self.refused("--listen=tcp:0", twistds=("--logfile=-",), start="a daemon cannot use --logfile=-. ")

    @skipUnless(ROOT and shutil.which("setpriv"), "only root can become somebody else, by setpriv")
    def test_as_somebody_who_may_not_write_here(self) -> None:
        """Wherever the database is."""
        os.chmod(self.stage.folder, 0o755)
        somewhere = self.stage.path("somewhere")
        os.mkdir(somewhere)
        os.chown(somewhere, NOBODY, NOBODY)
        options = ("--listen=tcp:0", f"--db={somewhere}/chat.db", "--certificate=none")
        remedy = "Start the server in your own folder, or name another file: twistd --"
        self.refused(
            *options, start="twistd.", words=(f"cannot be created in {self.stage.folder}", remedy), prefix=AS_NOBODY
        )
        here, there = self.stage.path("x"), f"{somewhere}/x"
        for twistds in ((f"--pidfile={here}", f"--logfile={there}"), (f"--pidfile={there}", f"--logfile={here}")):
            self.refused(*options, twistds=twistds, start="x cannot be created in", words=(remedy,), prefix=AS_NOBODY)
        self.stage.write("x", "")
        self.refused(*options, twistds=(f"--logfile={here}",), start=f"{here} is not writable. ", prefix=AS_NOBODY)
        self.refused(
            *options,
            "--traffic-log=none",
            twistds=(f"--pidfile={there}",),
            start="control: ",
            words=("Permission denied", "--control"),
            prefix=AS_NOBODY,
        )
        self.refused(*options, twistds=("--uid=0",), start="Only root can use --uid and --gid. ", prefix=AS_NOBODY)

    @skipUnless(ROOT, "only root can become somebody else")
    def test_as_root_for_somebody_who_may_not_write_here(self) -> None:
        os.chmod(self.stage.folder, 0o755)
        self.refused("--listen=tcp:0", twistds=(f"--uid={NOBODY}",), start="credentials.db", words=("--db",))


class LateErrors(StageCase):
    """What shows only when the server runs: it ends, and whoever waits is told."""

    running = False

    def spoil(self, sql: str) -> None:
        prepare(self.stage.path("credentials.db"))
        with closing(sqlite3.connect(self.stage.path("credentials.db"))) as connection:
            connection.executescript(sql)

    def ends(self, reason: str) -> None:
        ended = self.stage.run("--listen=tcp:0")
        self.assertEqual(ended.status, 1)
        self.assertRegex(ended.error, rf"\Achatserver: [^\n]*{reason}[^\n]*\n\Z")
        daemon = self.stage.run("--listen=tcp:0", daemon=True)
        self.assertEqual(daemon.status, 1)
        self.assertIn("An error has occurred", daemon.error)
        lock = self.stage.path("credentials.db.lock")
        self.stage.wait(lambda: not os.path.exists(self.stage.path("twistd.pid")), "the pid file stays")
        with open(lock, "rb") as file:
            self.stage.wait(lambda: is_free(file), "the daemon goes on")

    def test_a_database_that_cannot_be_read(self) -> None:
        self.spoil("PRAGMA foreign_keys = OFF; DROP TABLE accounts;")
        self.ends("cannot be read")

    def test_a_database_that_cannot_be_written(self) -> None:
        self.spoil("CREATE TRIGGER no BEFORE INSERT ON conversations BEGIN SELECT RAISE(ABORT, 'no'); END;")
        self.ends("the server could not start")


def is_free(file: IO[bytes]) -> bool:
    """Whether nobody has locked a file."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


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
