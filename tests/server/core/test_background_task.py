"""Work in the background: when its steps run, and that no two of them do at once."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import StoreUnavailable
from chat.server.core.background_task import BackgroundTask
from tests.server.auth.fakes import FakeClock


class Steps(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = FakeClock()
        self.steps: list[Deferred[float | None]] = []
        self.task = BackgroundTask(self.clock, self.step, 10.0)

    async def step(self) -> float | None:
        self.steps.append(Deferred())
        return await self.steps[-1]

    def passes(self, seconds: float, steps: int) -> None:
        """So many steps have begun when so many seconds are over."""
        self.clock.advance(seconds)
        self.assertEqual(len(self.steps), steps)

    def test_each_step_says_when_the_next_one_is_due(self) -> None:
        self.task.run()
        self.passes(60.0, 1)
        self.steps[0].callback(3.0)
        self.passes(2.9, 1)
        self.passes(0.1, 2)
        self.steps[1].callback(None)
        self.passes(1_000.0, 2)
        self.assertTrue(self.task.resting)

    def test_the_earliest_of_several_starts_counts(self) -> None:
        self.task.start(5.0)
        self.task.start(2.0)
        self.task.start(7.0)
        self.passes(2.0, 1)
        self.steps[0].callback(None)
        self.passes(10.0, 1)

    def test_a_start_during_a_step_leads_to_another_step(self) -> None:
        """What the step has found to be done was perhaps looked up before there was more to do."""
        self.task.run()
        self.task.start(4.0)
        self.task.run()
        self.passes(10.0, 1)
        self.steps[0].callback(None)
        self.passes(4.0, 2)

    def test_a_step_that_fails_is_tried_again(self) -> None:
        self.task.run()
        self.steps[0].errback(StoreUnavailable())
        self.passes(9.9, 1)
        self.passes(0.1, 2)

    def test_a_mistake_is_logged_and_ends_nothing(self) -> None:
        self.task.run()
        self.steps[0].errback(ZeroDivisionError())
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.passes(10.0, 2)

    def test_nothing_runs_after_the_stop(self) -> None:
        self.task.run()
        self.task.stop()
        self.steps[0].callback(1.0)
        self.task.start(1.0)
        self.task.run()
        self.passes(100.0, 1)
