"""`chat.server.auth.lockout`: wrong passwords are slowed down, and only for those who give them."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import LockedOut, TooFast
from chat.server.auth.lockout import FREE_TRIES, NETWORK_FAILURES, Lockout

BLOCK = 60.0
TENTHS = [100.0 + number / 10 for number in range(6_000)]
"""Ten minutes."""


class WrongPasswords(SynchronousTestCase):
    def setUp(self) -> None:
        self.lockout = Lockout(BLOCK)

    def wrong(self, when: float, account: str = "bob", network: str = "home") -> None:
        self.lockout.begin(account, network, when)
        self.lockout.failed(account, network, when)
        self.lockout.failed_from(network, when, strange=True)

    def wait(self, when: float, account: str = "bob", network: str = "home") -> float:
        """Seconds left, or none."""
        try:
            self.lockout.check(account, network, when)
        except LockedOut as locked:
            assert locked.wait is not None
            return locked.wait
        return 0.0

    def test_double_the_delay_up_to_the_block_time(self) -> None:
        """Three are free, then 2, 4, 8 ... seconds, never more than the block time."""
        when, waits = 100.0, []
        for _ in range(10):
            self.wrong(when)
            waits.append(self.wait(when))
            when += waits[-1]
        self.assertEqual(waits, [0, 0, 2, 4, 8, 16, 32, 60, 60, 60])

    def test_forty_in_a_row_are_hindered_by_the_tenth_and_the_owner_elsewhere_is_not(self) -> None:
        refused = 0
        for number in range(40):
            try:
                self.wrong(100.0 + number / 10)
            except LockedOut:
                refused += 1
        self.assertGreaterEqual(refused, 30)
        self.lockout.begin("bob", "office", 104.0)

    def test_lock_one_name_only(self) -> None:
        for _ in range(FREE_TRIES):
            self.wrong(100.0)
        self.assertEqual(self.wait(100.0, account="ann"), 0)

    def test_the_refusal_says_how_long(self) -> None:
        for _ in range(FREE_TRIES):
            self.wrong(100.0)
        locked = self.assertRaises(LockedOut, self.lockout.begin, "bob", "home", 100.5)
        self.assertEqual((locked.line, locked.wait), ("Too many wrong passwords. Try again in 2 seconds.", 1.5))
        self.assertIn("in 1 second.", self.assertRaises(LockedOut, self.lockout.check, "bob", "home", 101.5).line)

    def test_being_refused_does_not_lengthen_it(self) -> None:
        for _ in range(FREE_TRIES):
            self.wrong(100.0)
        for _ in range(20):
            self.assertRaises(LockedOut, self.lockout.begin, "bob", "home", 101.0)
        self.assertEqual(self.wait(102.0), 0)

    def test_are_forgotten_after_the_right_one(self) -> None:
        for _ in range(FREE_TRIES - 1):
            self.wrong(100.0)
        self.lockout.begin("bob", "home", 100.0)
        self.lockout.succeeded("bob", "home")
        for _ in range(FREE_TRIES - 1):
            self.wrong(101.0)
        self.assertEqual(self.wait(101.0), 0)

    def test_the_right_one_elsewhere_forgets_nothing_here(self) -> None:
        """Else the owner's own logins would give somebody who guesses new tries all the time."""
        for _ in range(FREE_TRIES):
            self.wrong(100.0)
        self.lockout.begin("bob", "office", 100.0)
        self.lockout.succeeded("bob", "office")
        self.assertEqual(self.wait(100.0), 2)

    def test_are_forgotten_after_a_while(self) -> None:
        for _ in range(FREE_TRIES):
            self.wrong(100.0)
        self.wrong(102.0)
        self.wrong(1000.0)
        self.assertEqual(self.wait(1000.0), 0)
        self.wrong(1000.0, "ann", "office")
        self.wrong(2000.0, "carol", "cafe")
        self.assertEqual(len(self.lockout), 2)  # carol, and the cafe

    def test_a_short_block_time_holds_from_the_first_delay(self) -> None:
        self.lockout = Lockout(1.0)
        for _ in range(FREE_TRIES):
            self.wrong(100.0)
        self.assertEqual(self.wait(100.0), 1)

    def test_years_of_them_do_no_harm(self) -> None:
        when = 100.0
        for _ in range(2_000):
            self.wrong(when)
            when += BLOCK
        self.assertEqual(self.wait(when - BLOCK), BLOCK)

    def test_memory_is_bounded_and_the_oldest_go_first(self) -> None:
        self.lockout = Lockout(BLOCK, most=100)
        for _ in range(FREE_TRIES):
            self.wrong(100.0)
        for number in range(1_000):
            self.wrong(100.0, f"name-{number}", f"network-{number}")
        self.assertLessEqual(len(self.lockout), 200)
        self.assertEqual(self.wait(100.0), 0)
        self.wrong(100.0, "name-999", "network-999")
        self.wrong(100.0, "name-999", "network-999")
        self.assertEqual(self.wait(100.0, "name-999", "network-999"), 2)


