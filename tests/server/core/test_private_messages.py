"""Messages between two people, here or not, and notes to oneself."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import History, Missed, Said, Skipped, StoredAs
from chat.protocol.values import Kind, Sealed, Text
from tests.server.core.stage import MANY, PATIENT, Stage


class MessageCase(SynchronousTestCase):
    settings = PATIENT

    def setUp(self) -> None:
        self.stage = Stage(self.settings)
        self.ann = self.stage.enter("ann")
        self.bob = self.stage.enter("bob")


class ToSomebodyHere(MessageCase):
    def test_it_is_shown_to_the_other_alone(self) -> None:
        carol = self.stage.enter("carol")
        stored = self.ann.gets(StoredAs, "message", user="Bob", text=Text("hi"))
        self.assertTrue(stored.present)
        self.assertEqual(stored.conversation.partner, "bob")
        (event,) = self.bob.told(Said)
        self.assertEqual((event.author, event.conversation.partner), ("ann", "ann"))
        self.assertEqual((self.ann.heard, carol.heard), ([], []))

    def test_both_call_the_conversation_by_the_same_id(self) -> None:
        stored = self.ann.gets(StoredAs, "message", user="bob", text=Text("hi"))
        (event,) = self.bob.told(Said)
        self.assertEqual(stored.conversation.msgid(stored.seq), event.conversation.msgid(event.seq))

    def test_the_note_of_somebody_away(self) -> None:
        self.bob.does("away", text="lunch")
        stored = self.ann.gets(StoredAs, "message", user="bob", text=Text("hi"))
        self.assertEqual((stored.present, stored.away), (True, "lunch"))
        self.assertEqual(self.bob.heard, ["hi"])

    def test_sealed(self) -> None:
        self.ann.does("message", user="bob", text=Sealed("megolm.v1", "k", b"x"))
        (event,) = self.bob.told(Said)
        self.assertEqual(event.kind, Kind.SEALED)

    def test_an_unknown_name(self) -> None:
        self.assertEqual(self.ann.code("message", user="bbo", text=Text("hi")), "no-such-user")

    def test_while_the_other_is_still_logging_in(self) -> None:
        """Not counted as here, kept, and shown when the login is through."""
        self.bob.does("logout")
        bob = self.stage.arrives("bob")
        stored = self.ann.gets(StoredAs, "message", user="bob", text=Text("hi"))
        self.assertIs(stored.present, False)
        bob.does("resume")
        self.assertEqual(bob.heard, [])
        (page,) = bob.gets(Missed, "missed").pages
        self.assertEqual([event.body for event in page.entries if isinstance(event, Said)], [Text("hi")])


class Blocked(MessageCase):
    def test_the_sender_is_told(self) -> None:
        self.bob.does("block", user="ann")
        self.assertEqual(self.ann.code("message", user="bob", text=Text("hi")), "blocked")
        self.assertEqual(self.bob.heard, [])

    def test_one_may_write_to_whom_one_blocks(self) -> None:
        self.bob.does("block", user="ann")
        self.bob.writes("ann", "stop it")
        self.assertEqual(self.ann.heard, ["stop it"])
        self.assertEqual(self.ann.code("reply", text=Text("why?")), "blocked")

    def test_a_block_while_the_message_is_being_stored(self) -> None:
        """It is not shown, and a program sees why there is a gap."""
        self.bob.does("logout")
        program = self.stage.enter("bob", program=True)
        self.stage.store.hold()
        writing = self.ann.starts("message", user="bob", text=Text("hi"))
        self.stage.chat.directory.add_block(program.id, self.ann.id)
        self.stage.store.release()
        stored = self.successResultOf(writing)
        assert isinstance(stored, StoredAs)
        self.assertEqual(program.heard, [])
        self.assertEqual([gap.last for gap in program.told(Skipped)], [stored.seq])

    def test_the_past_follows_the_block_list_of_now(self) -> None:
        self.ann.writes("bob", "one")
        self.bob.does("block", user="ann")
        self.assertIsInstance(self.bob.gets(History, "history", where="ann").entries[0], Skipped)
        self.bob.does("unblock", user="ann")
        self.assertIsInstance(self.bob.gets(History, "history", where="ann").entries[0], Said)


class ToSomebodyAbsent(MessageCase):
    settings = replace(PATIENT, mailbox=3)

    def setUp(self) -> None:
        super().setUp()
        self.bob.does("logout")

    def test_it_is_kept(self) -> None:
        stored = self.ann.gets(StoredAs, "message", user="bob", text=Text("one"))
        self.assertIs(stored.present, False)
        self.ann.writes("bob", "two")
        bob = self.stage.enter("bob")
        (page,) = bob.gets(Missed, "missed").pages
        self.assertEqual([event.body for event in page.entries if isinstance(event, Said)], [Text("one"), Text("two")])

    def test_so_many_wait_at_most(self) -> None:
        for _ in range(3):
            self.ann.writes("bob", "hi")
        self.assertEqual(self.ann.code("message", user="bob", text=Text("hi")), "mailbox-full")
        self.stage.enter("carol").writes("bob", "from somebody else")
        bob = self.stage.enter("bob")
        self.ann.writes("bob", "now you are here")
        self.assertEqual(bob.heard, ["now you are here"])

    def test_what_is_read_waits_no_more(self) -> None:
        for _ in range(3):
            self.ann.writes("bob", "hi")
        bob = self.stage.enter("bob")
        bob.does("catchup")
        bob.does("logout")
        self.ann.writes("bob", "again")

    def test_one_can_reply_to_what_waited(self) -> None:
        self.ann.writes("bob", "hi")
        bob = self.stage.enter("bob")
        self.assertEqual(bob.code("reply", text=Text("yes")), "nobody-to-reply-to")
        bob.does("missed")
        bob.gets(StoredAs, "reply", text=Text("yes"))
        self.assertEqual(self.ann.heard, ["yes"])


class Replies(MessageCase):
    def test_to_who_wrote_last(self) -> None:
        carol = self.stage.enter("carol")
        self.ann.writes("bob", "one")
        carol.writes("bob", "two")
        self.bob.writes("ann", "three")
        self.bob.gets(StoredAs, "reply", text=Text("four"))
        self.assertEqual(carol.heard, ["four"])

    def test_to_nobody(self) -> None:
        self.assertEqual(self.bob.code("reply", text=Text("hi")), "nobody-to-reply-to")


class ToOneself(MessageCase):
    settings = MANY

    def test_a_note_reaches_the_other_session_once(self) -> None:
        phone = self.stage.enter("ann", device="phone")
        stored = self.ann.gets(StoredAs, "message", user="ann", text=Text("buy milk"))
        self.assertEqual((stored.present, stored.away), (True, None))
        self.assertEqual((self.ann.heard, phone.heard), ([], ["buy milk"]))

    def test_it_does_not_wait(self) -> None:
        self.ann.writes("ann", "buy milk")
        self.assertEqual(self.ann.gets(Missed, "catchup").pages, ())
        self.assertEqual(len(self.ann.gets(History, "history", where="ann").entries), 1)

    def test_it_is_nobody_to_reply_to(self) -> None:
        self.stage.enter("ann", device="phone")
        self.ann.writes("ann", "buy milk")
        self.assertEqual(self.ann.code("reply", text=Text("hm")), "nobody-to-reply-to")
