"""The cast of the crash checker. What they remember survives the server; their connections do not."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

from tests.crash.ledger import Ledger, Message
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
        self._perhaps_stored: set[Message] = set()
        self._number = 0
        self._marked: dict[str, int] = {}
        self._unmarked = 0
        self._program: Program | None = None
        self._held: list[Frame] | None = None

    # coming and going

    async def come(self, port: int) -> None:
        """Log in and read what was missed; what happens meanwhile comes after it."""
        program = self._program = await Program(self._hear).connect(port)
        self._held = []
        await self._gets(program, "logged-in", "login", user=self.name, password=PASSWORD)
        resumed = await self._gets(program, "resumed", "resume")
        for each in resumed["conversations"]:
            id, last = each["id"], int(each["last"])
            marked = self._marked.get(id, 0)
            if not marked <= int(each["received"]) <= last:
                self._ledger.complain("marks lost", f"{self.name} marked {marked} of {id}; it is {each['received']}")
            while self.have.get(id, 0) < last:
                after = self.have.get(id, 0)
                page = await self._gets(program, "history", "history", conversation=id, after=after, limit=500)
                for entry in page["messages"]:
                    if self._seq(entry) <= last:
                        self._show(entry)
                self.have[id] = last if not page["more"] else self._seq(page["messages"][-1])
        held, self._held = self._held, None
        for event in held:
            self._hear(event)

    @staticmethod
    async def _gets(program: Program, type: str, cmd: str, **args: Any) -> Frame:
        """Ask for what is there; a server that is about to end is as good as gone.

        :raises HungUp: then.
        """
        frame = await program.ask(cmd, **args)
        if frame.get("code") == "shutting-down":
            raise HungUp
        assert frame["type"] == type, f"{cmd} {args} is answered {frame}"
        return frame

    async def register(self, port: int) -> None:
        """Make the account, and become a member of the rooms."""
        async with await Program().connect(port) as program:
            await program.gets("logged-in", "new", user=self.name, password=PASSWORD)
            for room in ROOMS:
                reply = await program.ask("connect", room=room)
                if reply.get("code") == "no-such-room":
                    await program.gets("room-entered", "create", room=room)

    def leave(self) -> None:
        """Be killed: a reset, and whatever was not answered is sent again when this person comes back."""
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
        if self._held is not None:
            self._held.append(event)
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
            if not reply.exception() and reply.result()["type"] == "done":
                self._marked.update(marks)

        self._program.ask("received", marks=marks).add_done_callback(answered)

    # talking

    async def talk(self, people: Sequence[str], acknowledged: Callable[[], None]) -> None:
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

    def _next(self, people: Sequence[str]) -> Message:
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
            self._perhaps_stored.add(message)
            return
        if reply.get("code") == "shutting-down" and message in self._perhaps_stored:
            return  # this try was refused, and of the one before nothing is known
        self.unanswered.remove(message)
        if reply["type"] == "stored":
            self._ledger.acknowledged[message.body] = reply["msgid"]
            acknowledged()
        else:
            self._ledger.refused.add(message.body)
