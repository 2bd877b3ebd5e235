"""What one missed is waiting, and a restart forgets nothing."""

from __future__ import annotations

import os
import re
import shutil
import signal
import stat
from unittest import skipUnless

from tests.e2e.stage import PASSWORD, Actor, StageCase


class OneLeaves(StageCase):
    def test_is_written_to_comes_back_and_gets_it(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        ann.sees("* bob has entered lobby.")
        bob.types("/quit")
        bob.sees_the_end()
        ann.types("message bob one", "message bob two", "said in the room")
        ann.sees("your message is kept", "your message is kept")
        bob = self.person("bob")
        text = bob.shown
        self.assertIn("* 2 private messages, 1 line in lobby. Type catchup.", text)
        self.assertLess(text.index("ann (private): one"), text.index("ann (private): two"))
        bob.types("catchup")
        bob.sees("* 1 line in lobby:", "ann: said in the room")
        bob.types("/quit")
        bob.sees_the_end()
        bob = self.person("bob")
        self.assertNotIn("waiting", bob.shown)
        self.assertNotIn("(private)", bob.shown)

    def test_who_dies_gets_again_what_no_line_followed(self) -> None:
        """A killed netcat may have shown it or not: it is shown again, never skipped."""
        ann, bob = self.person("ann"), self.person("bob")
        ann.types("message bob are you there?")
        bob.sees("ann (private): are you there?")
        bob.process.send_signal(signal.SIGSTOP)
        ann.types("message bob hello?", "/ping")
        ann.sees("* pong")
        takes_over = self.guest("bob again")
        takes_over.types("login bob", PASSWORD)
        takes_over.sees("already signed in")
        takes_over.types("takeover")
        takes_over.sees("Welcome to the chat system!", "ann (private): hello?")
        bob.process.send_signal(signal.SIGCONT)


@skipUnless(shutil.which("telnet"), "telnet is not installed")
class AtATelnet(StageCase):
    options = (*StageCase.options, "--listen=telnet=tcp:0:interface=127.0.0.1")

    def test_what_was_shown_is_proven_without_a_line(self) -> None:
        """The telnet itself answers; so its person, who typed nothing and is killed, is shown nothing twice."""
        found = re.search(r"telnet \S+ (\d+)", self.stage.log())
        assert found is not None
        ann = self.person("ann", "lobby")
        self.accounts("bob")
        bob = Actor(self.stage, "bob", ["telnet", "127.0.0.1", found[1]])
        bob.types("login bob", PASSWORD)
        bob.sees("Welcome to the chat system!", "* You are ")
        program = self.stage.enter("program")
        login = f'{{"cmd": "login", "args": {{"user": "carol", "password": "{PASSWORD}"}}}}'
        self.accounts("carol")
        program.types(login, '{"cmd": "resume"}', '{"cmd": "message", "args": {"user": "bob", "text": "hello?"}}')
        bob.sees("carol (private): hello?")
        program.sees('"type":"delivered"')
        bob.dies()
        ann.types("/ping")
        ann.sees("* pong")
        self.assertNotIn("hello?", self.person("bob").shown)


class Restarting(StageCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.ann.types("/create ops", "the first line in ops", "/topic disks", "connect lobby", "hello lobby")
        self.ann.sees("* You are in lobby")
        self.bob.sees("ann: hello lobby")
        self.bob.types("block ann", "unblock ann", "block ann", "/quit")
        self.bob.sees("has been blocked.", "has been unblocked.", "has been blocked.")
        self.bob.sees_the_end()
        self.ann.types("while bob is away", "message bob psst")
        self.ann.sees("! Your message could not be delivered as the recipient has blocked you.")

    def all_is_there(self) -> None:
        ann = self.person("ann")
        self.assertIn("* You are in lobby, ops. What you type is said in lobby", ann.shown)
        ann.types("history", "history ops", "list users lobby", "message bob psst")
        ann.sees("ann: hello lobby", "ann: while bob is away", "ann: the first line in ops", "* 2 members of lobby:")
        ann.sees("! Your message could not be delivered as the recipient has blocked you.")
        bob = self.person("bob")
        bob.types("list blocked", "unblock ann")
        bob.sees("* Blocked users:\n  ann", "User ann has been unblocked.")
        ann.types("message bob at last", "/quit")
        bob.sees("ann (private): at last")
        ann.sees_the_end()
        bob.types("/catchup")
        bob.sees("ann: while bob is away")

    def test_after_sigterm(self) -> None:
        self.assertEqual(self.stage.stop(signal.SIGTERM), 0)
        self.stage.start()
        self.all_is_there()

    def test_what_was_seen_before_a_stop_and_not_answered_is_shown_again(self) -> None:
        """A netcat that stays open proves nothing: nobody knows whether bob saw the last lines."""
        bob = self.person("bob")
        bob.types("unblock ann", "/catchup")
        bob.sees("while bob is away")
        self.ann.types("message ann a note", "the last line", "the very last line")
        bob.sees("ann: the very last line")
        self.ann.types("message bob bye")
        bob.sees("ann (private): bye")
        self.assertEqual(self.stage.stop(), 0)
        self.stage.start()
        bob = self.person("bob")
        self.assertEqual(bob.shown.count("(again) ann (private): bye"), 1)
        self.assertNotIn("psst", bob.shown)

    def test_after_kill_9(self) -> None:
        """Whatever was acknowledged is there; the stale pid file and lock hinder nobody."""
        self.assertEqual(self.stage.stop(signal.SIGKILL), -signal.SIGKILL)
        self.assertTrue(os.path.exists(self.stage.path("twistd.pid")))
        self.stage.start()
        self.all_is_there()

    def test_every_line_that_was_acknowledged_survives_kill_9(self) -> None:
        """bob sees line n: so it is on disk."""
        bob = self.person("bob")
        bob.types("unblock ann")
        bob.sees("unblocked")
        for number in range(300):
            self.ann.types(f"line {number}")
        bob.sees("line 150\n")
        self.stage.stop(signal.SIGKILL)
        self.stage.wait(lambda: bob.process.poll() is not None or not bob.hear(), "bob hears no end")
        last = max(number for number in range(300) if f"line {number}\n" in bob.shown)
        self.stage.start()
        ann = self.person("ann")
        ann.types("history 500", "/ping")
        ann.sees("* pong")
        stored = [number for number in range(300) if f"ann: line {number}\n" in ann.shown]
        self.assertEqual(stored, list(range(len(stored))))
        self.assertGreaterEqual(len(stored), last + 1)

    def test_the_files_belong_to_their_owner_alone(self) -> None:
        """Whatever the umask."""
        for name in os.listdir(self.stage.folder):
            if name.startswith("credentials.db"):
                mode = stat.S_IMODE(os.stat(self.stage.path(name)).st_mode)
                self.assertEqual(oct(mode), oct(0o600), name)
        self.assertIn("credentials.db", os.listdir(self.stage.folder))


class AnOpenUmask(StageCase):
    running = False

    def test_files_are_private_all_the_same(self) -> None:
        before = os.umask(0)
        try:
            self.stage.start()
        finally:
            os.umask(before)
        self.person("ann", "lobby").does_not_see("!")
        for name in os.listdir(self.stage.folder):
            if name.startswith("credentials.db"):
                mode = stat.S_IMODE(os.stat(self.stage.path(name)).st_mode)
                self.assertEqual(oct(mode), oct(0o600), name)
