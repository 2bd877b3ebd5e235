"""What the author of a private message is told of its arrival, and what a reader may see twice."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Delivered, Kept, Missed, Resumed, Said, StoredAs
from chat.protocol.values import Pair, Shown, Text
from tests.server.core.stage import MANY, PATIENT, Person, Stage, now


class DeliveryCase(SynchronousTestCase):
    settings = PATIENT

    def setUp(self) -> None:
        self.stage = Stage(self.settings)
        self.ann = self.stage.enter("ann", program=True)
        self.bob = self.stage.enter("bob", program=True)

    def writes(self, text: str = "hi") -> StoredAs:
        return self.ann.gets(StoredAs, "message", user="bob", text=Text(text))

    def goes(self, person: Person) -> None:
        """The connection is gone for good."""
        person.hangs_up()
        self.stage.chat.ended(person.session)


class Arrived(DeliveryCase):
    def test_its_author_is_told_when_a_device_has_it(self) -> None:
        stored = self.writes()
        self.assertEqual(self.ann.told(Delivered), [])
        self.bob.does("received", marks={stored.conversation.id: stored.seq})
        self.assertEqual(self.ann.told(Delivered), [Delivered(stored.conversation, stored.seq)])
        self.assertEqual(self.bob.told(Delivered), [])

    def test_once(self) -> None:
        """The same mark again, or a lower one, is no news."""
        first, second = self.writes(), self.writes()
        for seq in (second.seq, second.seq, first.seq):
            self.bob.does("received", marks={first.conversation.id: seq})
        self.assertEqual([event.seq for event in self.ann.told(Delivered)], [second.seq])

    def test_nobody_is_told_what_is_not_written(self) -> None:
        stored = self.writes()
        self.stage.store.fail(1)
        self.bob.does("received", marks={stored.conversation.id: stored.seq})
        self.assertEqual(self.ann.told(Delivered), [])

    def test_a_person_at_a_netcat_is_not_told(self) -> None:
        carol = self.stage.enter("carol")
        carol.writes("bob", "hi")
        id = pair_of(self.stage, carol, self.bob)
        self.bob.does("received", marks={id: 1})
        self.assertEqual(carol.told(Delivered), [])

    def test_marks_of_rooms_are_nobody_elses_business(self) -> None:
        self.ann.does("create", room="ops")
        self.bob.does("connect", room="ops")
        self.ann.says("ops", "hello")
        self.bob.does("received", marks={self.stage.room("ops").id: 3})
        self.assertEqual(self.ann.told(Delivered), [])


class Gone(DeliveryCase):
    """Somebody who was counted as here turns out to have been gone."""

    def test_the_author_is_told(self) -> None:
        stored = self.writes()
        self.assertTrue(stored.present)
        self.goes(self.bob)
        self.assertEqual(self.ann.told(Kept), [Kept(stored.conversation, stored.seq)])

    def test_not_of_what_had_arrived(self) -> None:
        stored = self.writes()
        self.bob.does("received", marks={stored.conversation.id: stored.seq})
        self.goes(self.bob)
        self.assertEqual(self.ann.told(Kept), [])

    def test_of_the_last_message_when_an_earlier_one_had_arrived(self) -> None:
        first, second = self.writes(), self.writes()
        self.bob.does("received", marks={first.conversation.id: first.seq})
        self.goes(self.bob)
        self.assertEqual([event.seq for event in self.ann.told(Kept)], [second.seq])

    def test_each_author_is_told_once(self) -> None:
        carol = self.stage.enter("carol")
        self.writes()
        self.writes()
        carol.writes("bob", "hello?")
        self.goes(self.bob)
        self.goes(self.bob)
        self.assertEqual((len(self.ann.told(Kept)), len(carol.told(Kept))), (1, 1))

    def test_what_one_wrote_oneself_is_no_debt(self) -> None:
        self.bob.writes("ann", "hi")
        self.goes(self.bob)
        self.assertEqual(self.bob.told(Kept) + self.ann.told(Kept), [])

    def test_nothing_is_owed_for_what_came_while_nobody_was_here(self) -> None:
        self.goes(self.bob)
        self.assertFalse(self.writes().present)
        self.assertEqual(self.ann.told(Kept), [])


class GoneOnOneDevice(DeliveryCase):
    settings = MANY

    def test_while_another_one_is_here(self) -> None:
        self.stage.enter("bob", device="desk")
        self.writes()
        self.goes(self.bob)
        self.assertEqual(self.ann.told(Kept), [])


class Again(DeliveryCase):
    """What may have been shown before is marked; what was not, is not."""

    def shown_again(self, person: Person) -> list[tuple[str, bool]]:
        missed = person.gets(Missed, "missed")
        rows = [row for page in missed.pages for row in page.entries if isinstance(row, Said)]
        return [(row.body.text, row.again) for row in rows if isinstance(row.body, Text)]

    def test_what_was_left_unproven(self) -> None:
        proofs = self.stage.chat.delivery.of(self.bob.session, self.bob.id)
        stored = self.writes("seen, perhaps")
        proofs.unproven({stored.conversation.id: Shown(0, stored.seq)})
        self.goes(self.bob)
        self.writes("new")
        self.assertEqual(self.shown_again(self.stage.enter("bob")), [("seen, perhaps", True), ("new", False)])

    def test_another_device_was_shown_nothing(self) -> None:
        proofs = self.stage.chat.delivery.of(self.bob.session, self.bob.id)
        stored = self.writes("seen, perhaps")
        proofs.unproven({stored.conversation.id: Shown(0, stored.seq)})
        self.goes(self.bob)
        self.assertEqual(self.shown_again(self.stage.enter("bob", device="desk")), [("seen, perhaps", False)])

    def test_what_is_proven_is_not_shown_again(self) -> None:
        proofs = self.stage.chat.delivery.of(self.bob.session, self.bob.id)
        stored = self.writes("seen")
        proofs.unproven({stored.conversation.id: Shown(0, stored.seq)})
        proofs.proven({stored.conversation.id: stored.seq}, {})
        self.goes(self.bob)
        self.assertEqual(self.shown_again(self.stage.enter("bob")), [])

    def test_after_a_crash_everything_older_may_have_been_shown(self) -> None:
        """Nobody knows what the server had sent to those who were signed in."""
        self.stage.enter("carol").hangs_up()
        self.writes("before")
        self.ann.writes("carol", "before")
        now(self.stage.store.stop())
        crashed = Stage(PATIENT, self.stage.store, clock=self.stage.clock)
        crashed.clock.advance(1)
        ann, bob, carol = crashed.enter("ann"), crashed.enter("bob"), crashed.enter("carol")
        ann.writes("bob", "after")
        self.assertEqual(self.shown_again(bob), [("before", True), ("after", False)])
        self.assertEqual(self.shown_again(carol), [("before", False)])  # she had left before

    def test_after_an_orderly_stop_nothing_is(self) -> None:
        self.goes(self.bob)
        self.writes("before")
        again = self.stage.restart()
        self.assertEqual(self.shown_again(again.enter("bob")), [("before", False)])


class BeforeTheCommit(DeliveryCase):
    """Reads overtake the writes that nobody waits for, and know of them all the same."""

    settings = MANY

    def setUp(self) -> None:
        super().setUp()
        self.proofs = self.stage.chat.delivery.of(self.bob.session, self.bob.id)
        self.stored = self.writes("seen")
        self.marks = {self.stored.conversation.id: self.stored.seq}
        self.shown = {self.stored.conversation.id: Shown(0, self.stored.seq)}

    def repeats(self, stage: Stage) -> list[bool]:
        """Which of the lines that wait for bob are marked as repeats, when he comes back to a netcat."""
        missed = stage.enter("bob").gets(Missed, "missed")
        return [row.again for page in missed.pages for row in page.entries if isinstance(row, Said)]

    def test_somebody_who_is_back_at_once_waits_for_it(self) -> None:
        """That a session has begun is on disk before it is shown anything: a crash in between would hide it."""
        self.stage.account("carol")
        self.stage.store.hold()
        self.proofs.unproven(self.shown)
        self.goes(self.bob)
        bob, program = self.stage.arrives("bob"), self.stage.arrives("carol", program=True)
        self.assertTrue(program.starts("resume").called)  # it knows itself what it has
        resumed = bob.starts("resume")
        self.assertFalse(resumed.called)
        self.stage.store.release()
        self.assertIsInstance(self.successResultOf(resumed), Resumed)

    def test_what_the_disk_refused_is_a_repeat(self) -> None:
        self.stage.store.fail(1)
        self.proofs.unproven(self.shown)
        self.goes(self.bob)
        self.assertEqual(self.repeats(self.stage), [True])

    def test_a_proof_that_the_disk_refused_counts(self) -> None:
        self.stage.store.fail(2)
        self.proofs.unproven(self.shown)
        self.proofs.proven(self.marks, {})
        self.goes(self.bob)
        self.assertEqual(self.repeats(self.stage), [])

    def test_and_is_written_with_the_next_one(self) -> None:
        self.stage.store.fail(2)
        self.proofs.proven(self.marks, self.marks)
        self.proofs.proven({}, {self.stored.conversation.id: 0})
        self.goes(self.bob)
        self.assertEqual(self.ann.told(Delivered), [Delivered(self.stored.conversation, self.stored.seq)])
        self.assertEqual(self.repeats(self.stage.restart()), [])

    def test_what_was_read_is_read_on_every_device(self) -> None:
        self.stage.store.hold()
        self.proofs.proven(self.marks, self.marks)
        (standing,) = self.stage.arrives("bob", device="desk", program=True).gets(Resumed, "resume").conversations
        self.assertEqual(standing.unread, 0)

    def test_a_crash_that_could_not_be_noted_is_known(self) -> None:
        now(self.stage.store.stop())
        self.stage.clock.advance(1)
        self.stage.store.fail(1)
        self.assertEqual(self.repeats(Stage(PATIENT, self.stage.store, clock=self.stage.clock)), [True])


class CatchingUpOnTheScreen(DeliveryCase):
    """Who keeps track of what was shown is not marked before it is proven, and not shown it twice."""

    def test_nothing_is_marked_by_asking(self) -> None:
        self.goes(self.bob)
        stored = self.writes()
        bob = self.stage.enter("bob")
        shown: dict[int, int] = {}
        bob.mind.marks = shown
        self.assertEqual(len(bob.gets(Missed, "catchup").pages), 1)
        shown[stored.conversation.id] = stored.seq
        self.assertEqual(bob.gets(Missed, "catchup").pages, ())
        (standing,) = bob.gets(Resumed, "resume").conversations
        self.assertEqual((standing.received, standing.read, standing.unread), (0, 0, 0))


def pair_of(stage: Stage, one: Person, other: Person) -> int:
    """The conversation of two people."""
    found = now(stage.store.pair(Pair.of(one.id, other.id)))
    assert found is not None
    return found
