"""Ten thousand people who log in, and then say nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.fixtures import Fixtures
from benchmarks.load_clients import LoadClients, Step
from benchmarks.peers import Chat, started

PEOPLE = 10_000

AT_ONCE = 1_000
"""People who connect before the first of them is in."""

IN_A_ROOM = 100
"""Everybody is a member of one room of so many people."""

SETTLE = 4.0
"""Seconds until what logging in leaves behind is cleared away."""

WATCHED = 10.0
"""Seconds in which nothing happens."""


@dataclass(frozen=True, slots=True)
class Idle:
    """:param memory: bytes for each connection.
    :param cpu: seconds of CPU in a second in which nobody does anything.
    :param logins: seconds of CPU for one login, accepting the connection and entering the room included.
    :param seconds: until everybody was in.
    """

    wire: str
    connections: int
    memory: float
    cpu: float
    logins: float
    seconds: float


def measure(wire: str, connections: int = PEOPLE, watched: float = WATCHED) -> Idle:
    """:param wire: ``text``, with passwords, or ``json``, with tokens.
    :param watched: seconds in which nobody does anything.
    """
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        entering = _furnish(folder, wire, connections)
        with started(Chat(), folder) as server:
            server.wait_for_port()
            with LoadClients(server.port) as clients:
                clients.rest(1.0)
                before, cpu, begun = server.memory(), server.cpu(), time.monotonic()
                clients.enter(entering, AT_ONCE)
                seconds, logins = time.monotonic() - begun, server.cpu() - cpu
                clients.rest(SETTLE)
                after, cpu, begun = server.memory(), server.cpu(), time.monotonic()
                clients.rest(watched)
                idle = (server.cpu() - cpu) / max(time.monotonic() - begun, 1e-9)
    return Idle(wire, connections, (after - before) / connections, idle, logins / connections, seconds)


def _furnish(folder: Path, wire: str, connections: int) -> Sequence[Sequence[Step]]:
    """:returns: how each of them comes in."""
    names = [f"member{number}" for number in range(connections)]
    with Fixtures(folder / "credentials.db") as fixtures:
        accounts = fixtures.people(names)
        for start in range(0, connections, IN_A_ROOM):
            fixtures.room(f"room{start // IN_A_ROOM}", accounts[start : start + IN_A_ROOM])
        if wire == "text":
            return [Chat().entering(name, "") for name in names]
        tokens = fixtures.tokens(accounts)
    requests = [({"id": 1, "cmd": "login", "args": {"token": token}}, {"id": 2, "cmd": "resume"}) for token in tokens]
    words = ["".join(f"{json.dumps(each)}\n" for each in pair).encode() for pair in requests]
    return [(Step(each, b'"resumed"'),) for each in words]
