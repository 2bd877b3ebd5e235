"""The rate limit: it is an account's, or a network's, and not a connection's."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Refused
from chat.protocol.values import Peer
from chat.server.core.throttle import LONGEST_DELAY, MOST_UNKNOWN, MOST_WASTED
from chat.server.settings.schema import Settings
from tests.server.core.stage import PASSWORD, PATIENT, Person, Stage

SHIPPED = replace(PATIENT, rate=Settings().rate, burst=Settings().burst, broadcasts=Settings().broadcasts)
SCHOOL = Peer("192.0.2.7", "192.0.2.7")
ELSEWHERE = Peer("198.51.100.9", "198.51.100.9")


class ComingBack(SynchronousTestCase):
    """Whoever logs in again has no more than whoever stays."""

    def setUp(self) -> None:
        self.stage = Stage(SHIPPED)

    def admitted(self, person: Person, command: str, most: int, **arguments: object) -> int:
        """How many times a command runs at once."""
        for number in range(most):
            done = person.starts(command, **arguments)
            if not done.called or isinstance(done.result, Refused):
                return number
        return most

    def test_does_not_fill_the_bucket(self) -> None:
        ann = self.stage.arrives("ann")
        self.assertEqual(self.admitted(ann, "time", 100), Settings().burst)
        ann.hangs_up()
        for _ in range(20):
            again = self.stage.arrives("ann")
            self.assertEqual(self.admitted(again, "time", 100), 0)
            again.hangs_up()
        self.stage.pass_time(LONGEST_DELAY)

    def test_does_not_bring_broadcasts(self) -> None:
        done = 0
        for _ in range(4):
            ann = self.stage.arrives("ann")
            done += self.admitted(ann, "broadcast", 100, text="x")
            ann.hangs_up()
        self.assertEqual(done, Settings().broadcasts)

    def test_gives_what_the_time_gave_back(self) -> None:
        ann = self.stage.arrives("ann")
        self.admitted(ann, "time", 100)
        ann.hangs_up()
        self.stage.pass_time(2)
        self.assertEqual(self.admitted(self.stage.arrives("ann"), "time", 100), 9)
        self.stage.pass_time(1)


class OneNetwork(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(SHIPPED)

    def test_a_class_logs_in_at_the_same_moment(self) -> None:
        """Forty pupils behind one address, with programs and a typing mistake each."""
        guests = [self.stage.connection(program=True, peer=SCHOOL) for _ in range(40)]
        for number, guest in enumerate(guests):
            self.assertNotIsInstance(guest.does("hello"), Refused)
            self.assertNotIsInstance(guest.does("commands"), Refused)
            self.assertEqual(guest.code("login", user=f"pupil-{number}", password="mistyped"), "bad-credentials")
            self.assertNotIsInstance(guest.does("new", user=f"pupil-{number}", password=PASSWORD), Refused)
        self.assertEqual({guest.mind.slowed for guest in guests}, {0})

    def test_is_not_counted_after_login(self) -> None:
        guests = [self.stage.connection(peer=SCHOOL) for _ in range(1_000)]
        for guest in guests:
            for _ in range(40):
                guest.starts("time")
        here = self.stage.arrives("ann", peer=SCHOOL)
        self.assertNotIsInstance(here.does("time"), Refused)
        self.assertEqual(here.mind.slowed, 0)
        self.stage.pass_time(LONGEST_DELAY)

    def test_guests_who_connect_again_and_again_share_one_bucket(self) -> None:
        """And guests of other networks have another one."""
        settings, done = Settings(), 0
        for _ in range(2_000):
            guest = self.stage.connection(peer=SCHOOL)
            for _ in range(10):
                answer = guest.starts("time")
                done += answer.called and not isinstance(answer.result, Refused)
            guest.hangs_up()
        self.assertEqual(done, settings.burst * settings.network_connections / 4)
        self.assertNotIsInstance(self.stage.connection(peer=ELSEWHERE).does("time"), Refused)
        self.stage.pass_time(LONGEST_DELAY)


class Wasting(SynchronousTestCase):
    """Lines that are refused when they are read."""

    def setUp(self) -> None:
        self.stage = Stage(SHIPPED)
        self.throttle = self.stage.chat.node.throttle

    def refuse(self, person: Person, count: int, *, unknown: bool = True) -> None:
        for _ in range(count):
            self.throttle.refused(person.session, 10, unknown=unknown)

    def test_slows_down(self) -> None:
        ann = self.stage.arrives("ann")
        self.refuse(ann, 39)
        self.assertEqual(ann.mind.slowed, 0)
        self.refuse(ann, 1)
        self.assertGreater(ann.mind.slowed, 0)
        self.assertNoResult(ann.starts("time"))
        self.stage.pass_time(1)

    def test_a_long_line_costs_more(self) -> None:
        ann, bob = self.stage.arrives("ann"), self.stage.arrives("bob")
        for _ in range(3):
            self.throttle.refused(ann.session, 64 * 1024, unknown=True)
        self.refuse(bob, 3)
        self.assertGreater(ann.mind.slowed, 2)
        self.assertEqual(bob.mind.slowed, 0)

    def test_is_disconnected_in_the_end(self) -> None:
        ann = self.stage.arrives("ann")
        self.refuse(ann, 39 + MOST_WASTED - 1)
        self.assertEqual(ann.mind.closed, "")
        self.refuse(ann, 1)
        self.assertEqual(ann.mind.closed, "Disconnected: too many commands.")

    def test_what_is_of_use_counts_anew(self) -> None:
        ann = self.stage.arrives("ann")
        for _ in range(3):
            self.refuse(ann, MOST_WASTED - 1)
            self.stage.pass_time(LONGEST_DELAY + 1)
            ann.does("time")
        self.assertEqual(ann.mind.closed, "")

    def test_a_guest_that_speaks_another_language_is_disconnected_soon(self) -> None:
        guest = self.stage.connection()
        self.refuse(guest, MOST_UNKNOWN - 1)
        self.assertEqual(guest.mind.closed, "")
        self.refuse(guest, 1)
        self.assertEqual(guest.mind.closed, "Disconnected: none of the first 10 lines was a command.")

    def test_one_that_has_said_anything_sensible_is_not(self) -> None:
        for sensible in ("a command", "a command that is not written so"):
            guest = self.stage.connection()
            self.refuse(guest, 3)
            if sensible == "a command":
                guest.does("time")
            else:
                self.refuse(guest, 1, unknown=False)
            self.refuse(guest, MOST_UNKNOWN)
            self.assertEqual(guest.mind.closed, "")
