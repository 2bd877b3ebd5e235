"""`chat.server.auth.keyed_semaphore`: so many at a time for each key."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import Busy
from chat.server.auth.keyed_semaphore import KeyedSemaphore


class OneKey(SynchronousTestCase):
    def test_is_acquired_in_order(self) -> None:
        semaphore = KeyedSemaphore(2, 10)
        asked = [semaphore.acquire("a") for _ in range(4)]
        self.assertEqual([each.called for each in asked], [True, True, False, False])
        semaphore.release("a")
        self.assertEqual([each.called for each in asked], [True, True, True, False])

    def test_does_not_hold_up_another(self) -> None:
        semaphore = KeyedSemaphore(1, 10)
        semaphore.acquire("a")
        self.assertTrue(semaphore.acquire("b").called)

    def test_has_a_bounded_queue(self) -> None:
        semaphore = KeyedSemaphore(1, 1)
        semaphore.acquire("a")
        semaphore.acquire("a")
        self.failureResultOf(semaphore.acquire("a"), Busy)

    def test_passes_over_those_that_were_canceled(self) -> None:
        semaphore = KeyedSemaphore(1, 10)
        semaphore.acquire("a")
        canceled, following = semaphore.acquire("a"), semaphore.acquire("a")
        canceled.cancel()
        self.failureResultOf(canceled, CancelledError)
        semaphore.release("a")
        self.successResultOf(following)

    def test_is_forgotten_without_holders(self) -> None:
        semaphore = KeyedSemaphore(1, 10)
        for _ in range(3):
            semaphore.acquire("a")
        for _ in range(3):
            self.assertEqual(len(semaphore), 1)
            semaphore.release("a")
        self.assertEqual(len(semaphore), 0)

    def test_released_by_thousands_at_once(self) -> None:
        """A refused login releases as soon as it acquires; the stack does not grow."""
        semaphore = KeyedSemaphore(1, 5_000)
        semaphore.acquire("a")
        ended = []

        async def refused(number: int) -> None:
            await semaphore.acquire("a")
            ended.append(number)
            semaphore.release("a")

        for number in range(5_000):
            Deferred.fromCoroutine(refused(number))
        semaphore.release("a")
        self.assertEqual(ended, list(range(5_000)))
        self.assertEqual(len(semaphore), 0)
