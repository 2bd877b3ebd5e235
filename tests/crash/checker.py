"""The crash checker: people talk, the server is killed in the middle, and everything they were told has to be true.

It knows nothing of the server but its protocol and, in the end, its database. Each round starts the server in the same
folder; senders and receivers come (half of the receivers stay away, somebody at a netcat stops reading and dies); at a
random moment the server gets SIGKILL. What was sent and not answered is sent again in the next round, under the same
retry id. At last all come once more and read what they missed.
"""

from __future__ import annotations

import asyncio
import random
import signal
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from tests.crash.ledger import Ledger
from tests.crash.people import Netcat, Person
from tests.e2e.program import Program
from tests.e2e.stage import PASSWORD, Stage
from tests.figures import Line, at_least, at_most, line

SENDERS, RECEIVERS = 4, 6

OPTIONS = ("--rate=1000000", "--burst=1000000", "--network-connections=10000", "--mailbox=100000")
"""The limits that keep one person from flooding others are what this does."""

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
        "damage",
    )

    def lines(self) -> Iterator[Line]:
        """The figures, each with its bound."""
        yield line(
            "{rounds} rounds, each ended by SIGKILL, in {seconds:.0f} s: {acknowledged:,} messages acknowledged,"
            " {again:,} sent again, {shown:,} deliveries, {accounts} accounts",
            rounds=at_least(self.rounds, 1),
            seconds=at_least(self.seconds, 0),
            acknowledged=at_least(self.acknowledged, 100 * self.rounds),
            again=at_least(self.sent_again, 1),
            shown=at_least(self.shown, self.acknowledged),
            accounts=at_least(self.accounts, self.rounds),
        )
        told = {f"kind{number}": at_most(self.wrong.get(kind, 0), 0) for number, kind in enumerate(self.KINDS)}
        yield line(", ".join(f"{kind} {{kind{number}}}" for number, kind in enumerate(self.KINDS)), **told)

    def failures(self) -> str:
        """What went wrong: how often, and the first of each kind."""
        return "\n".join(f"{kind} ({self.wrong[kind]} times): {self.examples[kind]}" for kind in self.wrong)


class Checker:
    """:param messages: about how many are acknowledged before a round ends.
    :param stage: where the server runs; not started.
    """

    def __init__(self, stage: Stage, rounds: int, messages: int, seed: int) -> None:
        self._stage = stage
        self._rounds = rounds
        self._messages = messages
        self._chance = random.Random(seed)
        self.ledger = Ledger()
        self._senders = [self._person(f"sender{number}") for number in range(SENDERS)]
        self._receivers = [self._person(f"reader{number}") for number in range(RECEIVERS)]
        self._netcat = Netcat("nick", self.ledger, self._chance)
        self._accounts = [each.name for each in (*self._senders, *self._receivers)] + [self._netcat.name]
        self._sent_again = 0

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
        self.ledger.check_delivery(
            {**{each.name: True for each in (*self._senders, *self._receivers)}, self._netcat.name: False}
        )
        return Outcome(
            self._rounds,
            len(self.ledger.acknowledged),
            self._sent_again,
            sum(sum(each.values()) for each in self.ledger.shown.values()),
            len(self._accounts),
            time.monotonic() - begun,
            dict(self.ledger.told),
            self.ledger.examples,
        )

    def _start(self) -> bool:
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
            await self._make_account(self._netcat.name)
        present = [*self._senders, *chance.sample(self._receivers, RECEIVERS // 2)]
        await asyncio.gather(*(person.come(port) for person in present))
        await self._netcat.come(port, patience=chance.randrange(self._messages // 2))
        self._sent_again += sum(len(person.unanswered) for person in self._senders)
        over = asyncio.Event()
        left = chance.randint(self._messages // 2, self._messages * 3 // 2)

        def acknowledged() -> None:
            nonlocal left
            left -= 1
            if left == 0:
                over.set()

        everybody = self._accounts[: SENDERS + RECEIVERS + 1]
        talking = [asyncio.create_task(person.talk(everybody, acknowledged)) for person in self._senders]
        newcomer = asyncio.create_task(self._newcomer(f"guest{number}"))
        await over.wait()
        await asyncio.sleep(chance.random() * 0.03)
        assert self._stage.server is not None
        self._stage.server.kill()
        self._stage.server.wait()
        await asyncio.gather(*talking, newcomer, *(person.gone() for person in present))
        await self._netcat.die()

    async def _newcomer(self, name: str) -> None:
        """Somebody registers while everybody talks; it may be that the kill comes first."""
        async with await Program().connect(self._stage.port) as program:
            reply = await asyncio.wait({program.ask("new", user=name, password=PASSWORD)})
            (done,) = reply[0]
            if done.exception() is None and done.result()["type"] == "logged-in":
                self._accounts.append(name)
            await program.ended.wait()

    async def _make_account(self, name: str) -> None:
        async with await Program().connect(self._stage.port) as program:
            await program.gets("logged-in", "new", user=name, password=PASSWORD)

    async def _last_round(self) -> None:
        port = self._stage.port
        people = [*self._senders, *self._receivers]
        await asyncio.gather(*(person.come(port) for person in people))
        await self._netcat.come(port, patience=1 << 30)
        await self._netcat.catch_up()
        for person in people:
            person.leave()
        await asyncio.gather(*(person.gone() for person in people))
        await self._netcat.die()
        for name in self._accounts[SENDERS + RECEIVERS + 1 :]:
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
