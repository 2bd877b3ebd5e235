"""What a server did, call by call: whether what it says leaves after the sync of the disk that covers it.

A kill of the server does not show this: what was written survives the process, and only a loss of power takes it.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field

from tests.crash.ledger import BODY
from tests.e2e.stage import Stage

CALLS = "pwrite64,fdatasync,fsync,sendto,write,writev"

_LINE = re.compile(r"^(\d+) +(?:(\w+)\((.*)|<\.\.\. (\w+) resumed>(.*))$")


class TracedStage(Stage):
    """A server whose calls are noted by ``strace``.

    :param command: the program and what stands before the options of ``twistd``; nothing for the real one.
    """

    def __init__(self, *command: str) -> None:
        super().__init__()
        self._command = command

    def command(self, *options: str, daemon: bool = False, twistds: Sequence[str] = ()) -> list[str]:
        usual = super().command(*options, daemon=daemon, twistds=twistds)
        server = [*self._command, *usual[1:]] if self._command else usual
        return ["strace", "-f", "-q", "-y", "-s", "5000", "-e", f"trace={CALLS}", "-o", self.path("trace"), *server]

    def end(self, number: int = signal.SIGTERM) -> None:
        """Send the server itself a signal, and wait for its end; ``strace`` would not pass it on."""
        with contextlib.suppress(OSError, ValueError):
            with open(self.path("twistd.pid"), encoding="ascii") as file:
                os.kill(int(file.read()), number)
            self.wait(self._ended, "the server does not end")

    def close(self) -> None:
        self.end(signal.SIGKILL)
        super().close()

    def calls(self) -> list[str]:
        with open(self.path("trace"), encoding="latin-1") as file:
            return file.read().splitlines()


def can_trace() -> bool:
    """Whether ``strace`` is there and may look at other processes."""
    return shutil.which("strace") is not None and os.system("strace -q -o /dev/null true 2>/dev/null") == 0


@dataclass(slots=True)
class Order:
    """Reads calls in their order.

    :ivar told: how often each body left the server: in a delivery, or as the id of an acknowledgement.
    :ivar too_soon: what left before a sync that began after its row was written had ended.
    """

    told: dict[str, int] = field(default_factory=dict)
    too_soon: list[str] = field(default_factory=list)
    _written: set[str] = field(default_factory=set)
    _syncing: dict[str, set[str]] = field(default_factory=dict)
    _synced: set[str] = field(default_factory=set)

    def read(self, calls: list[str]) -> Order:
        for line in calls:
            found = _LINE.match(line)
            if found is None:
                continue
            thread, begun, arguments, resumed, _ = found.groups()
            if resumed is not None:
                self._ended(thread, resumed)
            else:
                self._begun(thread, begun, arguments)
                if not arguments.endswith("<unfinished ...>"):
                    self._ended(thread, begun)
        return self

    def _begun(self, thread: str, call: str, arguments: str) -> None:
        log = "-wal>" in arguments.partition(",")[0]
        if call == "pwrite64" and log:
            self._written.update(BODY.findall(arguments))
        elif call in ("fdatasync", "fsync") and "-wal>" in arguments:
            self._syncing[thread] = set(self._written)
        elif call in ("sendto", "write", "writev") and "socket:" in arguments.partition(",")[0]:
            for body in BODY.findall(arguments):
                self.told[body] = self.told.get(body, 0) + 1
                if body not in self._synced:
                    self.too_soon.append(body)

    def _ended(self, thread: str, call: str) -> None:
        if call in ("fdatasync", "fsync"):
            self._synced |= self._syncing.pop(thread, set())
