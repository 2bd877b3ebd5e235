"""Sealed rooms: only members read, from their joining on, and whoever leaves reads nothing more."""

from __future__ import annotations

from typing import Any

from chat.client.e2e.key_query import FRESH
from chat.client.e2e.megolm import MOST_MESSAGES
from chat.client.model.message_status import Unopened
from chat.client.model.send_queue import Fate
from chat.protocol.events import Said
from chat.server.commands import people
from tests.client.e2e.people import WORDS, SealedCase
from tests.client.engines import Desk
from tests.server.frontends.server import PASSWORD

ROOM = "den"


class Rooms(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann = self.enters("ann")
        self.ann.types(f"create {ROOM}")
        self.ann.types("/room sealed on", room=ROOM)
        self.bob = self.enters("bob", ROOM)

    def last(self, desk: Desk) -> tuple[Fate, str]:
        outgoing = desk.screen.outcomes[-1][0]
        return outgoing.fate, outgoing.why

    def test_everybody_there_reads_and_the_server_does_not(self) -> None:
        self.ann.types(WORDS, room=ROOM)
        self.bob.types("/me nods", room=ROOM)
        for desk in (self.ann, self.bob):
            self.assertEqual(self.sealed(desk), [WORDS, "nods"])
        self.assertNotIn(WORDS.encode(), self.recorded())
        self.assertIn("These people can read what you write in den: ann, bob.", self.ann.screen.findings)

    def test_a_room_whose_members_fill_many_pages(self) -> None:
        self.patch(people, "MOST", 1)
        self.ann.types(WORDS, room=ROOM)
        self.assertEqual(self.sealed(self.bob), [WORDS])

    def test_a_new_member_reads_from_joining_on(self) -> None:
        self.ann.types("before", room=ROOM)
        eve = self.enters("eve", ROOM)
        self.ann.types("after", room=ROOM)
        self.assertEqual(self.last(self.ann)[0], Fate.KEPT)
        self.assertEqual(self.sealed(eve), ["after"])
        first = next(row for row in eve.talk(ROOM).rows if isinstance(row, Said))
        self.assertIsInstance(first.body, Unopened)

    def test_whoever_was_thrown_out_reads_nothing_more(self) -> None:
        eve = self.enters("eve", ROOM)
        self.ann.types("one", room=ROOM)
        before = self.rings_key(eve)
        self.ann.types("/kick eve", room=ROOM)
        self.assertNotIn(f"{ROOM}", {talk.title for talk in eve.state.talks.values()})
        self.ann.types("two", room=ROOM)
        self.bob.types("three", room=ROOM)
        self.assertEqual(self.sealed(self.bob), ["one", "two", "three"])
        self.assertEqual(self.rings_key(eve), before)

    def rings_key(self, desk: Desk) -> set[Any]:
        ring = self.sealing(desk).ring
        assert ring is not None
        return set(ring.conversations._given)

    def test_the_key_is_another_one_after_so_many_messages(self) -> None:
        for number in range(MOST_MESSAGES + 1):
            self.ann.types(f"line {number}", room=ROOM)
        self.assertEqual(len(self.sealed(self.bob)), MOST_MESSAGES + 1)
        keys = {each for each in self.rings_key(self.bob) if each[0] == "ann"}
        self.assertEqual(len(keys), 2)

    def test_a_ghost_member_is_shown_before_anything_is_said(self) -> None:
        self.ann.types("one", room=ROOM)
        eve = self.enters("eve")

        def change(frame: dict[str, Any]) -> list[dict[str, Any]]:
            if frame["type"] == "people" and frame.get("room") == ROOM:
                frame["people"].append({"name": "eve", "state": "online"})
            return [frame]

        self.ann.links[-1].tamper = change
        for _ in range(int(FRESH / 5)):
            self.pass_time(5)
        self.ann.types(WORDS, room=ROOM)
        self.assertEqual(self.last(self.ann)[0], Fate.REFUSED)
        self.assertIn("eve can read this too", "\n".join(self.ann.screen.findings))
        self.assertNotIn("eve", {user for user, _, _ in self.rings_key(eve)} - {"eve"})
        self.assertEqual({each for each in self.rings_key(eve) if each[0] == "ann"}, set())

    def test_somebody_without_keys_sends_nothing_there(self) -> None:
        bare = self.logged_in("eve", device="bare")
        bare.types(f"connect {ROOM} sealed")
        bare.types(WORDS, room=ROOM)
        self.assertEqual(self.last(bare)[0], Fate.REFUSED)
        self.assertNotIn(WORDS.encode(), self.recorded())

    def test_a_server_that_says_that_it_is_sealed_no_more(self) -> None:
        """What was sealed once is never said in the clear because a server says so."""
        self.ann.types("one", room=ROOM)
        self.quiet_link()
        self.ann.engine.close()

        def change(frame: dict[str, Any]) -> list[dict[str, Any]]:
            for each in frame.get("conversations", ()):
                each.pop("sealed", None)
            return [frame]

        ann = self.desk(keys=self.folder / "ann")
        self.desks.append(ann)
        dial = ann.dial

        def bad(*both: Any) -> Any:
            client = dial(*both)
            ann.links[-1].tamper = change
            return client

        ann.engine._dial = bad
        self.run_link(ann.engine.log_in("ann", PASSWORD))
        self.assertFalse(ann.talk(ROOM).sealed)
        ann.types(WORDS, room=ROOM)
        self.assertEqual(self.sealed(self.bob)[-1], WORDS)
        self.assertNotIn(WORDS.encode(), self.recorded())

    def test_a_mention_there(self) -> None:
        self.ann.types("bob: are you there?", room=ROOM)
        self.assertEqual(self.bob.talk(ROOM).mentions, 1)
