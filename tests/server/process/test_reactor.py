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

from chat.server.process.reactor import MOST_AT_ONCE, SPARE_FILES, ReactorTurn, allow_files, poll


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


class StepByStep:
    """A reactor whose iterations and whose time a test turns by hand."""

    def __init__(self) -> None:
        self.time = 0.0
        self.calls: list[Callable[[], object]] = []

    def seconds(self) -> float:
        return self.time

    def callLater(self, delay: float, call: Callable[[], object]) -> None:
        self.calls.append(call)

    def iterate(self) -> None:
        """Call what is due now."""
        calls, self.calls = self.calls, []
        for call in calls:
            call()


class Sharing(SynchronousTestCase):
    """Loops have `MOST_AT_ONCE` of a turn together, and go on in later ones."""

    def setUp(self) -> None:
        self.reactor = StepByStep()
        self.turn = ReactorTurn(self.reactor)
        self.done: list[str] = []

    def work(self, name: str, steps: int) -> None:
        """A loop whose every step takes a fifth of a turn."""
        while steps:
            self.done.append(name)
            steps -= 1
            self.reactor.time += MOST_AT_ONCE / 5
            if self.turn.spent():
                break
        if steps:
            self.turn.later(lambda: self.work(name, steps))

    def did(self) -> str:
        """What was done since the last look."""
        done, self.done = self.done, []
        return "".join(done)

    def test_the_time_is_one_for_all(self) -> None:
        self.assertFalse(self.turn.spent())
        self.reactor.time += MOST_AT_ONCE * 0.9
        self.assertFalse(self.turn.spent())
        self.reactor.time += MOST_AT_ONCE * 0.2
        self.assertTrue(self.turn.spent())
        self.reactor.iterate()
        self.assertFalse(self.turn.spent())

    def test_everybody_goes_on_in_the_order_of_asking(self) -> None:
        self.work("a", 8)
        self.work("b", 8)
        self.assertEqual(self.did(), "aaaaaab")
        seen = []
        while self.reactor.calls:
            self.reactor.iterate()
            seen.append(self.did())
        self.assertEqual([turn for turn in seen if turn], ["aa" + "bbbb", "bbb"])

    def test_what_is_ready_comes_before_those_who_go_on(self) -> None:
        """They get what is left of the turn, and do one step in any case."""
        self.work("a", 8)
        self.reactor.iterate()
        self.work("b", 8)
        self.assertEqual(self.did(), "aaaaaa" + "bbbbbb")
        self.reactor.iterate()
        self.assertEqual(self.did(), "a")

    def test_one_that_fails_takes_nothing_from_the_others(self) -> None:
        self.turn.later(lambda: 1 / 0)
        self.turn.later(lambda: self.done.append("done"))
        while self.reactor.calls:
            self.reactor.iterate()
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(self.done, ["done"])
