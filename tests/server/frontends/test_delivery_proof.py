"""When something counts as received: acknowledged by the peer's kernel, and then a line or an orderly end."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import cast

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import StoreUnavailable
from chat.protocol.values import SERVER, Shown
from chat.server.core.user import Session
from chat.server.frontends.connection import LINGER
from chat.server.frontends.delivery_proof import LATER, LOOK_AFTER, LOOK_EVERY, DeliveryProof
from chat.server.frontends.line_session import PRIVATE_LINES
from chat.server.frontends.outbox import Outbox
from tests.server.auth.fakes import FakeClock
from tests.server.frontends.server import PASSWORD, ServerCase, SlowReads

ROOM, OTHER, PRIVATE = 1, 2, 7


class Marks(SynchronousTestCase):
    """Of one login: two rooms, of which one has lines that wait unseen."""

    def setUp(self) -> None:
        self.acknowledged = True
        self.proven: list[dict[int, int]] = []
        self.read: list[dict[int, int]] = []
        self.left: list[dict[int, Shown]] = []
        self.clock = FakeClock()
        self.rooms = {ROOM: SimpleNamespace(last=10), OTHER: SimpleNamespace(last=20)}
        session = cast(Session, SimpleNamespace(rooms=self.rooms, device="default"))
        outbox = cast(Outbox, SimpleNamespace(acknowledged=lambda: self.acknowledged))
        self.receipts = DeliveryProof(
            session, outbox, self.clock, {ROOM: 10, OTHER: 20}, [OTHER], self.prove, self.leave
        )
        self.addCleanup(self.receipts.close)

    def prove(self, marks: Mapping[int, int], read: Mapping[int, int]) -> None:
        self.proven.append(dict(marks))
        if read:
            self.read.append(dict(read))

    def leave(self, shown: Mapping[int, Shown]) -> None:
        self.left.append(dict(shown))

    def is_looked_at(self) -> None:
        """Time passes in which the peer's kernel is asked, and a little more."""
        self.clock.advance(LOOK_AFTER)
        self.clock.advance(2 * LATER)

    def test_nothing_new_writes_nothing(self) -> None:
        self.is_looked_at()
        self.receipts.heard()
        self.assertEqual(self.proven, [])

    def test_a_line_proves_what_was_acknowledged_before_it(self) -> None:
        self.rooms[ROOM].last = 12
        self.receipts.shown(PRIVATE, 3)
        self.receipts.heard()
        self.assertEqual(self.proven, [])
        self.is_looked_at()
        self.receipts.shown(PRIVATE, 4)
        self.receipts.heard()
        self.receipts.heard()
        self.assertEqual(self.proven, [{ROOM: 12, PRIVATE: 3}])

    def test_a_line_that_was_waiting_to_be_read_proves_nothing(self) -> None:
        """It was sent before what is acknowledged by now had arrived."""
        self.receipts.shown(PRIVATE, 3)
        self.clock.advance(LOOK_AFTER)
        self.receipts.heard()
        self.assertEqual(self.proven, [])
        self.clock.advance(2 * LATER)
        self.receipts.heard()
        self.assertEqual(self.proven, [{PRIVATE: 3}])

    def test_bytes_on_the_way_prove_nothing(self) -> None:
        self.receipts.shown(PRIVATE, 3)
        self.acknowledged = False
        self.is_looked_at()
        self.receipts.heard()
        self.receipts.ended()
        self.assertEqual(self.proven, [])
        self.acknowledged = True
        self.is_looked_at()
        self.receipts.heard()
        self.assertEqual(self.proven, [{PRIVATE: 3}])

    def test_a_room_is_looked_at_now_and_then(self) -> None:
        """Nothing private makes it urgent; whoever never typed a line is not looked at."""
        self.receipts.heard()
        self.is_looked_at()
        self.rooms[ROOM].last = 12
        self.clock.advance(LOOK_EVERY)
        self.clock.advance(2 * LATER)
        self.receipts.heard()
        self.assertEqual(self.proven, [{ROOM: 12}])

    def test_a_room_with_unseen_lines_is_not_marked(self) -> None:
        """Its newest line was seen, but those before were not: a mark would skip them."""
        self.rooms[OTHER].last = 21
        self.receipts.ended()
        self.assertEqual(self.proven, [])
        self.receipts.caught_up([OTHER])
        self.receipts.ended()
        self.assertEqual(self.proven, [{OTHER: 21}])

    def test_catching_up_everywhere(self) -> None:
        self.rooms[OTHER].last = 21
        self.receipts.caught_up()
        self.receipts.ended()
        self.assertEqual(self.proven, [{OTHER: 21}])

    def test_a_page_of_a_room_with_more_unseen_lines(self) -> None:
        """Up to its end, and not further; it was asked for, so it counts as read once it is proven."""
        self.receipts.asked(OTHER, 15)
        self.assertEqual((self.receipts.handed()[OTHER], self.read), (15, []))
        self.rooms[OTHER].last = 30
        self.is_looked_at()
        self.receipts.heard()
        self.assertEqual((self.proven, self.read), ([{OTHER: 15}], [{OTHER: 15}]))

    def test_what_was_asked_for_is_read_when_it_is_proven(self) -> None:
        self.receipts.asked(PRIVATE, 3)
        self.receipts.asked(PRIVATE, 5)
        self.is_looked_at()
        self.assertEqual(self.read, [])
        self.receipts.heard()
        self.assertEqual((self.proven, self.read), ([{PRIVATE: 5}], [{PRIVATE: 5}]))

    def test_marks_never_fall(self) -> None:
        self.receipts.shown(PRIVATE, 5)
        self.receipts.shown(PRIVATE, 3)
        self.receipts.ended()
        self.assertEqual(self.proven, [{PRIVATE: 5}])

    def test_after_the_login_only_what_was_shown_counts(self) -> None:
        """Rows that come after the session left its rooms were never handed over."""
        self.rooms[ROOM].last = 12
        self.receipts.close()
        self.assertEqual(self.left, [{ROOM: Shown(10, 12)}])
        self.rooms[ROOM].last = 99
        self.rooms.clear()
        self.receipts.ended()
        self.assertEqual(self.proven, [{ROOM: 12}])

    def test_nothing_is_looked_at_any_more(self) -> None:
        self.receipts.close()
        self.receipts.close()
        self.assertEqual((self.left, self.clock.clock.getDelayedCalls()), ([], []))


