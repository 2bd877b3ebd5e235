"""People at a netcat, who are cut off and come back while everybody talks.

They see nothing but lines, so that a line which is shown a second time has to say so: ``(again)``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random

from tests.crash.ledger import BODY, Ledger
from tests.crash.people import ROOMS
from tests.e2e.stage import PASSWORD

LONGEST_STAY = 0.4
"""Seconds after which a restless reader is gone, at the latest, and comes back at once."""

WAYS_TO_LEAVE = ("reset", "end", "quit")


class TextReader:
    """Somebody who reads, and remembers what was shown over all connections.

    :ivar came: how often there was a login.
    """

    def __init__(self, name: str, ledger: Ledger, chance: random.Random) -> None:
        self.name = name
        self.came = 0
        self._ledger = ledger
        self._chance = chance
        self._ended = False
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._nothing_waits: asyncio.Event
        self._welcomed: asyncio.Event

    # coming and going

    async def come(self, port: int, patience: int = 1 << 30) -> None:
        """Log in, and read until so many lines were seen.

        :raises OSError: when no server is there.
        """
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._nothing_waits, self._welcomed = asyncio.Event(), asyncio.Event()
        self._ended = False
        self._types(f"login {self.name} {PASSWORD}")
        self._reading = asyncio.create_task(self._read(reader, patience))

    async def register(self, port: int) -> None:
        """Make the account, and become a member of the rooms."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._nothing_waits, self._welcomed = asyncio.Event(), asyncio.Event()
        self._reading = asyncio.create_task(self._read(reader, 1 << 30))
        self._types(f"new {self.name} {PASSWORD}", *(f"connect {room}" for room in ROOMS), "catchup", "quit")
        await self._reading
        await self.die()

    async def come_and_go(self, port: int) -> None:
        """Be cut off in all ways, and be back at once, until the server is gone."""
        while True:
            try:
                await self.come(port)
            except OSError:
                return
            await self._is_welcomed()
            for line in self._chance.sample(("/ping", "/catchup", "/rooms"), self._chance.randrange(3)):
                await asyncio.sleep(self._chance.random() * LONGEST_STAY / 3)
                self._types(line)
            await asyncio.sleep(self._chance.random() * LONGEST_STAY / 3)
            await self._leave(self._chance.choice(WAYS_TO_LEAVE))

    async def _is_welcomed(self) -> None:
        """Wait until the login is answered, or the connection gone."""
        assert self._reading is not None
        welcomed = asyncio.create_task(self._welcomed.wait())
        await asyncio.wait([welcomed, self._reading], timeout=5, return_when=asyncio.FIRST_COMPLETED)
        welcomed.cancel()

    async def _leave(self, way: str) -> None:
        if self._writer is not None and way != "reset":
            if way == "quit":
                self._types("/quit")
            elif self._writer.can_write_eof():
                self._ended = True
                with contextlib.suppress(OSError):
                    self._writer.write_eof()
            if self._reading is not None:
                await asyncio.wait([self._reading], timeout=1)
        await self.die()

    async def die(self) -> None:
        """Be killed, whatever was read."""
        if self._writer is not None:
            self._writer.transport.abort()
        if self._reading is not None:
            await self._reading
        self._writer = self._reading = None

    # reading

    async def _read(self, reader: asyncio.StreamReader, patience: int) -> None:
        with contextlib.suppress(ConnectionError):
            while patience and (line := (await reader.readline()).decode()):
                patience -= 1
                self._see(line)
                if patience % 50 == 0:
                    self._types("/ping")

    def _see(self, line: str) -> None:
        if "Welcome to the chat system!" in line:
            self.came += 1
            self._welcomed.set()
        elif "* Nothing is waiting." in line:
            self._nothing_waits.set()
        elif "is already signed in" in line:
            self._types("takeover")
        for body in BODY.findall(line):
            repeated = self._ledger.shown.get(self.name, {}).get(body, 0)
            if repeated and "(again)" not in line:
                self._ledger.complain("shown again without a word", f"{body} to {self.name}: {line}")
            self._ledger.saw(self.name, body)

    def _types(self, *lines: str) -> None:
        if self._writer is not None and not self._ended:
            self._writer.write("".join(f"{line}\n" for line in lines).encode())

    async def catch_up(self) -> None:
        """Ask for all that waits, and read it."""
        await asyncio.wait_for(self._welcomed.wait(), 10)
        while not self._nothing_waits.is_set():
            self._types("/catchup")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nothing_waits.wait(), 0.2)
