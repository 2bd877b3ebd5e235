"""The crash checker: people talk, the server is killed in the middle, and everything they were told has to be true.

It knows nothing of the server but its protocol and, in the end, its database. Each round starts the server in the same
folder. Readers at a netcat come first, then senders and receivers with programs; half of the receivers stay away. While
they talk, programs are killed and come back, readers are cut off and are back before anything can be committed, and one
stops reading and dies. At a random moment the server gets SIGKILL, or SIGTERM, or it is stopped, goes on, and is killed
then (`ENDINGS`, in turns). What was sent and not answered is sent again in the next round, under the same retry id. At
last all come once more and read what they missed.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass

from tests.crash.ledger import Ledger
from tests.crash.people import Person
from tests.crash.readers import TextReader
from tests.e2e.program import HungUp, Program
from tests.e2e.stage import PASSWORD, Stage
from tests.figures import Line, at_least, at_most, line

SENDERS, RECEIVERS, READERS = 4, 6, 4

ENDINGS = ("kill", "stop and kill", "term")
"""What becomes of the server at the end of a round."""

LONGEST_STOP = 0.6
"""Seconds for which a server is stopped at most."""

OPTIONS = ("--rate=1000000", "--burst=1000000", "--network-connections=10000", "--mailbox=100000")
"""The limits that keep one person from flooding others are what this does."""

STOP_TIME = 10.0

ROUND_TIME = 60.0
"""Seconds after which a round in which nothing happens any more has failed."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """:ivar wrong: how often what went wrong, by kind; empty when every promise was kept.
    :ivar examples: the first of each kind.
    """

    rounds: int
    acknowledged: int
    sent_again: int
    shown: int
    read: int
    logins: int
    cut_off: int
    accounts: int
    seconds: float
    wrong: dict[str, int]
    examples: dict[str, str]

    KINDS = (
        "lost",
        "twice in the history",
        "out of order",
        "to a wrong person",
        "shown, and not stored so",
        "refused, and stored all the same",
        "never shown to who should have it",
        "shown twice to a program",
        "shown again without a word",
        "marks lost",
        "accounts lost",
        "failed starts",
        "no orderly stop",
        "damage",
    )

    def lines(self) -> Iterator[Line]:
        """The figures, each with its bound."""
        yield line(
            "{rounds} rounds, ended by SIGKILL, SIGSTOP and SIGTERM, in {seconds:.0f} s: {acknowledged:,} messages"
            " acknowledged, {again:,} sent again, {shown:,} deliveries to programs, {read:,} lines on netcat in"
            " {logins:,} logins, {cut_off} programs killed, {accounts} accounts",
            rounds=at_least(self.rounds, 1),
            seconds=at_least(self.seconds, 0),
            acknowledged=at_least(self.acknowledged, 100 * self.rounds),
            again=at_least(self.sent_again, 1),
            shown=at_least(self.shown, self.acknowledged),
            read=at_least(self.read, 50 * self.rounds),
            logins=at_least(self.logins, 5 * self.rounds),
            cut_off=at_least(self.cut_off, 1),
            accounts=at_least(self.accounts, self.rounds),
        )
        told = {f"kind{number}": at_most(self.wrong.get(kind, 0), 0) for number, kind in enumerate(self.KINDS)}
        yield line(", ".join(f"{kind} {{kind{number}}}" for number, kind in enumerate(self.KINDS)), **told)

    def failures(self) -> str:
        """What went wrong: how often, and the first of each kind."""
        return "\n".join(f"{kind} ({self.wrong[kind]} times): {self.examples[kind]}" for kind in self.wrong)


class Checker:
    """:param messages: about how many are acknowledged before a round ends.
    :param stop_time: seconds in which a server has ended that was told to stop.
    :param stage: where the server runs; not started.
    """

    def __init__(self, stage: Stage, rounds: int, messages: int, seed: int, stop_time: float = STOP_TIME) -> None:
        self._stage = stage
        self._rounds = rounds
        self._messages = messages
        self._stop_time = stop_time
        self._chance = random.Random(seed)
        self.ledger = Ledger()
        self._senders = [self._person(f"sender{number}") for number in range(SENDERS)]
        self._receivers = [self._person(f"reader{number}") for number in range(RECEIVERS)]
        self._readers = [TextReader(f"nick{number}", self.ledger, self._chance) for number in range(READERS)]
        programs = [person.name for person in self._senders + self._receivers]
        self._accounts = programs + [reader.name for reader in self._readers]
        self._everybody = tuple(self._accounts)
        self._sent_again = self._cut_off = 0
        self._ending = False

    def _person(self, name: str) -> Person:
        return Person(name, self.ledger, self._chance)

    def run(self) -> Outcome:
        """Play all rounds and hold everything against the database."""
        begun = time.monotonic()
        for number in range(self._rounds):
            if not self._start():
                break
            asyncio.run(asyncio.wait_for(self._round(number), ROUND_TIME))
        else:
            if self._start():
                asyncio.run(asyncio.wait_for(self._last_round(), ROUND_TIME))
                self._stage.stop(signal.SIGKILL)
        self._look_at_the_database()
        programs = {person.name for person in self._senders + self._receivers}
        self.ledger.check_delivery({name: name in programs for name in self._everybody})
        shown = {name: sum(bodies.values()) for name, bodies in self.ledger.shown.items()}
        return Outcome(
            self._rounds,
            len(self.ledger.acknowledged),
            self._sent_again,
            sum(count for name, count in shown.items() if name in programs),
            sum(count for name, count in shown.items() if name not in programs),
            sum(reader.came for reader in self._readers),
            self._cut_off,
            len(self._accounts),
            time.monotonic() - begun,
            dict(self.ledger.told),
            self.ledger.examples,
        )

    def _start(self) -> bool:
        self._ending = False
        try:
            self._stage.start(*OPTIONS)
        except AssertionError as error:
            self.ledger.complain("failed starts", str(error))
            return False
        return True

    async def _round(self, number: int) -> None:
        port, chance = self._stage.port, self._chance
        if number == 0:
            for person in (*self._senders, *self._receivers):
                await person.register(port)
            for reader in self._readers:
                await reader.register(port)
        stopping, *restless = self._readers
        await stopping.come(port, patience=chance.randrange(self._messages // 2))
        coming = [asyncio.create_task(reader.come_and_go(port)) for reader in restless]
        present = [*self._senders, *chance.sample(self._receivers, RECEIVERS // 2)]
        await asyncio.gather(*(person.come(port) for person in present))
        self._sent_again += sum(len(person.unanswered) for person in self._senders)
        over = asyncio.Event()
        left = chance.randint(self._messages // 2, self._messages * 3 // 2)
        killed_at = left // 2

        def acknowledged() -> None:
            nonlocal left
            left -= 1
            if left == killed_at:
                present[0].leave()
                present[-1].leave()
            elif left == 0:
                over.set()

        talking = [asyncio.create_task(self._talk(person, acknowledged)) for person in self._senders]
        newcomer = asyncio.create_task(self._newcomer(f"guest{number}"))
        await over.wait()
        await asyncio.sleep(chance.random() * 0.03)
        await self._end(ENDINGS[number % len(ENDINGS)])
        await asyncio.gather(*talking, newcomer, *coming, *(person.gone() for person in present))
        await stopping.die()

    async def _talk(self, person: Person, acknowledged: Callable[[], None]) -> None:
        """Somebody talks until the server is gone, comes back when only the connection is, and sends again what was not
        answered."""
        await person.talk(self._everybody, acknowledged)
        if self._ending:
            return
        self._cut_off += 1
        await person.gone()
        with contextlib.suppress(HungUp, OSError):
            await person.come(self._stage.port)
            self._sent_again += len(person.unanswered)
            await person.talk(self._everybody, acknowledged)

    async def _end(self, how: str) -> None:
        """Let the server end."""
        server = self._stage.server
        assert server is not None
        if how == "stop and kill":
            server.send_signal(signal.SIGSTOP)
            await asyncio.sleep(self._chance.random() * LONGEST_STOP)
            server.send_signal(signal.SIGCONT)
            await asyncio.sleep(self._chance.random() * 0.1)
        self._ending = True
        if how == "term":
            server.terminate()
        else:
            server.kill()
        try:
            status = await asyncio.to_thread(server.wait, self._stop_time)
        except subprocess.TimeoutExpired:
            status = None
            server.kill()
            server.wait()
        if how == "term" and status != 0:
            self.ledger.complain("no orderly stop", f"the exit status is {status}\n{self._stage.log()[-2_000:]}")

    async def _newcomer(self, name: str) -> None:
        """Somebody registers while everybody talks; it may be that the kill comes first."""
        async with await Program().connect(self._stage.port) as program:
            reply = await asyncio.wait({program.ask("new", user=name, password=PASSWORD)})
            (done,) = reply[0]
            if done.exception() is None and done.result()["type"] == "logged-in":
                self._accounts.append(name)
            await program.ended.wait()

    async def _last_round(self) -> None:
        port = self._stage.port
        people = [*self._senders, *self._receivers]
        for reader in self._readers:
            await reader.come(port)
        await asyncio.gather(*(person.come(port) for person in people))
        await asyncio.gather(*(reader.catch_up() for reader in self._readers))
        for person in people:
            person.leave()
        await asyncio.gather(*(person.gone() for person in people), *(reader.die() for reader in self._readers))
        for name in self._accounts[len(self._everybody) :]:
            async with await Program().connect(port) as program:
                reply = await program.ask("login", user=name, password=PASSWORD)
                if reply["type"] != "logged-in":
                    self.ledger.complain("accounts lost", f"{name}: {reply}")

    def _look_at_the_database(self) -> None:
        with closing(sqlite3.connect(self._stage.path("credentials.db"))) as connection:
            found = connection.execute("PRAGMA integrity_check").fetchall()
            if found != [("ok",)]:
                self.ledger.complain("damage", str(found))
            kinds = dict(connection.execute("SELECT id, kind FROM conversations"))
            rows = connection.execute("SELECT id >> 32, id & 0xFFFFFFFF, body FROM log WHERE kind = 'text' ORDER BY id")
            self.ledger.compare((f"{kinds[id][0].replace('p', 'k')}{id}.{seq}", body) for id, seq, body in rows)
