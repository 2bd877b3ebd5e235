"""Under systemd: sockets that are open already, and a word when the server is ready and when it ends."""

from __future__ import annotations

import configparser
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from unittest import SkipTest, TestCase, skipUnless

from chat.server.settings.schema import read_setting
from tests.e2e.stage import StageCase

DEPLOY = Path(__file__).parents[2] / "deploy"

_AS_SYSTEMD_DOES = (
    "import os, sys\n"
    "os.dup2(int(sys.argv[1]), 3)\n"
    "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1', LISTEN_FDNAMES='chat')\n"
    "os.execv(sys.argv[2], sys.argv[2:])\n"
)


class Manager(StageCase):
    running = False

    def test_an_open_socket_is_taken_and_the_manager_hears_of_it(self) -> None:
        heard = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(heard.close)
        heard.bind(self.stage.path("notify"))
        heard.settimeout(20)
        with socket.create_server(("127.0.0.1", 0)) as listening, open(self.stage.path("log"), "wb") as log:
            number = listening.fileno()
            command = self.stage.command("--listen=auto=systemd:domain=INET:name=chat")
            program = shutil.which(command[0]) or command[0]
            self.stage.server = subprocess.Popen(
                [sys.executable, "-c", _AS_SYSTEMD_DOES, str(number), program, *command[1:]],
                cwd=self.stage.folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(number,),
                env={**os.environ, "NOTIFY_SOCKET": self.stage.path("notify")},
            )
            self.stage.port = listening.getsockname()[1]
            self.assertEqual(heard.recv(100), b"READY=1")
        bob = self.person("bob", "lobby")
        self.stage.server.send_signal(signal.SIGTERM)
        self.assertEqual(heard.recv(100), b"STOPPING=1")
        bob.sees("* Server is shutting down.")
        self.assertEqual(self.stage.server.wait(10), 0)


class Metrics(StageCase):
    running = False

    def test_prometheus_reads_them_on_loopback(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        self.stage.start(f"--metrics-port={port}")
        self.assertIn(f"Metrics for Prometheus: http://127.0.0.1:{port}/metrics.", self.stage.log())
        self.person("bob", "lobby")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            text = page.read().decode()
        self.assertIn("chat_people 1.0\n", text)
        self.assertIn('chat_queue_length{queue="writing"} ', text)
        self.assertNotIn("bob", text)


class ShippedFiles(TestCase):
    def test_the_settings_are_settings(self) -> None:
        parser = configparser.ConfigParser(interpolation=None)
        parser.read(DEPLOY / "config.ini", encoding="utf-8")
        for name, words in parser["chatserver"].items():
            read_setting(name, words)

    def test_where_the_documents_have_backups_written_the_server_may_write(self) -> None:
        unit = (DEPLOY / "systemd" / "chatserver.service").read_text(encoding="utf-8")
        writable = [each.lstrip("-") for each in re.findall(r"^ReadWritePaths=(\S+)$", unit, re.MULTILINE)]
        pages = (DEPLOY.parent / "docs" / "operations.md").read_text(encoding="utf-8")
        backups = re.findall(r"chatctl (?:--config \S+ )?backup (/\S+)", pages)
        self.assertGreaterEqual(len(backups), 3)
        for path in backups:
            self.assertTrue(any(path.startswith(f"{folder}/") for folder in writable), path)
        for folder in writable:
            self.assertIn(f"sudo install -d -m 0700 -o chatserver -g chatserver {folder}\n", pages)

    @skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_the_unit_gives_up_what_the_program_does_not_need(self) -> None:
        """All that is left is what it cannot do without; docs/operations.md names the same command."""
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager", DEPLOY / "systemd" / "chatserver.service"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if "--offline" in done.stderr:
            raise SkipTest("this systemd looks at installed units alone")
        left = {each.split()[1] for each in done.stdout.splitlines() if each.startswith("✗")}
        needed = {
            "SystemCallFilter=~@resources",  # setpriority alone
            "RootDirectory=/RootImage=",
            "RestrictAddressFamilies=~AF_UNIX",
            "RestrictAddressFamilies=~AF_(INET|INET6)",
            "PrivateNetwork=",
            "DeviceAllow=",  # of ProtectClock
            "IPAddressDeny=",
        }
        self.assertIn("exposure level", done.stdout)
        self.assertEqual(left - needed, set())

    @skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_the_units_are_units(self) -> None:
        """What is not installed here (the program, the user) is all that is missing."""
        units = sorted(map(str, (DEPLOY / "systemd").iterdir()))
        done = subprocess.run(
            ["systemd-analyze", "verify", "--man=no", *units], capture_output=True, text=True, timeout=60, check=False
        )
        complaints = [each for each in done.stderr.splitlines() if "chatserver" in each]
        self.assertEqual([each for each in complaints if "is not executable" not in each], [])
