"""`chat.client.session.heartbeat`: a sign of life so often, and a connection that is dropped when none comes back."""

from __future__ import annotations

from typing import Any, cast

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chat.client.session.heartbeat import Heartbeat


class Connection:
    """As much of one as a heartbeat needs."""

    def __init__(self) -> None:
        self.pings: list[Deferred[Any]] = []
        self.dropped = ""

    def request(self, cmd: str) -> Deferred[Any]:
        assert cmd == "ping"
        self.pings.append(Deferred())
        return self.pings[-1]

    def drop(self, words: str) -> None:
        self.dropped = words


class OneConnection(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.connection = Connection()
        self.heartbeat = Heartbeat(self.clock)
        self.heartbeat.begin(cast(Any, self.connection), 10)

    def test_a_sign_so_often(self) -> None:
        self.clock.pump([4])
        self.assertEqual(len(self.connection.pings), 0)
        self.clock.pump([1, 10])
        self.assertEqual(len(self.connection.pings), 2)

    def test_a_server_that_answers_is_kept(self) -> None:
        for _ in range(10):
            self.clock.pump([5, 5])
            self.connection.pings[-1].callback(None)
        self.assertEqual(self.connection.dropped, "")

    def test_a_server_that_says_anything_else_is_kept_too(self) -> None:
        for _ in range(10):
            self.clock.pump([5, 5])
            self.heartbeat.heard()
        self.assertEqual(self.connection.dropped, "")

    def test_one_that_has_fallen_silent_is_dropped_once(self) -> None:
        self.clock.pump([5, 10])
        self.assertEqual(self.connection.dropped, "")
        self.clock.pump([10])
        self.assertEqual(self.connection.dropped, "The server stopped answering.")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_a_machine_that_slept_does_not_blame_the_server(self) -> None:
        """Timers come before what the server has said meanwhile; it has a beat to show that it is there."""
        self.clock.pump([5, 100])
        self.assertEqual(self.connection.dropped, "")
        self.clock.pump([10, 10])
        self.assertEqual(self.connection.dropped, "")
        self.clock.pump([10])
        self.assertEqual(self.connection.dropped, "The server stopped answering.")

    def test_who_logs_in_once_more_has_one_heart(self) -> None:
        self.heartbeat.begin(cast(Any, self.connection), 10)
        self.clock.pump([5])
        self.assertEqual(len(self.connection.pings), 1)

    def test_after_the_end_nothing_is_said(self) -> None:
        self.heartbeat.end()
        self.clock.pump([5, 10])
        self.assertEqual(self.connection.pings, [])
