"""What the server asks of its own process before it begins: that its memory stays with it, and how its time runs."""

from __future__ import annotations

import contextlib
import gc
import resource
import sys
import time
from collections import deque
from collections.abc import Callable
from io import TextIOWrapper
from typing import Any

from twisted.internet.epollreactor import EPollReactor

from chat.protocol import names, preferences
from chat.protocol.grammar import time_zones
from chat.protocol.wire import sanitize
from chat.server.logs import Logger

log = Logger()

_DUMPED = "/proc/self/coredump_filter"
"""Which memory a core dump holds (``core(5)``); a limit of 0 does not bind a program that takes dumps from a pipe."""


MOST_AT_ONCE = 0.005
"""Seconds of each turn of the reactor for loops over lines and rows, together; what is left goes on in later turns.
Whoever sends one line at a time is not a loop, and never waits for one."""

YOUNG = 50_000
"""Objects made and not gone, after which the youngest are looked at."""


SPARE_FILES = 100
"""Files that the server opens beside its connections."""

_MOST_FILES = 1_000_000 + SPARE_FILES
"""As many as the settings can ask for; where there is no limit, one is of use to nobody."""


def allow_files() -> int:
    """Let this process open as many files as it may: a shell gives it 1,024, which one stranger could use up.

    :returns: the connections that there is room for, with some files to spare for those who run the server.
    """
    soft, hard = (_MOST_FILES if each == resource.RLIM_INFINITY else each for each in _limits())
    most = max(soft, min(hard, _MOST_FILES))
    if most > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, _limits()[1]))
    return max(most - SPARE_FILES, most // 2)


def _limits() -> tuple[int, int]:
    return resource.getrlimit(resource.RLIMIT_NOFILE)


def print_anything() -> None:
    """Let a name that the terminal's encoding has no letters for be printed in another way, and not end in an error."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def leave_no_dumps() -> None:
    """Let no crash write passwords and messages to a file; a daemon keeps this after its fork."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open(_DUMPED, "w", encoding="ascii") as file:
        file.write("0")


def load_tables() -> None:
    """Read now whatever is read or made when it is first needed, so that nobody ever waits for it: 0.3 seconds.

    The tables of Unicode for names and for what is shown, the time zones, and how the machine tells its own time.
    """
    names.prepare()
    preferences.prepare()
    time_zones.prepare()
    sanitize.prepare()
    time.localtime()


def collect_rarely() -> None:
    """Let Python look for unreachable circles of objects less often, and not again among what is there already.

    Nearly nothing here is circular, while each look goes through everything that has been made since the last but a
    few: a tenth of the time while 10,000 people come in.
    """
    freeze_heap()
    gc.set_threshold(YOUNG, 20, 50)


def freeze_heap() -> None:
    """Let Python never look for circles among what is there by now: modules, tables, accounts and rooms."""
    gc.freeze()


def run_on_monotonic_time(reactor: Any) -> None:
    """Let timers run by a clock that never jumps.

    Twisted's run by the wall clock: set forward by an hour, it ends every time-out at once, and set back, it lets
    everything wait for an hour. Call this before the first timer is set.
    """
    assert not reactor.getDelayedCalls(), "a timer that was set by the wall clock would never come"
    reactor.seconds = time.monotonic


class ReactorTurn:
    """The reactor's `chat.server.interfaces.ITurn`: one end of each turn for everybody.

    Under `poll` it comes when everything that was ready has been read, before the reactor waits; under any other
    reactor as one ``callLater(0)``.
    """

    def __init__(self, reactor: Any) -> None:
        self._reactor = reactor
        self._calls: list[Callable[[], object]] = []
        self._later: deque[Callable[[], object]] = deque()
        self._deadline: float | None = None
        self._ending = False
        self.polled = False

    def __bool__(self) -> bool:
        """Whether there is anything to do at the end of this turn."""
        return bool(self._calls)

    def soon(self, call: Callable[[], object]) -> None:
        if not (self._calls or self._ending or self.polled):
            self._reactor.callLater(0, self.end)
        self._calls.append(call)

    def end(self) -> None:
        """Do it, and what is asked for meanwhile."""
        self._ending = True
        while self._calls:
            calls, self._calls = self._calls, []
            for call in calls:
                _call(call)
        self._ending = False

    def spent(self) -> bool:
        now: float = self._reactor.seconds()
        if self._deadline is None:
            self._deadline = now + MOST_AT_ONCE
            self.soon(self._renew)
            return False
        return now >= self._deadline

    def later(self, call: Callable[[], object]) -> None:
        self._later.append(call)
        self.spent()  # so that this turn ends with `_renew`

    def _renew(self) -> None:
        """The time of the next turn is whole; those who wait get what is left of it when the others were read."""
        self._deadline = None
        if self._later:
            self._reactor.callLater(0, self._go_on)

    def _go_on(self) -> None:
        while self._later:
            _call(self._later.popleft())
            if self.spent():
                break


def _call(call: Callable[[], object]) -> None:
    try:
        call()
    except Exception:
        log.failure("something at the end of a turn failed")


_PARTS = ("_selectables", "_doReadOrWrite", "_poller")
"""Of the reactor, what `poll` goes by."""


def poll(reactor: Any, turn: ReactorTurn) -> None:
    """Let the reactor call who is ready without a context of its own for each, and end its turns before it waits.

    Twisted makes a context for the prefix of old log messages (``log.callWithLogger``), which nothing here shows, and
    which takes as long as it takes to read and understand a line. Only the reactor that Linux has by default is
    changed, and only where it is made as it is known here: a later Twisted may be made otherwise, and then goes its own
    way.
    """
    patched: Any = reactor
    if type(reactor) is not EPollReactor or not all(hasattr(reactor, part) for part in _PARTS):
        return
    selectables, act, wait = patched._selectables, patched._doReadOrWrite, patched._poller.poll

    def poll_once(timeout: float | None) -> None:
        if turn:
            turn.end()
            timeout = patched.running and patched.timeout()  # as ``mainLoop`` does: there may be timers by now
        for number, event in wait(timeout, len(selectables)):
            selectable = selectables.get(number)
            if selectable is None:
                continue  # one that was ready before it has ended it
            try:
                act(selectable, number, event)
            except Exception:
                log.failure("{selectable!r} could not be read, written or ended", selectable=selectable)

    turn.polled = True
    patched.doIteration = poll_once
