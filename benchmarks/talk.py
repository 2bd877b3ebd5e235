"""People who talk: in a room, in many rooms, and in pairs.

Each line is `LINE` bytes long and ends with ``|SENDER.NUMBER``. How long it takes is seen by one observer of each room,
the one who came last; that everybody else got the same, each line once and in order, is checked when a run is over, by
a checksum of everything a member was shown.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from benchmarks.load_clients import MARK, Client, LoadClients
from benchmarks.peers import ROOM, Peer
from benchmarks.processes import Failed, Process

LINE = 100
"""Bytes of what is said, without what a server puts around it."""

PHRASES = (
    b"did anyone look at the build that fails since yesterday? I think it was the clock again, but who knows",
    b"I have pushed something that should help; if it does not, the disk of web3 is nearly full and should be cleared",
    b"thanks, that looks good to me, and lunch is at twelve as always, in the small kitchen on the second floor",
)
"""What people say, so that a line costs what an ordinary line costs."""

PATIENCE = 120.0
"""Seconds after which a run has failed."""

QUIET = 0.2
"""Seconds for which the clients listen on after the last line, for one too many."""

_NUMBERED = re.compile(rb"\|(\d+)\.(\d+)\b")


@dataclass(frozen=True, slots=True)
class Measured:
    """What one run showed.

    :param deliveries: lines that arrived.
    :param cpu: seconds of the server.
    :param seconds: from the first line said to the last one heard.
    :param load: seconds of CPU of the clients, to see that it was not the clients that were measured.
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
    end = b" %s%d.%d" % (MARK, sender, number)
    return PHRASES[number % len(PHRASES)][: LINE - len(end)] + end


class Scenario(Protocol):
    """People who do something that can be measured on any peer.

    :ivar rooms: who is where.
    :ivar messages: how many are said in one run.
    """

    messages: int

    @property
    def rooms(self) -> Mapping[str, Sequence[str]]: ...

    def run(
        self, clients: LoadClients, people: Sequence[Client], peer: Peer, server: Process, messages: int
    ) -> Measured:
        """Say so many messages, in all, and see that they arrive.

        :param people: in the order of the rooms and their names.
        :raises Failed: when one is lost, doubled or out of order.
        """


class _Act(Protocol):
    """One run on its way."""

    deliveries: int
    latencies: list[float]

    def begin(self) -> None: ...

    def go_on(self, now: float) -> float:
        """Do what is due.

        :returns: the seconds until something is due again.
        """

    def check(self) -> None:
        """:raises Failed: when something did not arrive as it should."""


def _measure(act: _Act, clients: LoadClients, people: Sequence[Client], server: Process) -> Measured:
    for person in people:
        person.forget()
    cpu, load, begun = server.cpu(), time.process_time(), time.monotonic()
    act.begin()
    heard = 0
    while heard < act.deliveries:
        heard += clients.turn(act.go_on(time.monotonic()))
        if time.monotonic() - begun > PATIENCE:
            raise Failed(f"{heard:,} of {act.deliveries:,} lines arrived within {PATIENCE:.0f} seconds")
    seconds = time.monotonic() - begun
    measured = Measured(
        act.deliveries, server.cpu() - cpu, seconds, time.process_time() - load, tuple(sorted(act.latencies))
    )
    clients.rest(QUIET)
    act.check()
    for person in people:
        person.heard = None
    return measured


# --- a room ---------------------------------------------------------------------------------------


class Room:
    """A room of many members, of whom a few talk.

    :param members: how many are in it.
    :param senders: how many of them talk.
    :param window: lines of one sender that are on their way at a time; 0 for all at once.
    :param rate: lines a second of all senders, instead of a window.
    """

    def __init__(self, members: int, senders: int, window: int, messages: int, rate: float = 0.0) -> None:
        self.rooms = {ROOM: [f"member{number}" for number in range(members)]}
        self.messages = messages
        self.senders = senders
        self._window = window
        self._rate = rate

    def run(
        self, clients: LoadClients, people: Sequence[Client], peer: Peer, server: Process, messages: int
    ) -> Measured:
        each = messages // self.senders

        def saying(words: bytes) -> bytes:
            return peer.saying(ROOM, words)

        if self._rate:
            talk: _RoomTalk = _SteadyTalk(people, saying, self.senders, 0, each, self._rate)
        else:
            talk = _RoomTalk(people, saying, self.senders, self._window or each, each)
        return _measure(talk, clients, people, server)


