"""`chat.server.auth.hashing`: the threads, turned by a test that stands in for the reactor."""

from __future__ import annotations

import os
import queue
import sys
import threading
from collections.abc import Callable
from typing import Any

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import Busy, ShuttingDown
from chat.server.auth.hashing import NICENESS, HashingPool

HOME, SCHOOL, CAFE = "192.0.2.7", "198.51.100.9", "203.0.113.1"

PATIENCE = 10.0
"""Seconds until a thread that should have answered counts as hanging."""


class PoolTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.calls: queue.Queue[tuple[Callable[..., object], tuple[Any, ...]]] = queue.Queue()
        self.before = set(threading.enumerate())

    def pool(self, threads: int = 1, most_waiting: int = 10) -> HashingPool:
        pool = HashingPool(threads, most_waiting, lambda call, *args: self.calls.put((call, args)))
        self.addCleanup(self.end, pool)
        return pool

    def end(self, pool: HashingPool) -> None:
        self.turn_until(pool.stop())
        for thread in self.threads():
            thread.join(PATIENCE)
        self.assertEqual(self.threads(), set())

    def threads(self) -> set[threading.Thread]:
        """Those that this test made and that are alive."""
        return set(threading.enumerate()) - self.before

    def turn_until(self, result: Deferred[Any]) -> None:
        """Be the reactor: make the calls that come from threads until a Deferred has fired."""
        while not result.called:
            call, args = self.calls.get(timeout=PATIENCE)
            call(*args)

    def occupy(self, pool: HashingPool) -> tuple[Deferred[None], threading.Event]:
        """Keep one thread busy until the event is set."""
        begun, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def hash() -> None:
            begun.set()
            go_on.wait(PATIENCE)

        result = pool.run(HOME, hash)
        self.assertTrue(begun.wait(PATIENCE))
        return result, go_on


class APoolAtWork(PoolTestCase):
    def test_has_no_thread_before_it_is_started(self) -> None:
        """twistd forks into the background after everything was made; threads would not survive that."""
        pool = self.pool(threads=3)
        result = pool.run(HOME, int, "7")
        self.assertEqual(self.threads(), set())
        pool.start()
        self.assertEqual(len(self.threads()), 3)
        self.turn_until(result)
        self.assertEqual(self.successResultOf(result), 7)

    def test_calls_elsewhere_and_answers_here(self) -> None:
        pool = self.pool()
        pool.start()
        result = pool.run(HOME, threading.get_ident)
        answered: list[int] = []
        result.addCallback(lambda ident: answered.extend((ident, threading.get_ident())))
        self.turn_until(result)
        elsewhere, here = answered
        self.assertNotEqual(elsewhere, here)
        self.assertEqual(here, threading.get_ident())

    def test_passes_exceptions_on(self) -> None:
        pool = self.pool()
        pool.start()
        result = pool.run(HOME, int, "seven")
        self.turn_until(result)
        self.failureResultOf(result, ValueError)

    def test_steps_back_behind_the_reactor(self) -> None:
        """A wave of logins must not make the people wait who talk."""
        if sys.platform != "linux":
            self.skipTest("only Linux nices one thread")
        pool = self.pool()
        pool.start()
        mine = os.getpriority(os.PRIO_PROCESS, 0)
        result = pool.run(HOME, os.getpriority, os.PRIO_PROCESS, 0)
        self.turn_until(result)
        self.assertEqual(self.successResultOf(result), max(mine, NICENESS))
        self.assertEqual(os.getpriority(os.PRIO_PROCESS, 0), mine)

    def test_refuses_beyond_its_bound(self) -> None:
        pool = self.pool(most_waiting=2)
        pool.start()
        _, go_on = self.occupy(pool)
        waiting = [pool.run(HOME, int, "1"), pool.run(HOME, int, "2")]
        busy = self.failureResultOf(pool.run(HOME, int, "3"), Busy).value
        self.assertGreaterEqual(busy.wait, 1)
        self.assertIn("Try again in 1 second.", busy.line)
        go_on.set()
        self.turn_until(waiting[1])
        self.assertEqual([self.successResultOf(each) for each in waiting], [1, 2])


