"""Peers that flood, stay silent, never read, or talk nonsense: others are served, and nothing grows without bound.

The short form: ``python -m tests.hostile`` lasts as long, and has as many peers, as a real attack. That these tests
fail with a server at fault is shown in `tests.hostile.test_spoiled`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from unittest import TestCase

from tests import figures
from tests.e2e.stage import Stage
from tests.figures import at_least, at_most, below, exactly
from tests.hostile.peers import GARBAGE, Couple, answers, never_read, stay_silent, throw
from tests.hostile.processor import memory

MOST_GROWTH = 32 * 1024
"""KiB."""

FAST = "--rate=1000000", "--burst=1000000"
"""Options under which nobody who is to be served is too fast."""


class PeersCase(TestCase):
    options: tuple[str, ...] = FAST

    def setUp(self) -> None:
        self.stage = self.new_stage()
        self.addCleanup(self.stage.close)
        self.stage.start()
        assert self.stage.server is not None
        self.pid = self.stage.server.pid

    def new_stage(self) -> Stage:
        return Stage(*self.options)

    def couple(self) -> Couple:
        return Couple(self.stage.port, self.pid, "ann", "bob")

    def health(self) -> figures.Line:
        """Whether the server has come through it."""
        log = self.stage.log()
        assert self.stage.server is not None
        return figures.line(
            "{tracebacks} tracebacks, {crashes} crashes",
            tracebacks=at_most(log.count("Traceback") + log.count("Unhandled"), 0),
            crashes=at_most(int(self.stage.server.poll() is not None), 0),
        )


class NeverReading(PeersCase):
    def test_the_queue_is_bounded(self) -> None:
        asyncio.run(self.play(seconds=2))

    async def play(self, seconds: float) -> None:
        async with self.couple() as couple:
            await asyncio.sleep(0.3)
            before = memory(self.pid)
            said = await never_read(self.stage.port, seconds, self.dropped)
            growth = memory(self.pid) - before
        figures.tell(
            "a reader that never reads",
            figures.line(
                "{sent:,} kB: memory grew by {growth:.1f} MiB",
                sent=at_least(said * 4, 1_200),
                growth=below(growth / 1024, MOST_GROWTH / 1024),
            ),
            couple.service.line(),
            self.health(),
        )
        self.assertTrue(self.dropped())

    def dropped(self) -> bool:
        return "it reads too slowly" in self.stage.log()


class Silent(PeersCase):
    AMOUNT = 600
    PATIENCE = 60.0
    """Seconds in which the last of them has to be gone."""

    options = (*FAST, "--login-timeout=5")

    def test_they_are_closed_when_their_time_is_over(self) -> None:
        """Counted from the connect, so that a byte now and then does not help."""
        asyncio.run(self.play(self.AMOUNT))

    async def play(self, count: int) -> None:
        there: list[int] = []
        async with self.couple() as couple:
            with contextlib.suppress(TimeoutError):
                async with (
                    asyncio.timeout(self.PATIENCE),
                    contextlib.aclosing(stay_silent(self.stage.port, count)) as left,
                ):
                    async for number in left:
                        there.append(number)
        figures.tell(
            "silent connections",
            figures.line(
                "{count:,} from many addresses, {left} of them left after the time-out",
                count=exactly(there[0], count),
                left=exactly(there[-1], 0),
            ),
            couple.service.line(),
            self.health(),
        )


class Garbage(PeersCase):
    options = ()

    def test_nobody_else_notices(self) -> None:
        asyncio.run(self.play(random.Random(11)))

    async def play(self, chance: random.Random) -> None:
        hangs = 0
        async with self.couple() as couple:
            await throw(self.stage.port, b"help\n" * 2_000)
            before = memory(self.pid)
            for make in GARBAGE.values():
                await throw(self.stage.port, make(chance))
                hangs += not await answers(self.stage.port)
            growth = memory(self.pid) - before
        figures.tell(
            "garbage",
            figures.line(
                "{kinds} kinds: {hangs} hangs; memory grew by {growth:.1f} MiB",
                kinds=at_least(len(GARBAGE), 15),
                hangs=at_most(hangs, 0),
                growth=below(growth / 1024, MOST_GROWTH / 1024),
            ),
            couple.service.line(),
            self.health(),
        )
