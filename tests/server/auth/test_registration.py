"""`chat.server.auth.registration`: accounts are made once, whole, and not for nothing."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import (
    BadCredentials,
    BadName,
    BadPassword,
    BadText,
    BadVerifier,
    Busy,
    ChatError,
    LockedOut,
    NameTaken,
    StoreUnavailable,
    TooFast,
    TooLong,
)
from chat.protocol.passwords import ITERATIONS, KEY_BYTES, check_verifier, cost_of, matches, new_salt, stretch
from chat.protocol.values import Account, Peer, Verifier
from chat.server.auth.credentials import RegistrationCredentials
from chat.server.auth.lockout import FREE_TRIES
from chat.server.auth.registration import Registrar, read_realname
from chat.server.interfaces import Proven
from tests.server.auth.fakes import (
    COST,
    ELSEWHERE,
    HOME,
    FakeClock,
    FakeDirectory,
    FakeHashing,
    FakeStore,
    verification,
)

PASSWORD = "correct horse"
KEY = b"k" * KEY_BYTES


class RegistrarTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore()
        self.directory = FakeDirectory()
        self.hashing = FakeHashing()
        checks = verification(self.store, self.hashing, self.clock)
        self.registrar = Registrar(
            self.directory, self.store.stored, checks, self.clock, lambda: "open", {"say", "login"}
        )

    def register(
        self, name: str, password: str | Verifier = PASSWORD, realname: str = "", peer: Peer = HOME
    ) -> Deferred[Account]:
        """:returns: fires with the account, which is proven by that."""

        def made(proven: Proven) -> Account:
            account = self.directory.account_by_id(proven.account)
            assert account is not None, "who is proven exists"
            return account

        credentials = RegistrationCredentials(name, password, realname, None, peer)
        return self.registrar.requestAvatarId(credentials).addCallback(made)

    def proves(self, account: Account, password: str) -> bool:
        verifier = self.store.verifiers[account.id]
        return matches(stretch(password, verifier.salt), verifier)


class ANewAccount(RegistrarTestCase):
    def test_is_stored_and_known(self) -> None:
        account = self.successResultOf(self.register("Bob", realname=" Robert "))
        self.assertEqual((account.name.shown, account.realname), ("Bob", "Robert"))
        self.assertEqual(account.created, int(self.clock.seconds() * 1000))
        self.assertEqual(self.directory.account("bob"), account)
        self.assertTrue(self.proves(account, PASSWORD))
        self.assertEqual(cost_of(self.store.verifiers[account.id].salt), COST)

    def test_needs_a_name_a_password_and_a_real_name_that_will_do(self) -> None:
        """Each is refused before anything is hashed or stored."""
        self.failureResultOf(self.register("INVALID"), BadName)
        self.failureResultOf(self.register("say"), BadName)
        self.failureResultOf(self.register("bob", password="short"), BadPassword)
        self.failureResultOf(self.register("bob", realname="x" * 61), TooLong)
        self.failureResultOf(self.register("bob", realname="Bob\x1b[2J"), BadText)
        self.assertEqual((self.hashing.calls, self.store.names), ([], {}))

    def test_leaves_its_name_free_when_it_fails(self) -> None:
        for culprit, error in ((self.hashing, Busy()), (self.store, StoreUnavailable())):
            culprit.error = error
            self.failureResultOf(self.register("bob"), type(error))
            self.assertIsNone(self.directory.account("bob"))
            culprit.error = None
        self.successResultOf(self.register("bob"))


class ANameThatIsTaken(RegistrarTestCase):
    def test_is_refused_without_a_hash(self) -> None:
        self.successResultOf(self.register("B"))
        self.hashing.calls.clear()
        for name in ("B", "b", "@B"):
            refused = self.failureResultOf(self.register(name), NameTaken).value
            self.assertEqual(refused.line, "The name B is taken. If it is yours: login B")
        self.assertEqual(self.hashing.calls, [])

    def test_by_one_of_twelve_at_the_same_time(self) -> None:
        """Exactly one succeeds, and the others pay for no hash."""
        self.hashing.held = True
        results = [self.register("Bob" if number % 2 else "bob") for number in range(12)]
        self.hashing.release()
        made = [result for result in results if isinstance(result.result, Account)]
        self.assertEqual(len(made), 1)
        self.assertEqual(len(self.hashing.calls), 1)
        self.assertEqual(len(self.store.names), 1)
        for result in results:
            if result not in made:
                self.failureResultOf(result, NameTaken)

    def test_on_disk_only(self) -> None:
        """Another node made it: the store knows, and the words are the same."""
        self.store.add("bob", PASSWORD)
        refused = self.failureResultOf(self.register("Bob"), NameTaken).value
        self.assertEqual(refused.line, "The name Bob is taken. If it is yours: login Bob")

    def test_by_one_that_looks_like_it(self) -> None:
        self.successResultOf(self.register("bob"))
        refused = self.failureResultOf(self.register("ВОВ"), NameTaken).value
        self.assertEqual(refused.line, "The name ВОВ looks like one that is taken. Choose another one.")

    def test_is_known_before_a_password_is_asked_for(self) -> None:
        self.successResultOf(self.register("bob"))
        self.assertRaises(NameTaken, self.registrar.read_free_name, "Bob")
        self.assertRaises(BadName, self.registrar.read_free_name, "login")
        self.assertEqual(self.registrar.read_free_name("@Ann").shown, "Ann")


class SomebodyWhoHangsUp(RegistrarTestCase):
    def test_before_the_hash_leaves_nothing(self) -> None:
        self.hashing.held = True
        result = self.register("bob")
        result.cancel()
        self.failureResultOf(result, CancelledError)
        self.assertEqual(self.store.names, {})
        self.hashing.waiting.clear()
        self.hashing.held = False
        self.successResultOf(self.register("bob"))

    def test_while_it_is_stored_leaves_a_whole_account(self) -> None:
        """Wish 000: whoever left during registration could be talked to and did not exist."""
        self.store.held = []
        result = self.register("bob")
        result.cancel()
        self.failureResultOf(result, CancelledError)
        self.failureResultOf(self.register("bob"), NameTaken)
        self.store.commit()
        account = self.directory.account("bob")
        assert account is not None
        self.assertTrue(self.proves(account, PASSWORD))


class ManyAccountsFromOneNetwork(RegistrarTestCase):
    def test_a_class_at_once_but_no_more(self) -> None:
        for number in range(60):
            self.successResultOf(self.register(f"pupil-{number}"))
        self.hashing.calls.clear()
        refused = self.failureResultOf(self.register("one-more"), TooFast).value
        self.assertEqual((refused.wait, self.hashing.calls), (1.0, []))
        self.assertEqual(refused.line, "Many accounts were made from your network just now. Try again in 1 second.")
        self.successResultOf(self.register("one-more", peer=ELSEWHERE))
        self.clock.advance(1)
        self.successResultOf(self.register("another-one"))

    def test_is_remembered_for_a_bounded_number_of_networks(self) -> None:
        """The network that registered longest ago is forgotten first; an IPv6 attacker has networks without end."""
        for number in range(60):
            self.successResultOf(self.register(f"pupil-{number}"))
        self.hashing.error = Busy()
        for number in range(10_000):
            network = f"2001:db8:{number:x}::/64"
            self.failureResultOf(self.register("bob", peer=Peer(network, network)), Busy)
        self.hashing.error = None
        self.successResultOf(self.register("one-more"))

    def test_refused_names_do_not_count(self) -> None:
        self.successResultOf(self.register("bob"))
        for _ in range(100):
            self.failureResultOf(self.register("bob"), NameTaken)
        self.successResultOf(self.register("ann"))


class AChangeOfPassword(RegistrarTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.bob = self.successResultOf(self.register("bob"))
        self.hashing.calls.clear()

    def change(self, old: str, new: str, peer: Peer = HOME) -> Deferred[int]:
        return Deferred.fromCoroutine(self.registrar.change_password(self.bob, old, new, peer))

    def test_needs_the_old_one(self) -> None:
        refused = self.failureResultOf(self.change("wrong", "another horse"), BadCredentials).value
        self.assertEqual(refused.line, "That is not your password. Nothing was changed.")
        self.assertTrue(self.proves(self.bob, PASSWORD))
        self.successResultOf(self.change(PASSWORD, "another horse"))
        self.assertTrue(self.proves(self.bob, "another horse"))
        self.assertFalse(self.proves(self.bob, PASSWORD))

    def test_looks_at_the_new_one_first(self) -> None:
        self.failureResultOf(self.change("wrong", "short"), BadPassword)
        self.assertEqual(self.hashing.calls, [])

    def test_counts_wrong_ones_as_a_login_does(self) -> None:
        """Whoever finds a screen unlocked must not guess faster than at the door."""
        for _ in range(FREE_TRIES):
            self.failureResultOf(self.change("wrong", "another horse"), BadCredentials)
        self.failureResultOf(self.change(PASSWORD, "another horse"), LockedOut)
        verified = Deferred.fromCoroutine(self.registrar.verify(self.bob, PASSWORD, HOME, "old"))
        self.failureResultOf(verified, LockedOut)
        self.successResultOf(self.change(PASSWORD, "another horse", ELSEWHERE))

    def test_is_verified_alone(self) -> None:
        self.successResultOf(Deferred.fromCoroutine(self.registrar.verify(self.bob, PASSWORD, HOME, "old")))
        self.failureResultOf(Deferred.fromCoroutine(self.registrar.verify(self.bob, "wrong", HOME, "old")), ChatError)


class ARealName(SynchronousTestCase):
    def test_is_a_short_printable_line(self) -> None:
        self.assertEqual(read_realname("  Jose\u0301 Ñ. 😀 "), "José Ñ. 😀")
        self.assertEqual(read_realname(""), "")
        self.assertEqual(read_realname("x" * 60), "x" * 60)
        self.assertRaises(TooLong, read_realname, "x" * 61)
        for words in ("a\nb", "a\u202eb", "a\u200bb", "a\ud800"):
            self.assertRaises(BadText, read_realname, words)


class AVerifierFromAClient(RegistrarTestCase):
    def refused(self, verifier: Verifier) -> str:
        result = self.register("bob", verifier)
        error: ChatError = self.failureResultOf(result, BadVerifier).value
        return error.line

    def test_of_another_cost_than_the_one_in_welcome_is_refused(self) -> None:
        """One of cost 15 would keep a thread for seconds at each login."""
        for cost in (COST + 1, 15):
            self.assertIn(f"a bcrypt cost of {COST}", self.refused(Verifier(new_salt(cost), ITERATIONS, KEY, KEY)))
        for iterations in (ITERATIONS - 1, ITERATIONS + 1, 65_536):
            self.assertIn("4,096 iterations", self.refused(Verifier(new_salt(COST), iterations, KEY, KEY)))

    def test_of_the_least_cost_that_our_client_works_with_will_do(self) -> None:
        """The bundled client works for no server that asks for less than 10."""
        verifier = Verifier(new_salt(10), ITERATIONS, KEY, KEY)
        self.successResultOf(self.register("bob", verifier))
        self.registrar.check_verifier(verifier)

    def test_below_the_cost_of_the_server_is_refused(self) -> None:
        for cost in (10, 11, 13):
            with self.assertRaises(BadVerifier):
                check_verifier(Verifier(new_salt(cost), ITERATIONS, KEY, KEY), 12)
