"""`chat.server.auth.fair_queue`: whose item is next, and whose is dropped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.server.auth.fair_queue import FairQueue


def queue(*items: str, most: int = 100) -> FairQueue[str, str]:
    """Items such as ``a1``, whose key is their first letter."""
    made: FairQueue[str, str] = FairQueue(most)
    for item in items:
        made.put(item[0], item)
    return made


class WhoseTurnItIs(SynchronousTestCase):
    def drain(self, items: FairQueue[str, str]) -> list[str]:
        """With one worker."""
        order = []
        while len(items):
            key, item = items.take()
            items.finish(key)
            order.append(item)
        return order

    def test_alternates_between_keys(self) -> None:
        self.assertEqual(self.drain(queue("a1", "a2", "a3", "b1", "b2")), ["a1", "b1", "a2", "b2", "a3"])

    def test_a_newcomer_is_before_the_next_item_of_whoever_is_at_work(self) -> None:
        items = queue("a1", "a2")
        items.take()
        items.put("b", "b1")
        self.assertEqual(items.take(), ("b", "b1"))

    def test_a_key_alone_has_all_workers(self) -> None:
        items = queue("a1", "a2", "a3")
        self.assertEqual([items.take()[1] for _ in range(3)], ["a1", "a2", "a3"])

    def test_the_key_with_the_fewest_at_work_is_next(self) -> None:
        items = queue("a1", "a2", "a3")
        items.take()
        items.take()
        items.put("b", "b1")
        items.put("b", "b2")
        items.take()
        self.assertEqual(items.take(), ("b", "b2"))

    def test_newcomers_do_not_starve_anybody(self) -> None:
        """Somebody new comes with every turn; what waited before them has its turn before the newest."""
        items = queue("a1", "a2")
        taken = []
        for newcomer in "bcdefg":
            items.put(newcomer, f"{newcomer}1")
            key, item = items.take()
            items.finish(key)
            taken.append(item)
        self.assertEqual(taken, ["a1", "b1", "a2", "c1", "d1", "e1"])

    def test_nothing_waits(self) -> None:
        self.assertRaises(LookupError, queue().take)

    @given(st.lists(st.tuples(st.sampled_from("abc"), st.booleans()), max_size=60))
    def test_everything_has_its_turn_once(self, steps: list[tuple[str, bool]]) -> None:
        items: FairQueue[str, int] = FairQueue(1_000)
        put: list[int] = []
        taken: list[int] = []
        for number, (key, also_take) in enumerate(steps):
            items.put(key, number)
            put.append(number)
            if also_take:
                whose, item = items.take()
                items.finish(whose)
                taken.append(item)
        while len(items):
            whose, item = items.take()
            items.finish(whose)
            taken.append(item)
        self.assertEqual(sorted(taken), put)
        self.assertEqual((items._waiting, items._at_work), ({}, {}))


class AFullQueue(SynchronousTestCase):
    def test_drops_the_newest_of_the_longest(self) -> None:
        items = queue("a1", "a2", "a3", "b1", most=4)
        self.assertEqual(items.put("c", "c1"), "a3")
        self.assertEqual(len(items), 4)

    def test_refuses_the_newcomer_of_the_longest(self) -> None:
        items = queue("a1", "a2", "b1", most=3)
        self.assertEqual(items.put("a", "a3"), "a3")
        self.assertEqual(items.put("b", "b2"), "b2")

    def test_of_many_keys_refuses_another_one(self) -> None:
        items = queue("a1", "b1", most=2)
        self.assertEqual(items.put("c", "c1"), "c1")


class AnItemThatIsRemoved(SynchronousTestCase):
    def test_is_not_taken(self) -> None:
        items = queue("a1", "b1")
        items.remove("a", "a1")
        items.remove("a", "a1")
        items.remove("c", "c1")
        self.assertEqual((items.take(), len(items)), (("b", "b1"), 0))
