"""What operators decide is kept: sanctions, codes, how long rows stay. The same on every engine."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from chat.protocol.errors import BadCredentials
from chat.protocol.values import Kind, Pair, Rank, Sanction
from chat.protocol.values.terms import read_terms
from tests.server.storage.engines import VERIFIER, EngineCase, InMemory, OnFile, text

DAY = 86_400_000


class Decisions(EngineCase):
    async def test_sanctions_are_there_after_a_restart(self) -> None:
        bob = await self.person("bob")
        ban = Sanction(Kind.BANNED, bob.id, "", None, "spam", "ann", 5)
        network = Sanction(Kind.BANNED, 0, "192.0.2.0/24", 99, "", "the operator (root)", 6)
        mute = Sanction(Kind.MUTED, bob.id, "", 7, "", "ann", 7)
        for each in (ban, network, mute):
            await self.store.impose(each)
        self.assertEqual((await self.restart()).sanctions, (ban, network, mute))

    async def test_a_sanction_takes_the_place_of_an_earlier_one_and_can_be_lifted(self) -> None:
        first = Sanction(Kind.BANNED, 1, "", None, "spam", "ann", 5)
        second = Sanction(Kind.BANNED, 1, "", 9, "more spam", "ann", 6)
        await self.store.impose(first)
        await self.store.impose(second)
        self.assertEqual((await self.restart()).sanctions, (second,))
        await self.store.lift(second)
        self.assertEqual((await self.restart()).sanctions, ())

    async def test_a_code_works_once(self) -> None:
        bob = await self.person("bob")
        await self.store.add_token(bob.id, "phone", b"token", 1)
        await self.store.give_code(bob.id, b"first", 50)
        self.assertIsNone(await self.store.verifier(bob.id))
        self.assertIsNone(await self.store.token(b"token"))
        await self.store.give_code(bob.id, b"digest", 99)
        self.assertEqual(await self.store.code(bob.id), (b"digest", 99))
        await self.assertFailure(self.store.use_code(bob.id, b"first", VERIFIER), BadCredentials)
        await self.store.use_code(bob.id, b"digest", VERIFIER)
        self.assertEqual(await self.store.verifier(bob.id), VERIFIER)
        await self.assertFailure(self.store.use_code(bob.id, b"digest", VERIFIER), BadCredentials)

    async def test_a_rank_is_kept(self) -> None:
        bob = await self.person("bob")
        await self.store.set_rank(bob.id, Rank.ADMINISTRATOR)
        self.assertIs((await self.restart()).accounts[0].rank, Rank.ADMINISTRATOR)


class Retention(EngineCase):
    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        self.bob, self.ann = await self.person("bob"), await self.person("ann")
        self.lobby = await self.room(self.bob.id)
        for day in range(1, 6):
            await self.store.append(text(self.lobby, self.bob.id, f"day {day}", time=day * DAY))
            await self.store.append(text(Pair(self.bob.id, self.ann.id), self.bob.id, f"day {day}", time=day * DAY))

    async def forget(self, when: int) -> None:
        for conversation, upto in await self.store.outlived(when):
            while await self.store.forget_before(conversation, upto):
                pass

    async def test_everything_is_kept_unless_told_otherwise(self) -> None:
        self.assertEqual(await self.store.outlived(1_000 * DAY), ())

    async def test_what_is_older_goes_and_the_rest_stays(self) -> None:
        await self.store.set_retention(self.lobby, 2 * DAY)
        await self.forget(5 * DAY)
        page = await self.store.history(self.lobby, limit=100)
        self.assertEqual(await self.words(self.lobby), ["day 3", "day 4", "day 5"])
        self.assertEqual((page.first, page.last), (4, 6))
        self.assertEqual(await self.store.outlived(5 * DAY), ())

    async def test_all_pairs_at_once(self) -> None:
        await self.store.set_retention(0, DAY)
        await self.forget(5 * DAY)
        pair = await self.store.pair(Pair(self.bob.id, self.ann.id))
        assert pair is not None
        self.assertEqual(await self.words(pair), ["day 4", "day 5"])
        self.assertEqual(len(await self.words(self.lobby)), 6)

    async def test_a_seq_is_not_given_twice_where_nothing_is_left(self) -> None:
        await self.store.set_retention(self.lobby, DAY)
        await self.forget(100 * DAY)
        self.assertEqual(await self.words(self.lobby), [])
        await self.restart()
        stored = await self.store.append(text(self.lobby, self.bob.id, "new", time=100 * DAY))
        self.assertEqual(stored.seq, 7)

    async def test_words_that_are_gone_are_not_found(self) -> None:
        while await self.store.index([self.lobby]):
            pass
        await self.store.set_retention(self.lobby, 2 * DAY)
        await self.forget(5 * DAY)
        for words, found in (("2", 0), ("4", 1)):
            hits = await self.store.search(
                read_terms(words), {self.lobby: 0}, author=None, since=0, blocked=(), limit=10
            )
            self.assertEqual(len(hits.rows), found, words)

    async def test_for_ever_again(self) -> None:
        await self.store.set_retention(self.lobby, DAY)
        self.assertEqual(await self.store.retention(), {self.lobby: DAY})
        await self.store.set_retention(self.lobby, None)
        self.assertEqual(await self.store.outlived(100 * DAY), ())

    async def test_small_steps(self) -> None:
        for number in range(1_200):
            self.store.append(text(self.lobby, self.bob.id, f"{number}", time=6 * DAY))
        await self.store.set_retention(self.lobby, DAY)
        ((conversation, upto),) = await self.store.outlived(100 * DAY)
        left = [await self.store.forget_before(conversation, upto) for _ in range(3)]
        self.assertEqual(left, [706, 206, 0])


class FileDecisions(Decisions, OnFile): ...


class MemoryDecisions(Decisions, InMemory): ...


class FileRetention(Retention, OnFile):
    async def test_the_index_forgets_the_words_as_well(self) -> None:
        """Else they could still be read out of the file."""
        while await self.store.index([self.lobby]):
            pass
        await self.store.set_retention(self.lobby, DAY)
        await self.forget(100 * DAY)
        await self.store.stop()
        with closing(sqlite3.connect(self.path)) as database:
            self.assertEqual(database.execute("SELECT term FROM terms").fetchall(), [])


class MemoryRetention(Retention, InMemory): ...


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, Decisions, Retention