class ComingBack(ServerCase):
    """What is shown again after a login, and what is not."""

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.person("bob", "lobby")
        self.ann = self.person("ann", "lobby")

    def is_looked_at(self) -> None:
        """Time passes in which the peers' kernels are asked, and a little more."""
        self.server.advance(LOOK_AFTER)
        self.server.advance(2 * LATER)

    def come_back(self) -> list[str]:
        caller = self.call("text")
        caller.types("login ann", PASSWORD)
        self.quiet()
        seen = caller.sees()
        caller.types("catchup")
        self.ann = caller
        return [line for line in [*seen, *caller.sees()] if line.startswith("(TIME)")]

    def test_a_broken_connection_proves_nothing(self) -> None:
        """What was written to a connection that broke is shown again."""
        self.bob.types("message ann hi", "hello all")
        self.assertEqual(self.ann.sees(), ["bob (private): hi", "bob: hello all"])
        self.ann.hangs_up(orderly=False)
        self.server.advance(60)
        self.assertEqual(self.come_back(), ["(TIME) (again) bob (private): hi", "(TIME) (again) bob: hello all"])

    def test_a_line_typed_afterwards_proves_it(self) -> None:
        self.bob.types("message ann hi", "hello all")
        self.is_looked_at()
        self.ann.types("hello bob")
        self.ann.hangs_up(orderly=False)
        self.server.advance(60)
        self.assertEqual(self.come_back(), [])

    def test_an_orderly_end_proves_it(self) -> None:
        self.bob.types("message ann hi", "hello all")
        self.ann.finishes()
        self.ann.hangs_up()
        self.assertEqual(self.come_back(), [])

    def test_what_comes_after_the_end_was_never_sent(self) -> None:
        """The connection takes a moment to end; what is said in that moment is no part of what was proven."""
        self.ann.finishes()
        self.bob.types("message ann hi", "hello all")
        self.server.advance(5)
        self.ann.hangs_up()
        self.assertEqual(self.come_back(), ["(TIME) bob (private): hi", "(TIME) bob: hello all"])

    def test_quit_proves_it_when_everything_was_acknowledged(self) -> None:
        """Although nobody looked before it: an orderly end, by the person and not by the netcat."""
        self.bob.types("message ann hi", "hello all")
        self.ann.types("/quit")
        self.server.advance(LINGER)
        self.ann.hangs_up(orderly=False)
        self.assertEqual(self.come_back(), [])

    def test_quit_proves_it(self) -> None:
        self.bob.types("message ann hi", "hello all")
        self.is_looked_at()
        self.ann.types("/quit")
        self.ann.hangs_up()
        self.assertEqual(self.come_back(), [])

    def test_lines_that_came_after_the_proof_are_shown_again(self) -> None:
        self.bob.types("message ann one")
        self.is_looked_at()
        self.ann.types("thanks")
        self.bob.types("message ann two")
        self.ann.hangs_up(orderly=False)
        self.server.advance(60)
        self.assertEqual(self.come_back(), ["(TIME) (again) bob (private): two"])

    def test_what_was_not_caught_up_still_waits(self) -> None:
        """A line in a room of which older lines are unseen moves no mark over those."""
        self.ann.types("/quit")
        self.server.advance(LINGER)
        self.ann.hangs_up()
        self.bob.types("one", "two")
        caller = self.person("ann")
        self.bob.types("three")
        self.assertEqual(caller.sees(), ["bob: three"])
        self.is_looked_at()
        caller.types("hello bob")
        caller.finishes()
        caller.hangs_up()
        self.assertEqual(self.come_back(), ["(TIME) bob: one", "(TIME) bob: two", "(TIME) (again) bob: three"])

    def test_lines_that_were_never_shown_are_not_called_repeats(self) -> None:
        """Those that came while the reader was away, before and after a session in which one came live."""
        self.ann.types("/quit")
        self.server.advance(LINGER)
        self.ann.hangs_up()
        self.bob.types("one")
        caller = self.person("ann")
        self.bob.types("two", "message ann live")
        caller.hangs_up(orderly=False)
        self.server.advance(60)
        self.bob.types("three")
        seen = ["(TIME) (again) bob (private): live", "(TIME) bob: one", "(TIME) (again) bob: two", "(TIME) bob: three"]
        self.assertEqual(self.come_back(), seen)

    def test_mentions_in_a_quiet_room_came_live(self) -> None:
        self.ann.types("set quiet lobby mentions")
        self.bob.types("nobody in particular", "are you there, ann?")
        self.ann.wire.clear()
        self.ann.types("catchup lobby")
        self.assertEqual(
            self.ann.sees()[1:], ["(TIME) bob: nobody in particular", "(TIME) (again) bob: are you there, ann?"]
        )

    def test_more_private_messages_than_are_shown_at_once_still_wait(self) -> None:
        """What comes live moves no mark over those that were not shown yet."""
        self.ann.types("/quit")
        self.ann.hangs_up()
        for number in range(PRIVATE_LINES + 3):
            self.bob.types(f"message ann {number}")
        caller = self.person("ann")
        self.bob.types("message ann live")
        self.assertEqual(caller.sees(), ["bob (private): live"])
        self.is_looked_at()
        caller.types("hello bob")
        caller.finishes()
        caller.hangs_up()
        seen = [f"(TIME) bob (private): {PRIVATE_LINES + each}" for each in range(3)]
        self.assertEqual(self.come_back(), [*seen, "(TIME) (again) bob (private): live"])

    def test_nor_when_what_waits_could_not_be_read(self) -> None:
        self.ann.types("/quit")
        self.ann.hangs_up()
        self.bob.types("message ann one")
        failing = self.patch(self.server.store, "missed", lambda *_: fail(StoreUnavailable()))
        caller = self.person("ann")
        failing.restore()
        self.bob.types("message ann live")
        caller.wire.clear()
        self.is_looked_at()
        caller.types("hello bob")
        caller.finishes()
        caller.hangs_up()
        self.assertEqual(self.come_back()[0], "(TIME) bob (private): one")

    def test_a_room_that_is_closed_while_one_catches_up(self) -> None:
        """The session goes on to be told what happens."""
        self.ann.types("/create ops", "/disconnect ops", "connect lobby")
        self.bob.types("/create board private")
        self.quiet(self.ann, self.bob)
        reads = SlowReads(self.server.store, "missed")
        self.bob.types("catchup board")
        board = self.server.chat.node.room_names["board"]
        self.run_until_done(self.server.chat.rooms.close(SERVER, board, "", None))
        reads.release()
        self.assertIn("* Nothing is waiting.", self.bob.sees())
        self.ann.types("message bob hi")
        self.assertEqual(self.bob.sees(), ["ann (private): hi"])

    def test_a_planned_stop_proves_nothing(self) -> None:
        """A netcat that was stopped by its shell has acknowledged everything, too."""
        self.bob.types("message ann hi")
        self.is_looked_at()
        self.ann.protocol.hang_up()
        self.server.advance(LINGER)
        self.ann.hangs_up(orderly=False)
        self.server.advance(60)
        self.assertEqual(self.come_back(), ["(TIME) (again) bob (private): hi"])

    def test_catching_up_marks_what_came_live_since(self) -> None:
        self.ann.types("/quit")
        self.ann.hangs_up()
        self.bob.types("one")
        caller = self.person("ann")
        self.bob.types("two")
        caller.types("catchup lobby")
        lines = ["bob: two", "* 2 lines in lobby:", "(TIME) bob: one", "(TIME) (again) bob: two"]
        self.assertEqual(caller.sees(), lines)

    def test_what_was_caught_up_a_moment_ago_does_not_wait(self) -> None:
        """Before anything could prove that it arrived."""
        self.ann.types("/quit")
        self.ann.hangs_up()
        self.bob.types("one")
        caller = self.person("ann")
        caller.types("catchup", "catchup", "rooms")
        seen = caller.sees()
        self.assertEqual(seen[:3], ["* 1 line in lobby:", "(TIME) bob: one", "* Nothing is waiting."])
        self.assertNotIn("waiting", seen[-1])

    def test_what_was_caught_up_does_not(self) -> None:
        self.ann.types("/quit")
        self.ann.hangs_up()
        self.bob.types("one")
        self.assertEqual(self.come_back(), ["(TIME) bob: one"])
        self.bob.types("two")
        self.is_looked_at()
        self.ann.types("hello bob")
        self.ann.hangs_up(orderly=False)
        self.server.advance(60)
        self.assertEqual(self.come_back(), [])

    def test_what_was_caught_up_is_proven_though_nothing_more_was_said(self) -> None:
        self.ann.types("/quit")
        self.server.advance(LINGER)
        self.ann.hangs_up()
        self.bob.types("one")
        self.assertEqual(self.come_back(), ["(TIME) bob: one"])
        self.is_looked_at()
        self.ann.types("/ping")
        self.ann.hangs_up(orderly=False)
        self.server.advance(60)
        self.assertEqual(self.come_back(), [])

    def test_what_was_caught_up_without_a_proof_is_shown_again(self) -> None:
        self.ann.types("/quit")
        self.server.advance(LINGER)
        self.ann.hangs_up()
        self.bob.types("one")
        self.assertEqual(self.come_back(), ["(TIME) bob: one"])
        self.ann.hangs_up(orderly=False)
        self.server.advance(60)
        self.assertEqual(self.come_back(), ["(TIME) (again) bob: one"])

    def test_what_was_just_seen_does_not_wait(self) -> None:
        """Counts and catching up know what this very session was shown, although nothing proves it yet."""
        self.ann.types("/create ops")
        self.quiet(self.ann)
        self.bob.types("one", "message ann two")
        self.ann.wire.clear()
        self.ann.types("rooms", "catchup", "connect lobby")
        seen = self.ann.sees()
        self.assertIn("* Nothing is waiting.", seen)
        self.assertIn("* You are in lobby (2 here: ann, bob).", seen)
        self.assertNotIn("1 waiting", "\n".join(seen))

    def test_private_messages_that_come_while_the_past_is_read(self) -> None:
        """They come after it, once, and are not taken for lines of the past."""
        self.ann.types("/quit")
        self.ann.hangs_up()
        self.bob.types("message ann one")
        caller = self.call("text")
        reads = SlowReads(self.server.store, "missed")
        caller.types("login ann", PASSWORD)
        self.bob.types("message ann two")
        self.assertNotIn("two", caller.gets())
        reads.release()
        seen = [line for line in caller.sees() if "bob (private)" in line]
        self.assertEqual(seen, ["(TIME) bob (private): one", "bob (private): two"])

    def test_lines_of_a_room_that_come_while_the_past_is_read(self) -> None:
        """They came live, although it was not known yet what waits."""
        for proven in (False, True):
            self.ann.types("/quit")
            self.server.advance(LINGER)
            self.ann.hangs_up()
            self.bob.types("waits") if not proven else None
            caller = self.call("text")
            reads = SlowReads(self.server.store, "waiting")
            caller.types("login ann", PASSWORD)
            self.bob.types("comes")
            self.assertNotIn("comes", caller.gets())
            reads.release()
            self.assertIn("[lobby] bob: comes", caller.sees())
            caller.hangs_up(orderly=False)
            self.server.advance(60)
            waits = [] if proven else ["(TIME) bob: waits"]
            self.assertEqual(self.come_back(), [*waits, "(TIME) (again) bob: comes"])
            self.is_looked_at()
            self.ann.types("/ping")

    def test_catching_up_marks_what_came_while_the_past_was_read(self) -> None:
        self.ann.types("/quit")
        self.server.advance(LINGER)
        self.ann.hangs_up()
        self.bob.types("waits")
        caller = self.call("text")
        reads = SlowReads(self.server.store, "waiting")
        caller.types("login ann", PASSWORD)
        self.bob.types("comes")
        reads.release()
        caller.types("catchup lobby")
        seen = [line for line in caller.sees() if "bob: " in line]
        self.assertEqual(seen, ["[lobby] bob: comes", "(TIME) bob: waits", "(TIME) (again) bob: comes"])

    def test_lines_that_come_while_one_catches_up_come_once(self) -> None:
        self.ann.types("/quit")
        self.server.advance(LINGER)
        self.ann.hangs_up()
        self.bob.types("waits")
        caller = self.person("ann")
        reads = SlowReads(self.server.store, "waiting")
        caller.types("catchup")
        self.bob.types("comes")
        reads.release()
        self.assertEqual(caller.sees(), ["* 1 line in lobby:", "(TIME) bob: waits", "bob: comes"])

    def test_catching_up_twice_at_once(self) -> None:
        """What comes while two of them are on their way is shown once, behind the first of them."""
        self.is_looked_at()
        self.ann.types("catchup")
        self.ann.wire.clear()
        reads = SlowReads(self.server.store, "missed")
        self.ann.types("catchup")
        self.bob.types("message ann one")
        self.ann.types("catchup")
        self.assertEqual(self.ann.gets(), "")
        reads.release_one()
        self.assertEqual(self.ann.sees(), ["* Nothing is waiting.", "bob (private): one"])
        reads.release()
        self.assertEqual(self.ann.sees(), ["* Nothing is waiting."])
        self.bob.types("message ann two")
        self.assertEqual(self.ann.sees(), ["bob (private): two"])
