"""People who want to be served while others attack, and how they are."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any

from tests.e2e.program import Frame, HungUp, Program
from tests.e2e.stage import PASSWORD
from tests.hostile.processor import Starvation

PINGS_EVERY = 0.03
"""Seconds between two pings, of all together: each keeps far below what an account may ask for in a second."""

PATIENCE = 5.0
"""Seconds after an attack in which everything has to be answered."""

NEWCOMER_EVERY = 0.5
MESSAGE_EVERY = 0.2

OWN_NETWORK, ATTACKERS_NETWORK = "127.7.0.{}", "127.66.0.{}"
"""Where they come from; those who come from the network of an attacker were there before."""


@dataclass(slots=True)
class Served:
    """How people were served during one attack.

    :ivar answers: seconds that each ``ping`` took, without those in which the machine let the server, or this process,
        wait for a processor.
    :ivar logins: seconds that each login took, likewise.
    :ivar refused: what was refused to anybody, in words.
    :ivar hung: whether anything was not answered within `PATIENCE` after the attack.
    """

    answers: list[float] = field(default_factory=list)
    logins: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    hung: bool = False

    @property
    def worst(self) -> float:
        """Milliseconds of the longest answer."""
        return max(self.answers, default=0.0) * 1000


class Bystanders:
    """Programs that are logged in: they ping, write to each other, and others log in.

    :param server: the number of its process.
    :param count: of accounts ``other0`` and so on; half of them come from the networks of the attackers.
    :param newcomers: accounts that log in, one after the other, after those.
    """

    def __init__(self, port: int, server: int, count: int = 12, newcomers: int = 30) -> None:
        self._port = port
        self._count = count
        self._newcomers = itertools.cycle(range(count, count + newcomers))
        self._programs: list[Program] = []
        self._starvation = Starvation(server)
        self.served = Served()

    async def __aenter__(self) -> Bystanders:
        async with contextlib.AsyncExitStack() as stack:
            for number in range(self._count):
                network = ATTACKERS_NETWORK if number % 2 else OWN_NETWORK
                program = await stack.enter_async_context(Program())
                await program.connect(self._port, network.format(number + 1))
                await program.ask("login", user=f"other{number}", password=PASSWORD)
                await program.ask("resume")
                self._programs.append(program)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *failure: object) -> None:
        await self._stack.aclose()

    async def during(self, attack: Coroutine[Any, Any, Any]) -> Served:
        """How all are served until an attack is over, and everything that was asked during it was answered."""
        served = self.served = Served()
        over = asyncio.ensure_future(attack)
        asked: list[asyncio.Future[None]] = []
        begun = time.monotonic()
        due = {PINGS_EVERY: begun, MESSAGE_EVERY: begun, NEWCOMER_EVERY: begun}
        pinging = itertools.cycle(self._programs)
        while not over.done():
            now = time.monotonic()
            if now >= due[PINGS_EVERY]:
                due[PINGS_EVERY] = now + PINGS_EVERY
                asked.append(asyncio.ensure_future(self._ping(next(pinging))))
            if now >= due[MESSAGE_EVERY]:
                due[MESSAGE_EVERY] = now + MESSAGE_EVERY
                asked.append(asyncio.ensure_future(self._write(next(pinging))))
            if now >= due[NEWCOMER_EVERY]:
                due[NEWCOMER_EVERY] = now + NEWCOMER_EVERY
                asked.append(asyncio.ensure_future(self._log_in(next(self._newcomers))))
            await asyncio.sleep(max(0.001, min(due.values()) - time.monotonic()))
        await over
        _, unanswered = await asyncio.wait(asked, timeout=PATIENCE)
        for each in unanswered:
            each.cancel()
        if unanswered:
            served.hung = True
            await asyncio.wait(unanswered)
        return served

    async def _timed(self, times: list[float], what: str, asking: asyncio.Future[Frame], *expected: str) -> None:
        begun, before = time.monotonic(), self._starvation.now()
        try:
            reply = await asking
        except HungUp:
            self.served.refused.append(f"{what}: hung up")
            return
        times.append(time.monotonic() - begun - self._starvation.since(before))
        if reply["type"] not in expected:
            self.served.refused.append(f"{what}: {reply.get('code')} {reply.get('text')}")

    async def _ping(self, program: Program) -> None:
        await self._timed(self.served.answers, "ping", program.ask("ping"), "pong")

    async def _write(self, program: Program) -> None:
        reading = program.ask("message", user="other0", text="are you there?")
        await self._timed([], "message", reading, "stored")

    async def _log_in(self, number: int) -> None:
        program = Program()
        try:
            await program.connect(self._port, OWN_NETWORK.format(number + 1))
        except OSError as error:
            self.served.refused.append(f"connect: {error}")
            return
        try:
            reading = program.ask("login", user=f"other{number}", password=PASSWORD)
            await self._timed(self.served.logins, "login", reading, "logged-in")
        finally:
            program.break_off()
            await asyncio.shield(program.close())
