"""What the server changes about its reactor."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable
from functools import partial
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.selectreactor import SelectReactor
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chat.process import SPARE_FILES, ReactorTurn, allow_files, poll


class Files(SynchronousTestCase):
    """Whoever starts the server from a shell has a low limit, and may raise it."""

    def setUp(self) -> None:
        self.before = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, self.before)

    def test_it_takes_what_it_may_have(self) -> None:
        _, hard = self.before
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
        places = allow_files()
        soft, after = resource.getrlimit(resource.RLIMIT_NOFILE)
        self.assertEqual(after, hard)
        self.assertGreater(soft, 256)
        self.assertEqual(places, soft - SPARE_FILES)


class End:
    """The end of a pipe that is read.

    :ivar lost: why it was ended by the reactor.
    """

    def __init__(self, case: SynchronousTestCase, act: Callable[[End], object]) -> None:
        self._number, self.other = os.pipe()
        case.addCleanup(os.close, self._number)
        case.addCleanup(os.close, self.other)
        self._act = act
        self.read = 0
        self.lost: list[Any] = []
        os.write(self.other, b"x")

    def fileno(self) -> int:
        return self._number

    def doRead(self) -> None:
        self.read += 1
        self._act(self)

    def connectionLost(self, reason: Any) -> None:
        self.lost.append(reason.value)
        self._act(self)

    def logPrefix(self) -> str:
        return "end"


class Impatient:
    """A poller that waits for nothing.

    :ivar waits: the seconds that it should have waited.
    """

    def __init__(self, real: Any) -> None:
        self.real = real
        self.waits: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self.real, name)

    def poll(self, seconds: float, most: int) -> Any:
        self.waits.append(seconds)
        return self.real.poll(0, most)


class Polling(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = EPollReactor()
        self.poller = self.reactor._poller = Impatient(self.reactor._poller)
        self.addCleanup(self.poller.real.close)
        self.turn = ReactorTurn(self.reactor)
        poll(self.reactor, self.turn)

    def watch(self, act: Callable[[End], object] = lambda end: None) -> End:
        end = End(self, act)
        self.reactor.addReader(end)
        self.addCleanup(self.reactor.removeReader, end)
        return end

    def test_everybody_who_is_ready_is_read(self) -> None:
        ends = [self.watch(), self.watch()]
        self.reactor.doIteration(0)
        self.assertEqual([end.read for end in ends], [1, 1])

    def test_one_that_fails_is_ended_and_the_others_are_read(self) -> None:
        """Even where the end itself fails."""

        def fail(end: End) -> None:
            raise ZeroDivisionError

        broken, fine = self.watch(fail), self.watch()
        self.reactor.doIteration(0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 2)
        self.assertEqual((len(broken.lost), fine.read), (1, 1))
        self.reactor.doIteration(0)
        self.assertEqual((broken.read, fine.read), (1, 2))

    def test_one_that_was_ended_by_another_is_not_read(self) -> None:
        ends: list[End] = []

        def end_the_others(end: End) -> None:
            for each in ends:
                if each is not end:
                    self.reactor.removeReader(each)

        ends += [self.watch(end_the_others), self.watch(end_the_others)]
        self.reactor.doIteration(0)
        self.assertEqual(sum(end.read for end in ends), 1)

    def test_another_reactor_stays_as_it_is(self) -> None:
        reactor = SelectReactor()
        turn = ReactorTurn(reactor)
        poll(reactor, turn)
        self.assertNotIn("doIteration", vars(reactor))
        self.assertFalse(turn.polled)

    def test_a_reactor_that_is_made_otherwise_goes_its_own_way(self) -> None:
        reactor: Any = EPollReactor()
        self.addCleanup(reactor._poller.close)
        del reactor._selectables
        turn = ReactorTurn(reactor)
        poll(reactor, turn)
        self.assertFalse(turn.polled)

    def test_a_turn_ends_before_the_reactor_waits(self) -> None:
        done: list[str] = []
        self.watch(lambda end: self.turn.soon(lambda: done.append("read")))
        self.reactor.doIteration(0)
        self.assertEqual(done, [])
        self.reactor.doIteration(0)
        self.assertEqual(done, ["read"])
        self.assertEqual(self.reactor.getDelayedCalls(), [])

    def test_a_timer_that_the_end_of_a_turn_has_set_is_not_slept_over(self) -> None:
        self.turn.soon(lambda: self.reactor.callLater(0, lambda: None))
        self.reactor.doIteration(30.0)
        self.assertLess(self.poller.waits[-1], 30.0)


class Turns(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.turn = ReactorTurn(self.clock)
        self.done: list[str] = []

    def test_its_end_comes_once_for_everybody_and_in_the_order_of_asking(self) -> None:
        for word in ("a", "b"):
            self.turn.soon(partial(self.done.append, word))
        self.assertEqual((self.done, len(self.clock.getDelayedCalls())), ([], 1))
        self.clock.advance(0)
        self.assertEqual(self.done, ["a", "b"])
        self.assertFalse(self.turn)

    def test_what_its_end_asks_for_is_done_then_after_all_else(self) -> None:
        self.turn.soon(lambda: self.turn.soon(lambda: self.done.append("last")))
        self.turn.soon(lambda: self.done.append("first"))
        self.clock.advance(0)
        self.assertEqual((self.done, self.clock.getDelayedCalls()), (["first", "last"], []))

    def test_one_that_fails_takes_nothing_from_the_others(self) -> None:
        self.turn.soon(lambda: 1 / 0)
        self.turn.soon(lambda: self.done.append("done"))
        self.clock.advance(0)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.done, ["done"])
