"""The battery at full speed: everything that can be sent, as fast as the server takes it, while others are served."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import pickle
import shutil
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests import figures
from tests.e2e.stage import Stage
from tests.figures import at_least, at_most, below
from tests.hostile.bystanders import Bystanders, Served
from tests.hostile.payloads import Attack
from tests.hostile.population import Population
from tests.hostile.processor import memory

MOST_WAIT = 250.0
"""Milliseconds that a ``ping`` of somebody else may take."""

MOST_LOGIN = 2_000.0
"""Milliseconds that a login of somebody else may take; its password is hashed in a thread of low priority."""

MOST_GROWTH = 64 * 1024
"""KiB by which the server may grow in the whole run."""

WARMING = 1.0
"""Seconds in which others are served, before anything is measured."""

_TEMPLATE = "populated.db"

TRIES = 3
"""Times that an attack which did harm is made: a server that is at fault is so each time, a busy machine is not."""


@dataclass(slots=True)
class Impact:
    """What one attack did.

    :ivar growth: KiB by which the server had grown since the battery began, at most.
    :ivar sent: bytes.
    """

    attack: Attack
    served: Served
    growth: int
    sent: int
    came: int
    let_in: bool

    def faults(self) -> Iterator[str]:
        """What is not as it has to be."""
        served = self.served
        if served.hung:
            yield "others were not answered"
        if len(served.answers) < 3:
            yield f"only {len(served.answers)} pings were answered"
        if served.worst >= MOST_WAIT:
            yield f"ping took {served.worst:.0f} ms"
        if max(served.logins, default=0.0) * 1000 >= MOST_LOGIN:
            yield f"a login took {max(served.logins) * 1000:.0f} ms"
        if served.refused:
            yield f"{len(served.refused)} times others were refused: {served.refused[0]}"
        if self.growth >= MOST_GROWTH:
            yield f"memory grew by {self.growth / 1024:.0f} MiB"
        if not self.let_in:
            yield "the attackers were never logged in, so that nothing was tried"


@dataclass(slots=True)
class Outcome:
    """:ivar failed: the attacks that did harm each time, with the faults of the last."""

    impacts: list[Impact] = field(default_factory=list)
    failed: dict[str, list[str]] = field(default_factory=dict)

    def lines(self) -> Iterator[figures.Line]:
        """The figures, each with its bound."""
        impacts = self.impacts
        answers = sorted(answer * 1000 for each in impacts for answer in each.served.answers)
        logins = sorted(login * 1000 for each in impacts for login in each.served.logins)
        yield figures.line(
            "{kinds} kinds of attack, {failed} of which did harm; {sent:,.0f} MB, {pings:,} pings of others took"
            " {median:.1f} ms (median), {late:.0f} ms (99 %), {worst:.0f} ms (at most)",
            kinds=at_least(len(impacts), 1),
            failed=at_most(len(self.failed), 0),
            sent=at_least(sum(each.sent for each in impacts) / 1e6, 1),
            pings=at_least(len(answers), 10),
            median=below(_at(answers, 50), MOST_WAIT),
            late=below(_at(answers, 99), MOST_WAIT),
            worst=below(_at(answers, 100), MOST_WAIT),
        )
        yield figures.line(
            "{logins:,} logins of others took {longest:.0f} ms at most; {refused} of their requests were refused; the"
            " server grew by {growth:.1f} MiB",
            logins=at_least(len(logins), 1),
            longest=below(_at(logins, 100), MOST_LOGIN),
            refused=at_most(sum(len(each.served.refused) for each in impacts), 0),
            growth=below(max(each.growth for each in impacts) / 1024, MOST_GROWTH / 1024),
        )

    def failures(self) -> str:
        """What did harm, a line each."""
        return "\n".join(f"{name}: {'; '.join(faults)}" for name, faults in self.failed.items())


def _at(values: list[float], percent: int) -> float:
    return values[min(len(values) - 1, len(values) * percent // 100)] if values else 0.0


class Battery:
    """:param stage: where the server runs; not started.
    :param seconds: for which each attack lasts.
    :param watch: is told what each attack did, as it is over.
    :param tries: how often one is made that does harm.
    """

    def __init__(
        self,
        stage: Stage,
        population: Population,
        seconds: float,
        watch: Callable[[Impact], object] = lambda impact: None,
        tries: int = TRIES,
    ) -> None:
        self._stage = stage
        self._population = population
        self._seconds = seconds
        self._watch = watch
        self._tries = tries
        self._next: dict[str, int] = {}

    def run(self, attacks: Iterable[Attack]) -> Outcome:
        """Make all attacks, one after the other; one that did harm is made again, on a server that was started anew."""
        self._population.write(self._stage.path(_TEMPLATE))
        outcome, left = Outcome(), deque((attack, 1) for attack in attacks)
        while left:
            self._start()
            try:
                asyncio.run(self._play(left, outcome))
            finally:
                self._attacker.kill()
                self._attacker.communicate()
                self._stage.stop(signal.SIGKILL)
        return outcome

    def _start(self) -> None:
        for companion in ("-wal", "-shm"):
            with contextlib.suppress(FileNotFoundError):
                os.remove(self._stage.path(f"credentials.db{companion}"))
        shutil.copy(self._stage.path(_TEMPLATE), self._stage.path("credentials.db"))
        self._stage.start()
        command = [sys.executable, "-m", "tests.hostile.attacker", str(self._stage.port)]
        self._attacker = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._attacker.stdout is not None
        self._attacker.stdout.readline()  # it is ready

    async def _play(self, left: deque[tuple[Attack, int]], outcome: Outcome) -> None:
        """Make attacks until none is left, or one does harm."""
        assert self._stage.server is not None
        async with Bystanders(self._stage.port, self._stage.server.pid) as bystanders:
            await bystanders.during(asyncio.sleep(WARMING))
            before = memory(self._stage.server.pid)
            while left:
                attack, attempt = left.popleft()
                impact = await self._make(attack, bystanders, before)
                faults = list(impact.faults())
                if faults and attempt < self._tries:
                    left.appendleft((attack, attempt + 1))
                    return
                outcome.impacts.append(impact)
                self._watch(impact)
                if faults:
                    outcome.failed[attack.name] = faults
                    return

    async def _make(self, attack: Attack, bystanders: Bystanders, before: int) -> Impact:
        attacker = self._attacker
        assert attacker.stdin is not None and attacker.stdout is not None and self._stage.server is not None
        accounts = self._population.administrators if attack.who == "boss" else self._population.attackers
        first = self._next.get(attack.who, 0)
        self._next[attack.who] = (first + attack.connections) % accounts
        pickle.dump((attack, self._seconds, first), attacker.stdin)
        attacker.stdin.flush()
        most = memory(self._stage.server.pid)
        report: dict[str, Any] = {}

        async def over() -> None:
            nonlocal most
            assert attacker.stdout is not None and self._stage.server is not None
            reading = asyncio.ensure_future(asyncio.to_thread(attacker.stdout.readline))
            while not reading.done():
                await asyncio.wait([reading], timeout=0.1)
                with contextlib.suppress(OSError):
                    most = max(most, memory(self._stage.server.pid))
            report.update(json.loads(await reading))

        served = await bystanders.during(over())
        return Impact(attack, served, most - before, **report)
