"""The way out: in order, bounded, and honest about what the peer's kernel has."""

from __future__ import annotations

import socket

from twisted.internet.interfaces import IPushProducer
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from chat.server.frontends.outbox import Outbox
from chat.server.process.reactor import ReactorTurn

MOST = 1 << 20


class ThroughATransport(SynchronousTestCase):
    """No plain socket: TLS, or a test."""

    def setUp(self) -> None:
        self.clock = Clock()
        self.transport = StringTransport()
        self.slow = 0
        self.outbox = Outbox(self.transport, ReactorTurn(self.clock), 100, self.too_slow)

    def too_slow(self) -> None:
        self.slow += 1

    def sent(self) -> bytes:
        self.clock.advance(0)
        value: bytes = self.transport.value()
        self.transport.clear()
        return value

    def test_own_lines_leave_at_the_end_of_the_turn(self) -> None:
        self.outbox.write(b"1")
        self.outbox.write(b"2")
        self.assertEqual(self.transport.value(), b"")
        self.assertEqual(self.sent(), b"12")

    def test_batches_and_own_lines_keep_their_order(self) -> None:
        self.outbox.send(b"a")
        self.outbox.write(b"1")
        self.outbox.send(b"b")
        self.outbox.write(b"2")
        self.outbox.send(b"c")
        self.assertEqual(self.sent(), b"a1b2c")

    def test_what_twisted_still_holds_is_not_acknowledged(self) -> None:
        """As it does under TLS until the end of the turn, and when the kernel takes no more."""
        self.assertTrue(self.outbox.acknowledged())
        for held, empty, something in (("dataBuffer", b"", b"x"), ("_tempDataBuffer", [], [b"x"])):
            setattr(self.transport, held, something)
            self.assertFalse(self.outbox.acknowledged(), held)
            setattr(self.transport, held, empty)
        self.assertTrue(self.outbox.acknowledged())

    def test_what_is_held_comes_after_what_was_read_meanwhile(self) -> None:
        """While the past is read, audiences wait and one's own lines do not."""
        self.outbox.hold()
        self.outbox.send(b"live1 ")
        self.outbox.write(b"past ")
        self.outbox.send(b"live2 ")
        self.assertEqual(self.sent(), b"past ")
        self.assertFalse(self.outbox.acknowledged())
        self.outbox.write(b"past2 ")
        self.outbox.release()
        self.outbox.send(b"live3")
        self.assertEqual(self.sent(), b"past2 live1 live2 live3")
        self.assertTrue(self.outbox.acknowledged())

    def test_holding_twice_loses_nothing(self) -> None:
        self.outbox.hold()
        self.outbox.send(b"a")
        self.outbox.hold()
        self.outbox.send(b"b")
        self.outbox.release()
        self.outbox.release()
        self.assertEqual(self.sent(), b"ab")

    def test_a_full_transport_is_spared(self) -> None:
        producer = self.producer()
        producer.pauseProducing()
        self.outbox.send(b"a")
        self.outbox.write(b"b")
        self.assertEqual(self.sent(), b"")
        self.assertFalse(self.outbox.acknowledged())
        producer.resumeProducing()
        self.assertEqual(self.sent(), b"ab")
        self.outbox.send(b"c")
        self.assertEqual(self.sent(), b"c")

    def test_what_is_held_back_counts_across_a_pause(self) -> None:
        self.outbox.hold()
        self.outbox.send(b"x" * 60)
        self.producer().pauseProducing()
        self.producer().resumeProducing()
        self.outbox.release()
        self.clock.advance(0)
        self.producer().pauseProducing()
        for _ in range(2):
            self.outbox.send(b"x" * 55)
        self.assertEqual(self.slow, 1)

    def test_a_reader_that_is_too_slow_is_dropped_once(self) -> None:
        self.producer().pauseProducing()
        for _ in range(10):
            self.outbox.send(b"x" * 10)
        self.assertEqual(self.slow, 0)
        self.outbox.send(b"x")
        self.outbox.send(b"x" * 500)
        self.assertEqual(self.slow, 1)

    def test_what_is_held_counts_as_unsent(self) -> None:
        self.outbox.hold()
        self.outbox.send(b"x" * 101)
        self.assertEqual(self.slow, 1)

    def test_what_was_drained_counts_no_more(self) -> None:
        for _ in range(5):
            self.producer().pauseProducing()
            self.outbox.send(b"x" * 60)
            self.producer().resumeProducing()
        self.assertEqual(self.slow, 0)

    def test_closing_sends_what_waits_in_order(self) -> None:
        self.outbox.hold()
        self.outbox.send(b"held")
        self.outbox.write(b"own ")
        self.outbox.close()
        self.assertEqual(self.transport.value(), b"own held")
        self.assertIsNone(self.transport.producer)

    def test_closing_while_the_transport_is_full(self) -> None:
        self.producer().pauseProducing()
        self.outbox.send(b"a")
        self.outbox.write(b"b")
        self.outbox.close()
        self.assertEqual(self.transport.value(), b"ab")
        self.assertIsNone(self.transport.producer)

    def producer(self) -> IPushProducer:
        producer: IPushProducer | None = self.transport.producer
        assert producer is not None
        return producer


