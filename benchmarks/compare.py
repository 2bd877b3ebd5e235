"""One scenario on several servers, in turns: what disturbs the machine disturbs them alike."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from statistics import median

from benchmarks.load_clients import LoadClients
from benchmarks.peers import Peer, running
from benchmarks.talk import Measured, Pairs, Room, Rooms, Scenario

SETTLE = 2.5
"""Seconds after everybody came in, until nobody is told any more who came."""

WARM = 10
"""A first run, not counted, is this many times shorter."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """A scenario, and what our cost may be.

    :param against: the name of the peer that the next two are ratios to.
    :param must: CPU of ours per delivery over the peer's, at most.
    :param aim: what it should be.
    :param baseline: CPU of ours over the baseline's, at most; nothing for no such bound.
    """

    scenario: Scenario
    must: float
    aim: float
    baseline: float | None = None
    against: str = "ngircd"


SCENARIOS: dict[str, Comparison] = {
    "a10": Comparison(Room(10, senders=1, window=8, messages=8_000), 4.0, 1.5, 1.8),
    "a100w1": Comparison(Room(100, senders=1, window=1, messages=2_000), 1.5, 1.0, 1.25),
    "a100": Comparison(Room(100, senders=4, window=8, messages=8_000), 1.3, 0.6, 1.25),
    "a1000": Comparison(Room(1_000, senders=4, window=4, messages=1_600), 1.1, 0.8, 1.25),
    "blast": Comparison(Room(100, senders=4, window=0, messages=4_000), 1.0, 0.2),
    "steady": Comparison(Room(100, senders=4, window=0, messages=4_000, rate=1_000.0), 1.0, 0.5),
    "direct": Comparison(Pairs(10, messages=10_000), 11.0, 3.0, 2.0),
    "rooms": Comparison(Rooms(1_000, members=10, active=64, messages=20_000), 2.0, 1.0, against="inspircd"),
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
        """Microseconds of the clients for one delivery."""
        return median(run.load / run.deliveries * 1e6 for run in self.runs)

    def percentile(self, part: float) -> float:
        return median(run.percentile(part) for run in self.runs)

    def ratio(self, other: Compared) -> float:
        """How many times the other's cost, turn by turn."""
        return median(own.cost / others.cost for own, others in zip(self.runs, other.runs, strict=True))


def compare(
    scenario: Scenario, peers: Sequence[Peer], rounds: int, settle: float = SETTLE, scale: float = 1.0
) -> list[Compared]:
    """Run a scenario on each of these, so many times in turns.

    :param settle: seconds between coming in and the first run.
    :param scale: how many times the messages of the scenario are said.
    :raises Failed: when a delivery is lost, doubled or out of order.
    """
    compared = [Compared(peer.name) for peer in peers]
    with ExitStack() as stack:
        stages = []
        for peer in peers:
            server = stack.enter_context(running(peer, scenario.rooms))
            clients = stack.enter_context(LoadClients(server.port, peer.encrypted))
            entering = [peer.entering(name, room) for room, names in scenario.rooms.items() for name in names]
            # All but the last of a room of many come in together; who comes last sees a room that is complete.
            people = clients.enter(entering[:-1], at_once=1_000) + clients.enter(entering[-1:])
            stages.append((clients, people, peer, server))
        settled = time.monotonic() + settle
        while time.monotonic() < settled:
            for clients, *_ in stages:
                clients.rest(0.05)
        messages = int(scenario.messages * scale)
        for turn in range(rounds + 1):
            for stage, each in zip(stages, compared, strict=True):
                measured = scenario.run(*stage, messages if turn else messages // WARM)
                if turn:
                    each.runs.append(measured)
    return compared
