"""The settings of a room: who may change them, who is told, and what they do."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Done, History, Refused, Removed, RoomChanged, RoomEntered, RoomSettings, Said
from chat.protocol.values import Kind, Rank, Text
from tests.server.core.stage import MANY, Person, Stage


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann", "ops")
        self.moe = self.stage.enter("moe", "ops")
        self.bob = self.stage.enter("bob", "ops")
        self.ann.does("op", user="moe", room="ops")

    def set(self, setting: str, value: str) -> None:
        self.ann.gets(Done, "room", room="ops", setting=setting, value=value)


class Closing(Case):
    def test_its_owner_closes_it_and_everybody_in_it_is_told(self) -> None:
        board = self.stage.room("ops")
        self.assertEqual(
            self.ann.gets(Done, "room", room="ops", setting="close", value="#Ops"), Done("ops has been closed.")
        )
        for person in (self.ann, self.moe, self.bob):
            self.assertEqual([each.kind for each in person.told(Removed)], [Kind.CLOSED])
            self.assertEqual(person.code("history", where="#ops"), "no-such-room")
            self.assertEqual(person.code("history", conversation=board.id), "no-such-conversation")
        self.assertNotIn("ops", self.stage.restart().chat.node.room_names)

    def test_its_name_is_free_again(self) -> None:
        self.ann.does("room", room="ops", setting="close", value="ops")
        self.assertTrue(self.bob.gets(RoomEntered, "create", room="ops").created)

    def test_not_without_its_name(self) -> None:
        for value in (None, "on", "pool"):
            refused = self.ann.gets(Refused, "room", room="ops", setting="close", value=value)
            self.assertTrue(refused.text.endswith("To confirm: /room close ops"), refused.text)
        self.assertEqual(self.bob.told(Removed), [])

    def test_by_nobody_else(self) -> None:
        for each in (self.moe, self.bob):
            self.assertEqual(each.code("room", room="ops", setting="close", value="ops"), "forbidden")
        self.assertEqual(self.stage.enter("eve").code("room", room="ops", setting="close", value="ops"), "not-a-member")

    def test_not_the_lobby(self) -> None:
        self.stage.account("boss", Rank.ADMINISTRATOR)
        root = self.stage.enter("boss", "lobby", rank=Rank.ADMINISTRATOR)
        self.assertEqual(root.code("room", room="lobby", setting="close", value="lobby"), "forbidden")


class Changing(Case):
    def test_what_a_room_is_like(self) -> None:
        shown = self.bob.gets(RoomSettings, "room", room="ops")
        self.assertEqual((shown.private, shown.history, shown.slow, shown.members), (False, "start", 0, 3))
        self.assertEqual((shown.owners, shown.moderators), (("ann",), ("moe",)))

    def test_owners_change_it_and_everybody_is_told(self) -> None:
        changes = [("private", "on"), ("history", "joining"), ("slow", "30s")]
        for setting, value in changes:
            self.set(setting, value)
        told = [(each.author, each.setting, each.value) for each in self.bob.told(RoomChanged)]
        self.assertEqual(told, [("ann", "private", "on"), ("ann", "history", "joining"), ("ann", "slow", "30")])
        for stage in (self.stage, self.stage.restart()):
            record = stage.room("ops").record
            self.assertEqual((record.private, record.from_start, record.slow), (True, False, 30))

    def test_and_back(self) -> None:
        for setting, there, back in (("private", "on", "off"), ("history", "joining", "start"), ("slow", "1m", "0")):
            self.set(setting, there)
            self.set(setting, back)
        record = self.stage.restart().room("ops").record
        self.assertEqual((record.private, record.from_start, record.slow), (False, True, 0))

    def test_nobody_else_may(self) -> None:
        for each in (self.moe, self.bob):
            self.assertEqual(each.code("room", room="ops", setting="private", value="on"), "forbidden")

    def test_what_is_so_already_is_said(self) -> None:
        self.assertEqual(self.ann.code("room", room="ops", setting="private", value="off"), "no-effect")

    def test_a_value_that_does_not_fit_says_what_does(self) -> None:
        for setting, value, meant in (
            ("private", "maybe", "/room private on or off"),
            ("history", None, "/room history start or joining"),
            ("slow", None, "/room slow 30s, or: /room slow off"),
            ("slow", "10", "/room slow 30s, or: /room slow off"),
            ("slow", "2h", "/room slow 30s"),
        ):
            refused = self.ann.gets(Refused, "room", room="ops", setting=setting, value=value)
            self.assertIn(meant, refused.text)


class HistoryForNewcomers(Case):
    def heard(self, person: Person) -> list[str]:
        page = person.gets(History, "history", where="ops")
        return [each.body.text for each in page.entries if isinstance(each, Said) and isinstance(each.body, Text)]

    def test_from_the_start_or_from_joining(self) -> None:
        self.bob.says("ops", "before")
        eve = self.stage.enter("eve", "ops")
        self.set("history", "joining")
        kim = self.stage.enter("kim", "ops")
        self.bob.says("ops", "after")
        self.assertEqual(self.heard(kim), ["after"])
        self.assertEqual(self.heard(eve), ["before", "after"])
        self.set("history", "start")
        self.assertEqual(self.heard(kim), ["after"])

    def test_so_it_is_after_a_restart(self) -> None:
        self.set("history", "joining")
        self.bob.says("ops", "before")
        self.stage.enter("kim", "ops")
        self.set("history", "start")
        stage = self.stage.restart()
        self.assertEqual(self.heard(stage.enter("kim")), [])
        self.assertEqual(self.heard(stage.enter("bob")), ["before"])


class SlowMode(Case):
    def code(self, person: Person) -> str:
        reply = person.does("say", room="ops", text=Text("hi"))
        return reply.code if isinstance(reply, Refused) else ""

    def test_one_line_in_that_time(self) -> None:
        self.set("slow", "30s")
        self.bob.says("ops", "one")
        refused = self.bob.gets(Refused, "me", room="ops", text=Text("waves"))
        self.assertEqual((refused.code, refused.wait), ("slow-mode", 30))
        self.assertIn("30 more seconds", refused.text)
        self.assertEqual(self.bob.code("edit", text=Text("two")), "slow-mode")
        self.stage.pass_time(29)
        self.assertEqual(self.code(self.bob), "slow-mode")
        self.stage.pass_time(1)
        self.assertEqual(self.code(self.bob), "")
        self.assertEqual(self.code(self.bob), "slow-mode")

    def test_a_refused_line_does_not_prolong_it(self) -> None:
        self.set("slow", "30s")
        self.bob.says("ops", "one")
        for _ in range(3):
            self.stage.pass_time(10)
            last = self.code(self.bob)
        self.assertEqual(last, "")

    def test_others_and_moderators_do_not_wait(self) -> None:
        self.set("slow", "30s")
        eve = self.stage.enter("eve", "ops")
        for each in (self.bob, eve, self.moe, self.moe, self.ann, self.ann):
            self.assertEqual(self.code(each), "")

    def test_the_end_of_it_lets_everybody_talk(self) -> None:
        self.set("slow", "30s")
        self.bob.says("ops", "one")
        self.set("slow", "off")
        self.assertEqual([self.code(self.bob), self.code(self.bob)], ["", ""])
