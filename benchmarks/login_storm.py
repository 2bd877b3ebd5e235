"""Fifty people make accounts and log in at the same moment, while two others talk.

What blocks the reactor shows from outside: one connection asks ``ping`` every few milliseconds, and how long the answer
takes is how long the reactor was busy with something else, the clients' own delays and those of a busy machine
included. So the same is measured before the storm, and the difference is what the storm adds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.load_clients import Client, LoadClients
from benchmarks.peers import LIFTED, ROOM, Chat, running
from benchmarks.processes import Failed

LIMIT = 0.050
"""Seconds that the storm may add to the longest time in which the reactor answers nobody."""

NEWCOMERS = 50
PING_EVERY = 0.005
TALK_EVERY = 0.020
CALM = 4.0
"""Seconds of talk before the storm."""

PATIENCE = 120.0
_ENTERED = b"* You are in "
_PASSWORD = b"a rather long password"

AS_SHIPPED = LIFTED[: LIFTED.index("--bcrypt-cost")]
"""Passwords are hashed at the cost that is the default."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How the server answered for a while; all in seconds, sorted.

    :param lines: from one of the pair to the other.
    :param pings: from asking to the answer.
    """

    lines: Sequence[float]
    pings: Sequence[float]
    seconds: float

    @property
    def blocked(self) -> float:
        """The longest time without an answer."""
        return self.pings[-1]


@dataclass(frozen=True, slots=True)
class Storm:
    """:param added: seconds by which the longest wait for an answer grew."""

    calm: Weather
    storm: Weather

    @property
    def added(self) -> float:
        return max(0.0, self.storm.blocked - self.calm.blocked)


class _Probe:
    """Something that is sent every so often, and how long each answer took.

    :param words: what is sent.
    :param answer: what the listener is shown then, among other things.
    """

    def __init__(self, every: float, speaker: Client, words: bytes, listener: Client, answer: bytes) -> None:
        self._every = every
        self._answer = answer
        self._speaker = speaker
        self._words = words
        self._due = time.monotonic()
        self._asked: list[float] = []
        self.taken: list[float] = []
        listener.heard = self._hear

    def go_on(self, now: float) -> None:
        """Send, if it is time."""
        if now >= self._due:
            self._due = max(self._due + self._every, now)
            self._asked.append(now)
            self._speaker.send(self._words)

    def _hear(self, data: bytes) -> None:
        now = time.monotonic()
        for _ in range(data.count(self._answer)):
            self.taken.append(now - self._asked.pop(0))


def measure(newcomers: int = NEWCOMERS) -> Storm:
    """:raises Failed: when somebody gets in neither way."""
    peer = Chat(options=AS_SHIPPED)
    names = ("ann", "bob", "pinger")
    with running(peer, {ROOM: names}) as server, LoadClients(server.port) as clients:
        ann, bob, pinger = clients.enter([peer.entering(name, ROOM) for name in names])
        strangers = [clients.connect() for _ in range(newcomers)]
        clients.rest(1.0)
        calm = _watch(clients, ann, bob, pinger, lambda: False, CALM)
        for number, stranger in enumerate(strangers):
            stranger.forget(keep=True)
            stranger.send(b"new guest%d %s\nlogout\nlogin guest%d %s\n" % (number, _PASSWORD, number, _PASSWORD))
        waiting = list(strangers)

        def over() -> bool:
            waiting[:] = [each for each in waiting if each.received.count(_ENTERED) < 2]
            return not waiting

        storm = _watch(clients, ann, bob, pinger, over, PATIENCE)
        if waiting:
            raise Failed(f"{len(waiting)} newcomers did not get in within {PATIENCE:.0f} seconds")
        return Storm(calm, storm)


def _watch(
    clients: LoadClients, ann: Client, bob: Client, pinger: Client, over: Callable[[], bool], patience: float
) -> Weather:
    """Talk and ping until something is over, or for so long."""
    begun = now = time.monotonic()
    talk = _Probe(TALK_EVERY, ann, b"message bob did you see that? ~\n", bob, b"~")
    ping = _Probe(PING_EVERY, pinger, b"/ping\n", pinger, b"pong")
    while not over():
        if (now := time.monotonic()) - begun > patience:
            break
        talk.go_on(now)
        ping.go_on(now)
        clients.turn(PING_EVERY / 2)
    clients.rest(0.5)
    return Weather(sorted(talk.taken), sorted(ping.taken), now - begun)
