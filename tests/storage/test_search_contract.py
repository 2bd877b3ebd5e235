"""What search finds, over each engine: words of what was said in the clear, where one may read."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.storage.search import AT_ONCE, match_expression
from chat.values import Draft, Kind, Pair, Row, Sealed, Text
from tests.storage.engines import EngineCase, InMemory, OnFile, act, text


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
        rows = await self.store.search(
            words, dict.fromkeys(places, after), author=author, since=since, blocked=[blocked], limit=10
        )
        return [row.body.text for row in rows if isinstance(row.body, Text)]

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
        self.assertEqual(await self.store.unindexed(), (room,))
        for _ in range(AT_ONCE):
            self.store.append(text(room, 1, "needle"))
        self.assertEqual(await self.store.index([room]), AT_ONCE)
        self.assertEqual(await self.store.unindexed(), (room,))
        self.assertEqual(await self.store.index([room]), 1)
        self.assertEqual(await self.store.index([room]), 0)
        self.assertEqual(await self.store.unindexed(), ())


class SearchingOnFile(OnFile, Searching):
    """The promises hold for `SqliteStore`."""


class SearchingInMemory(InMemory, Searching):
    """The promises hold for `MemoryStore`."""


class WhatPeopleType(SynchronousTestCase):
    """User text never reaches the query syntax."""

    def test_operators_are_words(self) -> None:
        self.assertEqual(match_expression("a OR b"), '"a" "OR" "b"')
        self.assertEqual(match_expression('NEAR(x "y z" body:q -w'), '"NEAR(x" "y z" "body:q" "-w"')

    def test_nothing_to_look_for(self) -> None:
        for words in ("", "   ", '""', "*** - ( )"):
            self.assertEqual(match_expression(words), "")


class AnyWords(InMemory):
    @given(st.text(max_size=30) | st.text('"*()-:ab NOTNEAR^+', max_size=30))
    def test_no_words_break_the_query(self, words: str) -> None:
        found: list[tuple[Row, ...]] = []
        self.store.search(words, {1: 0}, author=None, since=0, blocked=[], limit=1).addCallback(found.append)
        self.assertEqual(found, [()])


del EngineCase, InMemory, OnFile, Searching
