"""A token bucket: so many at once, so many a second in the long run."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.server.core.rate_limit import BucketRegistry, TokenBucket


class Taking(SynchronousTestCase):
    def test_a_burst_and_then_the_rate(self) -> None:
        bucket = TokenBucket(rate=2, burst=3)
        self.assertEqual([bucket.take(0)[0] for _ in range(4)], [True, True, True, False])
        self.assertEqual([bucket.take(0.5)[0] for _ in range(2)], [True, False])

    def test_how_long_to_wait(self) -> None:
        bucket = TokenBucket(rate=2, burst=1)
        bucket.take(10)
        self.assertEqual(bucket.take(10), (False, 0.5))
        self.assertEqual(bucket.take(10.5), (True, 0.0))

    def test_what_may_not_happen_costs_nothing(self) -> None:
        bucket = TokenBucket(rate=1, burst=1)
        bucket.take(0)
        for _ in range(5):
            self.assertEqual(bucket.take(0), (False, 1.0))

    def test_who_is_patient_waits_longer_each_time(self) -> None:
        """So what was put off keeps its order."""
        bucket = TokenBucket(rate=1, burst=1)
        waits = [bucket.take(0, patience=3) for _ in range(6)]
        self.assertEqual(waits, [(True, 0), (True, 1), (True, 2), (True, 3), (False, 4), (False, 4)])

    def test_a_heavy_act_costs_more(self) -> None:
        bucket = TokenBucket(rate=1, burst=5)
        self.assertEqual(bucket.take(0, weight=4), (True, 0))
        self.assertEqual(bucket.take(0, weight=4), (False, 3))
        self.assertEqual(bucket.take(0, weight=0.5), (True, 0))

    def test_rest_fills_no_more_than_the_burst(self) -> None:
        bucket = TokenBucket(rate=100, burst=2)
        bucket.take(0)
        self.assertEqual([bucket.take(1_000)[0] for _ in range(3)], [True, True, False])

    @given(st.lists(st.floats(0, 10), max_size=40), st.floats(0.1, 5), st.integers(1, 10))
    def test_never_more_than_burst_and_rate_allow(self, gaps: list[float], rate: float, burst: int) -> None:
        bucket, when, taken = TokenBucket(rate, burst), 0.0, 0
        for gap in gaps:
            when += gap
            taken += bucket.take(when)[0]
            self.assertLessEqual(taken, burst + when * rate + 1e-6)


class Charging(SynchronousTestCase):
    """What has happened already is taken in any case."""

    def test_a_debt_is_waited_for(self) -> None:
        bucket = TokenBucket(rate=2, burst=1)
        self.assertEqual([bucket.charge(0, 1, most=10) for _ in range(3)], [0, 0.5, 1])
        self.assertEqual(bucket.take(0), (False, 1.5))
        self.assertEqual(bucket.take(1.5), (True, 0))

    def test_a_debt_has_a_bound(self) -> None:
        bucket = TokenBucket(rate=2, burst=1)
        self.assertEqual([bucket.charge(0, 1_000, most=10) for _ in range(3)], [10, 10, 10])
        self.assertEqual(bucket.take(10.5), (True, 0))


class Registry(SynchronousTestCase):
    def setUp(self) -> None:
        self.buckets: BucketRegistry[str] = BucketRegistry(lambda: TokenBucket(rate=1, burst=5), most=100)

    def test_a_key_has_one_bucket(self) -> None:
        taken = [self.buckets.of("ann", 0).take(0)[0] for _ in range(6)]
        self.assertEqual(taken, [True] * 5 + [False])
        self.assertEqual(self.buckets.of("bob", 0).take(0), (True, 0))

    def test_full_buckets_are_forgotten(self) -> None:
        """Nobody can tell them from new ones."""
        for number in range(50):
            self.buckets.of(str(number), 0).take(0)
        self.assertEqual(len(self.buckets), 50)
        for number in range(50):
            self.buckets.of(f"later {number}", 2).take(2)
        self.assertEqual(len(self.buckets), 50)

    def test_one_in_use_is_not(self) -> None:
        self.buckets.of("ann", 0).take(0, weight=5)
        self.buckets.of("bob", 0).take(0)
        self.buckets.of("ann", 1).take(1)
        for number in range(10):
            self.buckets.of(str(number), 2).take(2)
        self.assertEqual(self.buckets.of("ann", 2).take(2, weight=2), (False, 1))

    def test_there_are_never_too_many(self) -> None:
        """The one that was used longest ago goes first."""
        for number in range(1_000):
            self.buckets.of(str(number), 0).take(0, weight=5)
            self.buckets.of("0", 0)
            self.assertLessEqual(len(self.buckets), 100)
        self.assertFalse(self.buckets.of("0", 0).take(0)[0])
        self.assertFalse(self.buckets.of("999", 0).take(0)[0])
        self.assertTrue(self.buckets.of("1", 0).take(0)[0])