class _RoomTalk:
    """:param window: how many lines each sender says at the beginning.
    :param each: how many lines each sender says in all.

    :ivar answer: called with a sender whenever one of its lines was heard; it says the next one.
    """

    def __init__(
        self, people: Sequence[Client], saying: Callable[[bytes], bytes], senders: int, window: int, each: int
    ) -> None:
        self._people = people
        self._senders = people[:senders]
        self._saying = saying
        self._window = window
        self._each = each
        self._said: list[list[float]] = [[] for _ in self._senders]
        self._heard: list[list[int]] = [[] for _ in self._senders]
        self._rest = b""
        self.deliveries = senders * each * (len(people) - 1)
        self.latencies: list[float] = []
        self.answer = self.say_one

    def begin(self) -> None:
        for person in self._senders:
            person.forget(keep=True)
        self._people[-1].heard = self._hear
        for sender in range(len(self._senders)):
            self._say(sender, min(self._window, self._each))

    def go_on(self, now: float) -> float:
        return 1.0

    def _say(self, sender: int, lines: int) -> None:
        said = self._said[sender]
        numbers = range(len(said), len(said) + lines)
        words = b"".join(self._saying(phrase(sender, number)) for number in numbers)
        said.extend([time.monotonic()] * lines)
        self._senders[sender].send(words)

    def _hear(self, taken: bytes) -> None:
        now = time.monotonic()
        whole, end, self._rest = (self._rest + taken).rpartition(b"\n")
        for found in _NUMBERED.finditer(whole + end):
            sender, number = int(found[1]), int(found[2])
            if number >= len(self._said[sender]):
                raise Failed(f"somebody was shown a line that nobody had said: {found[0]!r}")
            self.latencies.append(now - self._said[sender][number])
            self._heard[sender].append(number)
            self.answer(sender)

    def say_one(self, sender: int) -> None:
        """Say the next line, if there is one."""
        if len(self._said[sender]) < self._each:
            self._say(sender, 1)

    def check(self) -> None:
        everything = list(range(self._each))
        if any(heard != everything for heard in self._heard):
            raise Failed("the lines did not arrive once each and in order")
        for number, person in enumerate(self._people[:-1]):
            if number >= len(self._senders):
                if person.checksum != self._people[-1].checksum:
                    raise Failed(f"member {number} was shown something else than the others")
                continue
            shown = [(int(found[1]), int(found[2])) for found in _NUMBERED.finditer(person.received)]
            for other in range(len(self._senders)):
                if [line for sender, line in shown if sender == other] != (everything if other != number else []):
                    raise Failed(f"sender {number} was not shown the lines of sender {other} once each and in order")


class _SteadyTalk(_RoomTalk):
    """The senders take turns, so many lines a second, whatever arrives."""

    def __init__(
        self,
        people: Sequence[Client],
        saying: Callable[[bytes], bytes],
        senders: int,
        window: int,
        each: int,
        rate: float,
    ) -> None:
        super().__init__(people, saying, senders, window, each)
        self.answer = _nothing
        self._every = 1 / rate
        self._begun = time.monotonic()
        self._next = 0

    def begin(self) -> None:
        super().begin()
        self._begun = time.monotonic()

    def go_on(self, now: float) -> float:
        while (wait := self._begun + self._next * self._every - now) <= 0 and self._next < len(self._said) * self._each:
            self._say(self._next % len(self._said), 1)
            self._next += 1
        return max(wait, 0.0) if self._next < len(self._said) * self._each else 1.0


