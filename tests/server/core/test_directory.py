"""The people by name, and who blocks whom."""

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import NoSuchUser
from chat.protocol.names import read_name
from chat.protocol.values import SERVER, Account, Rank
from chat.server.core.directory import Directory


class People(SynchronousTestCase):
    def setUp(self) -> None:
        self.directory = Directory()
        names = ("Bob", "ann", "Дмитрий")
        accounts = [Account(id, read_name(name), "", Rank.MEMBER, 0, 0) for id, name in enumerate(names, start=1)]
        self.directory.fill(accounts, [(1, 2), (3, 2)])

    def test_a_name_is_found_however_it_is_written(self) -> None:
        for word, id in {"bob": 1, "BOB": 1, "@Bob": 1, "ДМИТРИЙ": 3}.items():
            self.assertEqual(self.directory.named(word).id, id)
            self.assertTrue(self.directory.is_account(word))
        self.assertIsNone(self.directory.account("bo b"))

    def test_a_mistyped_name_is_suggested_as_it_is_shown(self) -> None:
        for word in ("bbo", "@bobb", "BOV"):
            with self.assertRaises(NoSuchUser) as caught:
                self.directory.named(word)
            self.assertEqual(caught.exception.suggest, "Bob")

    def test_a_word_that_cannot_be_shown_is_not_repeated(self) -> None:
        for word in ("x" * 300, "\x1b[2J", ""):
            with self.assertRaises(NoSuchUser) as caught:
                self.directory.named(word)
            self.assertLess(len(caught.exception.line), 100)
            self.assertNotIn("\x1b", caught.exception.line)

    def test_in_the_order_of_names(self) -> None:
        self.assertEqual([account.id for account in self.directory.page("", 10)[0]], [2, 1, 3])
        self.assertEqual(len(self.directory), 3)

    def test_names_of_nobody(self) -> None:
        self.assertEqual(self.directory.name_of(1), "Bob")
        self.assertEqual(self.directory.name_of(SERVER), "the server")
        self.assertEqual(self.directory.name_of(99), "nobody")

    def test_blocks_are_one_way(self) -> None:
        self.assertTrue(self.directory.blocks(1, 2))
        self.assertFalse(self.directory.blocks(2, 1))
        self.assertEqual(self.directory.blockers_of(2), {1, 3})
        self.assertEqual(self.directory.blocked_by(1), {2})
        self.assertEqual(self.directory.blocked_by(2), set())

    def test_a_block_that_ended(self) -> None:
        self.directory.remove_block(1, 2)
        self.directory.remove_block(2, 3)
        self.assertFalse(self.directory.blocks(1, 2))
        self.assertEqual(self.directory.blockers_of(2), {3})
