"""Long pages are made in many turns of the reactor: others are served meanwhile, and nobody sees a difference."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Said
from chat.protocol.wire import jsonlines, rows
from chat.server.frontends.cooperative import collect
from chat.server.process.reactor import MOST_AT_ONCE, ReactorTurn
from tests.server.auth.fakes import FakeClock
from tests.server.frontends.server import Caller, ServerCase


class Collecting(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = FakeClock().clock
        self.turn = ReactorTurn(self.clock)
        self.made: list[str] = []

    def parts(self, name: str, count: int) -> Iterator[str]:
        for _ in range(count):
            self.made.append(name)
            self.clock.rightNow += MOST_AT_ONCE / 2
            yield name

    def test_everything_comes_in_order(self) -> None:
        collecting = Deferred.fromCoroutine(collect(self.parts("a", 10), self.turn))
        self.assertNoResult(collecting)
        self.clock.advance(0)
        self.assertEqual(self.successResultOf(collecting), ["a"] * 10)

    def test_several_share_the_turn(self) -> None:
        first, second = (Deferred.fromCoroutine(collect(self.parts(name, 8), self.turn)) for name in "ab")
        self.assertNotIn("b", self.made)
        self.clock.advance(0)
        self.assertIn("ba", "".join(self.made))
        self.assertEqual((self.successResultOf(first), self.successResultOf(second)), (["a"] * 8, ["b"] * 8))

    def test_what_fails_fails(self) -> None:
        def broken() -> Iterator[str]:
            yield "a"
            raise ZeroDivisionError

        self.failureResultOf(Deferred.fromCoroutine(collect(broken(), self.turn)), ZeroDivisionError)


class Pages(ServerCase):
    """As if it took a fifth of a turn to show a row."""

    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        for number in range(100):
            self.bob.sends(b"line %d\n" % number)
        self.quiet(self.ann, self.bob)
        self.shown = 0

    def slow_down(self) -> None:
        entries, write = rows._ENTRIES, jsonlines._write

        def render(*arguments: Any) -> str:
            self.work()
            return said(*arguments)

        def encode(shown: Any) -> dict[str, Any]:
            self.work()
            return write(shown)

        said = entries[Said]
        self.patch(rows, "_ENTRIES", entries | {Said: render})
        self.patch(jsonlines, "_write", encode)

    def work(self) -> None:
        self.shown += 1
        self.server.clock.clock.rightNow += MOST_AT_ONCE / 5

    def asks(self, caller: Caller, line: str) -> None:
        """A command whose page takes many turns, and somebody else's in between."""
        self.slow_down()
        caller.sends(line.encode() + b"\n")
        self.assertTrue(0 < self.shown < 10, self.shown)
        self.bob.sends(b"/ping\n")
        self.server.turn.end()
        self.assertEqual(self.bob.wire.value(), b"* pong\n")
        self.assertLess(self.shown, 10)

    def test_a_page_for_a_person(self) -> None:
        self.asks(self.ann, "history 90")
        lines = [line for line in self.ann.sees() if "bob:" in line]
        self.assertEqual(
            [line.split(") ", 1)[1] for line in lines], [f"bob: line {number}" for number in range(10, 100)]
        )

    def test_a_page_for_a_program(self) -> None:
        program = self.program("eve")
        program.asks("connect", room="lobby")
        self.quiet(program, self.bob)
        self.asks(program, '{"id": 7, "cmd": "history", "args": {"room": "lobby", "limit": 90}}')
        frame = program.frame()
        self.assertEqual((frame["type"], frame["id"], len(frame["messages"])), ("history", 7, 90))

    def test_catching_up_comes_before_what_is_said_meanwhile(self) -> None:
        """And is marked as read only when it was shown."""
        self.ann.hangs_up()
        self.bob.types("while you were away")
        for number in range(50):
            self.bob.sends(b"missed %d\n" % number)
        self.server.settle()
        ann = self.person("ann")
        self.slow_down()
        ann.sends(b"catchup\n")
        self.bob.sends(b"live\n")
        seen = ann.sees()
        self.assertEqual(seen[-1], "bob: live")
        self.assertIn("missed 49", seen[-2])

    def test_a_login_shows_what_waited_first(self) -> None:
        self.ann.hangs_up()
        for number in range(50):
            self.bob.sends(b"message ann missed %d\n" % number)
        self.server.settle()
        ann = self.guest()
        ann.types("login ann")
        self.slow_down()
        ann.sends(b"correct horse\n")
        self.bob.sends(b"message ann live\n")
        seen = ann.sees()
        self.assertEqual(seen[-1], "bob (private): live")
        self.assertEqual(sum("missed" in line for line in seen), 50)

    def test_whoever_is_signed_out_meanwhile_gets_nothing_more(self) -> None:
        program = self.program("eve")
        program.asks("connect", room="lobby")
        self.quiet(program)
        self.slow_down()
        for caller, line in (
            (self.ann, "history 90"),
            (program, '{"id": 7, "cmd": "history", "args": {"room": "lobby"}}'),
        ):
            caller.sends(line.encode() + b"\n")
            session = caller.protocol.session
            self.server.chat.sign_in.end(session, "Ended from elsewhere.")
            self.assertNotIn("line 9", caller.gets())
