"""A server that is late: busy, suspended, or far away. It looks at what waits before a timer decides."""

from __future__ import annotations

import socket
import time
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.server.frontends.connection import GREETING_DELAY, LINGER
from chat.server.frontends.deadline import LATE, Deadline
from chat.server.frontends.socket_options import PROBE_TIME, shows_life, unread
from tests.server.auth.fakes import FakeClock
from tests.server.frontends.live import PATIENCE, LiveCase
from tests.server.frontends.server import GREETING, ServerCase

PING = b'{"id":1,"cmd":"ping"}\n'
PONG = b'{"type":"pong","id":1}\n'
ENCRYPTED_GREETING = GREETING.replace("This connection is not encrypted.\n", "").encode()


class TheGreeting(LiveCase):
    """After a restart hundreds connect at once, and the moment is over before the first of their bytes is read."""

    async def test_is_not_for_a_program_whose_frame_waits_in_the_kernel(self) -> None:
        end = await self.call(self.listen())
        end.sends(PING)
        self.arrives()
        self.server.advance(GREETING_DELAY)
        await self.until(lambda: end.text)
        self.server.advance(10)
        await self.a_turn()
        self.assertEqual(end.text, PONG)

    async def test_is_not_for_tls_whose_hello_waits_in_the_kernel(self) -> None:
        """And under TLS the moment begins after the handshake."""
        end = await self.call(self.listen())
        end.begin_tls()
        self.arrives()
        self.server.advance(GREETING_DELAY)
        await self.until(lambda: self.connections[0].transport.TLS)
        await self.shakes_hands(end)
        self.assertEqual(end.raw[:1], b"\x16")
        self.server.advance(GREETING_DELAY - 0.01)
        end.sends(PING)
        self.arrives()
        self.server.advance(0.01)
        await self.until(lambda: end.text)
        self.server.advance(10)
        self.assertEqual(end.text, PONG)

    async def test_is_for_who_is_silent_under_tls(self) -> None:
        end = await self.call(self.listen())
        await self.shakes_hands(end)
        self.server.advance(GREETING_DELAY)
        await self.until(lambda: end.text)
        self.assertEqual(end.text, ENCRYPTED_GREETING)

    async def test_leaves_tls_to_those_who_are_far_away(self) -> None:
        """The hello comes after the greeting, which is the last that is sent in the clear."""
        end = await self.call(self.listen())
        self.server.advance(GREETING_DELAY)
        await self.until(lambda: end.text.endswith(b"\n"))
        greeting, end.raw, end.text = end.text, b"", b""
        self.assertIn(b"You are not logged in.", greeting)
        await self.shakes_hands(end)
        self.assertEqual(end.raw[:1], b"\x16")
        self.assertEqual(len(self.server.chat.node.sessions), 0)
        end.sends(PING)
        await self.until(lambda: end.text)
        self.assertEqual(end.text, PONG)
        self.assertEqual(len(self.server.chat.node.sessions), 1)

    async def test_that_waits_to_be_sent_is_not_sent_into_tls(self) -> None:
        """It was written in the same turn in which the hello is read."""
        end = await self.call(self.listen())
        self.connections[0]._take_for_person()
        await self.shakes_hands(end)
        self.assertNotIn(b"Welcome", end.raw.partition(b"\x16")[2])

    async def test_is_not_for_tls_at_listeners_of_one_kind(self) -> None:
        end = await self.call(self.listen("text"))
        end.begin_tls()
        self.arrives()
        self.server.advance(GREETING_DELAY)
        await self.until(lambda: end.over)
        self.assertEqual(end.raw[:2], b"\x15\x03")


