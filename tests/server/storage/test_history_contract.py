"""What history promises, on every engine: every page is a part of the log, and pages join without a gap."""

from __future__ import annotations

from json import dumps

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.protocol.values import Kind, Name, Page, RoomRecord, Text
from chat.server.storage.log import PAGE_BYTES
from chat.server.storage.memory import MemoryStore
from tests.server.storage.engines import VERIFIER, EngineCase, InMemory, OnFile, act, text


class Paging(EngineCase):
    async def stage(self, lines: int) -> int:
        bob = await self.person("bob")
        before, room, after = [await self.room(bob.id, name) for name in ("before", "middle", "after")]
        for n in range(2, lines + 1):
            for conversation in (before, room, after):
                last = self.store.append(text(conversation, bob.id, f"{n}", time=n * 10))
        await last
        return room

    async def seqs(self, room: int, limit: int, **bounds: int) -> tuple[list[int], bool]:
        page = await self.store.history(room, limit=limit, **bounds)
        self.assertEqual({row.conversation for row in page.rows} - {room}, set())
        return [row.seq for row in page.rows], page.more

    async def test_the_newest_rows_oldest_first(self) -> None:
        room = await self.stage(20)
        self.assertEqual(await self.seqs(room, 3), ([18, 19, 20], True))
        self.assertEqual(await self.seqs(room, 20), (list(range(1, 21)), False))

    async def test_before_a_seq(self) -> None:
        room = await self.stage(20)
        self.assertEqual(await self.seqs(room, 3, before=10), ([7, 8, 9], True))
        self.assertEqual(await self.seqs(room, 3, before=4), ([1, 2, 3], False))
        self.assertEqual(await self.seqs(room, 3, before=1), ([], False))
        self.assertEqual(await self.seqs(room, 2, before=999), ([19, 20], True))

    async def test_after_a_seq(self) -> None:
        room = await self.stage(20)
        self.assertEqual(await self.seqs(room, 3, after=10), ([11, 12, 13], True))
        self.assertEqual(await self.seqs(room, 3, after=17), ([18, 19, 20], False))
        self.assertEqual(await self.seqs(room, 3, after=20), ([], False))
        self.assertEqual(await self.seqs(room, 3, after=999), ([], False))
        self.assertEqual(await self.seqs(room, 9, after=10, before=13), ([11, 12], False))

    async def test_since_a_time(self) -> None:
        """The row of that very millisecond belongs to it; the first row was made at 1,000."""
        bob = await self.person("bob")
        room = await self.room(bob.id)
        for time in (2_000, 2_000, 3_000, 4_000):
            await self.store.append(text(room, bob.id, time=time))
        for since, first in ((0, 1), (1_000, 1), (1_001, 2), (2_000, 2), (2_001, 4), (4_000, 5)):
            self.assertEqual(await self.seqs(room, 9, since=since), (list(range(first, 6)), False))
        self.assertEqual(await self.seqs(room, 9, since=4_001), ([], False))
        self.assertEqual(await self.seqs(room, 2, since=2_000), ([2, 3], True))

    async def test_a_page_ends_at_its_bytes_whichever_way_one_reads(self) -> None:
        room = await self.stage(2)
        bodies = {"ж": 8_000, "a": 16_000, '"\n\x01': 39, "\x01": 16_000}
        for char, length in bodies.items():
            for _ in range(30):
                last = self.store.append(text(room, 1, "x" + char * length))
        await last
        for step in ("after", "before"):
            seqs: list[int] = []
            bound: dict[str, int] = {"after": 0} if step == "after" else {}
            more = True
            while more:
                page = await self.store.history(room, limit=500, **bound)
                texts = [row.body.text for row in page.rows if isinstance(row.body, Text)]
                size = sum(len(dumps(each, ensure_ascii=False).encode()) for each in texts)
                self.assertLess(size, PAGE_BYTES)
                more = page.more
                if more:
                    self.assertGreater(size, PAGE_BYTES // 2)
                found = [row.seq for row in page.rows]
                seqs = seqs + found if step == "after" else found + seqs
                bound = {step: found[-1] if step == "after" else found[0]}
            self.assertEqual(seqs, list(range(1, 30 * len(bodies) + 3)))

    async def test_an_empty_page_still_says_where_the_log_is(self) -> None:
        room = await self.stage(5)
        self.assertEqual(await self.store.history(room, after=5, limit=3), Page((), 1, 5, False))


class FilePaging(Paging, OnFile): ...


class MemoryPaging(Paging, InMemory): ...


class Walking(InMemory):
    """Whatever the bounds, walking page by page gives exactly the rows within them."""

    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        self.times = [1_000, 1_000, 1_001, 1_500, 1_500, 1_500, 1_501, 2_000, 9_000, 9_000, 9_001]
        await self.person("bob")
        self.conversation = await self.room(1)
        for time in self.times[1:]:
            await self.store.append(text(self.conversation, 1, time=time))

    def page(self, limit: int, **bounds: int | None) -> Page:
        return self.successResultOf(self.store.history(self.conversation, limit=limit, **bounds))

    @given(since=st.integers(990, 9_010), limit=st.integers(1, 12))
    @settings(max_examples=60)
    def test_since_finds_the_first_row_of_a_time(self, since: int, limit: int) -> None:
        expected = [seq for seq, time in enumerate(self.times, start=1) if time >= since]
        page = self.page(limit, since=since)
        self.assertEqual([row.seq for row in page.rows], expected[:limit])
        self.assertEqual(page.more, len(expected) > limit)

    @given(limit=st.integers(1, 12), start=st.integers(0, 12))
    @settings(max_examples=60)
    def test_walking_onward_and_back_meets_every_row_once(self, limit: int, start: int) -> None:
        onward: list[int] = []
        more, at = True, start
        while more:
            page = self.page(limit, after=at)
            onward += [row.seq for row in page.rows]
            more, at = page.more, onward[-1] if onward else at
        back: list[int] = []
        more, at = True, start
        while more:
            page = self.page(limit, before=at)
            back = [row.seq for row in page.rows] + back
            more, at = page.more, back[0] if back else at
        self.assertEqual(back, list(range(1, min(start, 12))))
        self.assertEqual(onward, list(range(start + 1, 12)))


class LongLogs(InMemory):
    async def test_since_asks_for_few_rows_of_a_long_log(self) -> None:
        """A time is found by bisection: some point queries, no scan."""
        store = MemoryStore()
        store.start(lambda committed: None)
        self.addCleanup(store.stop)
        store.create_account(Name("bob", "bob"), "", VERIFIER, 1)
        made = self.successResultOf(store.create_room(RoomRecord(0, Name("r", "r"), "", 1), act(0, Kind.CREATED, 1)))
        store.hold()
        for n in range(5_000):
            store.append(text(made.conversation, 1, time=2_000 + n))
        store.release()
        assert store._connection is not None
        asked: list[str] = []
        store._connection.set_trace_callback(asked.append)
        page = self.successResultOf(store.history(made.conversation, since=4_000, limit=1))
        self.assertEqual(page.rows[0].time, 4_000)
        self.assertLess(len(asked), 20)


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, Paging
