"""What a reader who does not read makes the server hold: the same bound with TLS and without, whatever the layer."""

from __future__ import annotations

import json
import socket
from functools import partial

from chat.server.frontends.outbox import Outbox
from chat.server.frontends.transport_buffers import buffered
from tests.server.frontends.live import End, LiveCase

MOST = 1 << 20
KERNEL = 8 << 20
"""More than the kernels of both ends take of a connection on loopback."""

PIECE = b"x" * 4_000 + b"\n"
ASKS = b"".join(json.dumps({"id": number, "cmd": "commands"}).encode() + b"\n" for number in range(1_000))


def _is_taken(outbox: Outbox) -> bool:
    """Whether nothing waits for the transport any more."""
    return not outbox._backlog


def _has_read(end: End, many: int) -> bool:
    return len(end.text) == many


class Unsent(LiveCase):
    settings = {"unsent": MOST}  # noqa: RUF012

    async def reader(self, tls: bool) -> End:
        """Somebody who reads nothing any more."""
        end = await self.call(self.listen())
        if tls:
            await self.shakes_hands(end)
        end.sends(b"{")
        await self.until(lambda: self.connections[0]._line is not None)
        end.reads = False
        return end

    async def test_counts_wherever_it_lies(self) -> None:
        """Batches that come in turns of their own, as from a room, and answers that come in one turn."""
        for tls in (True, False):
            for turns in (True, False):
                await self.reader(tls)
                connection = self.connections[0]
                sent = most = 0
                while self.server.counter.total and sent < MOST + KERNEL:
                    for _ in range(10):
                        connection.outbox.send(PIECE)
                    sent += 10 * len(PIECE)
                    most = max(most, buffered(connection.transport))
                    if turns:
                        await self.a_turn()
                await self.until(lambda: not self.server.counter.total)
                self.assertLess(most, MOST + 11 * len(PIECE) * 1.1, (tls, turns))

    async def test_counts_what_was_handed_over_when_there_was_room(self) -> None:
        """Somebody who reads a little now and then: what waited is with the transport then, and still unsent."""
        for tls in (True, False):
            end = await self.reader(tls)
            connection = self.connections[-1]
            outbox = connection.outbox
            for each in (end.socket, connection.transport.socket):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
            while sum(map(len, outbox._backlog or ())) < MOST * 3 // 4:
                outbox.send(PIECE)
                await self.a_turn()
            end.reads = True
            await self.until(partial(_is_taken, outbox))
            end.reads = False
            most = 0
            while self.server.counter.total:
                most = max(most, buffered(connection.transport) + sum(map(len, outbox._backlog or ())))
                outbox.send(PIECE)
                await self.a_turn()
            self.assertLess(most, MOST * 1.1, tls)

    async def test_is_forgotten_with_who_is_dropped(self) -> None:
        await self.reader(tls=True)
        outbox = self.connections[0].outbox
        while self.server.counter.total:
            outbox.send(PIECE)
            await self.a_turn()
        for _ in range(100):
            outbox.send(PIECE)
        outbox.write(PIECE)
        outbox.flush()
        self.assertEqual((outbox._backlog, outbox._own), (None, None))

    async def test_of_answers_that_nobody_takes_is_bounded(self) -> None:
        end = await self.reader(tls=True)
        end.sends(b"}\n")
        end.socket.setblocking(True)
        end.socket.settimeout(0.01)
        connection, most = self.connections[0], 0
        while self.server.counter.total:
            try:
                end.sends(ASKS[:8_000])
            except OSError:
                break
            await self.a_turn()
            most = max(most, buffered(connection.transport))
        await self.until(lambda: not self.server.counter.total)
        self.assertLess(most, 8 * MOST)

    async def test_of_who_reads_is_none_however_much_it_is(self) -> None:
        """More than the bound in all, and never that much at once."""
        for tls in (True, False):
            end = await self.reader(tls)
            end.reads = True
            connection, sent = self.connections[0], 0
            while sent < 4 * MOST:
                for _ in range(50):
                    connection.outbox.send(PIECE)
                sent += 50 * len(PIECE)
                await self.until(partial(_has_read, end, sent))
            self.assertEqual(self.server.counter.total, 1)
            await self.hangs_up(end)

    async def test_of_a_burst_is_what_the_kernel_has_not_taken(self) -> None:
        """A little more than the bound in one turn, to somebody who reads: TLS is offered to the kernel first."""
        end = await self.reader(tls=True)
        end.reads = True
        connection, sent = self.connections[0], 0
        while sent < MOST + 10 * len(PIECE):
            connection.outbox.send(PIECE)
            sent += len(PIECE)
        await self.until(lambda: len(end.text) == sent)
        self.assertEqual(self.server.counter.total, 1)


class Proof(LiveCase):
    async def test_is_none_of_what_tls_still_holds(self) -> None:
        end = await self.call(self.listen())
        await self.shakes_hands(end)
        end.sends(b"{")
        await self.until(lambda: self.connections[0]._line is not None)
        outbox = self.connections[0].outbox
        self.assertTrue(outbox.acknowledged())
        outbox.write(b"hello\n")
        outbox.flush()
        self.assertFalse(outbox.acknowledged())
        await self.until(lambda: end.text == b"hello\n" and outbox.acknowledged())
        end.reads = False
        for _ in range(200):
            outbox.send(PIECE)
            self.assertFalse(outbox.acknowledged())
