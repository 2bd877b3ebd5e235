"""``python -m tests.comeback``: everybody comes back after the server was killed, all of them.

Programs that speak the protocol as the bundled client does are logged in, in the clear and over TLS; the server gets
SIGKILL and starts again; each calls, pauses after a failure as `chat.client.session.reconnect` does, and logs in by its
token.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import resource
import signal
import ssl
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from typing import Any

from chat.client.session.reconnect import PAUSES
from tests.e2e.stage import PASSWORD, Stage

OPTIONS = (
    "--rate=1000000",
    "--burst=1000000",
    "--network-connections=100000",
    "--sessions=per-device",
)
"""The limits that keep one person from flooding others are what a crowd of one machine does."""

DEVICES = 90
"""Clients of one account."""

AT_ONCE = 50
"""Calls at the same time, while the crowd comes in for the first time."""

CALL_TIME = 60.0
"""Seconds in which a call has to be answered, as in `chat.client.session.engine`."""


class Stream:
    """One connection, with TLS or without; what comes in the clear before TLS is left out, as it is a greeting."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, tls: bool) -> None:
        self._reader = reader
        self._writer = writer
        self._lines = b""
        self._clear = tls
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _trusting().wrap_bio(self._incoming, self._outgoing) if tls else None

    @classmethod
    async def connect(cls, port: int, address: str, tls: bool) -> Stream:
        """:raises OSError: when there is no connection."""
        stream = cls(*await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0)), tls)
        while stream._tls is not None:
            try:
                stream._tls.do_handshake()
                stream._flush()
                break
            except ssl.SSLWantReadError:
                stream._flush()
                await stream._fill()
        return stream

    def write(self, data: bytes) -> None:
        if self._tls is None:
            self._writer.write(data)
        else:
            self._tls.write(data)
            self._flush()

    async def line(self) -> bytes:
        """:raises OSError: when the connection ends."""
        while b"\n" not in self._lines:
            if self._tls is None:
                self._lines += await self._came()
                continue
            try:
                self._lines += self._tls.read(1 << 16)
            except ssl.SSLWantReadError:
                await self._fill()
        line, _, self._lines = self._lines.partition(b"\n")
        return line

    def abort(self) -> None:
        self._writer.transport.abort()

    def _flush(self) -> None:
        self._writer.write(self._outgoing.read())

    async def _fill(self) -> None:
        came = await self._came()
        if self._clear:
            came = came[next((place for place, byte in enumerate(came) if byte in (0x15, 0x16)), len(came)) :]
            self._clear = not came
        self._incoming.write(came)

    async def _came(self) -> bytes:
        came = await self._reader.read(1 << 16)
        if not came:
            raise OSError("the connection ended")
        return came


@dataclass(slots=True)
class Client:
    """One program.

    :ivar tries: calls since the kill.
    :ivar failures: why they came to nothing.
    :ivar back: seconds after the kill at which it was in again, or nothing.
    """

    number: int
    tls: bool
    token: str = field(default="", repr=False)
    tries: int = 0
    failures: Counter[str] = field(default_factory=Counter)
    back: float | None = None
    stream: Stream | None = None

    @property
    def account(self) -> str:
        return f"crowd{self.number // DEVICES}"

    @property
    def address(self) -> str:
        """Each has an address of its own, so that none is counted with another."""
        return f"127.{1 + self.number // 62_500}.{self.number // 250 % 250}.{1 + self.number % 250}"

    async def call(self, port: int) -> None:
        """Connect and greet.

        :raises OSError: when there is no connection.
        """
        self.stream = await Stream.connect(port, self.address, self.tls)
        await self.ask("hello", client="comeback")
        await self.ask("commands")

    async def ask(self, cmd: str, **args: object) -> dict[str, Any]:
        """:raises OSError: when the connection ends, or the answer is a refusal."""
        assert self.stream is not None
        self.stream.write(json.dumps({"id": 1, "cmd": cmd, "args": args}).encode() + b"\n")
        while True:
            line = await self.stream.line()
            if line.startswith(b"! "):
                raise OSError(line.decode().strip())
            if line.startswith(b"{"):  # what comes before is the greeting of people
                frame: dict[str, Any] = json.loads(line)
                if "id" in frame:
                    if frame["type"] == "refused":
                        raise OSError(frame["text"])
                    return frame

    async def enter(self, port: int, **ways: str) -> None:
        """Call and log in."""
        await self.call(port)
        frame = await self.ask("login", device=f"d{self.number}", **ways)
        self.token = frame.get("token") or self.token
        await self.ask("resume")

    async def come_back(self, port: int, begun: float) -> None:
        """Try until it is in."""
        while True:
            pause = PAUSES[min(self.tries, len(PAUSES) - 1)] * (0.5 + random.random())
            await asyncio.sleep(pause)
            self.tries += 1
            try:
                await asyncio.wait_for(self.enter(port, token=self.token), CALL_TIME)
            except (TimeoutError, OSError, ssl.SSLError, asyncio.IncompleteReadError) as error:
                self.failures[f"{type(error).__name__}: {error}"[:80]] += 1
                self.leave()
            else:
                self.back = time.monotonic() - begun
                return

    def leave(self) -> None:
        if self.stream is not None:
            self.stream.abort()
            self.stream = None


