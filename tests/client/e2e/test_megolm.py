"""What a server that does what it likes can do to a sealed conversation: nothing that does not show."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.client.e2e.megolm import LONGEST, MOST_MESSAGES
from chat.client.e2e.payload import MOST_TEXT
from chat.client.e2e.transcript import Doubt
from chat.client.model.failures import ClientFailure, KeyMissing, NotGenuine, NotYetShown
from chat.protocol.values import Conversation, Sealed
from tests.client.e2e.crypto_people import OPS, POOL, Person, meet, names, published


class Case(SynchronousTestCase):
    """Ann, Bob and Eve in two rooms; the log is a list, and the test is the server."""

    def setUp(self) -> None:
        self.ann, self.bob, self.eve = (Person(name) for name in ("ann", "bob", "eve"))
        self.all = (self.ann, self.bob, self.eve)
        meet(*self.all, where=(OPS, POOL))
        for each in self.all:
            for room in (OPS, POOL):
                each.gives_keys(room, self.others(each))
        self.log: list[tuple[Person, Sealed]] = []

    def others(self, person: Person) -> list[Person]:
        return [each for each in self.all if each is not person]

    def says(self, author: Person, text: str, *readers: Person) -> Sealed:
        """Something is said, stored, and shown to these."""
        sealed = author.conversations.seal(OPS, text)
        self.log.append((author, sealed))
        seq = len(self.log)
        author.conversations.stored(OPS, seq, sealed)
        for each in readers:
            self.assertEqual(each.opens(OPS, seq, author, sealed).doubts, ())
        return sealed


class Reading(Case):
    def test_all_read_what_anybody_says(self) -> None:
        for author in (self.ann, self.bob, self.ann, self.eve):
            sealed = self.says(author, "hello ünï", *self.others(author))
            self.assertNotIn(b"hello", sealed.ciphertext)
        opened = self.bob.opens(OPS, 3, *self.log[2])
        self.assertEqual((opened.envelope.text, opened.envelope.author, opened.doubts), ("hello ünï", "ann", ()))

    def test_over_a_restart(self) -> None:
        self.says(self.ann, "one", self.bob, self.eve)
        for each in self.all:
            each.restarts()
        self.says(self.ann, "two", self.bob, self.eve)
        self.says(self.bob, "three", self.ann, self.eve)
        with self.assertRaises(NotGenuine):
            self.bob.opens(OPS, 4, *self.log[0])

    def test_who_was_given_no_key_reads_nothing(self) -> None:
        stranger = Person("zoe")
        stranger.conversations.begin(OPS, 1)
        with self.assertRaises(KeyMissing):
            stranger.opens(OPS, 1, self.ann, self.ann.conversations.seal(OPS, "hello"))

    def test_a_new_member_reads_from_then_on(self) -> None:
        self.says(self.ann, "before", self.bob)
        zoe = Person("zoe")
        for one, other in ((self.ann, zoe), (zoe, self.ann)):
            one.pins.look(published(other))
        everybody = [*self.others(self.ann), zoe]
        self.ann.conversations.welcome(OPS, names(self.ann, *everybody))
        self.assertEqual(self.ann.gives_keys(OPS, everybody), 1)
        self.says(self.ann, "after", self.bob, zoe)
        with self.assertRaises(KeyMissing):
            zoe.opens(OPS, 1, *self.log[0])

    def test_a_private_conversation_is_the_same_from_both_sides(self) -> None:
        here, there = Conversation(3, partner="bob"), Conversation(3, partner="ANN")
        for each, where in ((self.ann, here), (self.bob, there)):
            each.conversations.welcome(where, ("ann", "bob"))
        self.ann.gives_keys(here, [self.bob])
        sealed = self.ann.conversations.seal(here, "hello")
        self.assertEqual(self.bob.opens(there, 1, self.ann, sealed).envelope.text, "hello")

    def test_a_text_that_does_not_fit_is_refused_before_it_is_sealed(self) -> None:
        self.assertTrue(self.ann.conversations.seal(OPS, "x" * MOST_TEXT))
        with self.assertRaises(ClientFailure):
            self.ann.conversations.seal(OPS, "x" * (MOST_TEXT + 1))


class Forging(Case):
    def test_a_flipped_bit_anywhere(self) -> None:
        sealed = self.ann.conversations.seal(OPS, "pay bob 1")
        for place in range(len(sealed.ciphertext)):
            changed = bytearray(sealed.ciphertext)
            changed[place] ^= 1
            with self.assertRaises(ClientFailure):
                self.bob.opens(OPS, place + 1, self.ann, replace_ciphertext(sealed, bytes(changed)))

    def test_another_senders_name(self) -> None:
        sealed = self.eve.conversations.seal(OPS, "I resign")
        with self.assertRaises(NotGenuine):
            self.bob.opens(OPS, 1, self.ann, sealed)

    def test_another_senders_name_by_somebody_who_can_read(self) -> None:
        """Eve was given Ann's key, says it is her own, and lets the server say that Ann's words are hers."""
        content = {"type": "key", "key": self.key_of(self.ann)}
        self.bob.conversations.take_key("eve", "phone", content)
        sealed = self.ann.conversations.seal(OPS, "I resign")
        with self.assertRaises(NotGenuine):
            self.bob.opens(OPS, 1, self.eve, sealed)
        self.assertEqual(self.bob.opens(OPS, 2, self.ann, sealed).envelope.text, "I resign")

    def key_of(self, author: Person) -> str:
        (own,) = (own for where, own in author.conversations._own.items() if where == OPS.reference)
        return own.session.session_key.to_base64()

    def test_another_device(self) -> None:
        sealed = self.ann.conversations.seal(OPS, "hello")
        with self.assertRaises(NotGenuine):
            self.bob.conversations.open(OPS, 1, "ann", "laptop", sealed)

    def test_a_message_moved_to_another_conversation(self) -> None:
        sealed = self.ann.conversations.seal(OPS, "yes")
        with self.assertRaises(NotGenuine):
            self.bob.opens(POOL, 1, self.ann, sealed)

    def test_a_key_that_is_none(self) -> None:
        for content in ({}, {"key": "AAAA"}, {"key": 7}):
            with self.assertRaises(NotGenuine):
                self.bob.conversations.take_key("ann", "phone", content)


class TheOrderOfThings(Case):
    def test_a_replay(self) -> None:
        self.says(self.ann, "pay bob 1", self.bob, self.eve)
        with self.assertRaises(NotGenuine):
            self.bob.opens(OPS, 2, *self.log[0])

    def test_reading_again_is_no_replay(self) -> None:
        self.says(self.ann, "one", self.bob)
        self.assertEqual(self.bob.opens(OPS, 1, *self.log[0]).doubts, ())

    def test_a_dropped_message_shows_at_the_next_of_its_author(self) -> None:
        self.says(self.ann, "one", self.bob)
        self.says(self.ann, "no, do not")
        sealed = self.says(self.ann, "three")
        self.assertIn(Doubt.WITHHELD, self.bob.opens(OPS, 2, self.ann, sealed).doubts)

    def test_a_dropped_run_shows_at_the_next_of_somebody_else(self) -> None:
        self.says(self.ann, "one", self.bob, self.eve)
        self.says(self.ann, "no", self.eve)
        self.says(self.ann, "do not", self.eve)
        self.bob.conversations.pass_over(OPS, 2)
        self.bob.conversations.pass_over(OPS, 3)
        sealed = self.says(self.eve, "all right")
        self.assertEqual(self.bob.opens(OPS, 4, self.eve, sealed).doubts, (Doubt.WITHHELD,))

    def test_what_is_blocked_or_deleted_here_was_not_withheld(self) -> None:
        self.says(self.ann, "one", self.bob, self.eve)
        self.says(self.ann, "two", self.eve)
        self.bob.conversations.pass_over(OPS, 2, unseen=True)
        sealed = self.says(self.eve, "three")
        self.assertEqual(self.bob.opens(OPS, 3, self.eve, sealed).doubts, ())
        sealed = self.says(self.ann, "four")
        self.assertEqual(self.bob.opens(OPS, 4, self.ann, sealed).doubts, ())

    def test_two_messages_in_the_other_order(self) -> None:
        first = self.says(self.ann, "is it safe?")
        second = self.says(self.ann, "no")
        self.bob.opens(OPS, 1, self.ann, second)
        self.assertIn(Doubt.REORDERED, self.bob.opens(OPS, 2, self.ann, first).doubts)

    def test_an_answer_before_its_question(self) -> None:
        question = self.says(self.ann, "shall we?", self.eve)
        answer = self.says(self.eve, "yes")
        self.assertEqual(self.bob.opens(OPS, 1, self.eve, answer).doubts, (Doubt.REORDERED,))
        self.assertEqual(self.bob.opens(OPS, 2, self.ann, question).doubts, ())

    def test_a_fork(self) -> None:
        """Bob is shown one message where Eve is shown another; it shows as soon as one of them hears the other."""
        yes = self.ann.conversations.seal(OPS, "yes")
        no = self.bob.conversations.seal(OPS, "no")
        self.eve.opens(OPS, 1, self.ann, yes)
        self.bob.conversations.stored(OPS, 1, no)
        sealed = self.eve.conversations.seal(OPS, "so be it")
        self.assertEqual(self.bob.opens(OPS, 2, self.eve, sealed).doubts, (Doubt.FORKED,))

    def test_a_server_that_is_put_back_can_say_something_else_and_repeats_nothing(self) -> None:
        first, *lost = (self.says(self.ann, text, self.bob) for text in ("one", "two", "three"))
        for each in (self.ann, self.bob):
            self.assertEqual(each.conversations.put_back(OPS, 1), 2)
            each.restarts()
        with self.assertRaises(NotGenuine):
            self.bob.opens(OPS, 2, self.ann, first)
        with self.assertRaises(NotGenuine):
            self.bob.opens(OPS, 2, self.ann, lost[1])
        self.assertEqual(self.bob.conversations.put_back(OPS, 1), 1)
        del self.log[1:]
        self.says(self.ann, "four")
        self.assertEqual(self.bob.opens(OPS, 2, *self.log[1]).envelope.text, "four")
        self.assertEqual(self.bob.conversations.put_back(OPS, 2), 0)

    def test_what_was_taken_back_and_comes_again_shows(self) -> None:
        self.says(self.ann, "one", self.bob)
        sealed = self.says(self.ann, "two", self.bob)
        self.bob.conversations.put_back(OPS, 1)
        self.assertEqual(self.bob.opens(OPS, 2, self.ann, sealed).doubts, (Doubt.REORDERED,))
        self.assertEqual(self.bob.conversations.end(OPS), 2)

    def test_what_the_server_refused_leaves_no_gap(self) -> None:
        self.says(self.ann, "one", self.bob)
        self.ann.conversations.seal(OPS, "refused")
        self.ann.conversations.take_back(OPS)
        self.says(self.ann, "two", self.bob)


class WhoGetsTheKey(Case):
    def test_the_same_key_is_given_once(self) -> None:
        self.assertEqual(self.ann.gives_keys(OPS, self.others(self.ann)), 0)

    def test_whoever_leaves_reads_nothing_more(self) -> None:
        self.assertEqual(self.ann.gives_keys(OPS, [self.bob]), 1)
        sealed = self.ann.conversations.seal(OPS, "about eve")
        self.bob.opens(OPS, 1, self.ann, sealed)
        with self.assertRaises(KeyMissing):
            self.eve.opens(OPS, 1, self.ann, sealed)

    def test_another_key_after_so_many_messages_and_so_long(self) -> None:
        others = self.others(self.ann)
        for number in range(MOST_MESSAGES):
            self.assertEqual(self.ann.gives_keys(OPS, others), 0, number)
            self.ann.conversations.seal(OPS, "hello")
        self.assertEqual(self.ann.gives_keys(OPS, others), 2)
        self.assertEqual(self.ann.gives_keys(OPS, others, now=LONGEST - 1), 0)
        self.assertEqual(self.ann.gives_keys(OPS, others, now=LONGEST), 2)

    def test_a_ghost_member_gets_none_before_it_was_shown(self) -> None:
        ghost = Person("mallory")
        self.ann.pins.look(published(ghost))
        people = names(*self.all, ghost)
        self.assertEqual(self.ann.conversations.newcomers(OPS, people), ("mallory",))
        with self.assertRaises(NotYetShown):
            self.ann.conversations.keys_to_send(OPS, people, 0)

    def test_nobody_joins_a_private_conversation(self) -> None:
        with self.assertRaises(NotGenuine):
            self.ann.conversations.welcome(Conversation(3, partner="bob"), ("ann", "bob", "mallory"))

    def test_a_ghost_device_gets_none(self) -> None:
        ghost = Person("bob", "ghost")
        shown = published(self.bob, ghost)
        self.ann.pins.look(shown)
        self.assertEqual(self.ann.gives_keys(OPS, self.others(self.ann)), 0)
        self.assertIsNone(self.ann.pins.device("bob", "ghost"))

    def test_nothing_is_sealed_before_a_change_was_shown(self) -> None:
        laptop = Person("bob", "laptop", self.bob.account_key)
        self.ann.pins.look(published(self.bob, laptop))
        with self.assertRaises(NotYetShown):
            self.ann.conversations.keys_to_send(OPS, names(*self.all), 0)
        self.ann.pins.accept("bob")
        letters = self.ann.conversations.keys_to_send(OPS, names(*self.all), 0)
        self.assertEqual([each.device for each in letters], ["laptop"])


def replace_ciphertext(sealed: Sealed, ciphertext: bytes) -> Sealed:
    return replace(sealed, ciphertext=ciphertext)