class ADeadline(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = FakeClock()
        self.waits = False
        self.called = 0

    def begin(self, seconds: float) -> Deadline:
        return Deadline(self.clock, seconds, self.call, lambda: self.waits)

    def call(self) -> None:
        self.called += 1

    def test_comes_once_in_time(self) -> None:
        deadline = self.begin(10)
        self.clock.advance(9.9)
        self.assertEqual((self.called, deadline.active()), (0, True))
        self.clock.advance(100)
        self.assertEqual((self.called, deadline.active()), (1, False))

    def test_gives_back_the_time_in_which_the_server_was_stopped(self) -> None:
        self.begin(10)
        self.clock.stall(14)
        self.assertEqual(self.called, 0)
        self.clock.advance(3.9)
        self.assertEqual(self.called, 0)
        self.clock.advance(0.1)
        self.assertEqual(self.called, 1)

    def test_gives_no_more_than_the_whole_time_again(self) -> None:
        self.begin(10)
        self.clock.stall(1_000)
        self.clock.advance(10)
        self.assertEqual(self.called, 1)

    def test_lets_what_waits_be_read_once(self) -> None:
        """Who sends without an end is not spared for ever."""
        self.begin(10)
        self.waits = True
        self.clock.advance(10)
        self.assertEqual(self.called, 0)
        self.clock.advance(1)
        self.assertEqual(self.called, 1)

    def test_that_is_a_little_late_is_not(self) -> None:
        self.begin(10)
        self.clock.stall(10 + LATE / 2)
        self.assertEqual(self.called, 1)

    def test_of_a_moment_is_kept_through_a_short_stop(self) -> None:
        """A stop of 0.2 s takes most of the 0.3 s after which a silent peer is greeted."""
        self.begin(0.3)
        self.clock.advance(0.25)
        self.clock.stall(0.2)
        self.assertEqual(self.called, 0)
        self.clock.advance(0.2)
        self.assertEqual(self.called, 1)


class Suspended(ServerCase):
    """SIGSTOP, twenty seconds, SIGCONT: all timers that were due come first, and what was sent meanwhile after them."""

    settings = {"login_timeout": 60, "heartbeat": 10, "timeout": 25}  # noqa: RUF012

    def test_programs_that_gave_signs_of_life_meanwhile_stay(self) -> None:
        program = self.call("json")
        program.asks("hello", heartbeat=True)
        program.asks("new", user="ann", password="correct horse")
        program.frames()
        self.server.advance(10)
        self.server.clock.stall(20)
        self.assertFalse(program.ended)
        program.asks("ping")
        self.server.advance(24)
        self.assertFalse(program.ended)
        self.server.advance(2)
        self.assertTrue(program.ended)

    def test_who_was_about_to_log_in_gets_the_time_back(self) -> None:
        caller = self.guest()
        self.server.advance(50)
        self.server.clock.stall(20)
        self.assertFalse(caller.ended)
        self.server.advance(10)
        self.assertFalse(caller.ended)
        self.server.advance(1)
        self.assertTrue(caller.ended)

    def test_who_has_ended_meanwhile_is_not_reset(self) -> None:
        caller = self.guest()
        caller.types("quit")
        self.server.clock.stall(20)
        self.assertFalse(caller.wire.disconnecting)
        self.server.advance(LINGER)
        self.assertTrue(caller.wire.disconnected)


class SignsOfLife(SynchronousTestCase):
    """Of the machine at the other end, over real TCP."""

    def setUp(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.far = socket.create_connection(listener.getsockname())
            self.near, _ = listener.accept()
        for each in (self.far, self.near):
            self.addCleanup(each.close)

    def arrives(self) -> None:
        """Wait until the kernel has what the other end sent, or that it has ended."""
        begun = time.monotonic()
        while not unread(self.transport()):
            assert time.monotonic() - begun < PATIENCE, "nothing arrives"

    def transport(self) -> Any:
        class Transport:
            socket = self.near

        return Transport()

    def test_count_although_the_server_was_stopped_meanwhile(self) -> None:
        """The kernel went on: its last word is older than the look that was planned, and younger than the probe."""
        clock = FakeClock()
        living = Deferred.fromCoroutine(shows_life(self.transport(), clock))
        clock.stall(PROBE_TIME * 7)
        self.assertTrue(self.successResultOf(living))

    def test_are_missed_in_the_end(self) -> None:
        clock = FakeClock()
        self.near.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        living = Deferred.fromCoroutine(shows_life(self.transport(), clock))
        self.near.close()
        clock.advance(PROBE_TIME)
        self.assertFalse(self.successResultOf(living))

    def test_of_what_waits_in_the_kernel(self) -> None:
        self.assertFalse(unread(self.transport()))
        self.far.sendall(b"x")
        self.arrives()
        self.assertEqual(self.near.recv(10), b"x")
        self.far.close()
        self.arrives()
        self.assertFalse(unread(object()))

    def test_leave_a_reset_to_be_found(self) -> None:
        """Whoever reads afterwards must not take it for an orderly end."""
        self.far.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        self.far.close()
        self.arrives()
        self.assertRaises(ConnectionResetError, self.near.recv, 10)
