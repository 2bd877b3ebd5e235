"""What search finds, over each engine: words of what was said in the clear, where one may read."""

from __future__ import annotations

import threading
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import gatherResults

from chat.protocol.errors import BadUsage, Busy, SearchTooBroad
from chat.protocol.values import Draft, Kind, Pair, Sealed, Text
from chat.protocol.values.terms import read_terms
from chat.server.interfaces import Hits
from chat.server.storage import search as searching
from chat.server.storage.search_index import AT_ONCE
from chat.server.storage.sqlite import MOST_SEARCHES
from chat.server.storage.store import Lane
from chat.server.storage.transaction import Transaction
from tests.server.storage.engines import EngineCase, InMemory, OnFile, act, text


class Searching(EngineCase):
    async def stage(self) -> int:
        for name in ("bob", "eve"):
            await self.person(name)
        return await self.room(1)

    async def say(self, room: int | Pair, *lines: str, author: int = 1, time: int = 1_000) -> None:
        for line in lines:
            await self.store.append(text(room, author, line, time=time))

    async def found(
        self, words: str, *places: int, author: int | None = None, since: int = 0, after: int = 0, blocked: int = 0
    ) -> list[str]:
        """The bodies of what is found, the newest first, with the index up to date."""
        while await self.store.index(places):
            pass
        hits = await self.store.search(
            read_terms(words), dict.fromkeys(places, after), author=author, since=since, blocked=[blocked], limit=10
        )
        self.assertTrue(hits.complete)
        return [row.body.text for row in hits.rows if isinstance(row.body, Text)]

    async def test_every_word_has_to_occur_whatever_its_case_and_accents(self) -> None:
        room = await self.stage()
        await self.say(room, "the disk is full", "The DISK is fine", "Grüße aus Köln")
        self.assertEqual(await self.found("disk", room), ["The DISK is fine", "the disk is full"])
        self.assertEqual(await self.found("full disk", room), ["the disk is full"])
        self.assertEqual(await self.found("koln", room), ["Grüße aus Köln"])

    async def test_phrases_stand_side_by_side_and_a_star_stands_for_any_ending(self) -> None:
        room = await self.stage()
        await self.say(room, "the disk is full", "is the disk here?")
        self.assertEqual(await self.found('"the disk is"', room), ["the disk is full"])
        self.assertEqual(await self.found("ful*", room), ["the disk is full"])
        self.assertEqual(await self.found("ful", room), [])
        self.assertEqual(await self.found("the-disk", room), ["is the disk here?", "the disk is full"])
        self.assertEqual(await self.found("disk-her* the", room), ["is the disk here?"])

    async def test_a_prefix_finds_each_row_once(self) -> None:
        room = await self.stage()
        await self.say(room, "deploy the deployment to deploys", *(f"deploy{number}" for number in range(12)))
        self.assertEqual(len(await self.found("deploy*", room)), 10)
        self.assertEqual(await self.found("dep* deploys", room), ["deploy the deployment to deploys"])
        self.assertEqual(await self.found("deploym* deplo*", room), ["deploy the deployment to deploys"])

    async def test_whatever_else_is_in_a_body(self) -> None:
        room = await self.stage()
        bodies = [
            'before\0after "quoted" \\slashed',
            "\x01\x1f tab\tline\nend",
            "😀 𝔣𝔞𝔫𝔠𝔶 \ufffe\ud7ff ünï",
            "日本語 text",
        ]
        await self.say(room, *bodies)
        for words in ("before after", "quoted slashed", "tab line end", "ünï", "𝔣𝔞𝔫𝔠𝔶", "日本語 text"):
            self.assertEqual(len(await self.found(words, room)), 1, words)
        for seq in range(2, 6):
            await self.store.append(act(room, Kind.REDACTION, 1, ref=seq))
        left = await self.store._read(Lane.READS, lambda c: c.execute("SELECT term FROM terms").fetchall())
        self.assertEqual(left, [])

    async def test_only_where_one_may_read(self) -> None:
        room = await self.stage()
        await self.say(room, "needle one", "needle two")
        other = await self.room(1, "ops")
        await self.say(other, "needle elsewhere")
        await self.say(Pair(1, 2), "needle in private")
        self.assertEqual(await self.found("needle", room), ["needle two", "needle one"])
        self.assertEqual(await self.found("needle", room, after=2), ["needle two"])
        self.assertEqual(await self.found("needle"), [])

    async def test_by_whom_and_since_when(self) -> None:
        room = await self.stage()
        await self.say(room, "needle of bob", time=1_000)
        await self.say(room, "needle of eve", author=2, time=2_000)
        self.assertEqual(await self.found("needle", room, author=1), ["needle of bob"])
        self.assertEqual(await self.found("needle", room, since=1_500), ["needle of eve"])
        self.assertEqual(await self.found("needle", room, blocked=2), ["needle of bob"])

    async def test_the_newest_first_across_conversations(self) -> None:
        room = await self.stage()
        other = await self.room(1, "ops")
        await self.say(other, "needle late", time=9_000)
        await self.say(room, "needle early", time=2_000)
        self.assertEqual(await self.found("needle", room, other), ["needle late", "needle early"])

    async def test_what_is_emptied_is_found_no_more_indexed_or_not(self) -> None:
        room = await self.stage()
        await self.say(room, "needle one", "needle two")
        await self.found("needle", room)
        await self.store.append(act(room, Kind.REDACTION, 1, ref=2))
        self.assertEqual(await self.found("needle", room), ["needle two"])
        await self.say(room, "needle three")
        await self.store.append(act(room, Kind.REDACTION, 1, ref=5))
        self.assertEqual(await self.found("needle", room), ["needle two"])

    async def test_what_was_edited_is_found_by_its_new_words(self) -> None:
        room = await self.stage()
        await self.say(room, "nedle")
        await self.store.append(act(room, Kind.EDIT, 1, ref=2, body=Text("needle")))
        self.assertEqual(await self.found("needle", room), ["needle"])
        await self.store.append(act(room, Kind.REDACTION, 1, ref=2))
        self.assertEqual(await self.found("needle", room), [])

    async def test_sealed_bodies_topics_and_reasons_are_not_searched(self) -> None:
        room = await self.stage()
        await self.store.append(Draft(room, Kind.SEALED, 1, "d", 1, Sealed("needle", "needle", b"needle")))
        await self.store.append(act(room, Kind.TOPIC, 1, body=Text("needle")))
        self.assertEqual(await self.found("needle", room), [])

    async def test_the_index_follows_in_steps_and_knows_where_it_is_behind(self) -> None:
        room = await self.stage()
        self.assertEqual(await self.store.behind(), (room,))
        for _ in range(AT_ONCE):
            self.store.append(text(room, 1, "needle"))
        self.assertEqual(await self.store.index([room]), AT_ONCE)
        self.assertEqual(await self.store.behind(), (room,))
        self.assertEqual(await self.store.index([room]), 1)
        self.assertEqual(await self.store.index([room]), 0)
        self.assertEqual(await self.store.behind(), ())

    async def test_a_page_ends_at_its_bytes(self) -> None:
        room = await self.stage()
        await self.say(room, *("needle " + "ж" * 8_000 for _ in range(20)))
        while await self.store.index([room]):
            pass
        hits = await self.store.search(read_terms("needle"), {room: 0}, author=None, since=0, blocked=[], limit=20)
        self.assertEqual(([row.seq for row in hits.rows], hits.more), (list(range(21, 5, -1)), True))

    async def test_a_search_that_takes_too_long_is_ended(self) -> None:
        room = await self.stage()
        for _ in range(2_000):
            self.store.append(text(room, 1, "needle in a haystack"))
        while await self.store.index([room]):
            pass
        self.patch(searching, "DEADLINE", -1.0)
        search = self.store.search(read_terms("needle hay*"), {room: 0}, author=2, since=0, blocked=[], limit=5)
        with self.assertRaisesRegex(SearchTooBroad, "Narrow it with in:ROOM"):
            await search
        self.patch(searching, "DEADLINE", 60.0)
        self.assertEqual(len(await self.found("needle hay*", room)), 10)

    async def test_it_is_one_statement_however_many_conversations_there_are(self) -> None:
        room = await self.stage()
        await self.say(room, "needle")
        await self.found("needle", room)
        seen: list[str] = []

        def trace(connection: Any) -> None:
            connection.set_trace_callback(seen.append)

        await self.store._read(Lane.SEARCHES, trace)
        readable = dict.fromkeys(range(1, 1_001), 0)
        await self.store.search(read_terms("needle"), readable, author=None, since=0, blocked=[], limit=5)
        self.assertLess(len([sql for sql in seen if "SELECT" in sql]), 6)

    async def test_an_index_that_is_built_anew_says_so_until_it_is_whole(self) -> None:
        room = await self.stage()
        await self.say(room, *(f"needle {number}" for number in range(AT_ONCE + 10)))
        while await self.store.index([room]):
            pass
        await self.as_after_an_upgrade()
        await self.say(room, "new needle")
        await self.store.index([room])
        terms = read_terms("needle")

        async def found() -> tuple[str, bool]:
            hits = await self.store.search(terms, {room: 0}, author=None, since=0, blocked=[], limit=2)
            body = hits.rows[-1].body
            return body.text if isinstance(body, Text) else "", hits.complete

        self.assertEqual(await found(), ("new needle", False))
        self.assertTrue(await self.store.rebuild())
        self.assertEqual(await found(), (f"needle {AT_ONCE + 9}", False))
        await self.restart()
        while await self.store.rebuild():
            await self.restart()
        self.assertEqual(await found(), (f"needle {AT_ONCE + 9}", True))
        self.assertEqual(len(await self.found("needle 3", room)), 1)
        names = await self.store._read(
            Lane.READS, lambda c: [row[0] for row in c.execute("SELECT name FROM sqlite_master")]
        )
        self.assertEqual([name for name in names if name.startswith("words")], [])

    async def as_after_an_upgrade(self) -> None:
        """Make the index as it is when a database of an older version was upgraded."""

        def empty(transaction: Transaction) -> None:
            transaction.execute("DELETE FROM terms")
            transaction.execute("UPDATE conversations SET unindexed = indexed")
            transaction.execute("INSERT INTO words (rowid, body) SELECT id, body FROM log WHERE kind = 'text'")

        await self.store._write(empty)


