"""One scenario on several servers, in turns: what disturbs the machine disturbs them alike."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from benchmarks.crowd import Crowd
from benchmarks.peers import Peer, running
from benchmarks.talk import Measured, Pairs, Room, Scenario

SETTLE = 2.5
"""Seconds after everybody came in, until nobody is told any more who came."""

WARM = 10
"""A first run, not counted, is this many times shorter."""

SCENARIOS: dict[str, Scenario] = {
    "room10": Room(10, senders=4, window=1, messages=6_000),
    "room100w1": Room(100, senders=1, window=1, messages=2_000),
    "room100": Room(100, senders=4, window=8, messages=8_000),
    "room1000": Room(1_000, senders=4, window=4, messages=1_600),
    "blast": Room(100, senders=4, window=0, messages=4_000),
    "direct": Pairs(10, messages=10_000),
}


@dataclass
class Compared:
    """What the runs of one peer showed, in the order of the turns."""

    peer: str
    runs: list[Measured] = field(default_factory=list)

    def cost(self) -> float:
        return median(run.cost for run in self.runs)

    def speed(self) -> float:
        """Deliveries a second."""
        return median(run.deliveries / run.seconds for run in self.runs)

    def load(self) -> float:
        """Microseconds of the crowd for one delivery."""
        return median(run.load / run.deliveries * 1e6 for run in self.runs)

    def percentile(self, part: float) -> float:
        return median(run.percentile(part) for run in self.runs)

    def ratio(self, other: Compared) -> float:
        """How many times the other's cost, turn by turn."""
        return median(own.cost / others.cost for own, others in zip(self.runs, other.runs, strict=True))


def compare(scenario: Scenario, peers: Sequence[Peer], rounds: int, settle: float = SETTLE) -> list[Compared]:
    """Run a scenario on each of these, so many times in turns.

    :param settle: seconds between coming in and the first run.
    :raises Failed: when a delivery is lost, doubled or out of order.
    """
    compared = [Compared(peer.name) for peer in peers]
    with ExitStack() as stack:
        stages = []
        for peer in peers:
            server = stack.enter_context(running(peer, scenario.names))
            crowd = stack.enter_context(Crowd(server.port))
            stages.append((crowd, scenario.enter(crowd, peer), peer, server))
        for crowd, *_ in stages:
            crowd.rest(settle)
        for turn in range(rounds + 1):
            for stage, each in zip(stages, compared, strict=True):
                measured = scenario.run(*stage, scenario.messages if turn else scenario.messages // WARM)
                if turn:
                    each.runs.append(measured)
    return compared
