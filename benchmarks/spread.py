"""What a delivery costs however many rooms there are: the same people in few rooms, and in thousands.

Everybody is a program, as people on netcat talk in one room at a time. Each room has `MEMBERS` of them; one talks, and
some rooms at a time: when a line was heard everywhere, the next room goes on.
"""

from __future__ import annotations

import json
import re
import time
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.fixtures import Fixtures
from benchmarks.load_clients import Client, LoadClients
from benchmarks.peers import ChatPrograms, started
from benchmarks.processes import Failed, Process
from benchmarks.talk import PATIENCE, QUIET, phrase

PEOPLE = 1_000

MEMBERS = 10

MANY = 10_000
"""Rooms, beside a server with so few that everybody is in one."""

SETTLE = 3.0
"""Seconds until nobody is told any more who came."""

ACTIVE = 64
"""Rooms in which a line is on its way."""

MESSAGES = 20_000

OBSERVED = 100
"""Of so many people one keeps what it is shown, to see that nothing is lost, doubled or out of order."""

LIMIT = 1.2
"""A cost that differs by less than a fifth is the same."""

_SHOWN = re.compile(rb"\|(\d+)\.(\d+)\b")


@dataclass
class Spread:
    """So many people in so many rooms.

    :param costs: microseconds of the server's CPU for a delivery, of each run.
    :param memory: bytes of the server when everybody is in.
    """

    people: int
    rooms: int
    memory: int = 0
    costs: list[float] = field(default_factory=list)

    @property
    def cost(self) -> float:
        return median(self.costs)

    def members(self, room: int) -> list[int]:
        return [(room * MEMBERS + number) % self.people for number in range(MEMBERS)]


def measure(
    messages: int = MESSAGES, rounds: int = 3, many: int = MANY, people: int = PEOPLE, settle: float = SETTLE
) -> list[Spread]:
    """:param messages: in each run.
    :param rounds: runs of each server, in turns.
    :param settle: seconds between coming in and the first run.
    :returns: few rooms, and many.
    :raises Failed: when a line is lost, doubled or out of order.
    """
    spreads = [Spread(people, people // MEMBERS), Spread(people, many)]
    with ExitStack() as stack:
        stages = [_stage(stack, spread, settle) for spread in spreads]
        for turn in range(rounds + 1):
            for spread, stage in zip(spreads, stages, strict=True):
                cost = _run(spread, *stage, messages if turn else messages // 10)
                if turn:
                    spread.costs.append(cost)
    return spreads


def _stage(stack: ExitStack, spread: Spread, settle: float) -> tuple[Process, LoadClients, list[Client]]:
    folder = Path(stack.enter_context(TemporaryDirectory(prefix="benchmark-")))
    names = [f"member{number}" for number in range(spread.people)]
    peer = ChatPrograms()
    with Fixtures(folder / "credentials.db") as fixtures:
        accounts = fixtures.people(names)
        for room in range(spread.rooms):
            fixtures.room(f"room{room}", [accounts[number] for number in spread.members(room)])
    server = stack.enter_context(started(peer, folder))
    server.wait_for_port()
    clients = stack.enter_context(LoadClients(server.port))
    people = clients.enter([peer.entering(name, "") for name in names])
    clients.rest(settle)
    spread.memory = server.memory()
    return server, clients, people


def _run(spread: Spread, server: Process, clients: LoadClients, people: Sequence[Client], messages: int) -> float:
    """:returns: microseconds for a delivery."""
    for number, person in enumerate(people):
        person.forget(keep=number % OBSERVED == 0)
    deliveries = messages * (MEMBERS - 1)
    cpu, begun = server.cpu(), time.monotonic()
    said = heard = 0
    while heard < deliveries:
        while said < messages and said * (MEMBERS - 1) < heard + ACTIVE * (MEMBERS - 1):
            room = said % spread.rooms
            people[spread.members(room)[0]].send(_saying(room, said))
            said += 1
        heard += clients.turn(1.0)
        if time.monotonic() - begun > PATIENCE:
            raise Failed(f"{heard:,} of {deliveries:,} lines arrived within {PATIENCE:.0f} seconds")
    cost = (server.cpu() - cpu) / deliveries * 1e6
    clients.rest(QUIET)
    for number in range(0, len(people), OBSERVED):
        _check(number, spread, people[number].received, messages)
    return cost


def _saying(room: int, number: int) -> bytes:
    words = {"room": f"room{room}", "text": phrase(room, number).decode()}
    return json.dumps({"id": 1, "cmd": "say", "args": words}).encode() + b"\n"


def _check(person: int, spread: Spread, received: bytes, messages: int) -> None:
    shown: dict[int, list[int]] = defaultdict(list)
    for found in _SHOWN.finditer(received):
        shown[int(found[1])].append(int(found[2]))
    for room in range(spread.rooms):
        hears = person in spread.members(room)[1:]
        due = list(range(room, messages, spread.rooms)) if hears else []
        if shown.get(room, []) != due:
            raise Failed(f"person {person} was not shown the lines of room {room} once each and in order")
