"""What goes into one commit, and when it begins."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chat.storage import gathering
from chat.storage.commits import Job
from chat.storage.gathering import PATIENCE, Gathering


class GatheringCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.batches: list[int] = []
        self.gathering = Gathering(lambda jobs: self.batches.append(len(jobs)), self.clock.callLater)

    def asked(self, jobs: int = 1) -> None:
        for _ in range(jobs):
            self.assertTrue(self.gathering.add(Job(lambda subject: None, (), {})))

    def commit(self, jobs: int) -> None:
        """Let one commit of so many begin and end, and a quiet moment pass."""
        self.asked(jobs)
        self.clock.advance(PATIENCE)
        self.gathering.committed()
        self.batches.clear()


class Beginning(GatheringCase):
    def test_what_comes_in_one_turn_goes_into_one_commit(self) -> None:
        self.asked(3)
        self.assertEqual(self.batches, [])
        self.clock.advance(0)
        self.assertEqual(self.batches, [3])

    def test_what_comes_during_a_commit_goes_into_the_next_one(self) -> None:
        self.asked()
        self.clock.advance(0)
        self.asked(2)
        self.clock.advance(1)
        self.assertEqual(self.batches, [1])
        self.gathering.committed()
        self.clock.advance(0)
        self.assertEqual(self.batches, [1, 2])

    def test_who_talks_alone_waits_for_nobody(self) -> None:
        for _ in range(3):
            self.asked()
            self.clock.advance(0)
            self.gathering.committed()
        self.assertEqual(self.batches, [1, 1, 1])

    def test_a_batch_is_bounded(self) -> None:
        self.patch(gathering, "MOST_AT_ONCE", 2)
        self.asked(3)
        self.clock.advance(0)
        self.assertEqual((self.batches, len(self.gathering)), ([2], 1))

    def test_all_that_waits_is_handed_over_at_the_end(self) -> None:
        self.patch(gathering, "MOST_AT_ONCE", 2)
        self.asked(3)
        self.gathering.end()
        self.assertEqual(self.batches, [2, 1])
        self.clock.advance(1)
        self.assertEqual((self.batches, self.clock.getDelayedCalls()), ([2, 1], []))


class AfterABatch(GatheringCase):
    """Whoever said something mostly goes on: the next commit waits for as many, and not for long."""

    def setUp(self) -> None:
        super().setUp()
        self.commit(3)

    def test_as_many_as_last_time_do_not_wait(self) -> None:
        self.asked(2)
        self.clock.advance(0)
        self.assertEqual(self.batches, [])
        self.asked()
        self.clock.advance(0)
        self.assertEqual(self.batches, [3])

    def test_fewer_wait_for_a_moment(self) -> None:
        self.asked()
        self.clock.advance(PATIENCE * 0.9)
        self.assertEqual(self.batches, [])
        self.clock.advance(PATIENCE * 0.1)
        self.assertEqual(self.batches, [1])

    def test_one_alone_waits_once(self) -> None:
        self.commit(1)
        self.asked()
        self.clock.advance(0)
        self.assertEqual(self.batches, [1])
