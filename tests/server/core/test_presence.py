"""Who is told that somebody came or went, and when."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Done, LoggedIn, Presence
from chat.server.core import presence
from chat.server.core.presence import FEW
from tests.server.core.stage import MANY, PASSWORD, Person, Stage, now


def told(person: Person) -> list[tuple[str, tuple[str, ...]]]:
    return [(event.state, event.users) for event in person.told(Presence)]


class PresenceCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.stage.after_start()
        self.ann = self.stage.enter("ann")
        self.stage.pass_time(10)

    def pass_time(self, seconds: float) -> None:
        self.stage.pass_time(seconds)


class ComingAndGoing(PresenceCase):
    def test_the_first_is_announced_at_once(self) -> None:
        self.stage.enter("bob")
        self.assertEqual(told(self.ann), [("online", ("bob",))])

    def test_a_burst_is_one_line(self) -> None:
        """What follows within two seconds is collected; of many three are named."""
        for name in ("bob", "carol", "dave", "erin", "frank", "grace"):
            self.stage.enter(name)
        self.assertEqual(told(self.ann), [("online", ("bob",))])
        self.pass_time(2)
        event = self.ann.told(Presence)[1]
        self.assertEqual((event.users, event.others), (("carol", "dave", "erin"), 2))

    def test_a_program_is_told_every_name_of_a_burst(self) -> None:
        self.patch(presence, "AT_ONCE", 3)
        program = self.stage.enter("zoe", program=True)
        self.pass_time(10)
        program.forget()
        for name in ("bob", "carol", "dave", "erin", "frank", "grace"):
            self.stage.enter(name)
        self.pass_time(2)
        self.assertEqual(
            told(program), [("online", ("bob",)), ("online", ("carol", "dave", "erin")), ("online", ("frank", "grace"))]
        )

    def test_a_block_within_a_burst_counts(self) -> None:
        """Whom somebody blocks before the burst is told, is not told of that person."""
        self.stage.enter("bob")
        self.stage.enter("carol").does("block", user="ann")
        self.pass_time(2)
        self.assertEqual(told(self.ann), [("online", ("bob",))])

    def test_four_are_all_named(self) -> None:
        for name in ("bob", "carol", "dave", "erin", "frank"):
            self.stage.enter(name)
        self.pass_time(2)
        self.assertEqual(told(self.ann)[1], ("online", ("carol", "dave", "erin", "frank")))

    def test_who_comes_and_goes_within_a_burst_is_not_told(self) -> None:
        self.stage.enter("bob")
        carol = self.stage.enter("carol")
        carol.does("logout")
        self.pass_time(10)
        self.assertEqual(told(self.ann), [("online", ("bob",))])

    def test_logout_is_told_at_once(self) -> None:
        bob = self.stage.enter("bob")
        self.pass_time(10)
        self.ann.forget()
        bob.does("logout")
        self.assertEqual(told(self.ann), [("offline", ("bob",))])

    def test_who_deletes_the_account_within_a_burst_leaves_by_name(self) -> None:
        bob = self.stage.connection()
        bob.gets(LoggedIn, "new", user="bob", password=PASSWORD)
        self.pass_time(10)
        self.stage.enter("carol")
        self.ann.forget()
        bob.gets(Done, "account", action="delete", password=PASSWORD)
        self.pass_time(2)
        self.assertEqual(told(self.ann), [("offline", ("bob",))])

    def test_a_second_session_is_not_told(self) -> None:
        stage = Stage(MANY)
        stage.after_start()
        ann, bob = stage.enter("ann"), stage.enter("bob")
        stage.pass_time(10)
        ann.forget()
        second = stage.enter("bob", device="phone")
        bob.does("logout")
        stage.pass_time(10)
        self.assertEqual(told(ann), [])
        second.does("logout")
        self.assertEqual(told(ann), [("offline", ("bob",))])


class LostConnections(PresenceCase):
    """Told nobody for 30 s, and not at all when the person is back."""

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.stage.enter("bob")
        self.pass_time(10)
        self.ann.forget()
        self.bob.hangs_up()

    def test_after_half_a_minute(self) -> None:
        self.pass_time(29.9)
        self.assertEqual(told(self.ann), [])
        self.pass_time(0.2)
        self.assertEqual(told(self.ann), [("offline", ("bob",))])

    def test_back_in_time(self) -> None:
        self.pass_time(20)
        again = self.stage.enter("bob")
        self.pass_time(100)
        self.assertEqual(told(self.ann), [])
        again.hangs_up()
        self.pass_time(31)
        self.assertEqual(told(self.ann), [("offline", ("bob",))])

    def test_a_logout_after_coming_back_is_told(self) -> None:
        self.stage.enter("bob").does("logout")
        self.assertEqual(told(self.ann), [("offline", ("bob",))])
        self.pass_time(100)
        self.assertEqual(len(told(self.ann)), 1)

    def test_meanwhile_bob_is_not_here(self) -> None:
        self.assertNotIn(self.bob.session.id, self.stage.chat.node.sessions)
        self.assertEqual(self.stage.chat.sign_in.online(self.ann.id, 10), ([], 0))


class TheStart(SynchronousTestCase):
    """The first 30 s after a start are silent, except for accounts that were made in them."""

    def test_old_accounts_come_silently(self) -> None:
        first = Stage()
        first.account("ann")
        first.account("bob")
        first.clock.advance(1)
        stage = first.restart()
        ann = stage.enter("ann")
        stage.enter("bob")
        stage.pass_time(5)
        self.assertEqual(told(ann), [])
        stage.enter("carol")
        self.assertEqual(told(ann), [("online", ("carol",))])
        stage.pass_time(31)
        stage.enter("dave")
        self.assertEqual(told(ann)[1:], [("online", ("dave",))])


class TheEnd(PresenceCase):
    def test_nobody_is_told_that_everybody_goes(self) -> None:
        bob = self.stage.enter("bob")
        self.pass_time(10)
        for each in (self.ann, bob):
            each.forget()
        now(self.stage.chat.stop("Server is shutting down."))
        self.assertEqual([told(self.ann), told(bob)], [[], []])
        self.assertEqual(self.stage.clock.clock.getDelayedCalls(), [])


class Blocks(PresenceCase):
    """People are not told of those who block them."""

    def test_who_blocks_is_not_announced(self) -> None:
        bob = self.stage.enter("bob")
        bob.does("block", user="ann")
        bob.does("logout")
        self.pass_time(10)
        self.ann.forget()
        bob = self.stage.enter("bob")
        bob.does("away", text="lunch")
        bob.does("back")
        bob.does("logout")
        self.assertEqual(told(self.ann), [])

    def test_who_is_blocked_is_announced(self) -> None:
        self.stage.account("bob")
        self.ann.does("block", user="bob")
        self.stage.enter("bob")
        self.assertEqual(told(self.ann), [("online", ("bob",))])


class Away(PresenceCase):
    def test_nothing_is_written_there_to_who_blocks(self) -> None:
        bob = self.stage.enter("bob")
        self.ann.does("block", user="bob")
        self.ann.forget()
        bob.does("away", text="you are ugly, ann")
        self.assertEqual(self.ann.told(Presence), [])

    def test_away_and_back(self) -> None:
        bob = self.stage.enter("bob")
        self.ann.forget()
        bob.does("away", text="lunch")
        bob.does("back")
        first, second = self.ann.told(Presence)
        self.assertEqual((first.state, first.text, second.state), ("away", "lunch", "back"))
        self.assertEqual(bob.told(Presence), [])


class ManyPeople(PresenceCase):
    """Beyond a hundred online only those are told who share a room or have written to each other."""

    def test_only_those_who_share_something(self) -> None:
        for number in range(FEW):
            self.stage.arrives(f"guest{number}")
        carol = self.stage.enter("carol", "ops")
        dave = self.stage.enter("dave")
        dave.writes("carol", "hi")
        self.stage.enter("bob", "ops").does("logout")
        self.pass_time(10)
        for each in (self.ann, carol, dave):
            each.forget()
        bob = self.stage.enter("bob")
        self.assertEqual([told(self.ann), told(dave)], [[], []])
        self.assertEqual(told(carol), [("online", ("bob",))])
        self.pass_time(10)
        bob.writes("dave", "hi")
        bob.does("logout")
        self.assertEqual(told(dave), [("offline", ("bob",))])
        self.assertEqual(told(self.ann), [])
