"""Who guesses passwords, or is after names: against the real server."""

from __future__ import annotations

import asyncio
import itertools
import statistics
import time
import unicodedata
from typing import Any
from unittest import TestCase

from tests import figures
from tests.e2e.program import Frame, Program
from tests.e2e.stage import PASSWORD, Stage
from tests.figures import at_most, below, exactly

WRONG = "wrong horse"

TRIES = 40

MOST_LOOKED_AT = 9
"""Wrong passwords that are hashed of so many tries, in a row and from one place."""

MOST_WAIT = 3.0
"""Seconds in which the owner is let in meanwhile, from elsewhere."""

MOST_RATIO = 1.5
"""By which the time for a name without an account may differ; 1.2 is meant, a busy machine is forgiven a little."""


class GuessingCase(TestCase):
    options: tuple[str, ...] = ()

    def setUp(self) -> None:
        self.stage = self.new_stage()
        self.addCleanup(self.stage.close)
        self.stage.start()
        self._addresses = (f"127.1.{high}.{low}" for high, low in itertools.product(range(250), range(1, 250)))

    def new_stage(self) -> Stage:
        return Stage(*self.options)

    async def ask(self, cmd: str, address: str | None = None, **args: Any) -> Frame:
        """One request over a connection of its own, from a network of its own unless it is given."""
        async with await Program().connect(self.stage.port, address or next(self._addresses)) as program:
            return await program.ask(cmd, **args)


class Registering(GuessingCase):
    def test_of_twelve_at_once_one_succeeds(self) -> None:
        asyncio.run(self.race())

    async def race(self) -> None:
        spellings = ["Dave", "dave", "DAVE", "@dave"] * 3
        replies = await asyncio.gather(*(self.ask("new", user=name, password=PASSWORD) for name in spellings))
        made = [reply for reply in replies if reply["type"] == "logged-in"]
        self.assertEqual(len(made), 1, replies)
        codes = {reply["code"] for reply in replies if reply["type"] == "refused"}
        self.assertLessEqual(codes, {"name-taken", "bad-name"})
        figures.tell(
            "registrations of one name at once",
            figures.line(
                "{made} succeeded, {refused} were refused",
                made=exactly(len(made), 1),
                refused=exactly(len(replies) - len(made), len(spellings) - 1),
            ),
        )


class Passwords(GuessingCase):
    def test_of_every_length_are_taken_whole(self) -> None:
        asyncio.run(self.lengths())

    async def lengths(self) -> None:
        for length in (8, 71, 72, 73, 255, 1_000):
            name, password = f"length{length}", "p" * (length - 1) + "q"
            self.assertEqual((await self.ask("new", user=name, password=password))["type"], "logged-in")
            other = await self.ask("login", user=name, password=password[:-1] + "r")
            self.assertEqual(other.get("code"), "bad-credentials", f"{length} bytes were cut")
            self.assertEqual((await self.ask("login", user=name, password=password))["type"], "logged-in")
        for bad in ("p" * 7, "p" * 1_001, "null\0null"):
            refused = await self.ask("new", user="bad", password=bad)
            self.assertEqual(refused.get("code"), "bad-password", refused)

    def test_composed_and_decomposed_are_the_same(self) -> None:
        asyncio.run(self.composed())

    async def composed(self) -> None:
        word = "crème brûlée Å"
        nfc, nfd = unicodedata.normalize("NFC", word), unicodedata.normalize("NFD", word)
        self.assertNotEqual(nfc, nfd)
        self.assertEqual((await self.ask("new", user="amelie", password=nfc))["type"], "logged-in")
        self.assertEqual((await self.ask("login", user="amelie", password=nfd))["type"], "logged-in")


class Guessing(GuessingCase):
    def test_forty_tries_are_hindered_and_the_owner_is_not(self) -> None:
        asyncio.run(self.guess())

    async def guess(self) -> None:
        await self.ask("new", user="ann", password=PASSWORD)
        codes = []
        for number in range(TRIES):
            reply = await self.ask("login", "127.0.9.9", user="ann", password=f"{WRONG} {number}")
            codes.append(reply["code"])
        begun = time.monotonic()
        owner = await self.ask("login", "127.0.9.10", user="ann", password=PASSWORD)
        self.assertEqual(owner["type"], "logged-in")
        figures.tell(
            "wrong passwords",
            figures.line(
                "{looked} of {tries} were looked at; the owner was let in from elsewhere in {waited:.1f} s",
                looked=at_most(codes.count("bad-credentials"), MOST_LOOKED_AT),
                tries=exactly(len(codes), TRIES),
                waited=below(time.monotonic() - begun, MOST_WAIT),
            ),
        )


class Telling(GuessingCase):
    """A wrong name and a wrong password are alike; each try comes from another network, so that none is locked out."""

    options = ("--bcrypt-cost=9",)
    TRIES = 30

    def test_by_the_text_or_the_time(self) -> None:
        asyncio.run(self.compare())

    async def compare(self) -> None:
        await self.ask("new", user="ann", password=PASSWORD)
        took: dict[str, list[float]] = {"ann": [], "nobody": []}
        texts = set()
        for _ in range(self.TRIES):
            for name, times in took.items():
                begun = time.monotonic()
                reply = await self.ask("login", user=name, password=WRONG)
                times.append(time.monotonic() - begun)
                texts.add(str({field: value for field, value in reply.items() if field != "id"}))
        known, unknown = (statistics.median(times) for times in took.values())
        ratio = max(known, unknown) / min(known, unknown)
        figures.tell(
            "wrong name or wrong password",
            figures.line(
                "{texts} text for both; the median times differ by the factor {ratio:.2f}",
                texts=exactly(len(texts), 1),
                ratio=below(ratio, MOST_RATIO),
            ),
        )
