"""What one missed, the marks that say so, and the moment at which the past ends and the present begins."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Missed, Resumed, Rooms, Said, Standing
from chat.protocol.values import Text
from chat.server.commands.history import SHOWN
from chat.server.storage.memory import MemoryStore
from tests.server.core.stage import MANY, Person, Stage


def lines(missed: Missed) -> list[str]:
    return [
        entry.body.text
        for page in missed.pages
        for entry in page.entries
        if isinstance(entry, Said) and isinstance(entry.body, Text)
    ]


class NotingStore(MemoryStore):
    """Notes which marks it is asked to raise."""

    def __init__(self) -> None:
        super().__init__()
        self.noted: list[Mapping[int, int]] = []

    def mark_read(self, account: int, marks: Mapping[int, int]) -> Deferred[None]:
        self.noted.append(marks)
        return super().mark_read(account, marks)

    def mark_received(self, account: int, device: str, marks: Mapping[int, int]) -> Deferred[Mapping[int, int]]:
        self.noted.append(marks)
        return super().mark_received(account, device, marks)


class MissedCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann", "ops", "random")
        self.stage.enter("bob", "ops", "random").does("logout")

    def standing(self, person: Person, name: str) -> Standing:
        resumed = person.gets(Resumed, "resume")
        (found,) = [each for each in resumed.conversations if each.conversation.room == name]
        return found


class CatchingUp(MissedCase):
    def test_all_rooms_and_people_by_time(self) -> None:
        self.ann.says("ops", "one")
        self.stage.clock.advance(1)
        self.ann.writes("bob", "two")
        self.stage.clock.advance(1)
        self.ann.says("random", "three")
        self.stage.clock.advance(1)
        self.ann.says("ops", "four")
        bob = self.stage.enter("bob")
        missed = bob.gets(Missed, "catchup")
        self.assertEqual(lines(missed), ["one", "two", "three", "four"])
        self.assertEqual(len(missed.pages), 4)
        self.assertEqual(lines(bob.gets(Missed, "catchup")), [])

    def test_one_room_alone(self) -> None:
        self.ann.says("ops", "one")
        self.ann.says("random", "two")
        bob = self.stage.enter("bob")
        self.assertEqual(lines(bob.gets(Missed, "catchup", room="random")), ["two"])
        self.assertEqual(lines(bob.gets(Missed, "catchup")), ["one"])

    def test_ones_own_lines_are_not_missed(self) -> None:
        bob = self.stage.enter("bob")
        bob.says("ops", "mine")
        self.ann.says("ops", "hers")
        self.assertEqual(lines(bob.gets(Missed, "catchup")), ["hers"])

    def test_more_than_fit_come_with_the_next_call(self) -> None:
        for number in range(SHOWN + 5):
            self.ann.says("ops", str(number))
        bob = self.stage.enter("bob")
        first = bob.gets(Missed, "catchup")
        self.assertEqual((len(lines(first)), first.remaining), (SHOWN, 5))
        second = bob.gets(Missed, "catchup")
        self.assertEqual((lines(second), second.remaining), ([str(SHOWN + each) for each in range(5)], 0))

    def test_so_does_what_is_too_large_for_one_page(self) -> None:
        for number in range(40):
            self.ann.says("ops", f"{number} " + "ж" * 8_000)
        self.ann.says("random", "last")
        bob = self.stage.enter("bob")
        seen: list[str] = []
        remaining = 41
        while remaining:
            missed = bob.gets(Missed, "catchup")
            seen += lines(missed)
            self.assertEqual(missed.remaining, 41 - len(seen))
            self.assertLess(missed.remaining, remaining)
            remaining = missed.remaining
        self.assertEqual([each.split()[0] for each in seen], [*map(str, range(40)), "last"])
        self.assertEqual(bob.gets(Missed, "catchup"), Missed((), 0))

    def test_what_blocked_people_said_is_not_missed_and_stays_read(self) -> None:
        """Whoever caught up has caught up with everything, should the block end later."""
        carol = self.stage.enter("carol", "ops")
        bob = self.stage.enter("bob")
        bob.does("block", user="carol")
        self.ann.says("ops", "one")
        carol.says("ops", "two")
        self.assertEqual(self.standing(bob, "ops").unread, 1)
        self.assertEqual(lines(bob.gets(Missed, "catchup")), ["one"])
        bob.does("unblock", user="carol")
        self.assertEqual(self.standing(bob, "ops").unread, 0)

    def test_a_room_that_one_is_no_member_of(self) -> None:
        self.assertEqual(self.stage.enter("carol").code("catchup", room="ops"), "not-a-member")

    def test_a_newcomer_missed_nothing(self) -> None:
        self.ann.says("ops", "one")
        carol = self.stage.enter("carol", "ops")
        self.assertEqual(lines(carol.gets(Missed, "catchup")), [])

    def test_my_rooms_show_what_waits(self) -> None:
        self.ann.says("ops", "one")
        bob = self.stage.enter("bob")
        waits = {line.conversation.room: line.unread for line in bob.gets(Rooms, "rooms").rooms}
        self.assertEqual(waits, {"ops": 1, "random": 0})


class Marks(MissedCase):
    """``received`` belongs to a device, ``read`` to the person; neither falls or runs ahead."""

    def setUp(self) -> None:
        super().setUp()
        for word in ("one", "two", "three"):
            self.ann.says("ops", word)  # seq 3, 4, 5
        self.ops = self.stage.room("ops").id

    def test_received_counts_for_its_device(self) -> None:
        phone, laptop = (self.stage.enter("bob", device=device) for device in ("phone", "laptop"))
        phone.does("received", marks={self.ops: 4})
        self.assertEqual(self.standing(phone, "ops").unread, 1)
        self.assertEqual(self.standing(laptop, "ops").unread, 3)

    def test_read_counts_for_all_devices(self) -> None:
        phone, laptop = (self.stage.enter("bob", device=device) for device in ("phone", "laptop"))
        phone.does("read", marks={self.ops: 4})
        self.assertEqual(self.standing(laptop, "ops").unread, 1)

    def test_a_mark_neither_falls_nor_hides_the_future(self) -> None:
        bob = self.stage.enter("bob")
        bob.does("read", marks={self.ops: 4_000_000})
        bob.does("read", marks={self.ops: 3})
        self.assertEqual(self.standing(bob, "ops").unread, 0)
        self.ann.says("ops", "four")
        self.assertEqual(lines(bob.gets(Missed, "catchup")), ["four"])

    def test_marks_of_conversations_of_others_are_not_written(self) -> None:
        store = NotingStore()
        stage = Stage(MANY, store)
        ann, carol = stage.enter("ann", "ops"), stage.enter("carol")
        ops = stage.room("ops").id
        for person in (ann, carol):
            person.does("read", marks={ops: 1, 99: 1})
            person.does("received", marks={ops: 1, 99: 1})
        self.assertEqual(store.noted, [{ops: 1}, {ops: 1}, {}, {}])


class PastAndPresent(MissedCase):
    """Nothing falls between what ``resume`` reports and what comes live, and nothing comes twice."""

    def test_every_line_is_in_the_past_or_comes_live(self) -> None:
        program = self.stage.arrives("bob", program=True)
        self.ann.says("ops", "past")
        resumed = program.gets(Resumed, "resume")
        self.ann.says("ops", "present")
        (last,) = [each.last for each in resumed.conversations if each.conversation.room == "ops"]
        live = [event.seq for event in program.told(Said)]
        self.assertEqual(live, [last + 1])
        self.assertEqual(program.heard, ["present"])

    def test_a_line_that_is_stored_but_not_told_yet(self) -> None:
        """It comes live, so resume and missed leave it out."""
        program = self.stage.arrives("bob", program=True)
        room = self.stage.room("ops")
        told = room.last
        self.ann.says("ops", "on its way")
        room.last = told
        resumed = program.gets(Resumed, "resume")
        self.assertEqual([each.last for each in resumed.conversations if each.conversation.room == "ops"], [told])
        self.assertEqual(lines(program.gets(Missed, "catchup")), [])
        room.last = told + 1
        self.assertEqual(lines(program.gets(Missed, "catchup")), ["on its way"])

    def test_the_room_entered_last_is_current(self) -> None:
        bob = self.stage.enter("bob")
        self.assertEqual(bob.gets(Resumed, "resume").current, "random")
        self.stage.clock.advance(1)
        bob.does("connect", room="ops")
        self.assertEqual(bob.gets(Resumed, "resume").current, "ops")
        self.assertIsNone(self.stage.enter("carol").gets(Resumed, "resume").current)

    def test_it_is_so_after_a_restart(self) -> None:
        self.ann.says("ops", "one")
        self.ann.writes("bob", "two")
        stage = self.stage.restart()
        bob = stage.enter("bob")
        self.assertEqual(sorted(lines(bob.gets(Missed, "catchup"))), ["one", "two"])
        bob.says("ops", "still a member")
