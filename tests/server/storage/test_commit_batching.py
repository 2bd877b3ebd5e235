"""What goes into one commit, and when it begins."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chat.server.storage import commit_batching as gathering
from chat.server.storage.commit_batching import PATIENCE, CommitBatcher
from chat.server.storage.group_commit import Job


class GatheringCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.batches: list[int] = []
        self.gathering = CommitBatcher(
            lambda jobs: self.batches.append(len(jobs)),
            self.clock.callLater,
            lambda call: self.clock.callLater(0, call),
        )

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

    def test_it_begins_after_all_else_that_the_turn_brings(self) -> None:
        self.asked()
        self.clock.callLater(0, lambda: self.batches.append(0))
        self.clock.advance(0)
        self.assertEqual(self.batches, [0, 1])

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
        self.commit(3)  # waits for a fourth in vain, and not again so soon

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

    def test_a_moment_that_is_over_after_the_end_begins_nothing(self) -> None:
        self.asked(3)
        self.gathering.end()
        self.clock.advance(PATIENCE)
        self.assertEqual(self.batches, [3])


class OneMore(GatheringCase):
    """Now and then a commit waits for one more than the last one held."""

    def talk(self, waiting: int, commits: int) -> list[int]:
        """So many people talk, each as soon as the line before is on disk.

        :returns: the commits that waited for somebody else, by number.
        """
        waited = []
        for number in range(commits):
            self.asked(waiting)
            self.clock.advance(0)
            if len(self.batches) == number:
                waited.append(number)
                self.clock.advance(PATIENCE)
            self.gathering.committed()
        return waited

    def test_it_waits_ever_more_rarely_where_nobody_else_comes(self) -> None:
        self.assertEqual(self.talk(3, 600), [1, 3, 7, 15, 31, 63, 127, 255, 511])
        self.assertEqual(set(self.batches), {3})

    def test_commits_grow_to_what_comes_in_that_time(self) -> None:
        """A line comes every millisecond, whatever is on disk, and a commit takes as long."""
        for _ in range(300):
            begun = len(self.batches)
            self.asked()
            self.clock.advance(0.001)
            if begun:
                self.gathering.committed()
        self.assertGreaterEqual(min(self.batches[-10:]), 5)
