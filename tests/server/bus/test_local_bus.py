"""What a bus promises on one node."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from chat.server.bus.local import Hub, LocalBus
from chat.server.interfaces import Ephemeral, IBus, Published

ROOM = ("room", 7)


def event(name: str) -> Ephemeral:
    return Ephemeral(name, {})


class Subscribing(SynchronousTestCase):
    def setUp(self) -> None:
        self.bus: IBus = LocalBus()
        self.heard: list[tuple[str, str]] = []

    def ear(self, who: str, published: Published) -> None:
        assert isinstance(published, Ephemeral)
        self.heard.append((who, published.name))

    def test_subscribers_of_a_topic_are_told_in_the_order_of_subscribing(self) -> None:
        for who in "cab":
            self.bus.subscribe(ROOM, lambda published, who=who: self.ear(who, published))  # type: ignore[misc]
        self.bus.subscribe(("room", 8), lambda published: self.ear("elsewhere", published))
        self.bus.publish([ROOM], event("x"))
        self.assertEqual(self.heard, [("c", "x"), ("a", "x"), ("b", "x")])

    def test_topics_that_are_equal_are_one(self) -> None:
        """Both accounts of a note to oneself are the same."""
        self.bus.subscribe(("account", 1), lambda published: self.ear("bob", published))
        self.bus.publish([("account", 1), ("account", 1)], event("x"))
        self.assertEqual(self.heard, [("bob", "x")])

    def test_who_unsubscribed_is_not_told_and_may_say_so_twice(self) -> None:
        leave = self.bus.subscribe(ROOM, lambda published: self.ear("a", published))
        self.bus.subscribe(ROOM, lambda published: self.ear("b", published))
        leave()
        leave()
        self.bus.publish([ROOM], event("x"))
        self.assertEqual(self.heard, [("b", "x")])

    def test_a_subscriber_that_fails_keeps_nobody_from_being_told(self) -> None:
        def fail(published: Published) -> None:
            raise ZeroDivisionError

        self.bus.subscribe(ROOM, fail)
        self.bus.subscribe(ROOM, lambda published: self.ear("b", published))
        self.bus.publish([ROOM], event("x"))
        self.assertEqual(self.heard, [("b", "x")])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_unsubscribing_during_a_publish_takes_effect_at_once(self) -> None:
        leaves: list[Callable[[], None]] = []

        def leave_both(published: Published) -> None:
            self.ear("a", published)
            for leave in leaves:
                leave()

        leaves.append(self.bus.subscribe(ROOM, leave_both))
        leaves.append(self.bus.subscribe(ROOM, lambda published: self.ear("b", published)))
        self.bus.subscribe(ROOM, lambda published: self.ear("c", published))
        self.bus.publish([ROOM], event("x"))
        self.bus.publish([ROOM], event("y"))
        self.assertEqual(self.heard, [("a", "x"), ("c", "x"), ("c", "y")])

    def test_subscribing_during_a_publish_counts_from_the_next_one(self) -> None:
        def invite(published: Published) -> None:
            self.bus.subscribe(ROOM, lambda published: self.ear("new", published))

        leave = self.bus.subscribe(ROOM, invite)
        self.bus.publish([ROOM], event("x"))
        leave()
        self.bus.publish([ROOM], event("y"))
        self.assertEqual(self.heard, [("new", "y")])

    def test_what_is_published_by_a_subscriber_is_told_to_all_afterwards(self) -> None:
        def answer(published: Published) -> None:
            self.ear("a", published)
            if published == event("x"):
                self.bus.publish([ROOM], event("y"))

        self.bus.subscribe(ROOM, answer)
        self.bus.subscribe(ROOM, lambda published: self.ear("b", published))
        self.bus.publish([ROOM], event("x"))
        self.assertEqual(self.heard, [("a", "x"), ("b", "x"), ("a", "y"), ("b", "y")])

    def test_a_bus_with_others_needs_the_store(self) -> None:
        with self.assertRaises(ValueError):
            LocalBus("a", None, Hub())
