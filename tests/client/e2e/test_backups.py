"""A server that was put back from a backup, and clients with keys that remember what it does not."""

from __future__ import annotations

from unittest.mock import patch

from chat.client.e2e.notices import gone_words, loss_words
from chat.client.model.failures import ClientFailure
from chat.client.model.message_status import Opened
from chat.client.session.observer import Phase
from chat.protocol.events import Said
from chat.protocol.values import Conversation, Text
from chat.server.storage.backup import restore
from tests.client.e2e.people import WORDS, SealedCase
from tests.client.engines import Desk
from tests.server.frontends.server import PASSWORD, Server


async def _refuses(account: str, passphrase: str) -> None:
    raise ClientFailure("They do not open.")


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

    def lines_are_lost(self, *lines: str) -> None:
        """Ann and Bob talk, and what they say last is not in the backup."""
        ann = self.enters("ann")
        self.enters("bob")
        ann.types("message bob kept")
        self.back_up()
        for each in lines:
            ann.types(f"message bob {each}")
        self.quiet_link()

    def again(self, name: str) -> Desk:
        """Somebody's program is ended, and started anew."""
        for desk in self.desks:
            if desk.state.me == name:
                desk.engine.close()
        return self.enters(name)

    def test_what_is_said_after_it_opens_for_everybody(self) -> None:
        self.lines_are_lost("one", "two", "three")
        self.put_back()
        ann, bob = self.enters("ann"), self.enters("bob")
        said = ["four", "five", "six", "seven", "eight"]
        for each in said:
            ann.types(f"message bob {each}")
        bob.types("message ann nine")
        self.quiet_link()
        for desk in (ann, bob):
            self.assertEqual(self.sealed(desk)[-6:], [*said, "nine"])
            talk = desk.talk("bob" if desk is ann else "ann", room=False)
            self.run_link(desk.engine.sync.older(talk))
            again = [row.body.text for row in talk.rows if isinstance(row, Said) and isinstance(row.body, Opened)]
            self.assertEqual(again, ["kept", *said, "nine"])

    def test_what_is_said_after_it_in_a_conversation_that_is_lost_as_a_whole(self) -> None:
        for each in ("ann", "bob"):
            self.enters(each).engine.close()
        self.back_up()
        ann, bob = self.enters("ann"), self.enters("bob")
        for each in ("one", "two"):
            ann.types(f"message bob {each}")
        self.put_back()
        ann, bob = self.enters("ann"), self.enters("bob")
        bob.types("message ann three")
        for desk, other in ((ann, "bob"), (bob, "ann")):
            self.assertEqual(self.sealed(desk), ["three"])
            self.assertEqual(desk.screen.findings, [gone_words(other, 2)])

    def test_what_is_said_after_it_in_a_room_that_one_entered_since(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("create ops")
        ann.types("/room sealed on", room="ops")
        self.back_up()
        bob.types("connect ops sealed")
        for each in ("one", "two"):
            ann.types(each, room="ops")
        self.assertEqual(self.sealed(bob), ["one", "two"])
        self.put_back()
        ann, bob = self.enters("ann"), self.enters("bob")
        bob.types("connect ops sealed")
        ann.types("three", room="ops")
        bob.types("four", room="ops")
        for desk, lost in ((ann, 3), (bob, 2)):
            self.assertEqual(self.sealed(desk), ["three", "four"])
            self.assertEqual(desk.screen.findings[0], loss_words(lost))
            self.assertNotIn("rearranges", " ".join(desk.screen.findings))

    def test_what_is_lost_is_told_once(self) -> None:
        self.lines_are_lost("one", "two", "three")
        self.put_back()
        for name in ("ann", "bob"):
            self.assertEqual(self.enters(name).screen.findings, [loss_words(3)])
            self.assertEqual(self.again(name).screen.findings, [])

    def test_a_name_for_all_who_are_gone_is_nobody_who_lost_anything(self) -> None:
        ann = self.enters("ann")
        for each in ("bob", "carol"):
            self.enters(each)
            for words in ("one", "two", "three")[: len(each) - 2]:
                ann.types(f"message {each} {words}")
        self.quiet_link()
        for desk in self.desks[1:]:
            self.run_link(desk.engine.delete_account({"action": "delete"}, PASSWORD))
        told = self.again("ann").screen.findings
        self.assertEqual(told[:2], [gone_words("bob", 1), gone_words("carol", 3)])
        self.assertEqual(self.again("ann").screen.findings, [])

    def lines_are_new(self) -> Desk:
        """Two lines to Bob are lost, and Ann has said more than that again before he comes.

        :returns: hers.
        """
        self.lines_are_lost("one", "two")
        self.put_back()
        ann = self.enters("ann")
        for each in ("three", "four", "five"):
            ann.types(f"message bob {each}")
        return ann

    def test_who_comes_after_as_many_new_lines_reads_them_all(self) -> None:
        ann, bob = self.lines_are_new(), self.enters("bob")
        self.assertEqual(self.sealed(bob), ["kept", "three", "four", "five"])
        self.assertEqual(bob.screen.findings, [loss_words(2)])
        ann.types("message bob six")
        bob.types("message ann seven")
        self.assertEqual(self.sealed(bob), ["kept", "three", "four", "five", "six", "seven"])
        self.assertEqual(self.sealed(ann)[-2:], ["six", "seven"])
        self.assertEqual(self.again("bob").screen.findings, [])

    def test_who_unlocks_the_keys_later_reads_them_all_as_well(self) -> None:
        self.lines_are_new()
        bob = self.enters_locked("bob")
        self.assertEqual(self.sealed(bob), [])
        self.run_link(self.sealing(bob).unlock_again(PASSWORD))
        self.assertEqual(self.sealed(bob), ["kept", "three", "four", "five"])
        self.assertEqual(bob.screen.findings[-1:], [loss_words(2)])

    def enters_locked(self, name: str) -> Desk:
        """Somebody whose keys do not open by themselves."""
        desk = self.desk(keys=self.folder / name)
        self.desks.append(desk)
        with patch.object(desk.engine.seals, "unlock", _refuses):
            self.run_link(desk.engine.log_in(name, PASSWORD))
        return desk

    def test_a_client_that_ran_meanwhile_shows_what_is_there(self) -> None:
        """It has no keys, comes back by its token after as many new lines, and holds none that are lost."""
        ann, bob = self.logged_in("ann", "lobby"), self.logged_in("bob", "lobby")
        self.back_up()
        for each in ("one", "two"):
            ann.types(each, room="lobby")
        self.assertEqual(bob.screen.said(), ["one", "two"])
        bob.reachable = False
        self.desks.append(ann)
        self.put_back()
        ann = self.logged_in("ann")
        for each in ("three", "four", "five"):
            ann.types(each, room="lobby")
        bob.reachable = True
        bob.engine.try_now()
        self.settle()
        self.assertEqual(bob.screen.status.phase, Phase.ONLINE)
        rows = [row.body.text for row in bob.talk("lobby").rows if isinstance(row, Said) and isinstance(row.body, Text)]
        self.assertEqual(rows, ["three", "four", "five"])

    def test_who_comes_later_can_be_written_to_before(self) -> None:
        for each in ("ann", "bob", "carol"):
            self.enters(each).engine.close()
        self.back_up()
        self.enters("ann").types("message bob lost with the rest")
        self.enters("bob")
        self.put_back()
        self.enters("carol").types(f"message bob {WORDS}")
        self.assertEqual(self.sealed(self.enters("bob")), [WORDS])

    def test_a_key_whose_letter_is_lost_is_handed_over_again(self) -> None:
        self.enters("bob").engine.close()
        ann = self.enters("ann")
        self.back_up()
        ann.types("message bob lost, and the key as well")
        self.put_back()
        self.enters("ann").types(f"message bob {WORDS}")
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