class SearchingOnFile(OnFile, Searching):
    """The promises hold for `SqliteStore`."""

    async def test_neither_logins_nor_histories_wait_for_a_search(self) -> None:
        """Nor does a search wait for what the server asks itself."""
        room = await self.stage()
        go = threading.Event()
        slow = self.store._read(Lane.SEARCHES, lambda _: go.wait())
        survey = self.store._read(Lane.SURVEYS, lambda _: go.wait())
        await self.store.verifier(1)
        await self.store.history(room, limit=1)
        self.assertNoResult(slow)
        go.set()
        await slow
        await survey

    async def test_too_many_searches_are_refused(self) -> None:
        go = threading.Event()
        slow = [self.store._read(Lane.SEARCHES, lambda _: go.wait()) for _ in range(MOST_SEARCHES)]
        refused = self.failureResultOf(self.store._read(Lane.SEARCHES, lambda _: None), Busy)
        self.assertIn("Too many searches are running", refused.getErrorMessage())
        go.set()
        await gatherResults(slow)


class SearchingInMemory(InMemory, Searching):
    """The promises hold for `MemoryStore`."""


class AnyWords(InMemory):
    @given(st.text(max_size=30) | st.text('"*()-:ab NOTNEAR^+', max_size=30))
    def test_no_words_break_the_query(self, words: str) -> None:
        try:
            terms = read_terms(words)
        except BadUsage:
            return
        found: list[Hits] = []
        self.store.search(terms, {1: 0}, author=None, since=0, blocked=[], limit=1).addCallback(found.append)
        self.assertEqual(found, [Hits((), False, True)])


del EngineCase, InMemory, OnFile, Searching
