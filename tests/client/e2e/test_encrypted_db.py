"""`chat.client.e2e.encrypted_db` and `chat.client.e2e.key_store`: what is kept, under a passphrase, over any end."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from chat.client.e2e import encrypted_db as vaults
from chat.client.e2e.cross_signing import AccountKey
from chat.client.e2e.encrypted_db import EncryptedDatabase, make_database, open_database, open_with_key
from chat.client.e2e.key_store import KeyStore, Policy, StoredText
from chat.client.e2e.megolm import AHEAD
from chat.client.model.failures import BadKeyFile, ClientFailure
from chat.protocol.values import Conversation

BOB = Conversation(3, partner="bob")


class VaultCase(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "ann" / "desk.keys"

    def make(self) -> EncryptedDatabase:
        return self.closing(make_database(self.path, "horse", cost=2))

    def opened(self, open: Callable[[], EncryptedDatabase]) -> EncryptedDatabase:
        return self.closing(open())

    def closing(self, database: EncryptedDatabase) -> EncryptedDatabase:
        self.addCleanup(database.close)
        return database


class Keeping(VaultCase):
    def test_what_was_written_is_there_again(self) -> None:
        database = self.make()
        database.write({"one": [1], "two": "zwei"})
        database.write({"two": "deux"})
        database.close()
        again = self.opened(lambda: open_database(self.path, "horse"))
        self.assertEqual(again.read(), {"one": [1], "two": "deux"})

    def test_nothing_of_it_can_be_read_in_the_file(self) -> None:
        database = self.make()
        database.write({"with ann bob": "the launch code"}, [("with ann bob", 1, {"text": "is on the fridge"})])
        database.close()
        content = b"".join(each.read_bytes() for each in self.path.parent.iterdir())
        for words in (b"launch", b"fridge", b"bob"):
            self.assertNotIn(words, content)
        self.assertEqual(self.path.stat().st_mode & 0o777, 0o600)

    def test_a_wrong_passphrase(self) -> None:
        self.make().close()
        with self.assertRaises(BadKeyFile):
            open_database(self.path, "house")

    def test_an_empty_passphrase(self) -> None:
        with self.assertRaises(BadKeyFile):
            make_database(self.path, "", cost=2)

    def test_another_passphrase(self) -> None:
        database = self.make()
        database.write({"one": 1})
        database.relock("mule", cost=2)
        database.close()
        with self.assertRaises(BadKeyFile):
            open_database(self.path, "horse")
        self.assertEqual(self.opened(lambda: open_database(self.path, "mule")).read(), {"one": 1})

    def test_the_key_opens_it_without_the_passphrase_and_another_one_does_not(self) -> None:
        database = self.make()
        database.write({"one": 1})
        database.close()
        self.assertEqual(self.opened(lambda: open_with_key(self.path, database.key)).read(), {"one": 1})

    def test_another_key(self) -> None:
        database = self.make()
        database.write({"one": 1})
        database.close()
        with self.assertRaises(BadKeyFile):
            open_with_key(self.path, bytes(32))

    def test_one_program_at_a_time(self) -> None:
        self.make()
        self.patch(vaults, "BUSY_TIMEOUT", 0.0)
        with self.assertRaisesRegex(BadKeyFile, "Another chat client"):
            open_database(self.path, "horse")

    def test_a_file_that_is_none(self) -> None:
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(b"nothing of the kind" * 100)
        with self.assertRaises(BadKeyFile):
            open_database(self.path, "horse")

    def test_messages_are_found_by_their_place_the_newest_first(self) -> None:
        database = self.make()
        database.write({}, [("a", 1, {"text": "x"}), ("a", 2, {"text": "y"}), ("b", 1, {"text": "z"})])
        database.write({}, [("a", 2, {"text": "why"})], [("a", 1)])
        self.assertEqual([database.opened(page) for page in database.pages("a", 1)], [[("a", 2, {"text": "why"})]])
        self.assertEqual([len(page) for page in database.pages("", 1)], [1, 1])


class TheRing(VaultCase):
    def ring(self) -> KeyStore:
        ring = KeyStore.make(self.make(), "ann", "desk", AccountKey())
        ring.pins.pin("ann", ring.own.keys.identity)
        ring.conversations.welcome(BOB, ("ann", "bob"))
        ring.conversations.keys_to_send(BOB, ("ann", "bob"), 0)
        ring.save()
        return ring

    def crashed(self, ring: KeyStore) -> KeyStore:
        """The program ends without a word, and is started again."""
        ring.database.close()
        return KeyStore.load(self.opened(lambda: open_database(self.path, "horse")), "ann", "desk")

    def left(self, ring: KeyStore) -> KeyStore:
        ring.close()
        return KeyStore.load(self.opened(lambda: open_database(self.path, "horse")), "ann", "desk")

    def index(self, ring: KeyStore, text: str = "hi") -> int:
        """At which place of its key something is sealed."""
        sealed = ring.seal(BOB, text)
        opened = ring.conversations._open("with ann bob", "ann", "desk", sealed)
        return opened[1]

    def test_after_a_crash_no_place_of_a_key_is_used_twice(self) -> None:
        ring = self.ring()
        used: set[int] = set()
        for _ in range(3):
            for _ in range(AHEAD + 3):
                index = self.index(ring)
                self.assertNotIn(index, used)
                used.add(index)
            ring = self.crashed(ring)

    def test_but_none_is_left_out_after_an_orderly_end(self) -> None:
        ring = self.ring()
        self.assertEqual(self.index(ring), 0)
        self.assertEqual(self.index(self.left(ring)), 1)

    def test_nothing_is_sealed_while_the_key_cannot_be_saved(self) -> None:
        ring = self.ring()
        for _ in range(AHEAD + 1):
            self.index(ring)
        ring.database.close()
        for _ in range(2):
            with self.assertRaises(ClientFailure):
                ring.seal(BOB, "one too many")

    def test_what_holds_for_a_conversation_is_kept(self) -> None:
        ring = self.ring()
        ring.set_policy("with ann bob", Policy(sealed=True))
        ring.took(7)
        ring.keep_waiting([(8, "bob", "phone", b"sealed")])
        ring.remember("with ann bob", 4, StoredText("bob", 1_000, "hello"))
        ring = self.left(ring)
        self.assertEqual(ring.policy("with ann bob"), Policy(sealed=True))
        self.assertEqual((ring.last_letter, ring.waiting), (7, [(8, "bob", "phone", b"sealed")]))
        ((found,),) = (ring.database.opened(page) for page in ring.database.pages("with ann bob", 10))
        self.assertEqual(found, ("with ann bob", 4, {"author": "bob", "time": 1_000, "text": "hello"}))

    def test_the_keys_of_another_device(self) -> None:
        self.ring().close()
        database = self.opened(lambda: open_database(self.path, "horse"))
        with self.assertRaises(BadKeyFile):
            KeyStore.load(database, "ann", "laptop")
