"""`chat.client.screen.settings_screen`: the page of settings, and what the server then keeps."""

from __future__ import annotations

from textual.widgets import OptionList
from twisted.trial.unittest import SynchronousTestCase

from chat.client.screen.settings_screen import choices
from chat.protocol.events import OwnSettings
from chat.protocol.preferences import SETTINGS, UNSET, Preferences
from chat.protocol.wire.view import View
from tests.client.theatre import Play, ScreenCase

OWN = OwnSettings("plain", False, "", False, {"Ops": "mentions"}, "")


class Choices(SynchronousTestCase):
    def test_all_that_can_be_set_and_what_comes_after_what_is_now(self) -> None:
        lines = choices(OWN, ["den", "ops"], View())
        self.assertEqual({each.name.split()[0] for each in lines}, set(SETTINGS))
        self.assertEqual(
            [(each.name, each.value, each.next) for each in lines if each.setting.words],
            [
                ("style", "plain", "classic"),
                ("time", "off", "on"),
                ("bell", "off", "on"),
                ("quiet den", "off", "mentions"),
                ("quiet ops", "mentions", "on"),
            ],
        )

    def test_the_last_word_is_followed_by_the_first(self) -> None:
        line = next(each for each in choices(OWN, [], View()) if each.name == "style")
        self.assertEqual(line._replace(value="classic").next, "plain")


class ThePage(ScreenCase):
    def kept(self) -> Preferences:
        account = self.server.chat.directory.account("ann")
        assert account is not None
        return account.preferences

    async def chooses(self, play: Play, name: str) -> None:
        """Go to a line of the page, and press Enter."""
        listed = play.app.screen.query_one(OptionList)
        lines = [str(option.prompt) for option in listed.options]
        listed.highlighted = next(place for place, line in enumerate(lines) if line.startswith(name))
        await play.presses("enter")

    def test_is_reached_by_a_key_and_by_the_verb_and_told_by_help(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f1")
            self.assertIn("F7", play.line("settings of your account"))
            await play.presses("escape", "f7")
            for name in ("Settings of your account", "style", "time", "timezone", "bell", "quiet lobby", "realname"):
                self.assertIn(name, play.sees())
            await play.presses("escape")
            self.assertNotIn("Settings of your account", play.sees())
            await play.types("/set")
            self.assertIn("Settings of your account", play.sees())
            await play.presses("f7")
            await play.types("/set style classic")
            self.assertIn("style is now classic", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_enter_takes_the_next_word(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f7")
            await play.presses("enter")
            await play.presses("down", "enter")
            self.assertEqual(self.kept(), Preferences(style="classic", time=True))  # type: ignore[arg-type]
            self.assertIn("classic", play.line("style").split("plain,")[0])
            await play.presses("enter")
            self.assertFalse(self.kept().time)
            for word in ("mentions", "on", "off"):
                await self.chooses(play, "quiet lobby")
                self.assertEqual(play.line("quiet lobby").split()[3], word)

        self.play_as("ann", scene, room="lobby")

    def test_words_of_ones_own_are_asked_for_and_what_will_not_do_is_said(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f7")
            await self.chooses(play, "timezone")
            self.assertIn("timezone (such as Europe/Berlin, or server):", play.sees())
            await play.types("Europe/Berlni")
            self.assertIn("Did you mean Europe/Berlin?", play.sees())
            await self.chooses(play, "timezone")
            await play.types("Europe/Berlin")
            self.assertEqual(self.kept().timezone, "Europe/Berlin")
            self.assertIn("Europe/Berlin (", play.sees())
            self.assertNotIn("Did you mean", play.sees())
            await self.chooses(play, "realname")
            await play.presses("escape")
            self.assertIn("Settings of your account", play.sees())

        self.play_as("ann", scene, room="lobby")

    def test_without_a_connection_it_says_so_and_nothing_is_changed(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f7")
            play.desk.reachable = False
            play.desk.cut()
            await play.presses("enter")
            self.assertIn("You are not connected, so nothing was done.", play.sees())
            await play.presses("escape", "f7")
            self.assertIn("! You are not connected, so nothing", play.sees())
            self.assertEqual(self.kept(), UNSET)

        self.play_as("ann", scene, room="lobby")

    def test_fits_in_a_small_window(self) -> None:
        async def scene(play: Play) -> None:
            await play.presses("f7")
            await play.presses(*["down"] * 5)
            self.assertIn("realname", play.sees())

        self.play_as("ann", scene, room="lobby", size=(40, 12))
