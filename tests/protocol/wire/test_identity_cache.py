"""What is made of large values that are the same for everybody is made once."""

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.wire.identity_cache import IdentityCache


class Caching(SynchronousTestCase):
    def setUp(self) -> None:
        self.made: list[object] = []
        self.cache = IdentityCache(self.make, most=2)

    def make(self, value: object) -> str:
        self.made.append(value)
        return str(value)

    def test_the_same_value_is_made_once(self) -> None:
        value = ["a"]
        self.assertEqual([self.cache.of(value) for _ in range(3)], ["['a']"] * 3)
        self.assertEqual(len(self.made), 1)

    def test_an_equal_value_is_another_one(self) -> None:
        self.cache.of(["a"])
        self.cache.of(["a"])
        self.assertEqual(len(self.made), 2)

    def test_values_that_nobody_else_holds_are_never_mistaken(self) -> None:
        """Their identity is not given to others while they are kept, and few are."""
        for number in range(1_000):
            self.assertEqual(self.cache.of([number]), f"[{number}]")
