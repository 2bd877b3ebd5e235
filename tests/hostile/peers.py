"""Peers that mean harm, or are broken, against a real server; and people who want to be served meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import math
import random
import select
import socket
import statistics
import time
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from tests.e2e.program import Frame, Program
from tests.e2e.stage import PASSWORD
from tests.figures import Line, at_least, below, line
from tests.hostile.processor import Starvation

FLOOD = "x" * 4_000
LONGEST = 15.0
PER_ADDRESS = 500


MOST_WAIT = 250.0
"""Milliseconds in which nearly every message of others has to be shown to its reader."""


@dataclass(frozen=True, slots=True)
class Service:
    """How people were served: from a message being sent to its being shown to the other one.

    What the machine let the server wait for a processor is left out.

    :ivar median: milliseconds.
    """

    count: int
    median: float
    p99: float

    def line(self) -> Line:
        """In words, each figure with its bound."""
        return line(
            "{count} messages of others took {median:.1f} ms (median) and {late:.0f} ms (99 %)",
            count=at_least(self.count, 10),
            median=below(self.median, MOST_WAIT),
            late=below(self.p99, MOST_WAIT),
        )


class Couple:
    """Two people who write to each other, one message after the other.

    :param server: the number of its process.
    """

    def __init__(self, port: int, server: int, one: str, other: str) -> None:
        self._port = port
        self._starvation = Starvation(server)
        self._names = one, other
        self._arrived: asyncio.Event = asyncio.Event()
        self._took: list[float] = []

    async def __aenter__(self) -> Couple:
        async with contextlib.AsyncExitStack() as stack:
            self._one = await stack.enter_async_context(Program())
            self._other = await stack.enter_async_context(Program(self._hear))
            for name, program in zip(self._names, (self._one, self._other), strict=True):
                await program.connect(self._port)
                await program.gets("logged-in", "new", user=name, password=PASSWORD)
                await program.gets("resumed", "resume")
            self._stack = stack.pop_all()
        self._talking = asyncio.create_task(self._talk())
        return self

    def _hear(self, event: Frame) -> None:
        if event["type"] == "said":
            self._arrived.set()

    async def _talk(self) -> None:
        while True:
            self._arrived.clear()
            begun, before = time.monotonic(), self._starvation.now()
            await self._one.gets("stored", "message", user=self._names[1], text="are you there?")
            await self._arrived.wait()
            self._took.append(time.monotonic() - begun - self._starvation.since(before))
            await asyncio.sleep(0.02)

    async def __aexit__(self, *failure: object) -> None:
        self._talking.cancel()
        async with self._stack:
            with contextlib.suppress(asyncio.CancelledError):
                await self._talking

    @property
    def service(self) -> Service:
        took = sorted(each * 1000 for each in self._took) or [math.inf]
        return Service(len(self._took), statistics.median(took), took[len(took) * 99 // 100])


async def never_read(port: int, seconds: float, dropped: Callable[[], bool]) -> int:
    """Somebody is in a room, reads nothing, and another one floods the room.

    :param seconds: for which that goes on, or until the first was dropped, but no longer than `LONGEST` more.
    :returns: how many lines were said.
    """
    said, arrived = 0, asyncio.Event()

    def hear(event: Frame) -> None:
        if event["type"] == "entered":
            arrived.set()

    async with await Program(hear).connect(port) as flooder:
        await flooder.gets("logged-in", "new", user="flooder", password=PASSWORD)
        await flooder.gets("resumed", "resume")
        await flooder.gets("room-entered", "create", room="flooded")
        _, deaf = await asyncio.open_connection("127.0.0.1", port, limit=1)
        try:
            deaf.write(f"new deaf {PASSWORD}\nconnect flooded\n".encode())
            await arrived.wait()
            end = time.monotonic() + seconds
            while (now := time.monotonic()) < end or (now < end + LONGEST and not dropped()):
                await asyncio.gather(*(flooder.gets("stored", "say", room="flooded", text=FLOOD) for _ in range(20)))
                said += 20
        finally:
            deaf.transport.abort()
    return said


async def stay_silent(port: int, count: int) -> AsyncGenerator[int, None]:
    """Many connections that never log in; every tenth drips a byte now and then.

    They are plain sockets, so that this process has time for the others that it plays.

    Yields how many are there, when all are; then how many are left, each time after a while, until none is.
    """
    poll, there = select.epoll(), dict[int, socket.socket]()
    try:
        for number in range(count):
            caller = socket.socket()
            caller.setblocking(False)
            caller.bind((f"127.0.{2 + number // PER_ADDRESS}.1", 0))
            caller.connect_ex(("127.0.0.1", port))
            there[caller.fileno()] = caller
            poll.register(caller, select.EPOLLIN)
            if number % 50 == 49:
                await asyncio.sleep(0.02)
        drips = [caller for number, caller in enumerate(there.values()) if number % 10 == 0]
        yield sum(_connected(caller) for caller in there.values())
        for turn in itertools.count():
            for file, _ in poll.poll(0):
                if not _still_open(there[file]):
                    poll.unregister(file)
                    there.pop(file).close()
            for caller in drips[turn % 10 :: 10]:  # each of them every two seconds
                with contextlib.suppress(OSError):
                    caller.send(b"x")
            yield len(there)
            if not there:
                break
            await asyncio.sleep(0.2)
    finally:
        poll.close()
        for caller in there.values():
            caller.close()


def _connected(caller: socket.socket) -> bool:
    try:
        caller.getpeername()
    except OSError:
        return False
    return True


def _still_open(caller: socket.socket) -> bool:
    try:
        return bool(caller.recv(1 << 16))
    except BlockingIOError:
        return True
    except OSError:
        return False


def mutated(chance: random.Random, count: int) -> bytes:
    """Commands with something wrong in them."""
    commands = [
        b"login ann x",
        b"message bob hi",
        b"connect lobby",
        b"/history 20",
        b'{"id": 1, "cmd": "say", "args": {"room": "lobby", "text": "x"}}',
        b'{"cmd": "resume"}',
        b"/search disk in:ops",
        b"set quiet lobby on",
    ]
    lines = []
    for _ in range(count):
        line = bytearray(chance.choice(commands))
        for _ in range(chance.randint(1, 6)):
            place = chance.randrange(len(line) + 1)
            line[place : place + chance.randrange(3)] = bytes(chance.choices(range(11, 256), k=chance.randrange(4)))
        lines.append(bytes(line))
    return b"\n".join(lines) + b"\n"


def _noise(chance: random.Random) -> bytes:
    return chance.randbytes(200_000)


GARBAGE: dict[str, Callable[[random.Random], bytes]] = {
    "a line of 1 MiB without an end": lambda chance: b"a" * (1 << 20),
    "20,000 empty lines": lambda chance: b"\n" * 20_000,
    "2,000 mutated commands": lambda chance: mutated(chance, 2_000),
    "2,000 mutated frames": lambda chance: b"{" + mutated(chance, 2_000),
    "200,000 random bytes": _noise,
    "random bytes as a frame": lambda chance: b"{" + _noise(chance),
    "an HTTP request": lambda chance: b"GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n" * 50,
    "a broken TLS opening": lambda chance: b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc" + chance.randbytes(5_000),
    "an SSH opening": lambda chance: b"SSH-2.0-OpenSSH_9.6\r\n" + chance.randbytes(2_000),
    "10,000 telnet negotiations": lambda chance: b"\xff\xfd\x01\xff\xfb\x22\xff\xfa\x22\x01\xff\xf0" * 10_000,
    "a telnet negotiation without an end": lambda chance: b"\xff\xfa" + b"\x22" * 500_000,
    "JSON nested 30,000 deep": lambda chance: b'{"cmd":' + b"[" * 30_000 + b"\n",
    "objects nested 10,000 deep": lambda chance: b'{"cmd":"say","args":' + b'{"a":' * 10_000 + b"\n",
    "a frame of 4 MB": lambda chance: b'{"cmd": "' + b"a" * 4_000_000 + b'"}\n',
    "a huge number": lambda chance: b'{"cmd": "ping", "id": ' + b"9" * 60_000 + b"}\n",
    "numbers that are none": lambda chance: b'{"cmd": "ping", "id": NaN}\n{"cmd": "ping", "id": 1e999}\n',
    "one command over and over": lambda chance: b"help\n" * 5_000,
}


async def answers(port: int) -> bool:
    """Whether somebody who comes now is answered."""
    with contextlib.suppress(TimeoutError, ConnectionError):
        async with await Program().connect(port, "127.0.200.1") as program:
            reply = await asyncio.wait_for(program.ask("ping"), 5)
            return bool(reply["type"] == "pong")
    return False


async def throw(port: int, garbage: bytes) -> None:
    """Send bytes as fast as they are taken, read nothing, and break off."""
    _, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 16)
    with contextlib.suppress(ConnectionError, TimeoutError):
        writer.write(garbage)
        await asyncio.wait_for(writer.drain(), 2)
        await asyncio.sleep(0.05)
    writer.transport.abort()
