"""What people set for themselves: kept, checked, and in force at once in all their sessions."""

from __future__ import annotations

from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import OwnSettings, Refused
from chat.protocol.preferences import SETTINGS, UNSET, Notify, Preferences, Style, read_preferences
from tests.protocol.grammar.big_town import cost
from tests.server.core.stage import MANY, Stage


class Settings(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.bob = self.stage.enter("bob", "ops")

    def set(self, setting: str, value: str) -> OwnSettings:
        return self.bob.gets(OwnSettings, "set", setting=setting, value=value)

    def test_nothing_is_set(self) -> None:
        for arguments in ({}, {"setting": "bell"}):
            shown = self.bob.gets(OwnSettings, "set", **arguments)
            self.assertEqual(shown, OwnSettings("plain", False, "", False, {}, ""))
        self.assertIs(self.stage.chat.directory.named("bob").preferences, UNSET)

    def test_each_of_them(self) -> None:
        self.assertEqual(self.set("style", "Classic").style, "classic")
        self.assertTrue(self.set("time", "on").time)
        self.assertTrue(self.set("bell", "ON").bell)
        self.assertEqual(self.set("timezone", "europe/berlin").timezone, "Europe/Berlin")
        self.assertEqual(self.set("quiet", "#OPS mentions").quiet, {"ops": "mentions"})
        shown = self.set("realname", "Bob B.")
        self.assertEqual(
            shown,
            OwnSettings("classic", True, "Europe/Berlin", True, {"ops": "mentions"}, "Bob B.", changed="realname"),
        )

    def test_whatever_is_listed_can_be_set_to_each_of_its_words(self) -> None:
        own = {"timezone": ("UTC",), "realname": ("Bob",)}
        for name, setting in SETTINGS.items():
            for word in setting.words or own[name]:
                shown = self.set(name, f"ops {word}" if setting.of_room else word)
                self.assertEqual(shown.changed, name)

    def test_and_back(self) -> None:
        for setting, values in {
            "style": ("classic", "plain"),
            "time": ("on", "off"),
            "timezone": ("UTC", "server"),
            "bell": ("on", "off"),
            "quiet": ("ops on", "ops off"),
            "realname": ("Bob", "none"),
        }.items():
            for value in values:
                self.set(setting, value)
        self.assertEqual(self.bob.gets(OwnSettings, "set"), OwnSettings("plain", False, "", False, {}, ""))

    def test_they_are_kept(self) -> None:
        for setting, value in {"style": "classic", "timezone": "Asia/Tokyo", "bell": "on", "quiet": "ops on"}.items():
            self.set(setting, value)
        again = self.stage.restart()
        self.assertEqual(
            again.chat.directory.named("bob").preferences, Preferences(Style.CLASSIC, False, "Asia/Tokyo", True)
        )
        self.assertIs(again.room("ops").notify_of(self.bob.stage.account("bob").id), Notify.NOTHING)
        self.assertEqual(again.enter("bob").gets(OwnSettings, "set").quiet, {"ops": "on"})

    def test_what_does_not_fit_says_what_would(self) -> None:
        for setting, value, says in (
            ("style", "modern", "set style classic"),
            ("time", "09:00", "set time on"),
            ("bell", "loud", "set bell on"),
            ("timezone", "nowhere", "Europe/Berlin"),
            ("timezone", "GMT+1", "Europe/Berlin"),
            ("quiet", "ops", "set quiet ROOM mentions"),
            ("quiet", "ops please", "set quiet ROOM mentions"),
            ("quiet", "", "set quiet ROOM mentions"),
            ("quiet", "lobby on", "connect lobby"),
        ):
            refused = self.bob.gets(Refused, "set", setting=setting, value=value)
            self.assertIn(says, refused.text)
        self.assertEqual(self.bob.gets(OwnSettings, "set"), OwnSettings("plain", False, "", False, {}, ""))

    def test_the_nearest_name_is_suggested(self) -> None:
        for value, meant in {
            "Berlin": "Europe/Berlin",
            "Europe/Berln": "Europe/Berlin",
            "new york": "America/New_York",
            "tokio": "Asia/Tokyo",
        }.items():
            self.assertEqual(self.bob.gets(Refused, "set", setting="timezone", value=value).suggest, meant)
        self.assertEqual(self.bob.gets(Refused, "set", setting="quiet", value="opps on").suggest, "ops")

    def test_what_is_near_to_no_zone_costs_little(self) -> None:
        for value in ("abcdefghijklmnop", "q" * 32, "america/north_dakota/new_sale", "a" * 800, "e\u0301\u0345" * 200):
            taken = cost(partial(self.bob.gets, Refused, "set", setting="timezone", value=value), 0.000_4)
            self.assertLess(taken, 0.000_4, value)

    def test_another_session_of_the_same_person_is_told(self) -> None:
        program = self.stage.enter("bob", program=True)
        ann = self.stage.enter("ann")
        self.set("bell", "on")
        self.assertEqual(program.told(OwnSettings), [OwnSettings("plain", False, "", True, {}, "")])
        self.assertEqual(self.bob.told(OwnSettings) + ann.told(OwnSettings), [])

    def test_two_sessions_at_once_lose_nothing(self) -> None:
        other = self.stage.enter("bob")
        self.stage.store.hold()
        self.bob.starts("set", setting="bell", value="on")
        other.starts("set", setting="time", value="on")
        self.stage.store.release()
        kept = self.stage.restart().chat.directory.named("bob").preferences
        self.assertEqual((kept.bell, kept.time), (True, True))

    def test_what_could_not_be_written_is_not_in_force(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.bob.code("set", setting="bell", value="on"), "not-stored")
        self.assertFalse(self.bob.gets(OwnSettings, "set").bell)

    def test_a_quiet_room_is_as_loud_as_any_for_who_comes_back(self) -> None:
        self.set("quiet", "ops on")
        self.stage.enter("ann", "ops")
        self.bob.does("disconnect", room="ops")
        self.bob.does("connect", room="ops")
        self.assertEqual(self.bob.gets(OwnSettings, "set").quiet, {})


class WhatWasKept(SynchronousTestCase):
    """Settings of an older or newer version, or of another machine, never keep a server from starting."""

    def test_what_is_unknown_is_left_alone(self) -> None:
        self.assertEqual(read_preferences('{"colour": "red", "bell": true}'), Preferences(bell=True))

    def test_what_cannot_be_used_is_as_if_never_set(self) -> None:
        kept = '{"style": "modern", "timezone": "Mars/Olympus", "time": 1, "bell": "loud"}'
        self.assertEqual(read_preferences(kept), UNSET)
        self.assertEqual(read_preferences('{"style": ["x"], "timezone": 7, "time": true}'), Preferences(time=True))

    def test_the_style_is_a_style(self) -> None:
        self.assertIs(read_preferences('{"style": "classic"}').style, Style.CLASSIC)

    def test_what_may_not_be(self) -> None:
        for fields in ({"style": "modern"}, {"timezone": "europe/berlin"}, {"time": "on"}, {"bell": 1}):
            self.assertRaises(ValueError, Preferences, **fields)
