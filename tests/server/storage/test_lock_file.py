"""One server for each database."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path
from threading import Thread
from unittest import TestCase

from chat.protocol.errors import Misconfigured
from chat.server.storage.lock_file import hold


class Holding(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = str(self.folder / "credentials.db")

    def test_a_second_server_is_told_who_has_it(self) -> None:
        held = hold(self.path)
        with self.assertRaises(Misconfigured) as caught:
            hold(self.path)
        self.assertEqual(
            str(caught.exception),
            f"{self.path} is in use by another chat server (process {os.getpid()})."
            " Stop it first, or choose another file with --db.",
        )
        held.release()
        hold(self.path).release()

    def test_another_name_of_the_file_is_the_same_file(self) -> None:
        (self.folder / "link.db").symlink_to(self.path)
        held = hold(self.path)
        with self.assertRaises(Misconfigured):
            hold(str(self.folder / "link.db"))
        held.release()

    def test_it_survives_the_fork_of_a_daemon(self) -> None:
        """The parent takes the lock and ends; the child still has it, and signs with its own number."""
        daemon = (
            "import os, sys\n"
            "from chat.server.storage.lock_file import hold\n"
            "held = hold(sys.argv[1])\n"
            "if os.fork():\n"
            "    os._exit(0)\n"
            "held.sign()\n"
            "print(os.getpid(), flush=True)\n"
            "sys.stdin.read()\n"
        )
        with subprocess.Popen(
            [sys.executable, "-c", daemon, self.path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        ) as process:
            assert process.stdout is not None
            number = process.stdout.readline().strip()
            process.wait()
            with self.assertRaises(Misconfigured) as caught:
                hold(self.path)
        self.assertIn(f"(process {number})", str(caught.exception))

    def test_the_lock_is_for_its_owner_alone(self) -> None:
        umask = os.umask(0)
        self.addCleanup(os.umask, umask)
        held = hold(self.path)
        self.addCleanup(held.release)
        self.assertEqual(stat.S_IMODE(os.stat(f"{self.path}.lock").st_mode), 0o600)

    def test_a_folder_that_is_missing(self) -> None:
        with self.assertRaises(Misconfigured):
            hold(str(self.folder / "nowhere" / "credentials.db"))

    def test_a_start_that_fails_leaves_nothing_new(self) -> None:
        hold(self.path).withdraw()
        self.assertEqual(list(self.folder.iterdir()), [])
        hold(self.path).release()
        hold(self.path).withdraw()
        self.assertEqual([each.name for each in self.folder.iterdir()], ["credentials.db.lock"])

    def test_starts_that_fail_never_let_two_servers_in(self) -> None:
        """A lock may be opened by one just before it is removed by another: it is worth nothing then."""
        inside: list[int] = []
        most: list[int] = []

        def start_and_fail(number: int) -> None:
            for _ in range(300):
                with suppress(Misconfigured):
                    held = hold(self.path)
                    inside.append(number)
                    most.append(len(inside))
                    inside.remove(number)
                    held.withdraw()

        threads = [Thread(target=start_and_fail, args=(number,)) for number in range(4)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        self.assertEqual(set(most), {1})
