"""`chat.protocol.passwords`: one verifier for a plain login and for SCRAM."""

from __future__ import annotations

import re
from functools import partial

import bcrypt
from hypothesis import given, settings
from hypothesis import strategies as st
from scramp import ScramMechanism
from scramp.core import Password, ScramClient
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadPassword
from chat.protocol.passwords import (
    ITERATIONS,
    check_password,
    cost_of,
    decoy_verifier,
    make_verifier,
    matches,
    new_salt,
    stretch,
)
from chat.protocol.values import Verifier, VerifierCost
from tests.protocol.grammar.big_town import cost

SALT = b"$2b$04$fx6yZKsu/jygiDmcoOG2Me"


def verifier_of(password: str) -> Verifier:
    return make_verifier(stretch(password, SALT), SALT)


def _tried(password: str) -> None:
    try:
        check_password(password)
    except BadPassword:
        return


class APasswordThatIsChosen(SynchronousTestCase):
    def test_may_be_anything_of_8_to_1000_bytes(self) -> None:
        for password in ("12345678", "x" * 1000, "correct horse battery", "пароль", "密码密", "😀😀", "סיסמה mixed 1"):
            check_password(password)

    def test_too_short_or_too_long(self) -> None:
        for password in ("", "1234567", "密码", "\u00ad" * 20):
            self.assertIn("at least 8", self.assertRaises(BadPassword, check_password, password).line)
        for password in ("x" * 1001, "é" * 501, "x" * 1000 + "\u00ad" * 9, "x" * 100_000):
            self.assertIn("at most 1,000", self.assertRaises(BadPassword, check_password, password).line)

    def test_one_that_is_a_pile_of_marks_costs_little(self) -> None:
        """To compose it takes a time that grows with the square of its length."""
        pile = "a" + "\u0345\u0301\u0327\u0300" * 8_000
        for password in (pile, pile[:1_400], pile[:400]):
            self.assertLess(cost(partial(_tried, password), 0.001), 0.001)
        self.assertIn("at most 1,000", self.assertRaises(BadPassword, check_password, pile).line)

    def test_control_characters(self) -> None:
        """A NUL, an escape, or half a surrogate pair is a mistake of a program, said in words."""
        for character in ("\0", "\x1b", "\n", "\x7f", "\ud800"):
            refused = self.assertRaises(BadPassword, check_password, "password" + character)
            self.assertIn("control characters", refused.line)
            self.assertNotIn("password" + character, refused.line)


class AStretchedPassword(SynchronousTestCase):
    def test_matches_its_verifier_and_no_other(self) -> None:
        verifier = verifier_of("correct horse")
        self.assertTrue(matches(stretch("correct horse", verifier.salt), verifier))
        self.assertFalse(matches(stretch("correct horsf", verifier.salt), verifier))

    def test_all_of_a_long_password_counts(self) -> None:
        """bcrypt alone reads 72 bytes, and ends at a NUL."""
        self.assertNotEqual(stretch("x" * 100 + "a", SALT), stretch("x" * 100 + "b", SALT))
        self.assertNotEqual(stretch("x\0a", SALT), stretch("x\0b", SALT))
        self.assertNotEqual(stretch("x" * 2000 + "a", SALT), stretch("x" * 2000 + "b", SALT))

    def test_is_the_same_on_every_keyboard(self) -> None:
        """Composed and decomposed, with the spaces of a phone, within SASLprep's Unicode and beyond it."""
        for one, other in (
            ("pässword", "pa\u0308ssword"),
            ("two words", "two\u00a0words"),
            ("pässword😀", "pa\u0308ssword😀"),
            ("\u1f82" * 300, "\u03b1\u0313\u0300\u0345" * 300),
        ):
            self.assertEqual(stretch(one, SALT), stretch(other, SALT))

    @settings(max_examples=50)
    @given(st.text(max_size=1100))
    def test_any_word_can_be_stretched(self, password: str) -> None:
        """A wrong password of whatever kind costs what a right one costs, and fails nowhere."""
        self.assertEqual(len(stretch(password, SALT)), 60)

    def test_needs_a_salt_of_bcrypt(self) -> None:
        """A salt of a stranger's server is looked at before any work is done for it."""
        self.assertEqual(cost_of(SALT), 4)
        for salt in (b"", b"$2b$31$fx6yZKsu/jygiDmcoOG2Me", b"$2b$03$fx6yZKsu/jygiDmcoOG2Me", SALT + b"x", SALT[:-1]):
            self.assertRaises(ValueError, cost_of, salt)
            self.assertRaises(ValueError, stretch, "password", salt)
        for wrong in (3, 16):
            self.assertRaises(ValueError, new_salt, wrong)
        self.assertEqual(cost_of(new_salt(4)), 4)
        self.assertNotEqual(new_salt(4), new_salt(4))


