"""What the server changes about its reactor."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from twisted.internet.epollreactor import EPollReactor
from twisted.internet.selectreactor import SelectReactor
from twisted.trial.unittest import SynchronousTestCase

from chat.process import poll_without_log_contexts


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


class Polling(SynchronousTestCase):
    def setUp(self) -> None:
        self.reactor: Any = EPollReactor()
        self.addCleanup(self.reactor._poller.close)
        poll_without_log_contexts(self.reactor)

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
        poll_without_log_contexts(reactor)
        self.assertNotIn("doIteration", vars(reactor))
