"""The cast of the crash checker. What they remember survives the server; their connections do not."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable

from tests.crash.ledger import BODY, Ledger, Message
from tests.e2e.program import Frame, HungUp, Program
from tests.e2e.stage import PASSWORD

ROOMS = ("lobby", "ops")

AT_ONCE = 20
"""Messages that one sender leaves unanswered at a time."""

NO_ROWS = {"delivered", "kept", "presence", "closing"}
"""Events that are no rows of a conversation."""

MARK_EVERY = 40
"""Events after which a program says what it has."""


class Person:
    """Somebody with a program that keeps what it was shown, and resumes after it.

    :ivar have: the last seq that it was shown of each conversation.
    :ivar unanswered: messages without an answer, oldest first; they are sent again, under the same retry id.
    """

    def __init__(self, name: str, ledger: Ledger, chance: random.Random) -> None:
        self.name = name
        self.have: dict[str, int] = {}
        self.unanswered: deque[Message] = deque()
        self._ledger = ledger
        self._chance = chance
        self._number = 0
        self._marked: dict[str, int] = {}
        self._unmarked = 0
        self._program: Program | None = None

    # coming and going

    async def come(self, port: int) -> None:
        """Log in and read what was missed."""
        program = self._program = await Program(self._hear).connect(port)
        await program.gets("logged-in", "login", user=self.name, password=PASSWORD)
        resumed = await program.gets("resumed", "resume")
        for each in resumed["conversations"]:
            id, last = each["id"], int(each["last"])
            marked = self._marked.get(id, 0)
            if not marked <= int(each["received"]) <= last:
                self._ledger.complain("marks lost", f"{self.name} marked {marked} of {id}; it is {each['received']}")
            while self.have.get(id, 0) < last:
                page = await program.gets("history", "history", conversation=id, after=self.have.get(id, 0), limit=500)
                for entry in page["messages"]:
                    if self._seq(entry) <= last:
                        self._show(entry)
                self.have[id] = last if not page["more"] else self._seq(page["messages"][-1])

    async def register(self, port: int) -> None:
        """Make the account, and become a member of the rooms."""
        async with await Program().connect(port) as program:
            await program.gets("logged-in", "new", user=self.name, password=PASSWORD)
            for room in ROOMS:
                reply = await program.ask("connect", room=room)
                if reply.get("code") == "no-such-room":
                    await program.gets("room-entered", "create", room=room)

    def leave(self) -> None:
        if self._program is not None:
            self._program.break_off()

    async def gone(self) -> None:
        """Wait for the end of the connection."""
        if self._program is not None:
            await self._program.ended.wait()
            await self._program.close()
            self._program = None

    # hearing

    def _hear(self, event: Frame) -> None:
        if event["type"] in NO_ROWS:
            return
        id = event["conversation"]["id"]
        if self._seq(event) <= self.have.get(id, 0):
            self._ledger.complain("out of order", f"{self.name} has {self.have[id]} of {id} and is told {event}")
        self._show(event)
        self._unmarked += 1
        if self._unmarked >= MARK_EVERY:
            self._unmarked = 0
            self._mark()

    def _show(self, entry: Frame) -> None:
        id = entry["conversation"]["id"]
        self.have[id] = self._seq(entry)
        if entry["type"] == "said" and entry["from"] != self.name:
            self._ledger.saw(self.name, entry["body"]["text"], entry["msgid"])

    @staticmethod
    def _seq(entry: Frame) -> int:
        return int(entry["last"] if entry["type"] == "skipped" else entry["msgid"].partition(".")[2])

    def _mark(self) -> None:
        assert self._program is not None
        marks = dict(self.have)

        def answered(reply: asyncio.Future[Frame]) -> None:
            if not reply.exception():
                self._marked.update(marks)

        self._program.ask("received", marks=marks).add_done_callback(answered)

    # talking

    async def talk(self, people: list[str], acknowledged: Callable[[], None]) -> None:
        """Send until the server is gone."""
        program = self._program
        assert program is not None
        running: set[asyncio.Task[None]] = set()
        again = list(self.unanswered)
        with contextlib.suppress(HungUp):
            while not program.ended.is_set():
                message = again.pop(0) if again else self._next(people)
                task = asyncio.create_task(self._send(program, message, acknowledged))
                running.add(task)
                if len(running) >= AT_ONCE:
                    _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                else:
                    await asyncio.sleep(0)
        if running:
            await asyncio.wait(running)

    def _next(self, people: list[str]) -> Message:
        self._number += 1
        target = f"#{self._chance.choice(ROOMS)}" if self._chance.random() < 0.5 else self._chance.choice(people)
        message = Message(self.name, self._number, target)
        self.unanswered.append(message)
        return message

    async def _send(self, program: Program, message: Message, acknowledged: Callable[[], None]) -> None:
        retry = f"{message.author}-{message.number:016}"
        try:
            if message.target.startswith("#"):
                reply = await program.ask("say", retry, room=message.target[1:], text=message.body)
            else:
                reply = await program.ask("message", retry, user=message.target, text=message.body)
        except HungUp:
            return
        self.unanswered.remove(message)
        if reply["type"] == "stored":
            self._ledger.acknowledged[message.body] = reply["msgid"]
            acknowledged()
        else:
            self._ledger.refused.add(message.body)


class Netcat:
    """Somebody with a netcat that stops reading and dies, in every round."""

    def __init__(self, name: str, ledger: Ledger, chance: random.Random) -> None:
        self.name = name
        self._ledger = ledger
        self._chance = chance
        self._writer: asyncio.StreamWriter | None = None
        self._reading: asyncio.Task[None] | None = None
        self._nothing_waits = asyncio.Event()

    async def come(self, port: int, patience: int) -> None:
        """Log in, and read until so many lines were seen."""
        reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
        self._writer.write(f"login {self.name} {PASSWORD}\n".encode())
        self._nothing_waits.clear()
        self._reading = asyncio.create_task(self._read(reader, patience))

    async def _read(self, reader: asyncio.StreamReader, patience: int) -> None:
        with contextlib.suppress(ConnectionError):
            while patience and (line := (await reader.readline()).decode()):
                patience -= 1
                if "* Nothing is waiting." in line:
                    self._nothing_waits.set()
                for body in BODY.findall(line):
                    repeated = self._ledger.shown.get(self.name, {}).get(body, 0)
                    if repeated and "(again)" not in line:
                        self._ledger.complain("shown again without a word", f"{body} to {self.name}: {line}")
                    self._ledger.saw(self.name, body)
                if patience % 50 == 0 and self._writer is not None:
                    self._writer.write(b"/ping\n")

    async def catch_up(self) -> None:
        """Ask for all that waits, and read it."""
        assert self._writer is not None
        while not self._nothing_waits.is_set():
            self._writer.write(b"/catchup\n")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._nothing_waits.wait(), 0.2)

    async def die(self) -> None:
        """Be killed, whatever it has read."""
        if self._writer is not None:
            self._writer.transport.abort()
        if self._reading is not None:
            await self._reading
        self._writer = self._reading = None
