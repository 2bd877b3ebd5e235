"""Whatever is still called when a connection is lost does nothing, fails nowhere, and leaves no timer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from twisted.internet.testing import StringTransport

from tests.server.frontends.server import PASSWORD, Caller, ServerCase


class Gone:
    """In place of a transport whose connection is lost: whoever still uses it is found out."""

    def __getattr__(self, name: str) -> object:
        raise AssertionError(f"{name} of a transport whose connection is lost")


class LostInTheMiddle(ServerCase):
    settings = {"login_timeout": 60, "heartbeat": 10, "timeout": 25, "sessions": "many"}  # noqa: RUF012

    def setUp(self) -> None:
        super().setUp()
        self.person("ann", "lobby").hangs_up()
        self.server.advance(1_000)
        self.timers = len(self.server.clock.clock.getDelayedCalls())

    def loses(self, caller: Caller, before: Callable[[], object], after: Callable[[], object]) -> None:
        """Something is asked for, the connection is reset before the turn ends, and only then it comes to it."""
        before()
        caller.hangs_up_within_the_turn()
        caller.protocol.transport = Gone()
        after()
        self.server.settle()
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(self.server.chat.node.sessions, {})
        self.server.advance(1_000)
        self.assertEqual(self.flushLoggedErrors(), [])
        self.assertEqual(len(self.server.clock.clock.getDelayedCalls()), self.timers)

    def test_quit(self) -> None:
        for log_in in (False, True):
            caller = self.person("ann") if log_in else self.guest()
            self.loses(caller, partial(caller.sends, b"quit\n"), lambda: None)

    def test_quit_of_a_program(self) -> None:
        caller = self.program("ann")
        self.loses(caller, lambda: caller.sends(b'{"cmd":"quit"}\n'), lambda: None)

    def test_the_end_of_input(self) -> None:
        caller = self.guest()
        self.loses(caller, caller.protocol.readConnectionLost, lambda: None)

    def test_the_end_of_input_while_something_is_on_its_way(self) -> None:
        caller = self.guest()

        def asks() -> None:
            self.server.hashing.held = True
            caller.sends(f"login ann {PASSWORD}\nquit\n".encode())
            caller.protocol.readConnectionLost()

        def answers() -> None:
            self.server.hashing.held = False
            self.server.hashing.release()

        self.loses(caller, asks, answers)

    def test_a_line_that_is_committed_later(self) -> None:
        caller = self.person("ann", "lobby")

        def says() -> None:
            self.server.store.hold()
            caller.sends(b"hello\nquit\n")
            caller.protocol.readConnectionLost()

        self.loses(caller, says, self.server.store.release)

    def test_a_logout(self) -> None:
        caller = self.person("ann")
        self.loses(caller, lambda: caller.sends(b"logout\n"), lambda: None)

    def test_a_promise_of_heartbeats(self) -> None:
        caller = self.call("json")
        self.loses(
            caller, lambda: None, lambda: caller.protocol.dataReceived(b'{"cmd":"hello","args":{"heartbeat":true}}\n')
        )

    def test_the_stop_of_the_server(self) -> None:
        caller = self.person("ann")
        mind = caller.protocol.session.mind
        self.loses(caller, lambda: None, lambda: mind.close("Server is shutting down."))

    def test_what_hangs_up(self) -> None:
        caller = self.guest()
        protocol = caller.protocol
        for late in (protocol.hang_up, protocol.watch_login, protocol.logged_in, protocol.handshakeCompleted):
            self.loses(caller, lambda: None, late)

    def test_the_request_of_a_web_page(self) -> None:
        caller = self.call()
        self.loses(caller, lambda: caller.sends(b"GET / HTTP/1.1\r\n"), lambda: None)

    def test_paused_reading(self) -> None:
        caller = self.guest()
        self.loses(caller, lambda: None, lambda: caller.protocol.pause(False))


class AfterTheEnd(ServerCase):
    def test_nothing_more_is_written(self) -> None:
        """To a socket whose sending side is shut it would be a reset, in place of an orderly end."""
        caller = self.guest()
        caller.types("quit")
        caller.wire.clear()
        caller.protocol.outbox.write(b"late\n")
        caller.protocol.outbox.send(b"late\n")
        self.assertEqual(caller.gets(), "")

    def test_closing_twice_is_closing_once(self) -> None:
        caller = self.guest()
        caller.protocol.outbox.close()
        caller.protocol.outbox.close()
        caller.protocol.outbox.abandon()
        assert isinstance(caller.wire, StringTransport)
        self.assertIsNone(caller.wire.producer)