class AClientThatRunsBcryptItself(SynchronousTestCase):
    def test_logs_in_by_scram(self) -> None:
        """The salt it reads in SCRAM is the bcrypt salt, so what it stretches is proven against the verifier."""
        verifier = verifier_of("pässword 1")
        self.assertEqual(verifier.iterations, ITERATIONS)
        server = ScramMechanism("SCRAM-SHA-256").make_server(
            lambda _: (verifier.salt, verifier.stored_key, verifier.server_key, verifier.iterations)
        )
        client = ScramClient(["SCRAM-SHA-256"], "bob", "unused")
        server.set_client_first(client.get_client_first())
        client.set_server_first(server.get_server_first())
        client.password = Password(stretch("pässword 1", verifier.salt).decode())
        server.set_client_final(client.get_client_final())
        client.set_server_final(server.get_server_final())


class ADecoy(SynchronousTestCase):
    def test_cannot_be_told_from_a_real_verifier(self) -> None:
        decoy, real = decoy_verifier("nobody-here", b"secret", 4), verifier_of("password")
        pattern = re.compile(rb"\$2b\$04\$[./A-Za-z0-9]{21}[.Oeu]")
        for each in (decoy, real):
            self.assertRegex(each.salt, pattern)
            self.assertEqual((len(each.stored_key), len(each.server_key), each.iterations), (32, 32, ITERATIONS))
        self.assertEqual(bcrypt.hashpw(b"x", decoy.salt)[:29], decoy.salt)

    def costs(self, *accounts: int, names: int = 2_000) -> dict[str, tuple[int, int]]:
        """The cost and iterations of the decoys of many names, where so many accounts have costs from 4 upwards."""
        costs = [VerifierCost(cost, ITERATIONS, number) for cost, number in enumerate(accounts, start=4)]
        decoys = {f"name-{n}": decoy_verifier(f"name-{n}", b"secret", 12, costs) for n in range(names)}
        return {name: (cost_of(each.salt), each.iterations) for name, each in decoys.items()}

    def test_has_each_cost_as_often_as_accounts_do(self) -> None:
        """Whatever a name is shown with, accounts and decoys are shown with it in the same proportion."""
        for accounts in ((10, 0, 0), (30, 10, 0), (1, 1, 2), (500, 499, 1)):
            found = list(self.costs(*accounts).values())
            for dear, number in enumerate(accounts, start=4):
                share = number / sum(accounts)
                self.assertLess(abs(found.count((dear, ITERATIONS)) / len(found) - share), 0.04)

    def test_has_the_cost_of_a_new_verifier_where_there_are_no_others(self) -> None:
        self.assertEqual(set(self.costs(0, names=10).values()), {(12, ITERATIONS)})

    def test_has_the_iterations_that_come_with_the_cost(self) -> None:
        decoy = decoy_verifier("eve", b"secret", 12, [VerifierCost(10, 8_192, 5)])
        self.assertEqual((cost_of(decoy.salt), decoy.iterations), (10, 8_192))

    def test_few_change_when_an_account_does(self) -> None:
        """Those that do have another salt as well, as an account whose password is changed."""
        before, after = self.costs(90, 10), self.costs(89, 11)
        changed = {name for name in before if before[name] != after[name]}
        self.assertLess(len(changed), len(before) * 0.03)
        self.assertEqual({after[name][0] for name in changed}, {5})
        salts = [decoy_verifier("eve", b"secret", cost).salt[7:] for cost in (4, 5)]
        self.assertNotEqual(*salts)

    def test_stays_the_same_for_one_name(self) -> None:
        decoy = decoy_verifier("eve", b"secret", 4)
        self.assertEqual(decoy_verifier("eve", b"secret", 4), decoy)
        for name, secret in (("eva", b"secret"), ("eve", b"another")):
            self.assertNotEqual(decoy_verifier(name, secret, 4).salt, decoy.salt)

    def test_costs_the_same_and_lets_nobody_in(self) -> None:
        decoy = decoy_verifier("eve", b"secret", 5)
        self.assertEqual(cost_of(decoy.salt), 5)
        self.assertFalse(matches(stretch("password", decoy.salt), decoy))
