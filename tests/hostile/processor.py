"""What the kernel tells of processes (``proc(5)``): their memory, and how long they waited for a processor."""

from __future__ import annotations

import contextlib
import os
import re


class Starvation:
    """For how long the machine lets a server, or this process, wait for a processor although it has something to do.

    Of the first thread of each (``schedstat``, the kernel's ``sched-stats``). Where that is not told, it is nothing.

    :param server: the number of its process.
    """

    def __init__(self, server: int) -> None:
        self._files = [f"/proc/{pid}/task/{pid}/schedstat" for pid in (server, os.getpid())]

    def now(self) -> list[float]:
        """Seconds that each of the two has waited until now."""
        waited = []
        for name in self._files:
            with contextlib.suppress(OSError), open(name, "rb", 0) as file:
                waited.append(int(file.read().split()[1]) / 1e9)
        return waited

    def since(self, before: list[float]) -> float:
        """Seconds that the one has waited that waited longer; both may have done so at the same time."""
        return max((now - then for now, then in zip(self.now(), before, strict=False)), default=0.0)


def memory(process: int) -> int:
    """KiB of memory that a process holds (``VmRSS``, ``proc(5)``)."""
    with open(f"/proc/{process}/status", encoding="ascii") as file:
        return int(re.findall(r"VmRSS:\s+(\d+)", file.read())[0])
