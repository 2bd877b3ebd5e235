"""Saying something in a room, and telling everybody."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Broadcasted, Done, Refused, Said, Skipped, StoredAs
from chat.protocol.values import Kind, Sealed, Text
from tests.server.core.stage import MANY, PATIENT, Stage

RETRY = "0123456789abcdef"


class TalkCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.ann = self.stage.enter("ann", "ops")
        self.bob = self.stage.enter("bob", "ops")
        self.carol = self.stage.enter("carol", "ops", program=True)
        self.forget()

    def forget(self) -> None:
        for each in (self.ann, self.bob, self.carol):
            each.forget()


class BeforeTheCommit(TalkCase):
    """Nobody sees a message, and nobody is told it was sent, before it is stored."""

    def test_it_is_seen_and_acknowledged_after_it(self) -> None:
        self.stage.store.hold()
        saying = self.ann.starts("say", room="ops", text=Text("hi"))
        self.assertNoResult(saying)
        self.assertEqual([self.bob.heard, self.carol.heard], [[], []])
        self.stage.store.release()
        self.assertIsInstance(self.successResultOf(saying), StoredAs)
        self.assertEqual([self.ann.heard, self.bob.heard, self.carol.heard], [[], ["hi"], ["hi"]])

    def test_what_could_not_be_stored_is_seen_by_nobody(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.ann.code("say", room="ops", text=Text("hi")), "not-stored")
        self.ann.says("ops", "again")
        self.assertEqual(self.bob.heard, ["again"])

    def test_a_private_message_too(self) -> None:
        self.stage.store.hold()
        writing = self.ann.starts("message", user="bob", text=Text("hi"))
        self.assertNoResult(writing)
        self.assertEqual(self.bob.heard, [])
        self.stage.store.release()
        self.successResultOf(writing)
        self.assertEqual(self.bob.heard, ["hi"])

    def test_what_is_on_its_way_reaches_those_who_join_after_it(self) -> None:
        """Everybody sees the rows in one order: who joins after a line does not get it live."""
        dave = self.stage.enter("dave")
        self.stage.store.hold()
        lines = [self.ann.starts("say", room="ops", text=Text("before"))]
        joining = dave.starts("connect", room="ops")
        lines.append(self.ann.starts("say", room="ops", text=Text("after")))
        self.stage.store.release()
        self.successResultOf(joining)
        for line in lines:
            self.successResultOf(line)
        self.assertEqual(dave.heard, ["after"])
        self.assertEqual(self.bob.heard, ["before", "after"])


class InARoom(TalkCase):
    def test_what_others_see(self) -> None:
        stored = self.ann.gets(StoredAs, "say", room="OPS", text=Text("hi"))
        (event,) = self.bob.told(Said)
        self.assertEqual((event.author, event.kind, event.device), ("ann", Kind.TEXT, "default"))
        self.assertEqual((event.seq, event.time), (stored.seq, stored.time))
        self.assertEqual(event.conversation.room, "ops")

    def test_an_action_and_a_sealed_body(self) -> None:
        self.ann.does("me", room="ops", text=Text("waves"))
        self.ann.does("say", room="ops", text=Sealed("megolm.v1", "k", b"x"))
        self.assertEqual([event.kind for event in self.bob.told(Said)], [Kind.ACTION, Kind.SEALED])

    def test_blockers_are_left_out_and_programs_see_a_gap(self) -> None:
        self.bob.does("block", user="ann")
        self.carol.does("block", user="ann")
        stored = self.ann.gets(StoredAs, "say", room="ops", text=Text("hi"))
        self.assertEqual([self.bob.heard, self.carol.heard], [[], []])
        self.assertEqual(self.bob.told(Skipped), [])
        (gap,) = self.carol.told(Skipped)
        self.assertEqual((gap.conversation.room, gap.first, gap.last), ("ops", stored.seq, stored.seq))

    def test_after_unblocking_one_hears_again(self) -> None:
        self.bob.does("block", user="ann")
        self.bob.does("unblock", user="ann")
        self.ann.says("ops", "hi")
        self.assertEqual(self.bob.heard, ["hi"])

    def test_only_members_speak(self) -> None:
        dave = self.stage.enter("dave")
        self.assertEqual(dave.code("say", room="ops", text=Text("hi")), "not-a-member")
        self.assertEqual(dave.code("say", room="opps", text=Text("hi")), "no-such-room")

    def test_a_session_that_did_not_resume_hears_nothing(self) -> None:
        self.bob.does("logout")
        silent = self.stage.arrives("bob")
        self.ann.says("ops", "hi")
        self.assertEqual(silent.mind.events, [])

    def test_ones_own_other_session_sees_it(self) -> None:
        stage = Stage(MANY)
        laptop, phone = stage.enter("ann", "ops"), stage.enter("ann", device="phone")
        laptop.says("ops", "hi")
        self.assertEqual((laptop.heard, phone.heard), ([], ["hi"]))


class Retries(TalkCase):
    """The same retry id again gives the first result and delivers nothing."""

    def test_the_same_again(self) -> None:
        first, again = (self.ann.gets(StoredAs, "say", room="ops", text=Text("hi"), retry=RETRY) for _ in range(2))
        self.assertEqual(again, replace(first, repeated=True))
        self.assertEqual(self.bob.heard, ["hi"])

    def test_another_text(self) -> None:
        self.ann.does("message", user="bob", text=Text("hi"), retry=RETRY)
        self.assertEqual(self.ann.code("message", user="bob", text=Text("ho"), retry=RETRY), "retry-mismatch")

    def test_whatever_happened_since(self) -> None:
        """What was stored is stored, also for who was muted, slowed down or blocked after it; nothing else is taken."""
        say = {"room": "ops", "text": Text("hi")}
        write = {"user": "bob", "text": Text("psst")}
        self.ann.does("room", room="ops", setting="slow", value="30s")
        self.carol.gets(StoredAs, "say", **say, retry=RETRY)
        self.carol.gets(StoredAs, "message", **write, retry=RETRY[::-1])
        self.assertTrue(self.carol.gets(StoredAs, "say", **say, retry=RETRY).repeated)
        self.ann.does("mute", user="carol", room="ops")
        self.bob.does("block", user="carol")
        self.assertTrue(self.carol.gets(StoredAs, "say", **say, retry=RETRY).repeated)
        self.assertTrue(self.carol.gets(StoredAs, "message", **write, retry=RETRY[::-1]).repeated)
        self.assertEqual(self.carol.code("say", **say, retry=RETRY.upper()), "muted")
        self.assertEqual(self.carol.code("message", **write, retry=RETRY.upper()), "blocked")
        self.assertEqual(self.carol.code("say", **say), "muted")

    def test_the_same_id_of_somebody_else(self) -> None:
        for each in (self.ann, self.carol):
            each.gets(StoredAs, "say", room="ops", text=Text("hi"), retry=RETRY)
        self.assertEqual(self.bob.heard, ["hi", "hi"])


class Broadcasts(TalkCase):
    """To everybody online, stored nowhere, not to those who block the author."""

    def test_everybody_but_the_author(self) -> None:
        self.assertEqual(self.ann.does("broadcast", text="lunch!"), Done())
        self.assertEqual(self.ann.told(Broadcasted), [])
        (event,) = self.bob.told(Broadcasted)
        self.assertEqual((event.author, event.text), ("ann", "lunch!"))
        self.assertEqual(len(self.carol.told(Broadcasted)), 1)

    def test_who_blocks_the_author_gets_nothing_and_the_author_is_told(self) -> None:
        self.bob.does("block", user="ann")
        reply = self.ann.gets(Done, "broadcast", text="lunch!")
        self.assertEqual(reply.text, "Your message could not be received by some recipients.")
        self.assertEqual(self.bob.told(Broadcasted), [])
        self.assertEqual(len(self.carol.told(Broadcasted)), 1)

    def test_whether_a_blocker_is_here_is_not_told(self) -> None:
        self.bob.does("block", user="ann")
        here = self.ann.does("broadcast", text="lunch!")
        self.bob.does("logout")
        self.assertEqual(self.ann.does("broadcast", text="lunch!"), here)

    def test_so_many_a_minute(self) -> None:
        for _ in range(PATIENT.broadcasts):
            self.ann.gets(Done, "broadcast", text="lunch!")
        refused = self.ann.gets(Refused, "broadcast", text="lunch!")
        self.assertEqual(refused.code, "too-fast")
        self.stage.clock.advance(refused.wait or 0)
        self.ann.gets(Done, "broadcast", text="lunch!")
        self.assertEqual(len(self.bob.told(Broadcasted)), PATIENT.broadcasts + 1)

    def test_a_text_that_is_none(self) -> None:
        for text in ("", "  ", "\n".join("x" * 41)):
            self.assertEqual(self.ann.code("broadcast", text=text), "bad-usage")
