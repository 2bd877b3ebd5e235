"""`chat.client.model.conversation`: a stretch of a log without gaps, whatever order its rows come in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.client.model import conversation as talks
from chat.client.model.conversation import ConversationModel, Key, span
from chat.protocol.events import Deleted, Edited, Entry, History, Said, Skipped, Standing
from chat.protocol.values import Conversation, Kind, Text

OPS = Conversation(2, room="ops")


def said(seq: int, text: str = "", author: str = "bob") -> Said:
    return Said(OPS, seq, Kind.TEXT, author, "phone", 1_000 * seq, Text(text or str(seq)))


def page(*seqs: int, more: bool = False, first: int = 1, last: int = 0) -> History:
    return History(OPS, tuple(map(said, seqs)), more, first, last or max(seqs, default=0))


def seqs(rows: list[Entry]) -> list[int]:
    return [span(row)[0] for row in rows]


class TalkTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.talk = ConversationModel(Key(True, "ops"), "ops")

    def stands(self, last: int, received: int = 0, unread: int = 0, first: int = 1) -> bool:
        return self.talk.stand(Standing(OPS, first, last, received, received, unread))


class AfterABackup(TalkTestCase):
    """A server that was put back to an earlier time has fewer rows than are held, and gives their numbers anew."""

    def test_what_it_does_not_have_any_more_is_let_go(self) -> None:
        self.stands(0)
        for seq in (1, 2, 3):
            self.talk.add(said(seq, "then"))
        self.assertTrue(self.stands(2))
        self.assertEqual((self.talk.rows, self.talk.high), ([], 0))
        self.talk.extend(page(1, 2))
        self.assertEqual(seqs(self.talk.add(said(3, "now"))), [3])

    def test_what_it_still_has_stays(self) -> None:
        self.stands(0)
        self.talk.add(said(1))
        self.assertFalse(self.stands(1))
        self.assertEqual(seqs(self.talk.rows), [1])


class Rows(TalkTestCase):
    def test_that_come_in_order(self) -> None:
        self.assertFalse(self.stands(0))
        for seq in (1, 2, 3):
            self.assertEqual(seqs(self.talk.add(said(seq))), [seq])
        self.assertEqual((self.talk.low, self.talk.high, self.talk.complete), (1, 3, True))

    def test_that_come_twice_are_dropped(self) -> None:
        self.talk.add(said(1))
        self.assertEqual(self.talk.add(said(1)), [])
        self.assertEqual(self.talk.extend(page(1, 2)), [said(2)])

    def test_that_come_too_early_wait(self) -> None:
        self.talk.add(said(1))
        self.assertEqual(self.talk.add(said(3)), [])
        self.assertTrue(self.talk.gap)
        self.assertEqual(self.talk.high, 1)
        self.assertEqual(seqs(self.talk.add(said(2))), [2, 3])
        self.assertFalse(self.talk.gap)

    def test_of_a_page_that_overlaps_with_what_came_live(self) -> None:
        self.assertTrue(self.stands(5, received=2))
        self.talk.begin_at(3)
        self.assertEqual(self.talk.add(said(6)), [])
        self.assertEqual(seqs(self.talk.extend(page(3, 4, 5, 6, last=6))), [3, 4, 5, 6])
        self.assertEqual((seqs(self.talk.rows), self.talk.gap), ([3, 4, 5, 6], False))

    def test_that_are_older_come_to_the_top(self) -> None:
        self.stands(10)
        self.talk.begin_at(9)
        self.talk.extend(page(9, 10))
        self.assertEqual(self.talk.prepend(page(7, 8, more=True)), 2)
        self.assertFalse(self.talk.complete)
        self.assertEqual(self.talk.prepend(page(4, 5, 6, first=4)), 3)
        self.assertEqual((seqs(self.talk.rows), self.talk.complete), ([4, 5, 6, 7, 8, 9, 10], True))

    def test_of_somebody_blocked_are_no_gap(self) -> None:
        self.talk.add(said(1))
        self.talk.add(Skipped(OPS, 2, 4))
        self.assertEqual(seqs(self.talk.add(said(5))), [5])

    def test_of_a_conversation_that_nobody_told_of_begin_there(self) -> None:
        self.assertEqual(seqs(self.talk.add(said(41))), [41])
        self.assertFalse(self.talk.complete)

    def test_are_bounded(self) -> None:
        self.patch(talks, "MOST_ROWS", 50)
        for seq in range(1, 200):
            self.talk.add(said(seq))
        self.assertLessEqual(len(self.talk.rows), 55)
        self.assertEqual((self.talk.high, self.talk.low), (199, 200 - len(self.talk.rows)))
        for seq in range(1_000, 1_000 + 3 * talks.MOST_AHEAD):
            self.talk.add(said(seq))
        self.assertEqual(len(self.talk._ahead), talks.MOST_AHEAD)

    def test_of_a_room_that_was_made_anew(self) -> None:
        self.talk.be(OPS)
        self.talk.add(said(1))
        self.talk.be(Conversation(9, room="ops"))
        self.assertEqual((self.talk.rows, self.talk.high), ([], 0))

    @given(st.permutations(range(1, 12)), st.lists(st.integers(1, 11), max_size=5), st.integers(0, 11))
    def test_in_any_order_are_held_once_each_and_in_order(self, order: list[int], again: list[int], read: int) -> None:
        """Live rows in any order, some twice, and at some moment a page of the history."""
        talk = ConversationModel(Key(True, "ops"), "ops")
        talk.stand(Standing(OPS, 1, 0, 0, 0, 0))
        taken: list[Entry] = []
        for place, seq in enumerate([*order, *again]):
            if place == read:
                taken += talk.extend(page(*range(talk.high + 1, 6)))
            taken += talk.add(said(seq))
        self.assertEqual(seqs(talk.rows), list(range(1, 12)))
        self.assertEqual(seqs(taken), list(range(1, 12)))


class WhatWasSaid(TalkTestCase):
    def test_and_written_anew(self) -> None:
        self.talk.add(said(1, "teh"))
        self.talk.add(Edited(OPS, 2, 1, "bob", "phone", 0, Text("the")))
        self.assertEqual(self.talk.body_of(said(1, "teh")), (Text("the"), True))
        self.talk.add(Deleted(OPS, 3, 1, "bob", "bob", 0))
        self.assertEqual(self.talk.body_of(said(1, "teh")), (None, False))

    def test_an_older_correction_that_is_loaded_later_changes_nothing(self) -> None:
        self.talk.begin_at(3)
        self.talk.add(Edited(OPS, 3, 1, "bob", "phone", 0, Text("newer")))
        older = Edited(OPS, 2, 1, "bob", "phone", 0, Text("older"))
        self.talk.prepend(History(OPS, (said(1), older), False, 1, 3))
        self.assertEqual(self.talk.body_of(said(1)), (Text("newer"), True))


class Unread(TalkTestCase):
    def count(self, *rows: Said) -> None:
        self.talk.count(rows, "ann", lambda each: "ann" in str(each.body))

    def test_lines_of_others(self) -> None:
        self.count(said(1), said(2, author="ann"), said(3, "hi ann"))
        self.assertEqual((self.talk.unread, self.talk.mentions), (2, 1))
        self.talk.high = 3
        self.assertTrue(self.talk.see())
        self.assertEqual((self.talk.unread, self.talk.mentions, self.talk.read), (0, 0, 3))
        self.assertFalse(self.talk.see())

    def test_what_the_server_has_counted_is_not_counted_again(self) -> None:
        self.stands(3, unread=2)
        self.count(said(2), said(3), said(4))
        self.assertEqual(self.talk.unread, 3)

    def test_what_was_read_before_the_connection_broke_stays_read(self) -> None:
        self.talk.add(said(1))
        self.talk.see()
        self.stands(1, unread=1)
        self.assertEqual(self.talk.unread, 0)
