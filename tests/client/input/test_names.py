"""Names that a client has not heard of: it asks for them before it decides what a line means."""

from __future__ import annotations

from chat.client.session.roster import EVERY, LOOKUP_TIMEOUT
from chat.protocol.events import Profile, Refused, RoomEntered
from tests.client.e2e.people import SealedCase
from tests.client.engines import Desk, EngineCase


class Unheard(EngineCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.logged_in("ann", "lobby"), self.logged_in("bob", "lobby")
        self.zoe = self.unheard("zoe")

    def unheard(self, name: str) -> Desk:
        """Somebody who is not announced, as with many people online, or is behind the end of a long list."""
        desk = self.logged_in(name)
        self.ann.state.people.pop(name, None)
        return desk

    def asked(self) -> bytes:
        """What ann's client has said."""
        self.settle()
        return self.ann.links[-1].sent

    def test_a_room_that_was_just_made_elsewhere_is_entered(self) -> None:
        self.bob.types("create den")
        entered = self.ann.types("connect den", room="lobby")
        self.assertIsInstance(entered, RoomEntered)
        self.assertEqual(self.ann.screen.said(), [])

    def test_a_private_one_that_one_is_invited_to_as_well(self) -> None:
        self.bob.types("create den private")
        self.bob.types("/invite ann", room="den")
        self.assertIsInstance(self.ann.types("connect den", room="lobby"), RoomEntered)

    def test_a_private_line_to_somebody_unheard_of_is_not_said_to_the_room(self) -> None:
        self.ann.types("message zoe psst", room="lobby")
        self.assertEqual((self.zoe.screen.said(), self.bob.screen.said()), (["psst"], []))

    def test_a_line_with_a_name_that_nobody_has_means_what_it_meant(self) -> None:
        self.ann.types("message later please", room="lobby")
        self.assertEqual(self.bob.screen.said(), ["message later please"])
        held = self.ann.types("connect nowhere", room="lobby")
        assert isinstance(held, Refused)
        self.assertEqual(held.code, "held")

    def test_lines_stay_in_the_order_in_which_they_were_typed(self) -> None:
        here = self.ann.talk("lobby")
        for line in ("message later please", "please", "whois zoe", "message zoe psst", "bye now"):
            self.begin(self.ann.keyboard.typed(line, here))
        self.settle()
        self.assertEqual(self.bob.screen.said(), ["message later please", "please", "bye now"])
        self.assertEqual(self.zoe.screen.said(), ["psst"])

    def test_a_line_that_needs_no_name_asks_for_none(self) -> None:
        before = len(self.asked())
        for line in ("hello all", "history 5", "message bob hi", "tell me", "tell: who is zoe?", "message you, zoe"):
            self.ann.types(line, room="lobby")
        self.assertNotIn(b'"cmd":"whois"', self.asked()[before:])

    def test_without_a_connection_what_is_known_has_to_do(self) -> None:
        self.bob.types("create den")
        self.ann.reachable = False
        self.ann.cut()
        held = self.ann.types("connect den", room="lobby")
        assert isinstance(held, Refused)
        self.assertEqual(held.code, "held")

    def test_a_server_that_does_not_answer_holds_no_line_up_for_long(self) -> None:
        self.ann.links[-1].tamper = lambda frame: [] if frame.get("code") == "no-such-user" else [frame]
        here = self.ann.talk("lobby")
        for line in ("message later please", "hello?"):
            self.begin(self.ann.keyboard.typed(line, here))
        self.settle()
        self.assertEqual(self.bob.screen.said(), [])
        self.pass_time(LOOKUP_TIMEOUT)
        self.assertEqual(self.bob.screen.said(), ["message later please", "hello?"])

    def test_nor_does_a_line_with_several_names(self) -> None:
        """It waits once, and not for each of them; what was answered meanwhile counts."""
        self.ann.links[-1].tamper = lambda frame: (
            [] if frame.get("code") in ("no-such-user", "no-such-room") else [frame]
        )
        context = self.ann.state.context(self.ann.talk("lobby"))
        names = [(False, "nobody"), (True, "nowhere"), (False, "noone"), (False, "zoe")]
        looked = self.begin(self.ann.engine.sync.roster.look_up(names))
        self.settle()
        self.assertNoResult(looked)
        self.pass_time(LOOKUP_TIMEOUT)
        self.assertTrue(self.successResultOf(looked))
        self.assertTrue(context.names.is_account("zoe"))

    def test_who_is_gone_for_good_is_here_no_more(self) -> None:
        self.assertIn("bob", self.ann.state.people)
        self.ann.state.meet("ghost", "online")
        for _ in range(int(EVERY)):
            self.pass_time(1)
        self.assertEqual(sorted(self.ann.state.people), ["ann", "bob", "zoe"])

    def test_who_was_asked_for_is_known_from_then_on(self) -> None:
        self.assertIsInstance(self.ann.types("whois zoe", room="lobby"), Profile)
        self.assertIn("zoe", self.ann.state.people)


class InASealedRoom(SealedCase):
    def test_no_word_of_a_line_is_shown_to_the_server(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("create den")
        ann.types("/room sealed on", room="den")
        bob.types("connect den")
        ann.types("message kippers to the market", room="den")
        ann.types("message kippers to the market", person="bob")
        held = ann.types("connect kippers", room="den")
        assert isinstance(held, Refused)
        self.assertEqual(self.sealed(bob), ["message kippers to the market"] * 2)
        self.assertNotIn(b"kippers", self.recorded())
