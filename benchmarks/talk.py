"""People who talk: in a room, as fast as they can, and in pairs.

Each line ends with ``~SENDER.NUMBER``. How long it takes is seen by one observer, who came into the room last; that
everybody else got the same, each line once and in order, is checked when a run is over, from the bytes themselves.
"""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.crowd import Client, Crowd
from benchmarks.peers import Peer
from benchmarks.processes import Failed, Process

PHRASES = (
    b"morning all",
    b"did anyone look at the build that fails since yesterday?",
    b"yes, it was the clock again",
    b"lunch at twelve?",
    b"I have pushed something that should help",
    b"thanks, that looks good to me",
    b"the disk of web3 is nearly full",
    b"ok",
)
"""What people say, so that a line costs what an ordinary line costs."""

PATIENCE = 60.0
"""Seconds after which a run has failed."""

QUIET = 0.2
"""Seconds that the crowd listens on after the last line, for one too many."""

_NUMBERED = re.compile(rb"~(\d+)\.(\d+)\r?\n")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run showed.

    :param deliveries: lines that arrived.
    :param cpu: seconds of the server.
    :param seconds: from the first line said to the last one heard.
    :param load: seconds of CPU of the crowd, to see that it was not the crowd that was measured.
    :param latencies: seconds from saying to hearing, sorted; of those who look.
    """

    deliveries: int
    cpu: float
    seconds: float
    load: float
    latencies: tuple[float, ...]

    @property
    def cost(self) -> float:
        """Microseconds of the server's CPU for one delivery."""
        return self.cpu / self.deliveries * 1e6

    def percentile(self, part: float) -> float:
        """Seconds that so many of a hundred lines took at most."""
        return percentile(self.latencies, part)


def percentile(values: Sequence[float], part: float) -> float:
    """What so many of a hundred sorted values do not exceed."""
    return values[min(len(values) - 1, int(len(values) * part / 100))]


def phrase(sender: int, number: int) -> bytes:
    """The words of one line."""
    return b"%s ~%d.%d" % (PHRASES[number % len(PHRASES)], sender, number)


class Scenario(Protocol):
    """People who do something that can be measured on any peer.

    :ivar names: who has to have an account.
    :ivar messages: how many are said in one run.
    """

    @property
    def names(self) -> Sequence[str]: ...

    @property
    def messages(self) -> int: ...

    def enter(self, crowd: Crowd, peer: Peer) -> Sequence[Client]:
        """Everybody comes in, in the order of the names."""

    def run(self, crowd: Crowd, people: Sequence[Client], peer: Peer, server: Process, messages: int) -> Measured:
        """Say so many messages, in all, and see that they arrive.

        :raises Failed: when one is lost, doubled or out of order.
        """


class _Act(Protocol):
    """One run on its way."""

    deliveries: int
    latencies: list[float]

    def begin(self) -> None: ...

    def check(self, crowd: Crowd) -> None: ...


def _measure(act: _Act, crowd: Crowd, people: Sequence[Client], server: Process) -> Measured:
    for person in people:
        person.received.clear()
    cpu, load, begun = server.cpu(), time.process_time(), time.monotonic()
    act.begin()
    heard = 0
    while heard < act.deliveries:
        heard += crowd.turn(1.0)
        if time.monotonic() - begun > PATIENCE:
            raise Failed(f"{heard:,} of {act.deliveries:,} lines arrived within {PATIENCE:.0f} seconds")
    seconds = time.monotonic() - begun
    measured = Measured(
        act.deliveries, server.cpu() - cpu, seconds, time.process_time() - load, tuple(sorted(act.latencies))
    )
    crowd.rest(QUIET)
    act.check(crowd)
    return measured


# --- rooms ----------------------------------------------------------------------------------------


class Room:
    """A room of many members, of whom a few talk.

    :param members: how many are in it.
    :param senders: how many of them talk.
    :param window: lines of one sender that are on their way at a time; 0 for all at once.
    """

    def __init__(self, members: int, senders: int, window: int, messages: int) -> None:
        self.names = [f"member{number}" for number in range(members)]
        self.messages = messages
        self.senders = senders
        self._window = window

    def enter(self, crowd: Crowd, peer: Peer) -> Sequence[Client]:
        greetings = [peer.entering(name) for name in self.names]
        people = crowd.enter(greetings[:-1], peer.entered)
        return [*people, *crowd.enter(greetings[-1:], peer.entered)]

    def run(self, crowd: Crowd, people: Sequence[Client], peer: Peer, server: Process, messages: int) -> Measured:
        each = messages // self.senders
        talk = _RoomTalk(people, peer, self.senders, self._window or each, each)
        return _measure(talk, crowd, people, server)


