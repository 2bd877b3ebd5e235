"""What the log promises, on every engine: order, retries, the mailbox bound, effects, history."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import gatherResults

from chat.protocol.errors import MailboxFull, NoSuchConversation, NoSuchMessage, RetryMismatch, RoomTaken
from chat.protocol.values import (
    Draft,
    Kind,
    Member,
    Name,
    Origin,
    Pair,
    Restriction,
    Role,
    RoomRecord,
    Sealed,
    Stored,
    Text,
)
from tests.server.storage.engines import EngineCase, InMemory, OnFile, act, text


class Appending(EngineCase):
    async def test_seq_counts_from_one_in_each_conversation_in_the_order_of_asking(self) -> None:
        """Rows get consecutive seqs in the order of the calls, whichever commit they fall into."""
        bob, eve = await self.person("bob"), await self.person("eve")
        room = await self.room(bob.id)
        pair = Pair.of(bob.id, eve.id)
        stored = await gatherResults(
            [self.store.append(text((room, pair)[n % 2], bob.id, f"line {n}", time=n)) for n in range(40)]
        )
        private = stored[1].conversation
        self.assertEqual([s.seq for s in stored if s.conversation == room], list(range(2, 22)))
        self.assertEqual([s.seq for s in stored if s.conversation == private], list(range(1, 21)))
        self.assertEqual(await self.words(private), [f"line {n}" for n in range(1, 40, 2)])

    async def test_the_sink_gets_every_row_in_commit_order_before_its_sender_is_told(self) -> None:
        bob = await self.person("bob")
        room = await self.room(bob.id)
        self.commits.clear()
        told: list[int] = []
        origin = Origin("here", 7)

        def note(stored: Stored) -> None:
            self.assertIn(stored.seq, [committed.row.seq for committed in self.rows])
            told.append(stored.seq)

        drafts = [text(room, bob.id, f"{n}", time=n) for n in range(30)]
        await gatherResults([self.store.append(draft, origin).addCallback(note) for draft in drafts])
        self.assertEqual(told, list(range(2, 32)))
        self.assertEqual([committed.row.seq for committed in self.rows], told)
        self.assertEqual([committed.draft for committed in self.rows], drafts)
        self.assertEqual({committed.origin for committed in self.rows}, {origin})

    async def test_a_row_reads_back_as_the_sink_got_it(self) -> None:
        bob = await self.person("bob")
        room = await self.room(bob.id)
        await self.store.append(Draft(room, Kind.TEXT, bob.id, "phone", 5, Text("two\nlines ☃")))
        await self.store.append(Draft(room, Kind.SEALED, bob.id, "phone", 6, Sealed("megolm.v1", "k", b"\x00\xff")))
        await self.store.append(Draft(room, Kind.EDIT, bob.id, "phone", 7, Text("better"), ref=2))
        page = await self.store.history(room, limit=10)
        self.assertEqual(list(page.rows), [committed.row for committed in self.rows])

    async def test_what_is_said_in_the_sink_comes_after_the_commit_that_is_told(self) -> None:
        """A row that is appended while rows are delivered is delivered after all of them."""
        bob = await self.person("bob")
        room = await self.room(bob.id)
        seen: list[int] = []

        def sink(committed: Any) -> None:
            for one in committed:
                seen.append(one.row.seq)
                if one.row.seq == 3:
                    self.answer = self.store.append(text(room, bob.id, "answer"))

        await self.store.stop()
        self.store = self.successor()
        self.store.start(sink)
        await gatherResults([self.store.append(text(room, bob.id, f"{n}")) for n in range(5)])
        await self.answer
        self.assertEqual(seen, [2, 3, 4, 5, 6, 7])

    async def test_a_sink_that_fails_loses_no_result(self) -> None:
        bob = await self.person("bob")
        room = await self.room(bob.id)
        await self.store.stop()
        self.store = self.successor()

        def sink(committed: Any) -> None:
            raise ZeroDivisionError

        self.store.start(sink)
        self.assertEqual((await self.store.append(text(room, bob.id))).seq, 2)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    async def test_an_unknown_conversation_is_refused(self) -> None:
        await self.person("bob")
        with self.assertRaises(NoSuchConversation):
            await self.store.append(text(99, 1))
        with self.assertRaises(NoSuchConversation):
            await self.store.history(99, limit=5)
        self.assertEqual(self.commits, [])

    async def test_one_bad_job_fails_alone(self) -> None:
        """A pair with an account that does not exist fails; what was asked for around it is kept, in order."""
        bob = await self.person("bob")
        room = await self.room(bob.id)
        self.commits.clear()
        before = [self.store.append(text(room, bob.id, f"before {n}")) for n in range(3)]
        bad = self.store.append(text(Pair(bob.id, 4_711), bob.id))
        after = [self.store.append(text(room, bob.id, f"after {n}")) for n in range(3)]
        stored = await gatherResults([*before, *after])
        with self.assertRaises(Exception) as failed:
            await bad
        self.assertIn("FOREIGN KEY", str(failed.exception))
        self.assertEqual([s.seq for s in stored], [2, 3, 4, 5, 6, 7])
        self.assertEqual([committed.row.seq for committed in self.rows], [2, 3, 4, 5, 6, 7])


class Retrying(EngineCase):
    async def stage(self) -> tuple[int, Pair]:
        bob, eve = await self.person("bob"), await self.person("eve")
        return await self.room(bob.id), Pair.of(bob.id, eve.id)

    async def test_the_same_again_returns_the_first_result_and_delivers_nothing(self) -> None:
        room, _ = await self.stage()
        first = await self.store.append(text(room, 1, "once", time=10, retry="r1"))
        self.commits.clear()
        again = await self.store.append(text(room, 1, "once", time=99, retry="r1"))
        self.assertEqual(again, Stored(room, first.seq, 10, repeated=True))
        self.assertEqual(self.rows, [])
        self.assertEqual(await self.words(room), ["", "once"])

    async def test_the_same_again_within_one_batch(self) -> None:
        room, pair = await self.stage()
        for where in (room, pair):
            both = await gatherResults([self.store.append(text(where, 1, "once", retry=f"{where}")) for _ in range(2)])
            self.assertEqual([stored.repeated for stored in both], [False, True])
            self.assertEqual(both[0].seq, both[1].seq)

    async def test_the_same_again_after_a_restart(self) -> None:
        _, pair = await self.stage()
        first = await self.store.append(text(pair, 1, "once", retry="r1"))
        await self.restart()
        again = await self.store.append(text(first.conversation, 1, "once", retry="r1"))
        self.assertTrue(again.repeated)

    async def test_another_message_under_it_is_a_mismatch(self) -> None:
        room, pair = await self.stage()
        await self.store.append(text(room, 1, "once", retry="r1"))
        for other in (text(room, 1, "twice", retry="r1"), text(pair, 1, "once", retry="r1")):
            with self.assertRaises(RetryMismatch):
                await self.store.append(other)
        self.assertIsNone(await self.store.pair(pair))

    async def test_a_retry_id_belongs_to_one_device_of_one_person(self) -> None:
        room, _ = await self.stage()
        drafts = [
            Draft(room, Kind.TEXT, author, device, 1, Text("once"), retry="r1")
            for author in (1, 2)
            for device in ("a", "b")
        ]
        stored = await gatherResults([self.store.append(draft) for draft in drafts])
        self.assertEqual([s.repeated for s in stored], [False] * 4)

    async def test_it_is_kept_for_seven_days(self) -> None:
        room, _ = await self.stage()
        day = 24 * 3_600_000
        await self.store.append(text(room, 1, "old", time=1_000, retry="old"))
        await self.store.append(text(room, 1, "on day 7", time=1_000 + 7 * day, retry="b"))
        kept = await self.store.append(text(room, 1, "old", time=1_001 + 7 * day, retry="old"))
        self.assertTrue(kept.repeated)
        await self.store.append(text(room, 1, "later", time=1_001 + 7 * day, retry="c"))
        forgotten = await self.store.append(text(room, 1, "old", time=1_002 + 7 * day, retry="old"))
        self.assertFalse(forgotten.repeated)


class Mailbox(EngineCase):
    async def stage(self) -> Pair:
        bob, eve = await self.person("bob"), await self.person("eve")
        return Pair.of(bob.id, eve.id)

    async def test_it_is_full_at_the_bound_and_open_again_when_they_were_read(self) -> None:
        pair = await self.stage()
        sent = [self.store.append(text(pair, 1, f"{n}", most_waiting=3)) for n in range(3)]
        private = (await gatherResults(sent))[0].conversation
        for where in (pair, private):
            with self.assertRaises(MailboxFull):
                await self.store.append(text(where, 1, "more", most_waiting=3))
        await self.store.mark_received(2, "phone", {private: 1})
        await self.store.append(text(pair, 1, "fits", most_waiting=3))
        with self.assertRaises(MailboxFull):
            await self.store.append(text(pair, 1, "more", most_waiting=3))
        await self.store.mark_read(2, {private: 4})
        self.assertEqual((await self.store.append(text(pair, 1, "fits", most_waiting=3))).seq, 5)

    async def test_rows_of_one_batch_count(self) -> None:
        pair = await self.stage()
        await self.store.append(text(pair, 1))
        sent = [self.store.append(text(pair, 1, f"{n}", most_waiting=3)) for n in range(5)]
        outcomes = [(await one.addErrback(lambda failure: failure.type)) for one in sent]
        self.assertEqual([outcome is MailboxFull for outcome in outcomes], [False, False, True, True, True])

    async def test_it_counts_only_what_the_sender_wrote(self) -> None:
        pair = await self.stage()
        for _ in range(5):
            await self.store.append(text(pair, 2))
        self.assertEqual((await self.store.append(text(pair, 1, most_waiting=1))).seq, 6)

    async def test_a_retry_of_what_was_stored_is_answered_even_when_it_is_full(self) -> None:
        pair = await self.stage()
        await self.store.append(text(pair, 1, retry="a", most_waiting=1))
        again = await self.store.append(text(pair, 1, retry="a", most_waiting=1))
        self.assertTrue(again.repeated)

    async def test_a_room_and_a_note_to_oneself_have_no_bound(self) -> None:
        await self.stage()
        room = await self.room(1)
        for where in (room, Pair.of(1, 1)):
            for _ in range(3):
                await self.store.append(text(where, 1, most_waiting=1))


class Effects(EngineCase):
    async def stage(self) -> int:
        for name in ("bob", "eve", "dan"):
            await self.person(name)
        return await self.room(1)

    async def test_members_come_and_go_with_their_rows(self) -> None:
        room = await self.stage()
        await self.store.append(text(room, 1))
        await self.store.append(act(room, Kind.JOINED, 2))
        await self.store.append(act(room, Kind.JOINED, 2))
        await self.store.append(act(room, Kind.JOINED, 1, target=3))
        await self.store.append(act(room, Kind.ROLE, 1, target=2, body=Text("moderator")))
        (kept,) = (await self.restart()).rooms
        owner = Member(1, Role.OWNER, 0, 1_000, 1_000)
        self.assertEqual(
            kept.members, (owner, Member(2, Role.MODERATOR, 2, 1_000, 1_000), Member(3, Role.MEMBER, 4, 1_000, 1_000))
        )
        self.assertEqual(kept.last, 6)
        await self.store.append(act(room, Kind.LEFT, 2))
        await self.store.append(act(room, Kind.KICKED, 1, target=3))
        (kept,) = (await self.restart()).rooms
        self.assertEqual(kept.members, (owner,))

    async def test_when_a_member_last_came_in_is_kept(self) -> None:
        room = await self.stage()
        await self.store.append(act(room, Kind.JOINED, 2))
        await self.store.entered(2, room, 7_000)
        await self.store.entered(3, room, 8_000)
        (kept,) = (await self.restart()).rooms
        self.assertEqual([member.entered for member in kept.members], [1_000, 7_000])

    async def test_bans_and_mutes_come_and_go_with_their_rows(self) -> None:
        room = await self.stage()
        await self.store.append(act(room, Kind.JOINED, 2))
        await self.store.append(act(room, Kind.JOINED, 3))
        await self.store.append(act(room, Kind.BANNED, 1, target=2, body=Text("spam")))
        await self.store.append(act(room, Kind.MUTED, 1, target=3, until=5_000))
        await self.store.append(act(room, Kind.MUTED, 1, target=3, until=9_000))
        (kept,) = (await self.restart()).rooms
        self.assertEqual([member.account for member in kept.members], [1, 3])
        self.assertEqual(
            kept.restrictions, (Restriction(2, Kind.BANNED, None, "spam"), Restriction(3, Kind.MUTED, 9_000, ""))
        )
        await self.store.append(act(room, Kind.UNBANNED, 1, target=2))
        await self.store.append(act(room, Kind.UNMUTED, 1, target=3))
        (kept,) = (await self.restart()).rooms
        self.assertEqual(kept.restrictions, ())

    async def test_a_topic_is_set_and_emptied(self) -> None:
        room = await self.stage()
        await self.store.append(act(room, Kind.TOPIC, 1, body=Text("cats")))
        self.assertEqual((await self.restart()).rooms[0].record.topic, "cats")
        await self.store.append(act(room, Kind.TOPIC, 1))
        self.assertEqual((await self.restart()).rooms[0].record.topic, "")

    async def test_a_redaction_empties_a_body_and_keeps_the_row(self) -> None:
        """Also of a row that is not yet written when the redaction comes, and of a sealed one."""
        room = await self.stage()
        sealed = Draft(room, Kind.SEALED, 2, "d", 1, Sealed("megolm.v1", "k", b"x"))
        asked = [self.store.append(text(room, 2, "regret")), self.store.append(sealed)]
        asked += [self.store.append(act(room, Kind.REDACTION, 2, ref=ref)) for ref in (2, 3)]
        await gatherResults(asked)
        page = await self.store.history(room, limit=10)
        self.assertEqual([(row.seq, row.kind, row.body) for row in page.rows][1:3], [
            (2, Kind.TEXT, None),
            (3, Kind.SEALED, None),
        ])  # fmt: skip

    async def test_an_edit_leaves_what_was_said(self) -> None:
        room = await self.stage()
        await self.store.append(text(room, 2, "teh"))
        await self.store.append(act(room, Kind.EDIT, 2, ref=2, body=Text("the")))
        self.assertEqual(await self.words(room), ["", "teh", "the"])

    async def test_a_redaction_empties_the_edits_too_and_nothing_else(self) -> None:
        room, other = await self.stage(), await self.room(1, "pool")
        for place in (room, other):
            await self.store.append(text(place, 2, "teh"))
            await self.store.append(act(place, Kind.EDIT, 2, ref=2, body=Text("the")))
        await self.store.append(act(room, Kind.REDACTION, 2, ref=2))
        self.assertEqual(await self.words(room), ["", "", "", ""])
        self.assertEqual(await self.words(other), ["", "teh", "the"])

    async def test_what_was_emptied_is_edited_no_more(self) -> None:
        room = await self.stage()
        await self.store.append(text(room, 2, "teh"))
        asked = [
            self.store.append(act(room, Kind.REDACTION, 2, ref=2)),
            self.store.append(act(room, Kind.EDIT, 2, ref=2, body=Text("the"))),
            self.store.append(text(room, 2, "next")),
        ]
        await asked[0]
        with self.assertRaises(NoSuchMessage):
            await asked[1]
        await asked[2]
        self.assertEqual(await self.words(room), ["", "", "", "next"])


class MakingRooms(EngineCase):
    async def test_a_room_is_kept_with_everything_it_was_made_with(self) -> None:
        await self.person("bob")
        record = RoomRecord(0, Name("Büro", "büro", "buro"), "work", 600, private=True, from_start=False, slow=5)
        made = await self.store.create_room(record, act(0, Kind.CREATED, 1), Origin("here", 1))
        (kept,) = (await self.restart()).rooms
        self.assertEqual(kept.record, made)
        self.assertEqual(made, RoomRecord(made.conversation, record.name, "work", 600, True, False, 5))
        self.assertEqual([(c.row.conversation, c.row.seq, c.draft.conversation) for c in self.rows], [
            (made.conversation, 1, made.conversation)
        ])  # fmt: skip

    async def test_a_name_is_given_once_even_in_one_batch(self) -> None:
        await self.person("bob")
        asked = [
            self.store.create_room(RoomRecord(0, name, "", 1), act(0, Kind.CREATED, 1))
            for name in (Name("pay", "pay"), Name("Pay", "pay"), Name("рау", "рау", "pay"), Name("x", "x"))
        ]
        outcomes = [(await one.addErrback(lambda failure: failure.type)) for one in asked]
        self.assertEqual([outcome is RoomTaken for outcome in outcomes], [False, True, True, False])

    async def test_every_conversation_ends_where_its_log_ends(self) -> None:
        await self.person("bob")
        room, pair = await self.room(1), Pair.of(1, 1)
        stored = await self.store.append(text(pair, 1))
        await self.store.append(text(room, 1))
        self.assertEqual(await self.store.ends(), {room: 2, stored.conversation: 1})
        self.assertEqual(await self.store.pair(pair), stored.conversation)


class FileAppending(Appending, OnFile): ...


class MemoryAppending(Appending, InMemory): ...


class FileRetrying(Retrying, OnFile): ...


class MemoryRetrying(Retrying, InMemory): ...


class FileMailbox(Mailbox, OnFile): ...


class MemoryMailbox(Mailbox, InMemory): ...


class FileEffects(Effects, OnFile): ...


class MemoryEffects(Effects, InMemory): ...


class FileMakingRooms(MakingRooms, OnFile): ...


class MemoryMakingRooms(MakingRooms, InMemory): ...


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, Appending, Retrying, Mailbox, Effects, MakingRooms