class Plug:
    """As much of a TCP transport as the outbox uses: a socket, and a buffer that the test empties."""

    def __init__(self, near: socket.socket) -> None:
        self.socket = near
        self.buffer = b""
        self.producer: Outbox | None = None
        self.aborted = 0

    def abortConnection(self) -> None:
        self.aborted += 1

    def write(self, data: bytes) -> None:
        self.buffer += data

    def registerProducer(self, producer: Outbox, streaming: bool) -> None:
        assert self.producer is None and not streaming
        self.producer = producer
        producer.resumeProducing()

    def unregisterProducer(self) -> None:
        assert self.producer is not None
        self.producer = None

    def drain(self) -> None:
        """The reactor finds the socket writable: as Twisted does, ask for more when all is out."""
        while self.buffer:
            try:
                sent = self.socket.send(self.buffer)
            except BlockingIOError:
                return
            self.buffer = self.buffer[sent:]
            if not self.buffer and self.producer is not None:
                self.producer.resumeProducing()


class ThroughASocket(SynchronousTestCase):
    """A plain connection is written to directly, until the kernel takes no more."""

    def setUp(self) -> None:
        self.clock = Clock()
        near, self.far = socket.socketpair()
        for end in (near, self.far):
            end.setblocking(False)
            self.addCleanup(end.close)
        near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
        self.plug = Plug(near)
        self.slow = 0
        self.expected = b""
        self.outbox = Outbox(self.plug, ReactorTurn(self.clock), MOST, self.too_slow)

    def too_slow(self) -> None:
        self.slow += 1

    def read(self) -> bytes:
        """All that has arrived."""
        found = b""
        while True:
            try:
                piece = self.far.recv(1 << 16)
            except BlockingIOError:
                return found
            if not piece:
                return found
            found += piece

    def test_a_reset_that_sending_finds_is_no_orderly_end(self) -> None:
        self.far.close()
        self.outbox.write(b"hello")
        self.clock.advance(0)
        self.assertEqual(self.plug.aborted, 1)

    def read_all(self) -> bytes:
        """All that arrives while the reader reads on."""
        found = self.read()
        while self.plug.buffer:
            self.plug.drain()
            found += self.read()
        return found

    def number(self, many: int, *, own: bool = False) -> None:
        """Hand over numbered lines, so that a lost or doubled byte shows."""
        for _ in range(many):
            line = b"%08d %s\n" % (len(self.expected), b"x" * 500)
            self.expected += line
            (self.outbox.write if own else self.outbox.send)(line)

    def test_a_batch_is_in_the_kernel_at_once(self) -> None:
        self.outbox.send(b"hello\n")
        self.assertEqual(self.read(), b"hello\n")
        self.assertEqual(self.plug.buffer, b"")

    def test_what_does_not_fit_comes_later_in_order(self) -> None:
        """The kernel takes part of a batch, the transport the rest of it, and the backlog what follows."""
        self.number(200)
        self.number(3, own=True)
        self.clock.advance(0)
        self.number(200)
        self.assertNotEqual(self.plug.buffer, b"")
        self.assertFalse(self.outbox.acknowledged())
        self.assertEqual(self.read_all(), self.expected)
        self.assertIsNone(self.plug.producer)

    def test_a_batch_that_fits_in_part(self) -> None:
        """The kernel takes its beginning; the rest comes once, and what follows after it."""
        lines = [b"%08d %s\n" % (number, b"x" * 500) for number in range(2_000)]
        self.outbox.send(b"".join(lines[:1_000]))
        self.assertNotIn(len(self.plug.buffer), (0, 510 * 1_000))
        self.outbox.send(b"".join(lines[1_000:]))
        self.assertEqual(self.read_all(), b"".join(lines))

    def test_after_a_backlog_it_is_written_to_directly_again(self) -> None:
        for _ in range(3):
            self.number(200)
            self.assertEqual(self.read_all(), self.expected)
            self.expected = b""
            self.outbox.send(b"direct")
            self.assertEqual((self.read(), self.plug.buffer), (b"direct", b""))

    def test_slow_reading_all_the_while(self) -> None:
        """Lines come and go in between, some of one's own, and the order holds."""
        found = b""
        for round in range(100):
            self.number(7)
            self.number(2, own=True)
            self.clock.advance(0)
            if round % 3 == 0:
                self.plug.drain()
            if round % 5 == 0:
                found += self.far.recv(9_000)
        self.assertEqual(self.slow, 0)
        self.assertEqual(found + self.read_all(), self.expected)

    def test_who_reads_nothing_is_dropped_at_the_bound(self) -> None:
        for _ in range(MOST // 1_000 + 300):
            self.outbox.send(b"x" * 1_000)
        self.assertEqual(self.slow, 1)

    def test_closing_behind_a_backlog(self) -> None:
        self.number(200)
        self.number(1, own=True)
        self.outbox.close()
        self.assertEqual(self.read_all(), self.expected)
        self.assertIsNone(self.plug.producer)

    def test_a_peer_that_is_gone_raises_nothing(self) -> None:
        """The reactor finds out when it reads."""
        self.far.close()
        self.outbox.send(b"hello?")
        self.outbox.send(b"hello?")
        self.assertEqual(self.slow, 0)
        self.plug.socket.close()
        self.outbox.send(b"hello?")
        self.assertFalse(self.outbox.acknowledged())


class Acknowledgement(SynchronousTestCase):
    """Over real TCP, where the kernel says what its peer has."""

    def test_bytes_that_the_peer_s_kernel_has(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            far = socket.create_connection(listener.getsockname())
            near, _ = listener.accept()
        self.addCleanup(far.close)
        self.addCleanup(near.close)
        near.setblocking(False)
        clock = Clock()
        plug = Plug(near)
        outbox = Outbox(plug, ReactorTurn(clock), MOST, lambda: None)
        outbox.write(b"hello")
        self.assertFalse(outbox.acknowledged())
        clock.advance(0)
        self.assertEqual(far.recv(5), b"hello")
        self.assertTrue(outbox.acknowledged())
        for _ in range(20_000):
            outbox.send(b"x" * 1_000)
        self.assertFalse(outbox.acknowledged())
