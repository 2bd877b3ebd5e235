"""Whose keys are whose: signatures, pins, safety numbers, letters and the file they are kept in."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from chat.client.e2e.cross_signing import AccountKey, is_vouched_for, statement
from chat.client.e2e.device import KEPT_READY, OwnDevice
from chat.client.e2e.key_export import MOST_COST, KeyFile
from chat.client.e2e.safety_number import EMOJI, safety_emoji, safety_number
from chat.client.e2e.trust_store import Change, Changed, TrustStore
from chat.client.model.failures import BadKeyFile, NotGenuine, NotYetShown
from chat.protocol.events import PublishedDevice
from tests.client.e2e.crypto_people import Person, meet, published

CHEAP = 2


class Statements(SynchronousTestCase):
    def test_no_two_are_the_same_bytes(self) -> None:
        self.assertNotEqual(statement("a", "bc", "d"), statement("a", "b", "cd"))
        self.assertNotEqual(statement("a", "b"), statement("ab"))

    def test_a_signature_holds_for_one_device_of_one_person_alone(self) -> None:
        bob = Person("Bob")
        keys, key = bob.own.keys, bob.account_key.public
        self.assertTrue(is_vouched_for(key, "bob", "phone", keys))
        for user, device, other in (
            ("eve", "phone", keys),
            ("bob", "laptop", keys),
            ("bob", "phone", replace(keys, identity=keys.signing)),
            ("bob", "phone", replace(keys, signing=keys.identity)),
            ("bob", "phone", replace(keys, signature=b"")),
        ):
            self.assertFalse(is_vouched_for(key, user, device, other))
        self.assertFalse(is_vouched_for(AccountKey().public, "bob", "phone", keys))


class Publishing(SynchronousTestCase):
    def test_asked_again_before_it_is_there_it_gives_the_same(self) -> None:
        own = OwnDevice("bob", "phone", AccountKey())
        first = own.publication()
        self.assertEqual(len(first.one_time), KEPT_READY)
        again = OwnDevice.restore(own.changed()).publication()
        self.assertEqual([each.number for each in again.one_time], [each.number for each in first.one_time])
        self.assertEqual([each.key for each in again.one_time], [each.key for each in first.one_time])

    def test_the_next_ones_have_higher_numbers(self) -> None:
        own = OwnDevice("bob", "phone", AccountKey())
        first = own.publication()
        own.published()
        second = own.publication(KEPT_READY - 3, fallback_used=False)
        self.assertEqual((len(second.one_time), second.fallback), (3, None))
        self.assertGreater(min(each.number for each in second.one_time), max(each.number for each in first.one_time))

    def test_a_device_without_the_account_key_is_not_signed(self) -> None:
        own = OwnDevice("bob", "phone", None)
        self.assertEqual((own.publication().account_key, own.keys.signature), (None, b""))


class Pinning(SynchronousTestCase):
    def setUp(self) -> None:
        self.bob = Person("bob")
        self.pins = TrustStore()
        self.assertEqual(self.pins.look(published(self.bob)), ())

    def changes(self, *devices: Person) -> list[Change]:
        return [each.change for each in self.pins.look(published(*devices))]

    def test_what_was_seen_first_is_known(self) -> None:
        self.assertEqual(self.pins.account_key("BOB"), self.bob.account_key.public)
        self.assertEqual(self.pins.devices_to_seal_for("bob"), {"phone": self.bob.own.keys})
        self.assertEqual(self.changes(self.bob), [])

    def test_a_swapped_account_key(self) -> None:
        impostor = Person("bob")
        self.assertIn(Change.OTHER_ACCOUNT_KEY, self.changes(impostor))
        with self.assertRaises(NotYetShown):
            self.pins.devices_to_seal_for("bob")
        self.assertEqual(self.pins.device("bob", "phone"), self.bob.own.keys)

    def test_an_accepted_one_is_not_verified_any_more(self) -> None:
        self.pins.verify("bob")
        self.changes(Person("bob"))
        self.pins.accept("bob")
        self.assertFalse(self.pins.is_verified("bob"))
        self.assertNotEqual(self.pins.account_key("bob"), self.bob.account_key.public)

    def test_other_keys_of_a_device_and_a_device_more(self) -> None:
        self.pins.verify("bob")
        swapped = Person("bob", "phone", self.bob.account_key)
        laptop = Person("bob", "laptop", self.bob.account_key)
        self.assertEqual(self.changes(swapped, laptop), [Change.OTHER_KEYS, Change.NEW_DEVICE])
        with self.assertRaises(NotYetShown):
            self.pins.devices_to_seal_for("bob")
        self.pins.accept("bob")
        self.assertEqual(set(self.pins.devices_to_seal_for("bob")), {"phone", "laptop"})
        self.assertTrue(self.pins.is_verified("bob"))

    def test_a_ghost_device_never_counts(self) -> None:
        """The server adds a device that nobody vouches for, or one that somebody else vouches for."""
        ghost = Person("bob", "ghost")
        bare = PublishedDevice("bare", replace(ghost.own.keys, signature=b""))
        shown = published(self.bob, ghost)
        shown = replace(shown, devices=(*shown.devices, bare))
        self.assertEqual(
            self.pins.look(shown), (Changed(Change.GHOST, "bob", "ghost"), Changed(Change.GHOST, "bob", "bare"))
        )
        self.assertEqual(set(self.pins.devices_to_seal_for("bob")), {"phone"})
        fresh = TrustStore()
        fresh.look(shown)
        self.assertEqual(set(fresh.devices_to_seal_for("bob")), {"phone"})

    def test_who_reads_without_keys_is_said(self) -> None:
        shown = published(self.bob)
        shown = replace(shown, devices=(*shown.devices, PublishedDevice("netcat", None)))
        self.assertEqual(self.pins.look(shown), (Changed(Change.WITHOUT_KEYS, "bob", "netcat"),))

    def test_an_account_key_that_is_hidden_is_a_change(self) -> None:
        self.assertEqual(
            self.pins.look(replace(published(self.bob), account_key=None, devices=())),
            (Changed(Change.NO_ACCOUNT_KEY, "bob"),),
        )
        with self.assertRaises(NotYetShown):
            self.pins.devices_to_seal_for("bob")

    def test_an_ended_device_gets_no_further_key(self) -> None:
        laptop = Person("bob", "laptop", self.bob.account_key)
        self.changes(self.bob, laptop)
        self.pins.accept("bob")
        self.assertEqual(self.changes(self.bob), [])
        self.assertEqual(set(self.pins.devices_to_seal_for("bob")), {"phone"})

    def test_pins_are_kept(self) -> None:
        self.pins.verify("bob")
        kept = TrustStore.restore(self.pins.changed())
        self.assertTrue(kept.is_verified("bob"))
        self.assertIn(Change.OTHER_ACCOUNT_KEY, [each.change for each in kept.look(published(Person("bob")))])


class Comparing(SynchronousTestCase):
    def test_both_sides_see_the_same(self) -> None:
        ann, bob = AccountKey().public, AccountKey().public
        for show in (safety_number, safety_emoji):
            self.assertEqual(show("ann", ann, "bob", bob), show("Bob", bob, "Ann", ann))

    def test_another_key_or_another_name_shows(self) -> None:
        ann, bob = AccountKey().public, AccountKey().public
        for show in (safety_number, safety_emoji):
            seen = {show("ann", ann, "bob", bob), show("ann", ann, "bob", ann), show("ann", ann, "eve", bob)}
            self.assertEqual(len(seen), 3)

    def test_what_they_look_like(self) -> None:
        number = safety_number("ann", b"a" * 32, "bob", b"b" * 32)
        self.assertRegex(number, r"\A(\d{5} ){11}\d{5}\Z")
        pictures = safety_emoji("ann", b"a" * 32, "bob", b"b" * 32).split()
        self.assertEqual((len(pictures), len(set(EMOJI)), len(EMOJI)), (12, 64, 64))
        self.assertLessEqual(set(pictures), set(EMOJI))


class Letters(SynchronousTestCase):
    """Ann writes to Bob's phone; the server carries it, and may carry it elsewhere."""

    def setUp(self) -> None:
        self.ann, self.bob, self.eve = (Person(name) for name in ("ann", "bob", "eve"))
        meet(self.ann, self.bob, self.eve)
        self.keys = self.bob.own.keys
        self.ann.letters.begin(self.keys, self.bob.claimed())

    def letter(self, **content: str) -> bytes:
        return self.ann.letters.seal("bob", "phone", self.keys, content)

    def opens(self, reader: Person, body: bytes, author: Person | None = None) -> object:
        author = author or self.ann
        return reader.letters.open(author.name, author.own.name, author.own.keys, body)

    def test_back_and_forth(self) -> None:
        for number in range(3):
            body = self.letter(word=f"hello {number}")
            self.assertNotIn(b"hello", body)
            self.assertEqual(self.opens(self.bob, body), {"word": f"hello {number}"})
        answer = self.bob.letters.seal("ann", "phone", self.ann.own.keys, {"word": "hi"})
        self.assertEqual(self.opens(self.ann, answer, self.bob), {"word": "hi"})
        for each in (self.ann, self.bob):
            each.restarts()
        self.assertEqual(self.opens(self.bob, self.letter(word="again")), {"word": "again"})

    def test_both_begin_at_once(self) -> None:
        self.bob.letters.begin(self.ann.own.keys, self.ann.claimed())
        first, second = self.letter(word="a"), self.bob.letters.seal("ann", "phone", self.ann.own.keys, {"word": "b"})
        self.assertEqual(self.opens(self.bob, first), {"word": "a"})
        self.assertEqual(self.opens(self.ann, second, self.bob), {"word": "b"})
        self.assertEqual(self.opens(self.bob, self.letter(word="c")), {"word": "c"})

    def test_a_replayed_letter(self) -> None:
        body = self.letter(word="hello")
        self.opens(self.bob, body)
        with self.assertRaises(NotGenuine):
            self.opens(self.bob, body)

    def test_a_replay_with_the_fallback_key(self) -> None:
        """That key serves many times; the letter still opens once."""
        key = self.bob.fallback
        claimed = replace(
            self.eve.claimed(), number=key.number, key=key.key, signature=key.signature, fallback=True, user="bob"
        )
        self.eve.letters.begin(self.keys, claimed)
        body = self.eve.letters.seal("bob", "phone", self.keys, {"word": "hello"})
        self.assertEqual(self.opens(self.bob, body, self.eve), {"word": "hello"})
        with self.assertRaises(NotGenuine):
            self.opens(self.bob, body, self.eve)

    def test_a_flipped_bit(self) -> None:
        body = self.letter(word="hello")
        for place in range(len(body)):
            changed = bytearray(body)
            changed[place] ^= 1
            with self.assertRaises(NotGenuine):
                self.opens(Person("bob"), bytes(changed))

    def test_another_authors_name(self) -> None:
        with self.assertRaises(NotGenuine):
            self.opens(self.bob, self.letter(word="hello"), self.eve)

    def test_another_device_of_its_author(self) -> None:
        with self.assertRaises(NotGenuine):
            self.bob.letters.open("ann", "laptop", self.ann.own.keys, self.letter(word="hello"))

    def test_a_letter_that_is_passed_on(self) -> None:
        """Ann's device writes to Bob; Bob cannot make it look as if it had been for Eve."""
        self.ann.letters.begin(self.eve.own.keys, self.eve.claimed())
        body = self.ann.letters.seal("bob", "phone", self.eve.own.keys, {"word": "hello"})
        with self.assertRaises(NotGenuine):
            self.opens(self.eve, body)

    def test_a_swapped_one_time_key(self) -> None:
        """The server hands out a key of its own, one of another device, or another number."""
        genuine = self.bob.claimed()
        for swapped in (
            replace(genuine, key=self.eve.claimed().key),
            self.eve.claimed(),
            replace(genuine, number=genuine.number + 1),
            replace(genuine, fallback=True),
        ):
            with self.assertRaises(NotGenuine):
                self.ann.letters.begin(self.keys, swapped)

    def test_nonsense(self) -> None:
        for body in (b"", b"\x00", b"\x07nonsense", b"\x00" + b"n" * 200, b"\x01" + b"n" * 200):
            with self.assertRaises(NotGenuine):
                self.opens(self.bob, body)


