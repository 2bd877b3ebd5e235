"""Every acknowledgement and every delivery leaves after the sync that covers it."""

from __future__ import annotations

import asyncio
import os
import sys
from unittest import TestCase, skipUnless

from tests import figures
from tests.crash import spoiled
from tests.crash.ledger import body_of
from tests.crash.trace import Order, TracedStage, can_trace
from tests.e2e.program import Program
from tests.e2e.stage import PASSWORD
from tests.figures import at_most, exactly

MESSAGES = 60


@skipUnless(can_trace(), "strace is not installed, or may not look at other processes")
class Synced(TestCase):
    def order(self, *command: str) -> Order:
        """Let ann talk to bob, in a room and privately, and look at what the server did meanwhile."""
        stage = TracedStage(*command)
        self.addCleanup(stage.close)
        stage.start("--rate=1000000", "--burst=1000000")
        asyncio.run(asyncio.wait_for(self.talk(stage.port), 30))
        stage.end()
        return Order().read(stage.calls())

    async def talk(self, port: int) -> None:
        heard: asyncio.Queue[str] = asyncio.Queue()
        async with (
            await Program().connect(port) as ann,
            await Program(lambda event: heard.put_nowait(event["type"])).connect(port) as bob,
        ):
            for name, program in (("ann", ann), ("bob", bob)):
                await program.gets("logged-in", "new", user=name, password=PASSWORD)
                await program.gets("resumed", "resume")
                await program.gets("room-entered", "connect", room="lobby")
            answers = []
            for number in range(MESSAGES):
                room, private = body_of("ann", number, "#lobby"), body_of("ann", number, "bob")
                answers.append(ann.ask("say", id=room, room="lobby", text=room))
                answers.append(ann.ask("message", id=private, user="bob", text=private))
                if number % 7 == 0:
                    await asyncio.wait(answers)
            replies = await asyncio.gather(*answers)
            self.assertEqual({reply["type"] for reply in replies}, {"stored"})
            for _ in range(2 * MESSAGES):
                while await heard.get() != "said":
                    pass

    def test_nobody_is_told_of_what_is_not_on_disk(self) -> None:
        order = self.order()
        self.assertEqual(set(order.told.values()), {2})  # the acknowledgement, and bob's delivery
        self.assertEqual(len(order.told), 2 * MESSAGES)
        figures.tell(
            "order on disk",
            figures.line(
                "{told} acknowledgements and deliveries, {early} before their sync",
                told=exactly(sum(order.told.values()), 4 * MESSAGES),
                early=at_most(len(order.too_soon), 0),
            ),
        )

    def test_the_check_notices_when_commits_are_not_synced(self) -> None:
        order = self.order(sys.executable, os.path.abspath(spoiled.__file__), "unsynced")
        self.assertEqual(len(order.told), 2 * MESSAGES)
        self.assertEqual(set(order.too_soon), set(order.told))
