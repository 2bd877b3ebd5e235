"""A server that was put back from a backup, and clients with keys that remember what it does not."""

from __future__ import annotations

from chat.storage.backup import restore
from chat.values import Conversation
from tests.client.sealing.people import WORDS, SealedCase
from tests.frontends.server import Server


class AfterABackup(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.backup = str(self.folder / "backup.db")
        self.place = str(self.folder / "chat.db")

    def back_up(self) -> None:
        self.successResultOf(self.server.store.back_up(self.backup))

    def put_back(self) -> None:
        """Everybody leaves, and the server comes again as it was when the backup was made."""
        self._leave()
        self.run_until_done(self.server.chat.stop("A backup is put back."))
        restore(self.place, self.backup)
        self.server = Server(**self.settings)
        self.server.store.put_back(self.place)
        self.run_until_done(self.server.chat.start())

    def test_letters_are_not_taken_for_those_that_are_lost(self) -> None:
        for each in ("bob", "carol", "dave"):
            self.enters(each).engine.close()
        self.back_up()
        self.enters("ann").types("message bob lost with the rest")
        self.enters("bob")
        for author in ("carol", "dave"):
            self.put_back()
            bob = self.enters("bob")
            self.enters(author).types(f"message bob {WORDS}")
            self.assertEqual(self.sealed(bob), [WORDS])

    def test_who_comes_later_can_be_written_to_before(self) -> None:
        for each in ("ann", "bob", "carol"):
            self.enters(each).engine.close()
        self.back_up()
        self.enters("ann").types("message bob lost with the rest")
        self.enters("bob")
        self.put_back()
        self.enters("carol").types(f"message bob {WORDS}")
        self.assertEqual(self.sealed(self.enters("bob")), [WORDS])

    def test_no_number_of_a_conversation_is_given_again(self) -> None:
        ann = self.enters("ann")
        self.back_up()
        ann.types("create ops")
        lost = ann.talk("ops").conversation
        self.put_back()
        ann = self.enters("ann")
        ann.types("create fun")
        assert lost is not None
        self.assertNotIn(ann.talk("fun").conversation, (None, Conversation(lost.id, "fun")))
