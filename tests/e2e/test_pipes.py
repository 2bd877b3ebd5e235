"""Scripts: every answer comes before the connection ends, and netcat ends."""

from __future__ import annotations

import shutil

from tests.e2e.stage import PASSWORD, Actor, StageCase


class Pipes(StageCase):
    def test_with_half_close(self) -> None:
        """``printf ... | nc -N``"""
        ann = self.person("ann", "lobby")
        answer = self.stage.pipe(f"new bob {PASSWORD}\nmessage ann hi\nconnect lobby\nhello all\nhistory\n", "-N")
        self.assertIn("* Account bob created.\nWelcome to the chat system!\n", answer)
        self.assertTrue(answer.endswith("bob: hello all\n"), answer)
        ann.sees("bob (private): hi")
        self.assertIn("Welcome", self.stage.pipe(f"login bob\n{PASSWORD}\nmessage ann the build is done", "-N"))
        ann.sees("bob (private): the build is done")

    def test_without_half_close(self) -> None:
        """OpenBSD's netcat never says that it is done, so quit as the last line does."""
        ann = self.person("ann")
        answer = self.stage.pipe(f"new bob {PASSWORD}\nmessage ann hi\nquit\n")
        self.assertTrue(answer.endswith("Logging out. Bye for now!\n"), answer)
        ann.sees("bob (private): hi")

    def test_many_lines(self) -> None:
        """A thousand lines in one go, each stored before the end."""
        ann = self.person("ann", "lobby")
        lines = "".join(f"line {number}\n" for number in range(1_000))
        self.stage.pipe(f"new bob {PASSWORD}\nconnect lobby\n{lines}", "-N")
        ann.sees(*(f"bob: line {number}\n" for number in range(1_000)))

    def test_programs(self) -> None:
        answer = self.stage.pipe(
            '{"id": 1, "cmd": "new", "args": {"user": "bot", "password": "12345678"}}\n'
            '{"id": 2, "cmd": "commands"}\n{"id": 3, "cmd": "ping"}',
            "-N",
        )
        self.assertEqual(
            [line.split(",")[0] for line in answer.splitlines()][::2], ['{"type":"logged-in"', '{"type":"pong"']
        )

    def test_a_person_s_netcat_ends_after_quit(self) -> None:
        """Its keyboard is still open; Debian's netcat would wait for one more line."""
        ann = self.person("ann")
        ann.types("quit")
        ann.sees("Logging out. Bye for now!")
        ann.sees_the_end()

    def test_telnet(self) -> None:
        """On this port telnet is a netcat that ends lines with CR LF, and ends with the server."""
        if shutil.which("telnet") is None:
            self.skipTest("telnet is not installed")
        ann = Actor(self.stage, "ann", ["telnet", "127.0.0.1", str(self.stage.port)])
        ann.sees("Escape character", "You are not logged in.")
        ann.types(f"new ann {PASSWORD}", "online", "quit")
        ann.sees("* Account ann created.", "* Nobody is online.", "Bye for now!")
        ann.sees_the_end()
