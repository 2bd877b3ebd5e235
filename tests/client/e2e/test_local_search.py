"""Searching what was sealed: here, as no server can."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.client.e2e.local_search import MOST, matcher
from chat.client.model.rendering import shown_in
from chat.protocol.events import Found, Refused, Said
from tests.client.e2e.people import WORDS, SealedCase
from tests.client.engines import Desk


class Matching(SynchronousTestCase):
    def test_each_word_has_to_occur(self) -> None:
        for words, found in (
            ("disk full", True),
            ("FULL disk", True),
            ('"disk is full"', True),
            ('"full disk"', False),
            ("dis", False),
            ("dis*", True),
            ("disk empty", False),
            ('"disk is f"*', True),
        ):
            self.assertEqual(matcher(words)("The disk is full, again"), found, words)


class Searching(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.enters("ann", "lobby"), self.enters("bob", "lobby")

    def found(self, desk: Desk, words: str) -> list[str]:
        reply = desk.types("!" if words == "!" else f"/search {words}", room="lobby")
        self.assertIsInstance(reply, Found, reply)
        return [getattr(row.body, "text", "") for row in reply.entries if isinstance(row, Said)]

    def test_what_was_sealed_first_and_the_rest_when_the_person_says_so(self) -> None:
        self.ann.types("the code of the lobby", room="lobby")
        self.ann.types(f"message bob {WORDS}")
        for desk in (self.ann, self.bob):
            self.assertEqual(self.found(desk, "code"), [WORDS])
            self.assertEqual(self.found(desk, "!"), ["the code of the lobby"])
        self.assertNotIn(WORDS.encode(), self.recorded())

    def test_it_says_what_was_not_looked_through(self) -> None:
        self.ann.types(f"message bob {WORDS}")
        text = shown_in(None, self.ann.types("/search code", room="lobby"))
        self.assertIn(WORDS, text)
        self.assertIn("Only encrypted messages were searched. To search the others too, type !", text)
        text = shown_in(None, self.ann.types("/search kippers", room="lobby"))
        self.assertTrue(
            text.startswith("* Nothing found in encrypted messages. To search the others too, type !"), text
        )
        text = shown_in(None, self.ann.types("!", room="lobby"))
        self.assertEqual(text, "* Nothing found in the other messages.\n")

    def test_who_has_sealed_nothing_asks_the_server_at_once(self) -> None:
        self.ann.types("the code of the lobby", room="lobby")
        self.assertEqual(self.found(self.bob, "code"), ["the code of the lobby"])
        self.assertIsInstance(self.bob.types("!", room="lobby"), Refused)

    def test_in_a_room_that_is_not_sealed_the_server_is_asked_at_once(self) -> None:
        self.ann.types("the code of the lobby", room="lobby")
        self.ann.types(f"message bob {WORDS}")
        self.assertEqual(self.found(self.bob, "code in:lobby"), ["the code of the lobby"])

    def test_while_the_keys_are_locked_the_server_does_not_learn_it_either(self) -> None:
        self.ann.types("the code of the lobby", room="lobby")
        self.ann.types(f"message bob {WORDS}")
        self.sealing(self.bob).close()
        refused = self.bob.types("/search code", room="lobby")
        self.assertIn("Type unlock, or !", getattr(refused, "text", ""))
        self.assertNotIn(b'"cmd":"search"', self.recorded())
        self.assertEqual(self.found(self.bob, "!"), ["the code of the lobby"])

    def test_after_a_restart(self) -> None:
        self.ann.types(f"message bob {WORDS}")
        self.quiet_link()
        self.bob.engine.close()
        self.bob = self.enters("bob", "lobby")
        self.assertEqual(self.found(self.bob, "fridge"), [WORDS])

    def test_where_by_whom_and_since_when(self) -> None:
        self.ann.types("message bob fish on friday")
        self.bob.types("message ann meat on friday")
        self.assertEqual(self.found(self.bob, "friday in:ann from:ann"), ["fish on friday"])
        self.assertEqual(self.found(self.bob, "friday in:lobby"), [])
        for _ in range(3):
            self.pass_time(5)
        self.ann.types("message bob bread on friday")
        self.assertEqual(self.found(self.bob, "friday since:10s"), ["bread on friday"])

    def test_the_server_does_not_learn_what_is_looked_for_before_the_person_says_so(self) -> None:
        self.ann.types("message bob kippers today")
        for words in ("kippers in:ann", "kippers"):
            self.assertEqual(self.found(self.bob, words), ["kippers today"])
            self.assertNotIn(b"kippers", self.recorded())
        self.found(self.bob, "!")
        self.assertIn(b"kippers", self.recorded())

    def test_what_it_says_now(self) -> None:
        self.ann.types("message bob fish on friday")
        self.ann.types("/edit meat on friday", person="bob")
        self.assertEqual(self.found(self.bob, "friday"), ["meat on friday"])
        self.ann.types("/delete", person="bob")
        self.assertEqual(self.found(self.bob, "friday"), [])

    def test_the_newest_first_and_not_too_many(self) -> None:
        for number in range(MOST + 3):
            self.ann.types(f"message bob line {number}")
            self.pass_time(0.01)
        found = self.found(self.bob, "line")
        self.assertEqual((len(found), found[0]), (MOST, f"line {MOST + 2}"))

    def test_nothing_to_look_for(self) -> None:
        self.assertIsInstance(self.ann.types("/search in:ann"), Refused)
