"""What the marks promise, on every engine: what waits is exactly what was said by others since."""

from __future__ import annotations

from chat.protocol.values import Draft, Kind, Pair, Sealed, Shown, Unsure, Waiting
from chat.server.storage import marks
from chat.server.storage.marks import MOST_UNREAD
from tests.server.storage.engines import EngineCase, InMemory, OnFile, act, text

BOB, EVE, DAN = 1, 2, 3


class Marks(EngineCase):
    async def stage(self) -> tuple[int, int]:
        """Bob's room, in which Eve is a member since seq 4, and a private line from Bob to Eve.

        The room: 1 created, 2 and 3 said by Bob, 4 Eve joined, 5 said by Bob.
        """
        for name in ("bob", "eve", "dan"):
            await self.person(name)
        room = await self.room(BOB)
        await self.store.append(text(room, BOB, time=1_001))
        await self.store.append(text(room, BOB, time=1_002))
        await self.store.append(act(room, Kind.JOINED, EVE))
        await self.store.append(text(room, BOB, "room", time=2_000))
        private = await self.store.append(text(Pair.of(BOB, EVE), BOB, "private", time=1_500))
        return room, private.conversation

    async def of(
        self, account: int, conversation: int, *, device: str = "phone", blocked: tuple[int, ...] = ()
    ) -> Waiting:
        places = (await self.store.waiting(account, device, blocked)).places
        return {place.conversation: place for place in places}[conversation]

    async def test_a_new_member_and_a_new_pair_begin_where_they_begin(self) -> None:
        room, pair = await self.stage()
        self.assertEqual(
            await self.store.waiting(EVE, "phone", ()),
            ((Waiting(room, None, 1, 5, 3, 3, 1), Waiting(pair, BOB, 1, 1, 0, 0, 1)), 0),
        )
        self.assertEqual(await self.store.waiting(DAN, "phone", ()), ((), 0))

    async def test_marks_rise_and_never_fall(self) -> None:
        room, _ = await self.stage()
        for seq, expected in ((4, 4), (2, 4), (5, 5), (-3, 5)):
            await self.store.mark_received(EVE, "phone", {room: seq})
            self.assertEqual((await self.of(EVE, room)).received, expected)
        for seq, expected in ((4, 4), (2, 4), (5, 5)):
            await self.store.mark_read(EVE, {room: seq})
            self.assertEqual((await self.of(EVE, room)).read, expected)

    async def test_marks_never_pass_the_last_seq(self) -> None:
        room, pair = await self.stage()
        await self.store.mark_received(EVE, "phone", {room: 4_000_000_000, pair: 1 << 40, 777: 5})
        await self.store.mark_read(EVE, {room: 99, 777: 5})
        await self.store.append(text(room, BOB))
        place = await self.of(EVE, room)
        self.assertEqual((place.received, place.read, place.unread), (5, 5, 1))

    async def test_what_some_device_of_the_other_one_has_is_known(self) -> None:
        room, pair = await self.stage()
        await self.store.append(text(Pair.of(BOB, EVE), BOB, "and another"))
        await self.store.mark_received(EVE, "phone", {room: 5, pair: 1})
        self.assertEqual((await self.of(BOB, pair)).delivered, 1)
        await self.store.mark_received(EVE, "desk", {pair: 2})
        self.assertEqual([(await self.of(BOB, place)).delivered for place in (room, pair)], [0, 2])
        self.assertEqual((await self.of(EVE, pair)).delivered, 0)

    async def test_received_belongs_to_a_device_and_read_to_the_person(self) -> None:
        room, _ = await self.stage()
        await self.store.mark_received(EVE, "phone", {room: 5})
        self.assertEqual([(await self.of(EVE, room, device=d)).unread for d in ("phone", "desk")], [0, 1])
        await self.store.mark_read(EVE, {room: 5})
        self.assertEqual([(await self.of(EVE, room, device=d)).unread for d in ("phone", "desk")], [0, 0])

    async def test_only_what_others_said_and_nobody_blocked_counts(self) -> None:
        room, _ = await self.stage()
        await self.store.mark_read(EVE, {room: 5})
        await self.store.append(act(room, Kind.JOINED, DAN))
        await self.store.append(act(room, Kind.TOPIC, BOB))
        await self.store.append(text(room, EVE))
        self.assertEqual((await self.of(EVE, room)).unread, 0)
        await self.store.append(Draft(room, Kind.SEALED, DAN, "d", 1, Sealed("megolm.v1", "k", b"x")))
        await self.store.append(Draft(room, Kind.ACTION, BOB, "d", 1, text(room, BOB).body))
        self.assertEqual((await self.of(EVE, room)).unread, 2)
        self.assertEqual((await self.of(EVE, room, blocked=(DAN,))).unread, 1)
        self.assertEqual((await self.of(EVE, room, blocked=(DAN, BOB))).unread, 0)

    async def test_what_was_said_between_leaving_and_joining_again_is_not_unread(self) -> None:
        room, _ = await self.stage()
        await self.store.mark_read(EVE, {room: 5})
        await self.store.append(act(room, Kind.LEFT, EVE))
        for _ in range(3):
            await self.store.append(text(room, BOB, "among ourselves"))
        await self.store.append(act(room, Kind.JOINED, EVE))
        self.assertEqual(await self.of(EVE, room), Waiting(room, None, 1, 10, 9, 9, 0))
        self.assertEqual((await self.store.missed(EVE, "phone", (), (room,), 9)).rows, ())
        await self.store.append(text(room, BOB))
        self.assertEqual((await self.of(EVE, room)).unread, 1)

    async def test_marks_do_not_fall_by_joining_again(self) -> None:
        room, _ = await self.stage()
        await self.store.mark_read(EVE, {room: 5})
        await self.store.append(act(room, Kind.JOINED, EVE))
        self.assertEqual((await self.of(EVE, room)).read, 5)

    async def test_a_count_ends_at_its_bound(self) -> None:
        _, pair = await self.stage()
        sent = [self.store.append(text(pair, BOB)) for _ in range(MOST_UNREAD + 5)]
        await sent[-1]
        self.assertEqual((await self.of(EVE, pair)).unread, MOST_UNREAD)
        await self.store.mark_read(EVE, {pair: 7})
        self.assertEqual((await self.of(EVE, pair)).unread, MOST_UNREAD + 6 - 7)

    async def test_only_so_many_rows_are_looked_at_in_all(self) -> None:
        """Then all rows count: that there is something is said, and catching up with it shows what."""
        room, pair = await self.stage()
        self.patch(marks, "LOOKED_AT_IN_ALL", 1)
        waiting = (await self.store.waiting(EVE, "phone", (BOB,))).places
        self.assertEqual([(each.conversation, each.unread) for each in waiting], [(room, 0), (pair, 1)])
        self.assertEqual((await self.store.missed(EVE, "phone", (BOB,), (room, pair), 10)).rows, ())

    async def test_what_this_session_was_shown_is_not_unread(self) -> None:
        room, pair = await self.stage()
        waiting = (await self.store.waiting(EVE, "phone", (), {room: 5})).places
        self.assertEqual([(each.conversation, each.unread) for each in waiting], [(room, 0), (pair, 1)])
        rows = (await self.store.missed(EVE, "phone", (), (room, pair), 10, {pair: 1})).rows
        self.assertEqual([row.conversation for row in rows], [room])

    async def test_which_marks_were_raised(self) -> None:
        room, pair = await self.stage()
        self.assertEqual(await self.store.mark_received(EVE, "phone", {room: 4, pair: 9, 777: 1}), {room: 4, pair: 1})
        self.assertEqual(await self.store.mark_received(EVE, "phone", {room: 3, pair: 1}), {})

    async def unsure(self, account: int, device: str) -> Unsure:
        return (await self.store.missed(account, device, (), (), 0)).unsure

    async def test_what_may_have_been_shown(self) -> None:
        """Kept by device, gone when a mark passes it, and no mark itself."""
        room, pair = await self.stage()
        self.assertEqual(await self.unsure(EVE, "phone"), Unsure(0, {}))
        await self.store.mark_shown(EVE, "phone", {room: Shown(0, 5), pair: Shown(0, 1)})
        await self.store.mark_shown(EVE, "phone", {room: Shown(0, 4)})
        self.assertEqual(await self.unsure(EVE, "phone"), Unsure(0, {room: Shown(0, 5), pair: Shown(0, 1)}))
        self.assertEqual(await self.unsure(EVE, "desk"), Unsure(0, {}))
        self.assertEqual((await self.of(EVE, room)).received, 3)
        await self.store.mark_received(EVE, "phone", {room: 5})
        self.assertEqual(await self.unsure(EVE, "phone"), Unsure(0, {pair: Shown(0, 1)}))

    async def test_a_stretch_that_was_shown_begins_where_it_began(self) -> None:
        """Rows before it still wait and were shown to nobody; two stretches are one, with what lies between them."""
        room, _ = await self.stage()
        for _ in range(5):
            await self.store.append(text(room, BOB))
        for shown, known in (((4, 5), (4, 5)), ((6, 7), (4, 7)), ((5, 6), (4, 7)), ((3, 99), (3, 10))):
            await self.store.mark_shown(EVE, "phone", {room: Shown(*shown)})
            self.assertEqual((await self.unsure(EVE, "phone")).shown, {room: Shown(*known)})
        await self.store.mark_received(EVE, "phone", {room: 10})
        await self.store.append(text(room, BOB))
        await self.store.append(text(room, BOB))
        await self.store.mark_shown(EVE, "phone", {room: Shown(11, 12)})
        self.assertEqual((await self.unsure(EVE, "phone")).shown, {room: Shown(11, 12)})

    async def test_who_was_cut_off_by_a_crash(self) -> None:
        await self.stage()
        await self.store.saw(EVE, "phone", 900, present=True)
        await self.store.saw(EVE, "desk", 900, present=True)
        await self.store.saw(EVE, "desk", 950, present=False)
        self.assertEqual((await self.restart()).cut_off, {(EVE, "phone")})
        await self.store.note_crash(5_000)
        await self.store.note_crash(6_000)
        self.assertEqual((await self.unsure(EVE, "phone")).before, 5_000)
        self.assertEqual((await self.unsure(EVE, "desk")).before, 0)
        self.assertEqual((await self.restart()).cut_off, frozenset())

    async def test_missed_rows_come_by_time_the_oldest_first(self) -> None:
        room, pair = await self.stage()
        await self.store.append(text(pair, BOB, "later", time=3_000))
        await self.store.append(text(room, BOB, "at once", time=3_000))
        rows = (await self.store.missed(EVE, "phone", (), (room, pair), 10)).rows
        self.assertEqual(
            [(row.conversation, row.seq, row.time) for row in rows],
            [(pair, 1, 1_500), (room, 5, 2_000), (room, 6, 3_000), (pair, 2, 3_000)],
        )
        page = await self.store.missed(EVE, "phone", (), (pair, room), 2)
        self.assertEqual((page.rows, page.more), (rows[:2], True))
        page = await self.store.missed(EVE, "phone", (), (pair, room), 4)
        self.assertEqual((page.rows, page.more), (rows, False))

    async def test_missed_begins_alike_whatever_its_limit(self) -> None:
        """Only the conversations that begin first are read; equal times keep the order of their ids."""
        await self.stage()
        pairs = []
        for number in range(12):
            person = await self.person(f"p{number}")
            for step in range(4):
                time = 5_000 + (number * 7 + step * 5) % 11
                stored = await self.store.append(text(Pair(EVE, person.id), person.id, time=time))
            pairs.append(stored.conversation)
        rows = (await self.store.missed(EVE, "phone", (), pairs, 100)).rows
        self.assertEqual(len(rows), 48)
        for limit in (1, 2, 3, 5, 11, 12, 13, 47):
            self.assertEqual((await self.store.missed(EVE, "phone", (), pairs, limit)).rows, rows[:limit])

    async def test_missed_ends_at_the_bytes_of_a_page(self) -> None:
        _, pair = await self.stage()
        for _ in range(20):
            await self.store.append(text(pair, BOB, "ж" * 8_000, time=4_000))
        page = await self.store.missed(EVE, "phone", (), (pair,), 200)
        self.assertEqual(([row.seq for row in page.rows], page.more), (list(range(1, 18)), True))
        page = await self.store.missed(EVE, "phone", (), (pair,), 200, {pair: 17})
        self.assertEqual(([row.seq for row in page.rows], page.more), (list(range(18, 22)), False))

    async def test_missed_keeps_the_order_of_a_conversation_when_the_clock_was_set_back(self) -> None:
        _, pair = await self.stage()
        await self.store.append(text(pair, BOB, time=100))
        rows = (await self.store.missed(EVE, "phone", (), (pair,), 10)).rows
        self.assertEqual([(row.seq, row.time) for row in rows], [(1, 1_500), (2, 100)])

    async def test_missed_reads_the_conversations_asked_for_after_the_later_mark(self) -> None:
        room, pair = await self.stage()
        self.assertEqual(len((await self.store.missed(EVE, "phone", (), (pair,), 10)).rows), 1)
        self.assertEqual((await self.store.missed(EVE, "phone", (BOB,), (pair, room), 10)).rows, ())
        self.assertEqual((await self.store.missed(BOB, "phone", (), (pair, room), 10)).rows, ())
        await self.store.mark_received(EVE, "phone", {pair: 1})
        await self.store.mark_read(EVE, {room: 5})
        self.assertEqual((await self.store.missed(EVE, "phone", (), (pair, room), 10)).rows, ())
        self.assertEqual(len((await self.store.missed(EVE, "desk", (), (pair, room), 10)).rows), 1)

    async def test_a_note_to_oneself_stands_once_and_is_never_unread(self) -> None:
        await self.stage()
        note = await self.store.append(text(Pair.of(EVE, EVE), EVE))
        places = [place for place in (await self.store.waiting(EVE, "phone", ())).places if place.partner == EVE]
        self.assertEqual(places, [Waiting(note.conversation, EVE, 1, 1, 0, 0, 0)])
        self.assertEqual((await self.store.pairs_of(EVE))[EVE], note.conversation)

    async def test_marks_survive_a_restart(self) -> None:
        room, _ = await self.stage()
        await self.store.mark_received(EVE, "phone", {room: 5})
        before = await self.store.waiting(EVE, "phone", ())
        await self.restart()
        self.assertEqual(await self.store.waiting(EVE, "phone", ()), before)


class FileMarks(Marks, OnFile): ...


class MemoryMarks(Marks, InMemory): ...


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, Marks
