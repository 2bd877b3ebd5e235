"""What the server asks of its own process before it begins: that its memory stays with it, and how its time runs."""

from __future__ import annotations

import contextlib
import resource
import time
from typing import Any

_DUMPED = "/proc/self/coredump_filter"
"""Which memory a core dump holds (``core(5)``); a limit of 0 does not bind a program that takes dumps from a pipe."""


def leave_no_dumps() -> None:
    """Let no crash write passwords and messages to a file; a daemon keeps this after its fork."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError), open(_DUMPED, "w", encoding="ascii") as file:
        file.write("0")


def run_on_monotonic_time(reactor: Any) -> None:
    """Let timers run by a clock that never jumps.

    Twisted's run by the wall clock: set forward by an hour, it ends every time-out at once, and set back, it lets
    everything wait for an hour. Call this before the first timer is set.
    """
    assert not reactor.getDelayedCalls(), "a timer that was set by the wall clock would never come"
    reactor.seconds = time.monotonic
