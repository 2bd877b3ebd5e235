"""Edits and deletions: who may, what others are told, and what is left in the log."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Deleted, Done, Edited, Found, History, Rooms, Said, Skipped, StoredAs
from chat.protocol.values import Text
from tests.server.core.stage import MANY, Stage

RETRY = "0123456789abcdef"


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann", "ops")
        self.bob = self.stage.enter("bob", "ops")
        self.moe = self.stage.enter("moe", "ops", program=True)
        self.ann.does("op", user="moe", room="ops")
        self.msgid = self.stored("helo")
        for each in (self.ann, self.bob, self.moe):
            each.forget()

    def stored(self, words: str) -> str:
        """Bob says something.

        :returns: its id.
        """
        reply = self.bob.gets(StoredAs, "say", room="ops", text=Text(words))
        return reply.conversation.msgid(reply.seq)

    def texts(self) -> list[str | None]:
        """What the messages of the room say now."""
        page = self.ann.gets(History, "history", where="ops")
        return [
            each.body.text if isinstance(each.body, Text) else None
            for each in page.entries
            if isinstance(each, Said | Edited)
        ]


class Editing(Case):
    def test_again_after_a_mute(self) -> None:
        edit = {"id": self.msgid, "text": Text("hello")}
        self.bob.gets(StoredAs, "edit", **edit, retry=RETRY)
        self.ann.does("mute", user="bob", room="ops")
        self.assertTrue(self.bob.gets(StoredAs, "edit", **edit, retry=RETRY).repeated)
        self.assertEqual(self.bob.code("edit", **edit), "muted")

    def test_others_are_told_what_it_says_now_and_both_are_kept(self) -> None:
        reply = self.bob.gets(StoredAs, "edit", id=self.msgid, text=Text("hello"))
        for each in (self.ann, self.moe):
            (edited,) = each.told(Edited)
            self.assertEqual((edited.author, edited.body, edited.seq), ("bob", Text("hello"), reply.seq))
            self.assertEqual(edited.conversation.msgid(edited.ref), self.msgid)
        self.assertEqual(self.bob.told(Edited), [])
        self.assertEqual(self.texts(), ["helo", "hello"])

    def test_without_an_id_it_is_what_one_said_last_anywhere(self) -> None:
        self.bob.does("edit", text=Text("hello"))
        self.assertEqual(self.ann.told(Edited)[-1].body, Text("hello"))
        self.bob.writes("ann", "privat")
        self.bob.does("edit", text=Text("private"))
        edited = self.ann.told(Edited)[-1]
        self.assertEqual((edited.conversation.partner, edited.body), ("bob", Text("private")))

    def test_an_edit_can_be_edited_by_its_own_id_or_the_first(self) -> None:
        reply = self.bob.gets(StoredAs, "edit", id=self.msgid, text=Text("hello"))
        self.bob.does("edit", id=reply.conversation.msgid(reply.seq), text=Text("hello!"))
        self.assertEqual([each.conversation.msgid(each.ref) for each in self.ann.told(Edited)], [self.msgid] * 2)

    def test_only_the_author_may(self) -> None:
        for each in (self.ann, self.moe):
            self.assertEqual(each.code("edit", id=self.msgid, text=Text("hacked")), "forbidden")

    def test_only_what_may_be_said_may_be_edited(self) -> None:
        self.ann.does("mute", user="bob", room="ops")
        self.assertEqual(self.bob.code("edit", id=self.msgid, text=Text("hello")), "muted")
        self.bob.writes("ann", "hi")
        self.ann.does("block", user="bob")
        self.assertEqual(self.bob.code("edit", text=Text("hello")), "blocked")

    def test_who_blocks_the_author_does_not_see_it(self) -> None:
        for each in (self.ann, self.moe):
            each.does("block", user="bob")
        self.bob.does("edit", id=self.msgid, text=Text("hello"))
        self.assertEqual([self.ann.told(Edited), self.moe.told(Edited)], [[], []])
        self.assertEqual(len(self.moe.told(Skipped)), 1)
        self.assertEqual(self.texts(), [])

    def test_it_waits_for_those_who_were_away(self) -> None:
        self.ann.does("catchup")
        self.ann.does("logout")
        self.bob.does("edit", id=self.msgid, text=Text("hello"))
        back = self.stage.enter("ann", device="elsewhere")
        missed = back.does("catchup")
        self.assertIn("hello", str(missed))

    def test_sent_again_it_is_the_same_edit(self) -> None:
        first, second = (
            self.bob.gets(StoredAs, "edit", id=self.msgid, text=Text("hello"), retry=RETRY) for _ in range(2)
        )
        self.assertEqual((first.seq, second.repeated), (second.seq, True))
        self.assertEqual(len(self.ann.told(Edited)), 1)

    def test_there_has_to_be_such_a_message(self) -> None:
        self.assertEqual(self.stage.enter("eve").code("edit", text=Text("x")), "bad-usage")
        self.assertEqual(self.stage.enter("dave").code("edit", id=self.msgid, text=Text("x")), "no-such-conversation")
        self.assertEqual(self.bob.code("edit", id="k99.1", text=Text("x")), "no-such-conversation")
        reference = self.msgid.partition(".")[0]
        for seq in (1, 4_000_000_000):  # the row that made the room, and one that is yet to come
            self.assertEqual(self.bob.code("edit", id=f"{reference}.{seq}", text=Text("x")), "no-such-message")

    def test_an_edit_that_crosses_a_deletion_brings_nothing_back(self) -> None:
        self.stage.store.hold()
        deleting = self.moe.starts("delete", id=self.msgid)
        editing = self.bob.starts("edit", id=self.msgid, text=Text("hello"))
        self.stage.store.release()
        self.successResultOf(deleting)
        self.assertEqual(getattr(self.successResultOf(editing), "code", ""), "no-such-message")
        self.assertEqual(self.texts(), [None])


class Deleting(Case):
    def test_its_words_are_gone_and_everybody_is_told(self) -> None:
        self.bob.does("edit", id=self.msgid, text=Text("hello"))
        self.bob.gets(Done, "delete")
        for each in (self.ann, self.bob, self.moe):
            (deleted,) = each.told(Deleted)
            self.assertEqual((deleted.author, deleted.of), ("bob", "bob"))
            self.assertEqual(deleted.conversation.msgid(deleted.ref), self.msgid)
        self.assertEqual(self.texts(), [None, None])
        for word in ("helo", "hello"):
            self.assertEqual(self.ann.gets(Found, "search", words=word).entries, ())

    def test_it_waits_for_nobody(self) -> None:
        self.ann.does("logout")
        self.bob.says("ops", "oops")
        self.bob.does("delete")
        back = self.stage.enter("ann", device="elsewhere")
        self.assertNotIn("oops", str(back.does("catchup")))
        self.assertEqual([each.unread for each in back.gets(Rooms, "rooms").rooms], [0])

    def test_a_private_message(self) -> None:
        self.bob.writes("ann", "oops")
        self.bob.does("delete")
        self.assertEqual(self.ann.told(Deleted)[0].conversation.partner, "bob")
        page = self.ann.gets(History, "history", where="bob")
        self.assertEqual([each.body for each in page.entries if isinstance(each, Said)], [None])

    def test_a_reply_still_goes_to_who_wrote_last(self) -> None:
        self.stage.enter("carol").writes("ann", "hi")
        self.bob.writes("ann", "oops")
        self.bob.does("delete")
        self.ann.gets(StoredAs, "reply", text=Text("what was it?"))
        self.assertEqual(self.bob.heard, ["what was it?"])

    def test_moderators_may_in_their_room(self) -> None:
        self.moe.gets(Done, "delete", id=self.msgid)
        self.assertEqual([(each.author, each.of) for each in self.ann.told(Deleted)], [("moe", "bob")])

    def test_others_may_not(self) -> None:
        eve = self.stage.enter("eve", "ops")
        self.assertEqual(eve.code("delete", id=self.msgid), "forbidden")
        self.bob.writes("ann", "hi")
        private = f"k{self.ann.told(Said)[-1].conversation.id}.1"
        self.assertEqual(self.ann.code("delete", id=private), "forbidden")
        self.assertEqual(self.moe.code("delete", id=private), "no-such-conversation")

    def test_a_moderator_does_not_delete_what_an_owner_said(self) -> None:
        self.ann.says("ops", "mine")
        said = self.bob.told(Said)[-1]
        self.assertEqual(self.moe.code("delete", id=said.conversation.msgid(said.seq)), "forbidden")

    def test_twice_is_refused(self) -> None:
        self.bob.does("delete", id=self.msgid)
        self.assertEqual(self.bob.code("delete", id=self.msgid), "no-such-message")

    def test_who_reads_later_sees_that_it_was_deleted(self) -> None:
        self.moe.does("delete", id=self.msgid)
        page = self.ann.gets(History, "history", where="ops")
        self.assertEqual([each.of for each in page.entries if isinstance(each, Deleted)], ["bob"])