class TheFile(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "keys"

    def made(self, secrets: object = "secret") -> KeyFile:
        file = KeyFile.make(self.path, "correct horse", CHEAP)
        file.save(secrets)
        return file

    def test_what_is_saved_is_read_with_the_passphrase(self) -> None:
        self.made({"a": [1, "ü"]})
        file, secrets = KeyFile.open(self.path, "correct horse")
        self.assertEqual(secrets, {"a": [1, "ü"]})
        file.save("other")
        self.assertEqual(KeyFile.open(self.path, "correct horse")[1], "other")

    def test_nothing_of_it_can_be_read_without(self) -> None:
        self.made("secret")
        self.assertNotIn(b"secret", self.path.read_bytes())
        with self.assertRaises(BadKeyFile):
            KeyFile.open(self.path, "wrong")
        with self.assertRaises(BadKeyFile):
            KeyFile.make(self.path, "", CHEAP)

    def test_nobody_else_may_read_the_file(self) -> None:
        old = os.umask(0)
        self.addCleanup(os.umask, old)
        self.made()
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)

    def test_the_same_is_never_written_twice(self) -> None:
        file = self.made()
        first = self.path.read_bytes()
        file.save("secret")
        self.assertNotEqual(self.path.read_bytes()[-30:], first[-30:])

    def test_a_flipped_bit_anywhere(self) -> None:
        self.made()
        content = self.path.read_bytes()
        for place in range(len(content)):
            changed = bytearray(content)
            changed[place] ^= 1
            self.path.write_bytes(changed)
            with self.assertRaises(BadKeyFile):
                KeyFile.open(self.path, "correct horse")

    def test_a_file_that_asks_for_too_much_work(self) -> None:
        self.made()
        content = self.path.read_bytes()
        self.path.write_bytes(content[:12] + (2 * MOST_COST).to_bytes(4) + content[16:])
        with self.assertRaisesRegex(BadKeyFile, "not a key file"):
            KeyFile.open(self.path, "correct horse")

    def test_a_save_that_fails_leaves_what_was_there(self) -> None:
        file = self.made("before")
        self.path.with_name("keys.new").mkdir()
        with self.assertRaises(OSError):
            file.save("after")
        self.assertEqual(KeyFile.open(self.path, "correct horse")[1], "before")

    def test_what_a_kill_left_half_written_is_in_nobodys_way(self) -> None:
        file = self.made("before")
        self.path.with_name("keys.new").write_bytes(b"half")
        file.save("after")
        self.assertEqual(KeyFile.open(self.path, "correct horse")[1], "after")