_context: list[ssl.SSLContext] = []


def _trusting() -> ssl.SSLContext:
    if not _context:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _context.append(context)
    return _context[0]


class Crowd:
    """:param stage: whose server runs."""

    def __init__(self, stage: Stage, plain: int, tls: int) -> None:
        self._stage = stage
        self.clients = [Client(number, number >= plain) for number in range(plain + tls)]

    async def come(self) -> None:
        """Make the accounts, and let everybody log in."""
        port = self._stage.port
        first = {client.account: client for client in reversed(self.clients)}
        for name, client in first.items():
            await client.call(port)
            await client.ask("new", user=name, password=PASSWORD)
            client.leave()
        places = asyncio.Semaphore(AT_ONCE)

        async def enter(client: Client) -> None:
            async with places:
                await client.enter(port, user=client.account, password=PASSWORD)

        await asyncio.gather(*map(enter, self.clients))

    async def come_back(self, seconds: float, delay: float) -> None:
        """Kill the server, start it again, and let everybody come back.

        :param delay: seconds that everything takes on its way to the server, and back.
        """
        self._stage.stop(signal.SIGKILL)
        begun = time.monotonic()
        for client in self.clients:
            client.leave()
        self._stage.start(*OPTIONS)
        async with relay(self._stage.port, delay) as port:
            work = [asyncio.create_task(client.come_back(port, begun)) for client in self.clients]
            await asyncio.wait(work, timeout=seconds)
            for task in work:
                task.cancel()
            await asyncio.gather(*work, return_exceptions=True)
            for client in self.clients:
                client.leave()
            await asyncio.sleep(0)  # in which the transports close

    def lines(self) -> Sequence[str]:
        """How it went, one figure a line."""
        back = sorted(client.back for client in self.clients if client.back is not None)
        failures = sum((client.failures for client in self.clients), Counter[str]())
        worst = f"half within {back[len(back) // 2]:.1f} s, the last after {back[-1]:.1f} s" if back else "nobody"
        return [
            f"{len(back):,} of {len(self.clients):,} came back: {worst}",
            f"at most {max(client.tries for client in self.clients)} calls each",
            *(f"{number:,} times {why}" for why, number in failures.most_common(5)),
        ]


@asynccontextmanager
async def relay(port: int, delay: float) -> AsyncIterator[int]:
    """A port behind which everything takes its time, both ways; without a delay the server's own."""
    if not delay:
        yield port
        return
    tasks: set[asyncio.Task[None]] = set()
    ends: list[asyncio.StreamWriter] = []

    def begin(work: Any) -> None:
        task = asyncio.create_task(work)
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    async def carry(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        queue: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

        async def deliver() -> None:
            data = b"x"
            with suppress(OSError):
                while data:
                    due, data = await queue.get()
                    await asyncio.sleep(max(0.0, due - time.monotonic()))
                    sink.write(data) if data else sink.close()

        begin(deliver())
        data = b"x"
        while data:
            try:
                data = await source.read(1 << 16)
            except OSError:
                data = b""
            queue.put_nowait((time.monotonic() + delay, data))

    async def accept(near: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        try:
            far, there = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            back.close()
            return
        ends.extend((back, there))
        begin(carry(near, there))
        begin(carry(far, back))

    server = await asyncio.start_server(accept, "127.0.0.1", 0, backlog=4_096)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for end in ends:
            end.transport.abort()
        await asyncio.sleep(0)


def play(plain: int, tls: int, seconds: float, delay: float, stage: Stage | None = None) -> Crowd:
    """Let a crowd come, kill the server, and let the crowd come back.

    :param stage: with another server than the real one.
    """
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    with closing(stage or Stage()) as stage:
        stage.start(*OPTIONS)
        crowd = Crowd(stage, plain, tls)

        async def acts() -> None:
            await crowd.come()
            await crowd.come_back(seconds, delay)

        asyncio.run(acts())
    return crowd


def main() -> int:
    """:returns: 1 when somebody did not come back."""
    parser = argparse.ArgumentParser(prog="python -m tests.comeback", description=__doc__)
    parser.add_argument("--plain", type=int, default=5_000, help="clients in the clear [default: %(default)s]")
    parser.add_argument("--tls", type=int, default=2_000, help="clients over TLS [default: %(default)s]")
    parser.add_argument("--seconds", type=float, default=300, help="time to come back [default: %(default)s]")
    parser.add_argument("--delay", type=float, default=0, help="seconds there, and as many back [default: %(default)s]")
    options = parser.parse_args()
    crowd = play(options.plain, options.tls, options.seconds, options.delay)
    print(*crowd.lines(), sep="\n")
    return 0 if all(client.back is not None for client in crowd.clients) else 1


if __name__ == "__main__":
    sys.exit(main())