class NetworksThatShareThePool(PoolTestCase):
    def run_in_order(self, pool: HashingPool, *networks: str) -> list[str]:
        """Ask for one call for each of these while the only thread is busy for the first of them.

        :returns: on whose behalf the calls were made, in order.
        """
        made: list[str] = []
        pool.start()
        begun, go_on = threading.Event(), threading.Event()
        self.addCleanup(go_on.set)

        def first() -> None:
            begun.set()
            go_on.wait(PATIENCE)
            made.append(networks[0])

        pool.run(networks[0], first)
        self.assertTrue(begun.wait(PATIENCE))
        waiting = [pool.run(network, made.append, network) for network in networks[1:]]
        go_on.set()
        for each in waiting:
            self.turn_until(each)
        return made

    def test_one_login_waits_for_one_hash_of_another_network(self) -> None:
        """The school was first, and has five more waiting; neither of the others waits for a second one of them."""
        made = self.run_in_order(self.pool(), *[SCHOOL] * 6, HOME, CAFE, HOME)
        self.assertEqual(made, [SCHOOL, HOME, CAFE, SCHOOL, HOME, SCHOOL, SCHOOL, SCHOOL, SCHOOL])

    def test_one_network_cannot_fill_the_queue(self) -> None:
        """What it put in last makes room for others, and is told that many people log in."""
        pool = self.pool(most_waiting=4)
        flood = [pool.run(SCHOOL, int, "1") for _ in range(4)]
        self.failureResultOf(pool.run(SCHOOL, int, "1"), Busy)
        home = pool.run(HOME, int, "2")
        self.assertIn("Try again", self.failureResultOf(flood[-1], Busy).value.line)
        pool.start()
        self.turn_until(home)
        self.assertEqual(self.successResultOf(home), 2)
        self.turn_until(flood[2])
        self.assertEqual([self.successResultOf(each) for each in flood[:3]], [1, 1, 1])


class ACallThatIsCanceled(PoolTestCase):
    def test_is_never_made_and_makes_room(self) -> None:
        pool = self.pool(most_waiting=1)
        pool.start()
        _, go_on = self.occupy(pool)
        made: list[int] = []
        canceled = pool.run(HOME, made.append, 1)
        canceled.cancel()
        self.failureResultOf(canceled, CancelledError)
        after = pool.run(HOME, made.append, 2)
        go_on.set()
        self.turn_until(after)
        self.assertEqual(made, [2])

    def test_while_it_is_made_is_forgotten(self) -> None:
        pool = self.pool()
        pool.start()
        result, go_on = self.occupy(pool)
        result.cancel()
        self.failureResultOf(result, CancelledError)
        go_on.set()
        after = pool.run(HOME, int, "2")
        self.turn_until(after)
        self.assertEqual(self.successResultOf(after), 2)


class APoolThatStops(PoolTestCase):
    def test_fails_everything_at_once_and_then_ends(self) -> None:
        """Nobody waits for what waited; the one hash that is being made is waited for, without blocking."""
        pool = self.pool()
        pool.start()
        made, go_on = self.occupy(pool)
        waiting = pool.run(HOME, int, "1")
        stopped = pool.stop()
        self.failureResultOf(made, ShuttingDown)
        self.failureResultOf(waiting, ShuttingDown)
        self.assertNoResult(stopped)
        go_on.set()
        self.turn_until(stopped)
        self.successResultOf(stopped)

    def test_takes_nothing_more(self) -> None:
        pool = self.pool()
        pool.start()
        self.turn_until(pool.stop())
        self.failureResultOf(pool.run(HOME, int, "1"), ShuttingDown)

    def test_that_never_started(self) -> None:
        pool = self.pool()
        waiting = pool.run(HOME, int, "1")
        self.successResultOf(pool.stop())
        self.failureResultOf(waiting, ShuttingDown)
