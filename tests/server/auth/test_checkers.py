"""`chat.server.auth.checkers` with `chat.server.auth.password_verification`: who gets in, and what is learned by
failing."""

from __future__ import annotations

from typing import Any

from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import CancelledError, Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from chat.protocol.errors import BadCredentials, Busy, ChatError, LockedOut, StoreUnavailable, TooFast
from chat.protocol.passwords import ITERATIONS, cost_of
from chat.protocol.values import Peer
from chat.server.auth.checkers import PasswordChecker, TokenChecker
from chat.server.auth.credentials import PasswordCredentials, TokenCredentials
from chat.server.auth.lockout import FREE_TRIES, NETWORK_FAILURES
from chat.server.auth.tokens import digest, new_token
from chat.server.core.credential_epochs import CredentialEpochs
from chat.server.interfaces import Proven, TokenRecord
from tests.server.auth.fakes import (
    COST,
    ELSEWHERE,
    HOME,
    FakeClock,
    FakeDirectory,
    FakeHashing,
    FakeStore,
    verification,
    verifier_of,
)

RIGHT = "correct horse"


class DoorTestCase(SynchronousTestCase):
    """A server with one account, bob."""

    def setUp(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore()
        self.directory = FakeDirectory()
        self.hashing = FakeHashing()
        self.bob = self.store.add("Bob", RIGHT)
        self.directory.add_account(self.bob)
        self.verification = verification(self.store, self.hashing, self.clock)
        self.checker = PasswordChecker(self.directory, self.verification, CredentialEpochs())

    def login(self, name: str, password: str, peer: Peer = HOME) -> Deferred[Proven]:
        return self.checker.requestAvatarId(PasswordCredentials(name, password, peer))

    def refusal(self, result: Deferred[Proven]) -> ChatError:
        error: ChatError = self.failureResultOf(result, ChatError).value
        return error


class APassword(DoorTestCase):
    def test_lets_its_owner_in(self) -> None:
        verifyObject(ICredentialsChecker, self.checker)
        for name in ("Bob", "bob", "@BOB"):
            self.assertEqual(self.successResultOf(self.login(name, RIGHT)), Proven(self.bob.id, 0))

    def test_typed_decomposed_is_the_same(self) -> None:
        self.directory.add_account(self.store.add("josé", "pässword"))
        self.successResultOf(self.login("jose\u0301", "pa\u0308ssword"))

    def test_wrong_name_and_wrong_password_cannot_be_told_apart(self) -> None:
        """The same words, two looks into the store and one hash of the same cost, whatever is wrong."""
        told = []
        for name, password in (
            ("bob", "wrong"),
            ("nobody", RIGHT),
            ("[no name]", RIGHT),
            ("", ""),
            ("bob", "x" * 5000),
        ):
            self.hashing.calls.clear()
            self.store.asked.clear()
            refused = self.refusal(self.login(name, password, Peer(name, name + password)))
            ((_, verifier),) = self.hashing.calls
            told.append((type(refused), refused.line, refused.ask, refused.wait, cost_of(verifier.salt)))
            self.assertEqual(len(self.store.asked), 2)
        self.assertEqual(set(told), {(BadCredentials, BadCredentials.text, "password", None, COST)})

    def test_secrets_of_programs_that_fail(self) -> None:
        """Neither half a surrogate pair nor a NUL is anything but a wrong password."""
        for password in ("\ud800", "\0" * 9):
            self.failureResultOf(self.login("bob", password), BadCredentials)


class WrongPasswords(DoorTestCase):
    def test_forty_are_hindered_by_the_tenth_and_the_owner_elsewhere_is_let_in(self) -> None:
        refusals = [type(self.refusal(self.login("bob", f"guess {number}"))) for number in range(40)]
        self.assertEqual(refusals[:FREE_TRIES], [BadCredentials] * FREE_TRIES)
        self.assertEqual(set(refusals[FREE_TRIES:]), {LockedOut})
        self.assertEqual(self.successResultOf(self.login("bob", RIGHT, ELSEWHERE)), Proven(self.bob.id, 0))

    def test_lock_out_the_right_one_too_and_cost_nothing(self) -> None:
        for _ in range(FREE_TRIES):
            self.refusal(self.login("bob", "wrong"))
        self.hashing.calls.clear()
        locked = self.refusal(self.login("BOB", RIGHT))
        self.assertIsInstance(locked, LockedOut)
        self.assertEqual(locked.wait, 2)
        self.assertIn("2 seconds", locked.line)
        self.assertEqual(self.hashing.calls, [])
        self.clock.advance(2)
        self.successResultOf(self.login("bob", RIGHT))

    def test_lock_out_without_waiting_in_line(self) -> None:
        """Whoever is locked out hears it at once, however many logins of that network are being checked."""
        for _ in range(FREE_TRIES):
            self.refusal(self.login("bob", "wrong"))
        self.hashing.held = True
        for number in range(FREE_TRIES):
            self.login(f"name-{number}", "wrong").addErrback(lambda _: None)
        self.assertIsInstance(self.refusal(self.login("bob", RIGHT)), LockedOut)

    def test_lock_out_names_that_do_not_exist_alike(self) -> None:
        refusals = {
            name: [self.refusal(self.login(name, "wrong", Peer(name, name))).line for _ in range(6)]
            for name in ("bob", "nobody")
        }
        self.assertEqual(refusals["bob"], refusals["nobody"])

    def test_a_thousand_guesses_at_once_get_no_further_than_three(self) -> None:
        self.hashing.held = True
        results = [self.login("bob", f"guess {number}") for number in range(1_000)]
        self.assertLessEqual(len(self.hashing.calls), FREE_TRIES)
        self.hashing.release()
        self.assertEqual(len(self.hashing.calls), FREE_TRIES)
        refused = [type(self.refusal(result)) for result in results]
        self.assertEqual(refused.count(BadCredentials), FREE_TRIES)
        self.assertEqual(refused.count(TooFast), 1_000 - FREE_TRIES)
        self.assertIsInstance(self.refusal(self.login("bob", RIGHT)), LockedOut)

    def test_one_guess_for_each_of_a_thousand_names_at_once(self) -> None:
        """Of fifty it is learned that they are wrong; the others are answered alike, right or wrong."""
        for number in range(1_000):
            self.directory.add_account(self.store.add(f"name-{number}", RIGHT if number == 900 else "another"))
        self.hashing.held = True
        results = [self.login(f"name-{number}", RIGHT) for number in range(1_000)]
        self.hashing.release()
        refused = [type(self.refusal(result)) for result in results]
        self.assertEqual(refused.count(BadCredentials), NETWORK_FAILURES)
        self.assertEqual(refused.count(LockedOut), 1_000 - NETWORK_FAILURES)


class ManyRightPasswords(DoorTestCase):
    def test_at_once_are_all_let_in(self) -> None:
        """A class of two hundred behind one address, and twenty devices of one account."""
        self.hashing.held = True
        for number in range(200):
            self.directory.add_account(self.store.add(f"pupil-{number}", RIGHT))
        results = [self.login(f"pupil-{number}", RIGHT) for number in range(200)]
        results += [self.login("bob", RIGHT) for _ in range(20)]
        self.hashing.release()
        for result in results:
            self.successResultOf(result)

    def test_after_a_mistake_one_at_a_time(self) -> None:
        """With one try left, a second one at the same time is put off, in words that accuse nobody."""
        for _ in range(FREE_TRIES - 1):
            self.refusal(self.login("bob", "wrong"))
        self.hashing.held = True
        first, second = self.login("bob", RIGHT), self.login("bob", RIGHT)
        self.assertIsInstance(self.refusal(second), TooFast)
        self.hashing.release()
        self.successResultOf(first)


class ALoginThatComesToNothing(DoorTestCase):
    def test_is_no_wrong_password_when_the_server_is_at_fault(self) -> None:
        for culprit, error in ((self.hashing, Busy()), (self.store, StoreUnavailable())):
            culprit.error = error
            for _ in range(10):
                self.failureResultOf(self.login("bob", RIGHT), type(error))
            culprit.error = None
        self.successResultOf(self.login("bob", RIGHT))

    def test_given_up_halfway_still_counts(self) -> None:
        """Else hanging up early would make guesses free; and its turn is given to the next one."""
        self.hashing.held = True
        for _ in range(FREE_TRIES):
            given_up = self.login("bob", "guess")
            given_up.cancel()
            self.failureResultOf(given_up, CancelledError)
        self.assertIsInstance(self.refusal(self.login("bob", RIGHT)), LockedOut)
        self.hashing.held = False
        self.directory.add_account(self.store.add("ann", RIGHT))
        self.successResultOf(self.login("ann", RIGHT))

    def test_given_up_in_line_leaves_it(self) -> None:
        self.hashing.held = True
        first = [self.login(f"name-{number}", "wrong") for number in range(FREE_TRIES)]
        self.login("bob", RIGHT).addErrback(lambda _: None).cancel()
        self.hashing.release()
        for result in first:
            self.refusal(result)
        self.assertEqual(len(self.hashing.calls), FREE_TRIES)


class AToken(DoorTestCase):
    def setUp(self) -> None:
        super().setUp()
        self.presented: list[tuple[TokenRecord, bytes, str]] = []

        async def note(*presented: Any) -> None:
            self.presented.append(presented)

        self.tokens = TokenChecker(self.directory, self.store.stored, self.clock, note)
        self.token = new_token()
        self.record(self.bob.id)

    def record(self, account: int, present: int = 0) -> None:
        """:param present: seconds for which the device was there after it had got its token."""
        created = int(self.clock.seconds() * 1000)
        self.store.tokens[digest(self.token)] = TokenRecord(account, "phone", created, created + present * 1000)

    def come_back(self, token: str, device: str = "phone") -> Deferred[Proven]:
        return self.tokens.requestAvatarId(TokenCredentials(token, device, HOME))

    def test_lets_its_device_in_without_a_hash(self) -> None:
        verifyObject(ICredentialsChecker, self.tokens)
        self.assertEqual(self.successResultOf(self.come_back(self.token)), Proven(self.bob.id, 0, by_token=True))
        self.assertEqual(self.hashing.calls, [])

    def test_lets_no_other_device_in(self) -> None:
        self.assertIn("log in with your password", self.refusal(self.come_back(self.token, "laptop")).line)

    def test_unknown(self) -> None:
        for token in (new_token(), "", "\ud800", self.token[3:]):
            self.failureResultOf(self.come_back(token), BadCredentials)

    def test_unused_for_too_long(self) -> None:
        """The last day counts; the day after, the password is asked for."""
        self.clock.advance(90 * 24 * 3600)
        self.successResultOf(self.come_back(self.token))
        self.clock.advance(1)
        refused = self.refusal(self.come_back(self.token))
        self.assertIsInstance(refused, BadCredentials)
        self.assertIn("log in with your password", refused.line)

    def test_used_all_the_time_since_one_login(self) -> None:
        self.record(self.bob.id, present=80 * 24 * 3600)
        self.clock.advance(100 * 24 * 3600)
        self.successResultOf(self.come_back(self.token))

    def test_of_an_account_that_is_gone(self) -> None:
        self.record(99)
        self.failureResultOf(self.come_back(self.token), BadCredentials)


class AVerifierOfAnotherCost(DoorTestCase):
    """An account from a time when clients chose the cost, or from before ``bcrypt-cost`` was changed."""

    def test_is_replaced_at_the_next_login(self) -> None:
        for cost in (COST + 2, COST + 1):
            ann = self.store.add(f"ann-{cost}", RIGHT, cost)
            self.directory.add_account(ann)
            self.successResultOf(self.login(f"ann-{cost}", RIGHT))
            self.assertEqual(cost_of(self.store.verifiers[ann.id].salt), COST)
            self.successResultOf(self.login(f"ann-{cost}", RIGHT))

    def test_whose_iterations_are_others_is_replaced_as_well(self) -> None:
        self.store.verifiers[self.bob.id] = verifier_of(RIGHT, iterations=2 * ITERATIONS)
        self.successResultOf(self.login("bob", RIGHT))
        self.assertEqual(self.store.verifiers[self.bob.id].iterations, ITERATIONS)

    def test_makes_nobody_wait_for_the_new_one(self) -> None:
        """The login is answered before it is made, on the server's own account and not on that of the network."""
        self.directory.add_account(self.store.add("ann", RIGHT, COST + 1))
        self.hashing.held = True
        login = self.login("ann", RIGHT)
        result, call = self.hashing.waiting.pop()
        result.callback(call())
        self.successResultOf(login)
        self.assertEqual(self.hashing.networks, [HOME.network, ""])
        self.hashing.release()

    def test_stays_when_the_password_was_wrong_or_the_disk_is_full(self) -> None:
        ann = self.store.add("ann", RIGHT, COST + 1)
        self.directory.add_account(ann)
        before = self.store.verifiers[ann.id]
        self.refusal(self.login("ann", "wrong"))
        self.store.full = True
        self.successResultOf(self.login("ann", RIGHT))
        self.assertEqual(self.store.verifiers[ann.id], before)

    def test_does_not_undo_a_change_of_the_password(self) -> None:
        ann = self.store.add("ann", RIGHT, COST + 1)
        self.directory.add_account(ann)
        self.hashing.held = True
        login = self.login("ann", RIGHT)
        result, call = self.hashing.waiting.pop()
        result.callback(call())
        self.successResultOf(login)
        self.store.verifiers[ann.id] = changed = verifier_of("another horse")
        self.hashing.release()
        self.assertEqual(self.store.verifiers[ann.id], changed)


class AFullDisk(DoorTestCase):
    def test_keeps_nobody_out_for_want_of_a_secret_of_the_decoys(self) -> None:
        self.store.full = True
        self.successResultOf(self.login("bob", RIGHT))
        self.refusal(self.login("nobody", RIGHT))

    def test_the_secret_in_memory_is_kept_until_the_end(self) -> None:
        self.store.full = True
        secret = self.successResultOf(Deferred.fromCoroutine(self.verification.load_secret()))
        self.store.full = False
        self.assertEqual(self.successResultOf(Deferred.fromCoroutine(self.verification.load_secret())), secret)
