"""Settings from the command line and the file: what is wrong is named with its place, and what to write instead."""

from __future__ import annotations

import os
import tempfile
from unittest import TestCase

from chat.protocol.errors import Misconfigured
from chat.server.settings.loading import given_settings
from chat.server.settings.schema import Settings


class ConfigCase(TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "my.ini")

    def read(self, text: str, *listen: str, **options: str) -> Settings:
        with open(self.path, "w", encoding="utf-8") as file:
            file.write(text)
        return given_settings({"config": self.path, **options}, listen)

    def refused(self, text: str, words: str, **options: str) -> None:
        with self.assertRaises(Misconfigured) as caught:
            self.read(text, **options)
        self.assertEqual(str(caught.exception).replace(self.path, "my.ini"), words)


class Reading(ConfigCase):
    def test_the_command_line_wins(self) -> None:
        settings = self.read("[chatserver]\nname = file\nburst = 7\nlisten = tcp:1\n", "tcp:2", "tcp:3", name="line")
        self.assertEqual((settings.name, settings.burst, settings.listen), ("line", 7, ("tcp:2", "tcp:3")))

    def test_several_endpoints_in_the_file(self) -> None:
        """On lines of their own, or as the help shows the default."""
        for written in ("tcp:1\n  telnet=tcp:2", "tcp:1, telnet=tcp:2", "tcp:1,\n  telnet=tcp:2"):
            settings = self.read(f"[chatserver]\nlisten = {written}\n")
            self.assertEqual(settings.listen, ("tcp:1", "telnet=tcp:2"), written)
        self.assertEqual(self.read("[chatserver]\nlisten = unix:a,b\n").listen, ("unix:a,b",))

    def test_the_sections_of_the_client_may_stand_there_too(self) -> None:
        settings = self.read("[servers]\nname = localhost:1\n[chat]\nbell = yes\n[chatserver]\nname = x\n")
        self.assertEqual(settings.name, "x")

    def test_an_empty_file(self) -> None:
        self.assertEqual(self.read("# nothing yet\n"), Settings())


class Refusing(ConfigCase):
    def test_a_section_that_nobody_reads(self) -> None:
        for name in ("chatsrver", "ChatServer", "DEFAULT", "server"):
            self.refused(
                f"# mine\n[{name}]\nplain-login = tls\n",
                f"my.ini, line 2: unknown section [{name}]. Put settings in [chatserver].",
            )

    def test_a_value_that_does_not_fit(self) -> None:
        self.refused(
            "[servers]\nburst = x\n[chatserver]\nburst = many\n",
            "my.ini, line 4: burst: use a number from 1 to 1,000,000 (commands)",
        )
        self.refused("", "--burst: use a number from 1 to 1,000,000 (commands)", burst="0")
        self.refused(
            "[chatserver]\nnosuch = 1\n",
            "my.ini, line 2: unknown setting 'nosuch'; twistd chatserver --help lists them",
        )

    def test_values_that_do_not_go_together(self) -> None:
        """The one to mend is named where it stands."""
        words = (
            "timeout (3) must be at least twice heartbeat (30), or live clients would be disconnected."
            " Use a timeout of 60 or more."
        )
        self.refused("[chatserver]\ntimeout = 3\n", f"my.ini, line 2: {words}")
        self.refused("", f"--timeout: {words}", timeout="3")
        self.refused("[chatserver]\ntimeout = 3\nheartbeat = 30\n", f"my.ini, line 2: {words}")
        self.refused(
            "[chatserver]\nheartbeat = 60\n",
            "my.ini, line 2: timeout (90) must be at least twice heartbeat (60), or live clients would be disconnected."
            " Use a timeout of 120 or more.",
        )

    def test_what_is_no_setting_at_all(self) -> None:
        for text, words in (
            (
                "[chatserver]\nlisten\n",
                "line 2: this is neither a section nor a setting. Use lines such as: name = x",
            ),
            ("name = x\n", "line 1: this line is outside any section. Add above it: [chatserver]"),
            ("[chatserver]\nname = x\nname = y\n", "line 3: name is set twice. Remove one of the two lines."),
            ("[chatserver]\n\n[chatserver]\n", "line 3: section [chatserver] appears twice. Merge the two."),
        ):
            self.refused(text, f"my.ini, {words}")

    def test_a_file_that_is_no_text(self) -> None:
        with open(self.path, "wb") as file:
            file.write(b"\xff\xfe")
        with self.assertRaisesRegex(Misconfigured, "cannot be read: it is not UTF-8"):
            given_settings({"config": self.path}, ())


del ConfigCase
