"""Peers that flood, stay silent, never read, or talk nonsense: others are served, and nothing grows without bound.

The short form: ``python -m tests.hostile`` lasts as long, and has as many peers, as a real attack.
"""

from __future__ import annotations

import asyncio
import random
from unittest import TestCase

from tests import figures
from tests.e2e.stage import Stage
from tests.hostile.peers import GARBAGE, Couple, memory, never_read, stay_silent, throw

MOST_GROWTH = 32 * 1024
"""KiB."""

FAST = "--rate=1000000", "--burst=1000000"
"""Options under which nobody who is to be served is too fast."""


class PeersCase(TestCase):
    options: tuple[str, ...] = FAST

    def setUp(self) -> None:
        self.stage = Stage(*self.options)
        self.addCleanup(self.stage.close)
        self.stage.start()
        assert self.stage.server is not None
        self.pid = self.stage.server.pid

    def untroubled(self) -> None:
        log = self.stage.log()
        self.assertNotIn("Traceback", log)
        self.assertNotIn("Unhandled", log)
        assert self.stage.server is not None
        self.assertIsNone(self.stage.server.poll())


class NeverReading(PeersCase):
    def test_the_queue_is_bounded(self) -> None:
        asyncio.run(self.play(seconds=2))

    async def play(self, seconds: float) -> None:
        async with Couple(self.stage.port, "ann", "bob") as couple:
            await asyncio.sleep(0.3)
            before = memory(self.pid)
            said = await never_read(self.stage.port, seconds)
            growth = memory(self.pid) - before
        self.assertGreater(said, 300)
        self.assertIn("it reads too slowly", self.stage.log())
        self.assertLess(growth, MOST_GROWTH)
        self.untroubled()
        figures.tell(
            "a reader that never reads",
            f"{said * 4:,} kB in {seconds:.0f} s: memory grew by {growth / 1024:.1f} MiB; {couple.service}",
        )


class Silent(PeersCase):
    options = (*FAST, "--login-timeout=5")

    def test_they_are_closed_when_their_time_is_over(self) -> None:
        """Counted from the connect, so that a byte now and then does not help."""
        asyncio.run(self.play(600))

    async def play(self, count: int) -> None:
        async with Couple(self.stage.port, "ann", "bob") as couple:
            there = [number async for number in stay_silent(self.stage.port, count)]
        self.assertEqual((there[0], there[-1]), (count, 0))
        self.untroubled()
        figures.tell(
            "silent connections", f"{count:,} from many addresses, all closed by the time-out; {couple.service}"
        )


class Garbage(PeersCase):
    options = ()

    def test_nobody_else_notices(self) -> None:
        asyncio.run(self.play(random.Random(11)))

    async def play(self, chance: random.Random) -> None:
        async with Couple(self.stage.port, "ann", "bob") as couple:
            await throw(self.stage.port, b"help\n" * 2_000)
            before = memory(self.pid)
            for what, make in GARBAGE.items():
                await throw(self.stage.port, make(chance))
                self.assertNotIn("Traceback", self.stage.log(), what)
            growth = memory(self.pid) - before
        self.assertLess(growth, MOST_GROWTH)
        self.untroubled()
        figures.tell(
            "garbage",
            f"{len(GARBAGE)} kinds: 0 crashes, 0 hangs, 0 tracebacks; memory grew by {growth / 1024:.1f} MiB;"
            f" {couple.service}",
        )