class _RoomTalk:
    def __init__(self, people: Sequence[Client], peer: Peer, senders: int, window: int, each: int) -> None:
        self._people = people
        self._senders = people[:senders]
        self._peer = peer
        self._window = window
        self._each = each
        self._said: list[list[float]] = [[] for _ in self._senders]
        self._rest = b""
        self.deliveries = senders * each * (len(people) - 1)
        self.latencies: list[float] = []

    def begin(self) -> None:
        self._people[-1].heard = self._hear
        for sender in range(len(self._senders)):
            self._say(sender, min(self._window, self._each))

    def _say(self, sender: int, lines: int) -> None:
        said = self._said[sender]
        numbers = range(len(said), len(said) + lines)
        words = b"".join(self._peer.saying(phrase(sender, number)) for number in numbers)
        said.extend([time.monotonic()] * lines)
        self._senders[sender].send(words)

    def _hear(self, data: bytes) -> None:
        now = time.monotonic()
        whole, end, self._rest = (self._rest + data).rpartition(b"\n")
        for found in _NUMBERED.finditer(whole + end):
            sender, number = int(found[1]), int(found[2])
            self.latencies.append(now - self._said[sender][number])
            if len(self._said[sender]) < self._each:
                self._say(sender, 1)

    def check(self, crowd: Crowd) -> None:
        observer = self._people[-1]
        observer.heard = None
        heard = b"".join(observer.received)
        for sender in range(len(self._senders)):
            numbers = [int(found[2]) for found in _NUMBERED.finditer(heard) if int(found[1]) == sender]
            if numbers != list(range(self._each)):
                raise Failed(f"the lines of sender {sender} did not arrive once each and in order")
        for number, person in enumerate(self._people[:-1]):
            own = re.compile(rb"[^\n]*~%d\.\d+\r?\n" % number)
            if b"".join(person.received) != (own.sub(b"", heard) if number < len(self._senders) else heard):
                raise Failed(f"member {number} was shown something else than the others")


# --- pairs ----------------------------------------------------------------------------------------


class Pairs:
    """Pairs who write to each other, each as soon as the other's line has come."""

    def __init__(self, pairs: int, messages: int) -> None:
        self.names = [f"member{number}" for number in range(2 * pairs)]
        self.messages = messages

    def enter(self, crowd: Crowd, peer: Peer) -> Sequence[Client]:
        return crowd.enter([peer.entering(name) for name in self.names], peer.entered, at_once=1)

    def run(self, crowd: Crowd, people: Sequence[Client], peer: Peer, server: Process, messages: int) -> Measured:
        talk = _PairTalk(people, self.names, peer, messages // (len(people) // 2))
        return _measure(talk, crowd, people, server)


class _PairTalk:
    def __init__(self, people: Sequence[Client], names: Sequence[str], peer: Peer, each: int) -> None:
        self._people = people
        self._names = names
        self._peer = peer
        self._each = each
        self._said = [0.0] * len(people)
        self._next = [0] * (len(people) // 2)
        self.deliveries = each * len(self._next)
        self.latencies: list[float] = []

    def begin(self) -> None:
        for place, person in enumerate(self._people):
            person.heard = lambda data, place=place: self._hear(place, data)
        for place in range(0, len(self._people), 2):
            self._write(place)

    def _write(self, place: int) -> None:
        """Somebody writes to the other one of the pair; those of a pair stand side by side."""
        other = place ^ 1
        self._said[other] = time.monotonic()
        words = phrase(place // 2, self._next[place // 2])
        self._people[place].send(self._peer.writing(self._names[other], words))

    def _hear(self, place: int, data: bytes) -> None:
        self.latencies.append(time.monotonic() - self._said[place])
        pair = place // 2
        found = _NUMBERED.findall(data)
        if found != [(b"%d" % pair, b"%d" % self._next[pair])]:
            raise Failed(f"somebody of pair {pair} was shown {data!r} instead of message {self._next[pair]}")
        self._next[pair] += 1
        if self._next[pair] < self._each:
            self._write(place)

    def check(self, crowd: Crowd) -> None:
        for person in self._people:
            person.heard = None
        if self._next != [self._each] * len(self._next):
            raise Failed("not every private message arrived")
