"""Sealed rooms: nothing is said there in the clear, whoever would, and those who cannot speak there are told before."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import (
    Done,
    Edited,
    History,
    Refused,
    Resumed,
    RoomChanged,
    RoomEntered,
    Rooms,
    RoomSettings,
    Said,
    StoredAs,
)
from chat.protocol.values import Body, Kind, Rank, Sealed, Text
from tests.server.core.stage import MANY, Person, Stage

SECRET = Sealed("megolm.v1", "key-1", b"ciphertext")


class Case(SynchronousTestCase):
    """Ann owns a room, Moe moderates it and Bob is in it, all with programs."""

    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann", "ops", program=True)
        self.moe = self.stage.enter("moe", "ops", program=True)
        self.bob = self.stage.enter("bob", "ops", program=True)
        self.ann.does("op", user="moe", room="ops")

    def seal(self) -> None:
        self.ann.gets(Done, "room", room="ops", setting="sealed", value="on")

    def say(self, person: Person, body: Body, verb: str = "say") -> str:
        """:returns: the code of the refusal, or empty."""
        reply = person.does(verb, room="ops", text=body)
        return reply.code if isinstance(reply, Refused) else ""

    def texts(self) -> list[str]:
        page = self.ann.gets(History, "history", where="ops")
        return [each.body.text for each in page.entries if isinstance(each, Said) and isinstance(each.body, Text)]


class Sealing(Case):
    def test_the_owner_seals_it_for_ever(self) -> None:
        self.seal()
        (told,) = self.bob.told(RoomChanged)
        self.assertEqual((told.setting, told.value), ("sealed", "on"))
        for stage in (self.stage, self.stage.restart()):
            self.assertTrue(stage.room("ops").record.sealed)
            self.assertTrue(stage.room("ops").sealing)

    def test_nobody_unseals_it(self) -> None:
        self.seal()
        operator = self.stage.enter("rita", "ops", rank=Rank.ADMINISTRATOR, program=True)
        for person in (self.ann, operator):
            for value in ("off", "on", None):
                self.assertNotEqual(person.code("room", room="ops", setting="sealed", value=value), "")
        self.assertEqual(self.say(self.ann, Text("hi")), "sealed-room")

    def test_nobody_but_an_owner_seals_it(self) -> None:
        for person in (self.moe, self.bob):
            self.assertEqual(person.code("room", room="ops", setting="sealed", value="on"), "forbidden")
        self.assertEqual(self.say(self.bob, Text("hi")), "")

    def test_the_room_for_everybody_stays_open(self) -> None:
        root = self.stage.enter("rita", "lobby", rank=Rank.ADMINISTRATOR)
        self.assertEqual(root.code("room", room="lobby", setting="sealed", value="on"), "forbidden")
        self.assertNotIsInstance(root.does("say", room="lobby", text=Text("hi")), Refused)

    def test_programs_see_it_everywhere(self) -> None:
        self.seal()
        eve = self.stage.arrives("ann", program=True)
        standing = next(each for each in eve.gets(Resumed, "resume").conversations if each.conversation.room == "ops")
        self.assertTrue(standing.sealed)
        self.assertTrue(self.bob.gets(RoomSettings, "room", room="ops").sealed)
        self.assertEqual([each.sealed for each in self.bob.gets(Rooms, "rooms").rooms], [True])


class InTheClear(Case):
    def test_nothing_is_taken(self) -> None:
        self.bob.says("ops", "before")
        self.seal()
        for person in (self.ann, self.moe, self.bob):
            for verb in ("say", "me"):
                self.assertEqual(self.say(person, Text("in the clear"), verb), "sealed-room")
        self.assertEqual(self.texts(), ["before"])

    def test_no_edit_either(self) -> None:
        self.bob.says("ops", "before")
        self.seal()
        self.assertEqual(self.bob.code("edit", text=Text("in the clear")), "sealed-room")
        self.bob.gets(StoredAs, "edit", text=SECRET)
        (edited,) = self.ann.told(Edited)
        self.assertEqual(edited.body, SECRET)

    def test_not_even_while_the_seal_is_on_its_way_to_the_disk(self) -> None:
        self.stage.store.hold()
        sealing = self.ann.starts("room", room="ops", setting="sealed", value="on")
        late = self.bob.starts("say", room="ops", text=Text("in the clear"))
        self.stage.store.release()
        self.assertIsInstance(self.successResultOf(sealing), Done)
        self.assertIsInstance(self.successResultOf(late), Refused)
        self.assertEqual(self.texts(), [])

    def test_a_seal_that_could_not_be_written_is_none(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.ann.code("room", room="ops", setting="sealed", value="on"), "not-stored")
        self.assertEqual(self.say(self.bob, Text("hi")), "")
        self.seal()
        self.assertEqual(self.say(self.bob, Text("hi")), "sealed-room")

    def test_what_is_sealed_reaches_the_others_as_it_is(self) -> None:
        self.seal()
        self.bob.gets(StoredAs, "say", room="ops", text=SECRET)
        (said,) = self.ann.told(Said)
        self.assertEqual((said.kind, said.author, said.body), (Kind.SEALED, "bob", SECRET))

    def test_a_refused_line_takes_no_turn_of_slow_mode(self) -> None:
        self.ann.gets(Done, "room", room="ops", setting="slow", value="30s")
        self.seal()
        self.assertEqual(self.say(self.bob, Text("hi")), "sealed-room")
        self.assertEqual(self.say(self.bob, SECRET), "")


class Entering(Case):
    def test_who_types_is_told_before(self) -> None:
        self.seal()
        eve = self.stage.enter("eve")
        refused = eve.gets(Refused, "connect", room="ops")
        self.assertEqual(refused.code, "sealed-room")
        self.assertIn("connect ops sealed", refused.text)
        self.assertNotIn(eve.id, self.stage.room("ops").members)

    def test_and_may_come_in_all_the_same(self) -> None:
        self.seal()
        eve = self.stage.enter("eve")
        self.assertTrue(eve.gets(RoomEntered, "connect", room="ops", knowing="sealed").sealed)
        self.assertEqual(self.say(eve, Text("hi")), "sealed-room")
        self.assertTrue(eve.gets(RoomEntered, "connect", room="ops").sealed)

    def test_programs_and_members_know(self) -> None:
        self.seal()
        self.assertTrue(self.stage.enter("eve", program=True).gets(RoomEntered, "connect", room="ops").sealed)
        netcat = self.stage.enter("bob")
        self.assertTrue(netcat.gets(RoomEntered, "connect", room="ops").sealed)

    def test_who_may_not_enter_is_told_that_first(self) -> None:
        self.ann.gets(Done, "room", room="ops", setting="private", value="on")
        self.seal()
        self.assertEqual(self.stage.enter("eve").code("connect", room="ops"), "no-such-room")