def _nothing(sender: int) -> None:
    """Nothing is said because something was heard."""


# --- many rooms -----------------------------------------------------------------------------------


class Rooms:
    """Many rooms; one member of each talks, and some rooms at a time: when a line was heard, the next room goes on.

    :param active: rooms in which a line is on its way.
    """

    def __init__(self, rooms: int, members: int, active: int, messages: int) -> None:
        self.rooms = {
            f"room{room}": [f"member{room * members + number}" for number in range(members)] for room in range(rooms)
        }
        self.messages = messages
        self._active = active

    def fewer(self, people: int) -> Rooms:
        """The same with fewer rooms, for so many people at most."""
        members = len(next(iter(self.rooms.values())))
        return Rooms(min(len(self.rooms), people // members), members, self._active, self.messages)

    def run(
        self, clients: LoadClients, people: Sequence[Client], peer: Peer, server: Process, messages: int
    ) -> Measured:
        names = list(self.rooms)
        size = len(people) // len(names)
        each = max(1, messages // len(names))
        talk = _RoomsTalk(
            [
                _RoomTalk(people[at : at + size], _in_room(peer, name), 1, 0, each)
                for at, name in zip(range(0, len(people), size), names, strict=True)
            ],
            self._active,
        )
        return _measure(talk, clients, people, server)


def _in_room(peer: Peer, name: str) -> Callable[[bytes], bytes]:
    return lambda words: peer.saying(name, words)


class _RoomsTalk:
    def __init__(self, talks: Sequence[_RoomTalk], active: int) -> None:
        self._talks = talks
        self._active = active
        self._next = 0
        self.deliveries = sum(talk.deliveries for talk in talks)
        self.latencies: list[float] = []

    def begin(self) -> None:
        for talk in self._talks:
            talk.latencies = self.latencies
            talk.begin()
            talk.answer = self._go_round
        for _ in range(self._active):
            self._go_round()

    def go_on(self, now: float) -> float:
        return 1.0

    def _go_round(self, sender: int = 0) -> None:
        """The next room's turn; nothing is said any more in a room where everything was."""
        talk = self._talks[self._next % len(self._talks)]
        self._next += 1
        talk.say_one(sender)

    def check(self) -> None:
        for talk in self._talks:
            talk.check()


# --- pairs ----------------------------------------------------------------------------------------


class Pairs:
    """Pairs who write to each other, each as soon as the other's line has come."""

    def __init__(self, pairs: int, messages: int) -> None:
        self.rooms = {ROOM: [f"member{number}" for number in range(2 * pairs)]}
        self.messages = messages

    def run(
        self, clients: LoadClients, people: Sequence[Client], peer: Peer, server: Process, messages: int
    ) -> Measured:
        talk = _PairTalk(people, self.rooms[ROOM], peer, messages // (len(people) // 2))
        return _measure(talk, clients, people, server)


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
            person.heard = lambda taken, place=place: self._hear(place, taken)
        for place in range(0, len(self._people), 2):
            self._write(place)

    def go_on(self, now: float) -> float:
        return 1.0

    def _write(self, place: int) -> None:
        """Somebody writes to the other one of the pair; those of a pair stand side by side."""
        other = place ^ 1
        self._said[other] = time.monotonic()
        words = phrase(place // 2, self._next[place // 2])
        self._people[place].send(self._peer.writing(self._names[other], words))

    def _hear(self, place: int, taken: bytes) -> None:
        found = _NUMBERED.findall(taken)
        if not found:
            return  # an answer to what one has written oneself
        self.latencies.append(time.monotonic() - self._said[place])
        pair = place // 2
        if found != [(b"%d" % pair, b"%d" % self._next[pair])]:
            raise Failed(f"somebody of pair {pair} was shown {taken!r} instead of message {self._next[pair]}")
        self._next[pair] += 1
        if self._next[pair] < self._each:
            self._write(place)

    def check(self) -> None:
        if self._next != [self._each] * len(self._next):
            raise Failed("not every private message arrived")