class TriesAtTheSameTime(SynchronousTestCase):
    def test_a_thousand_guesses_at_once_get_no_further_than_three(self) -> None:
        lockout = Lockout(BLOCK)
        begun = 0
        for _ in range(1_000):
            try:
                lockout.begin("bob", "home", 100.0)
                begun += 1
            except TooFast:
                pass
        self.assertEqual(begun, FREE_TRIES)
        for _ in range(begun):
            lockout.failed("bob", "home", 100.0)
        self.assertRaises(LockedOut, lockout.begin, "bob", "home", 100.0)

    def test_after_a_lockout_one_at_a_time(self) -> None:
        lockout = Lockout(BLOCK)
        for _ in range(FREE_TRIES):
            lockout.begin("bob", "home", 100.0)
            lockout.failed("bob", "home", 100.0)
        lockout.begin("bob", "home", 102.0)
        self.assertRaises(TooFast, lockout.begin, "bob", "home", 102.0)

    def test_a_try_that_was_not_looked_at_is_given_back(self) -> None:
        lockout = Lockout(BLOCK)
        for _ in range(20):
            lockout.begin("bob", "home", 100.0)
            lockout.withdrawn("bob", "home")
        self.assertEqual(len(lockout), 0)

    def test_a_try_whose_record_was_forgotten_meanwhile(self) -> None:
        lockout = Lockout(BLOCK, most=1)
        for end in (lockout.succeeded, lockout.withdrawn):
            lockout.begin("bob", "home", 100.0)
            lockout.begin("ann", "office", 100.0)
            end("bob", "home")
        lockout.begin("bob", "home", 100.0)
        lockout.begin("ann", "office", 100.0)
        lockout.failed("bob", "home", 100.0)


class OneNetwork(SynchronousTestCase):
    def setUp(self) -> None:
        self.lockout = Lockout(BLOCK)

    def wrong(self, when: float, strange: bool) -> bool:
        """Whether it is told as a wrong password, and not as one too many of its network."""
        try:
            self.lockout.failed_from("home", when, strange)
        except LockedOut as locked:
            self.assertIn("from your network", locked.line)
            assert locked.wait is not None
            self.assertLess(locked.wait, 3)
            return False
        return True

    def test_one_password_for_every_name_is_slowed(self) -> None:
        """Ten names a second for ten minutes; of fifty a minute it is learned whether the password was right."""
        learned = sum(not self.lockout.refuses_strangers("home", when) and self.wrong(when, True) for when in TENTHS)
        self.assertLessEqual(learned, NETWORK_FAILURES * 11)
        self.assertTrue(self.lockout.refuses_strangers("home", TENTHS[-1]))
        self.assertFalse(self.lockout.refuses_strangers("office", TENTHS[-1]))

    def test_wrong_ones_are_told_alike_whether_the_names_exist(self) -> None:
        told = []
        for strange in (True, False):
            self.lockout = Lockout(BLOCK)
            told.append([self.wrong(when, strange) for when in TENTHS[:600]])
        self.assertEqual(told[0], told[1])

    def test_names_that_do_not_exist_keep_nobody_out(self) -> None:
        for when in TENTHS:
            self.wrong(when, False)
        self.assertFalse(self.lockout.refuses_strangers("home", TENTHS[-1]))

    def test_who_is_refused_is_told_as_one_whose_password_is_wrong(self) -> None:
        """Wherever a right password is refused, a wrong one is told the same."""
        for number, when in enumerate(TENTHS):
            self.wrong(when, number % 3 == 0)
            if self.lockout.refuses_strangers("home", when):
                self.assertFalse(self.wrong(when, True))

    def test_is_let_in_again(self) -> None:
        for _ in range(NETWORK_FAILURES):
            self.wrong(100.0, True)
        self.assertTrue(self.lockout.refuses_strangers("home", 100.0))
        self.assertFalse(self.lockout.refuses_strangers("home", 102.0))
