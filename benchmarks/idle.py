"""Ten thousand people who are logged in and say nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.crowd import Crowd
from benchmarks.furnishing import PASSWORD, Furnishing
from benchmarks.peers import Chat, started

LIMIT = 6 * 1024
"""Bytes that one silent connection may take."""

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
    """

    wire: str
    connections: int
    memory: float
    cpu: float
    logins: float


def measure(wire: str, connections: int = 10_000) -> Idle:
    """:param wire: ``text``, with passwords, or ``json``, with tokens."""
    with TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name)
        greetings, entered = _furnish(folder, wire, connections)
        with started(Chat(), folder) as server:
            server.wait_for_port()
            with Crowd(server.port) as crowd:
                crowd.rest(1.0)
                before, cpu = server.memory(), server.cpu()
                crowd.enter(greetings, entered)
                logins = server.cpu() - cpu
                crowd.rest(SETTLE)
                after, cpu, begun = server.memory(), server.cpu(), time.monotonic()
                crowd.rest(WATCHED)
                idle = (server.cpu() - cpu) / (time.monotonic() - begun)
    return Idle(wire, connections, (after - before) / connections, idle, logins / connections)


def _furnish(folder: Path, wire: str, connections: int) -> tuple[Sequence[bytes], bytes]:
    """:returns: what each of them says first, and what each is shown when it is in."""
    names = [f"member{number}" for number in range(connections)]
    with Furnishing(folder / "credentials.db") as furnishing:
        accounts = furnishing.people(names)
        for start in range(0, connections, IN_A_ROOM):
            furnishing.room(f"room{start // IN_A_ROOM}", accounts[start : start + IN_A_ROOM])
        if wire == "text":
            return [f"login {name} {PASSWORD}\n".encode() for name in names], Chat.entered
        requests = [
            ({"id": 1, "cmd": "login", "args": {"token": token}}, {"id": 2, "cmd": "resume"})
            for token in furnishing.tokens(accounts)
        ]
    return ["".join(f"{json.dumps(each)}\n" for each in pair).encode() for pair in requests], b'"type":"resumed"'
