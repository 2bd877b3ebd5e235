"""`chat.auth.turns`: so many at a time for each network."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.auth.turns import Turns
from chat.errors import Busy


class TurnsOfOneNetwork(SynchronousTestCase):
    def test_come_in_order(self) -> None:
        turns = Turns(2, 10)
        line = [turns.take("a") for _ in range(4)]
        self.assertEqual([turn.called for turn in line], [True, True, False, False])
        turns.give_back("a")
        self.assertEqual([turn.called for turn in line], [True, True, True, False])

    def test_do_not_hold_up_another_network(self) -> None:
        turns = Turns(1, 10)
        turns.take("a")
        self.assertTrue(turns.take("b").called)

    def test_are_bounded(self) -> None:
        turns = Turns(1, 1)
        turns.take("a")
        turns.take("a")
        self.failureResultOf(turns.take("a"), Busy)

    def test_pass_over_those_who_left(self) -> None:
        turns = Turns(1, 10)
        turns.take("a")
        gone, next_one = turns.take("a"), turns.take("a")
        gone.cancel()
        self.failureResultOf(gone, CancelledError)
        turns.give_back("a")
        self.successResultOf(next_one)

    def test_leave_nothing_behind(self) -> None:
        turns = Turns(1, 10)
        for _ in range(3):
            turns.take("a")
        for _ in range(3):
            self.assertEqual(len(turns), 1)
            turns.give_back("a")
        self.assertEqual(len(turns), 0)

    def test_a_thousand_that_are_given_back_at_once(self) -> None:
        """Whoever is refused gives the turn back from within being called; no stack grows by it."""
        turns = Turns(1, 5_000)
        turns.take("a")
        ended = []

        async def refused(number: int) -> None:
            await turns.take("a")
            ended.append(number)
            turns.give_back("a")

        for number in range(5_000):
            Deferred.fromCoroutine(refused(number))
        turns.give_back("a")
        self.assertEqual(ended, list(range(5_000)))
        self.assertEqual(len(turns), 0)
