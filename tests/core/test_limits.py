"""A token bucket: so many at once, so many a second in the long run."""

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.core.limits import TokenBucket


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
