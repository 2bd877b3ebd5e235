"""What the memory store offers to tests: commits that wait, and commits that fail."""

from __future__ import annotations

from collections.abc import Sequence

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import StoreUnavailable
from chat.protocol.values import Kind, Name, RoomRecord
from chat.server.interfaces import Committed
from chat.server.storage.memory import MemoryStore
from tests.server.storage.engines import VERIFIER, act, text


class HeldCommits(SynchronousTestCase):
    def setUp(self) -> None:
        self.commits: list[Sequence[Committed]] = []
        self.store = MemoryStore()
        self.store.start(self.commits.append)
        self.addCleanup(self.store.stop)
        self.successResultOf(self.store.create_account(Name("bob", "bob"), "", VERIFIER, 1))
        record = RoomRecord(0, Name("lobby", "lobby"), "", 1)
        self.room = self.successResultOf(self.store.create_room(record, act(0, Kind.CREATED, 1))).conversation
        self.commits.clear()

    def test_nothing_is_known_before_the_release(self) -> None:
        self.store.hold()
        first, second = [self.store.append(text(self.room, 1, word)) for word in ("a", "b")]
        self.assertNoResult(first)
        self.assertEqual(self.commits, [])
        self.assertEqual(self.successResultOf(self.store.history(self.room, limit=9)).last, 1)
        self.store.release()
        self.assertEqual([self.successResultOf(one).seq for one in (first, second)], [2, 3])
        self.assertEqual([len(commit) for commit in self.commits], [2])

    def test_what_is_said_while_a_commit_is_told_is_told_after_it(self) -> None:
        told: list[int] = []

        def answer(committed: Sequence[Committed]) -> None:
            for one in committed:
                if one.row.seq == 2:
                    self.store.append(text(self.room, 1, "answer"))
                told.append(one.row.seq)

        self.successResultOf(self.store.stop())
        self.store.start(answer)
        self.store.hold()
        for word in ("a", "b"):
            self.store.append(text(self.room, 1, word))
        self.store.release()
        self.assertEqual(told, [2, 3, 4])

    def test_after_the_release_everything_is_immediate_again(self) -> None:
        self.store.hold()
        self.store.release()
        self.assertEqual(self.successResultOf(self.store.append(text(self.room, 1))).seq, 2)

    def test_the_next_commits_fail(self) -> None:
        self.store.fail(2)
        for _ in range(2):
            self.failureResultOf(self.store.append(text(self.room, 1)), StoreUnavailable)
        self.assertEqual(self.commits, [])
        self.assertEqual(self.successResultOf(self.store.append(text(self.room, 1))).seq, 2)
