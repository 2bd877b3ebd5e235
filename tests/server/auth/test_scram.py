"""`chat.server.auth.scram`: a proof in place of the password, and what is learned by failing."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.client.model.failures import ServerNotTrusted
from chat.client.session.scram import Proof
from chat.protocol.errors import BadBinding, BadCredentials, BadUsage, ChatError, LockedOut, StoreUnavailable
from chat.protocol.passwords import SCRAM, SCRAM_PLUS
from chat.protocol.values import Peer
from chat.server.auth.checkers import PasswordChecker
from chat.server.auth.credentials import PasswordCredentials, ScramCredentials
from chat.server.auth.lockout import FREE_TRIES
from chat.server.auth.scram import TIME_TO_PROVE, ScramExchange, ScramServer, ways
from chat.server.core.credential_epochs import CredentialEpochs
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
    verifier_of,
)

RIGHT = "correct horse"
CERTIFICATE = b"c" * 32
SECURE = replace(HOME, encrypted=True, binding=CERTIFICATE)


class ScramTestCase(SynchronousTestCase):
    """A server with one account, bob."""

    def setUp(self) -> None:
        self.clock = FakeClock()
        self.store = FakeStore()
        self.directory = FakeDirectory()
        self.hashing = FakeHashing()
        self.bob = self.store.add("Bob", RIGHT)
        self.directory.add_account(self.bob)
        self.start()

    def start(self) -> None:
        """The server starts, with what is stored."""
        self.verification = verification(self.store, self.hashing, self.clock)
        self.scram = ScramServer(self.directory, self.verification, CredentialEpochs(), self.clock)

    def challenge(self, name: str, first: str, peer: Peer = HOME) -> Deferred[ScramExchange]:
        return Deferred.fromCoroutine(self.scram.challenge(name, first, peer))

    def begin(self, name: str, password: str, peer: Peer = HOME) -> tuple[ScramExchange, Proof, str]:
        """The first three messages of a login."""
        proof = Proof(password, peer.binding, COST)
        exchange = self.successResultOf(self.challenge(name, proof.first, peer))
        proof.read(exchange.answer)
        return exchange, proof, proof.final()

    def prove(self, exchange: ScramExchange | None, final: str, peer: Peer = HOME) -> Deferred[Proven]:
        return self.scram.requestAvatarId(ScramCredentials(exchange, final, peer))

    def login(self, name: str, password: str, peer: Peer = HOME) -> Deferred[Proven]:
        exchange, _, final = self.begin(name, password, peer)
        return self.prove(exchange, final, peer)

    def refusal(self, result: Deferred[Proven]) -> ChatError:
        error: ChatError = self.failureResultOf(result, ChatError).value
        return error

    def salt_of(self, name: str) -> str:
        return self.begin(name, "guess")[0].answer.split(",")[1]


class AProof(ScramTestCase):
    def test_lets_its_owner_in_without_a_hash(self) -> None:
        for peer in (HOME, SECURE):
            for name in ("Bob", "bob", "@BOB"):
                self.assertEqual(self.successResultOf(self.login(name, RIGHT, peer))[:2], (self.bob.id, 0))
        self.assertEqual(self.hashing.calls, [])

    def test_is_answered_with_one_of_the_server(self) -> None:
        exchange, proof, final = self.begin("bob", RIGHT)
        proven = self.successResultOf(self.prove(exchange, final))
        proof.check(exchange.signature)
        self.assertEqual(proven.signature, exchange.signature)

    def test_of_another_password_for_a_verifier_that_an_impostor_made_up(self) -> None:
        """Who does not have the verifier cannot sign, whatever it lets pass."""
        _, proof, final = self.begin("bob", RIGHT)
        impostor = ScramExchange("bob", self.bob, verifier_of("another horse"), HOME, 0.0, proof.first)
        self.assertFalse(impostor.proves(final))
        for signature in ("", "v=", "e=other-error", f"v={'A' * 43}="):
            self.assertRaises(ServerNotTrusted, self.begin("bob", RIGHT)[1].check, signature)

    def test_holds_once(self) -> None:
        exchange, _, final = self.begin("bob", RIGHT)
        self.successResultOf(self.prove(exchange, final))
        self.failureResultOf(self.prove(exchange, final), BadUsage)

    def test_overheard_is_worth_nothing_later(self) -> None:
        """The server's half of the nonce is another one each time."""
        _, proof, final = self.begin("bob", RIGHT)
        later = self.successResultOf(self.challenge("bob", proof.first))
        self.failureResultOf(self.prove(later, final), BadCredentials)

    def test_of_a_password_that_was_changed_meanwhile(self) -> None:
        exchange, _, final = self.begin("bob", RIGHT)
        self.store.verifiers[self.bob.id] = verifier_of("another horse")
        self.failureResultOf(self.prove(exchange, final), BadCredentials)

    def test_comes_within_a_minute(self) -> None:
        exchange, _, final = self.begin("bob", RIGHT)
        self.clock.advance(TIME_TO_PROVE)
        self.successResultOf(self.prove(exchange, final))
        exchange, _, final = self.begin("bob", RIGHT)
        self.clock.advance(TIME_TO_PROVE + 0.1)
        self.failureResultOf(self.prove(exchange, final), BadUsage)

    def test_without_a_challenge(self) -> None:
        self.failureResultOf(self.prove(None, "c=biws,r=x,p=AAAA"), BadUsage)


class AWrongNameAndAWrongPassword(ScramTestCase):
    def test_cannot_be_told_apart(self) -> None:
        """The same challenge but for the salt, one look into the store at each step, and the same words."""
        told = []
        for name, password in (("bob", "wrong"), ("nobody", RIGHT), ("[no name]", RIGHT), ("", "")):
            self.store.asked.clear()
            peer = Peer(name, name)
            exchange, _, final = self.begin(name, password, peer)
            nonce, salt, iterations = exchange.answer.split(",")
            refused = self.refusal(self.prove(exchange, final, peer))
            shape = (len(nonce), salt[:11], len(salt), iterations, len(self.store.asked))
            told.append((shape, type(refused), refused.line, refused.ask, refused.wait))
        self.assertEqual(len(set(told)), 1, told)
        self.assertIs(told[0][1], BadCredentials)

    def test_not_after_a_restart_either(self) -> None:
        """A salt that is another one each time would be of a name that nobody has."""
        before = [self.salt_of(name) for name in ("bob", "nobody", "NoBody", "somebody")]
        self.start()
        self.assertEqual([self.salt_of(name) for name in ("bob", "nobody", "nobody", "somebody")], before)
        self.assertEqual(before[1], before[2])
        self.assertEqual(len(set(before)), 3)


class AfterAChangeOfTheCost(ScramTestCase):
    def test_accounts_and_decoys_have_each_cost_alike(self) -> None:
        """``bcrypt-cost`` was raised: 20 accounts still have the old one, 20 new ones do not."""
        names = [f"new-{number}" for number in range(20)]
        for number in range(19):
            self.directory.add_account(self.store.add(f"old-{number}", RIGHT))
        self.assertEqual({self.salt_of(f"nobody-{number}")[:11] for number in range(50)}, {self.salt_of("old-1")[:11]})
        for name in names:
            self.directory.add_account(self.store.add(name, RIGHT, COST + 1))
        shown = [self.salt_of(f"nobody-{number}")[:11] for number in range(200)]
        self.assertEqual(set(shown), {self.salt_of("old-1")[:11], self.salt_of("new-1")[:11]})
        self.assertLess(abs(shown.count(self.salt_of("old-1")[:11]) / len(shown) - 0.5), 0.12)


class WrongProofs(ScramTestCase):
    def test_count_as_wrong_passwords_do(self) -> None:
        """Three in all, whichever way they come; then neither way is open, and elsewhere both are."""
        checker = PasswordChecker(self.directory, self.verification, CredentialEpochs())
        self.refusal(self.login("bob", "wrong"))
        self.failureResultOf(checker.requestAvatarId(PasswordCredentials("bob", "wrong", HOME)), BadCredentials)
        exchange, _, final = self.begin("bob", RIGHT)
        for _ in range(FREE_TRIES - 2):
            self.refusal(self.login("bob", "wrong"))
        self.failureResultOf(self.prove(exchange, final), LockedOut)
        locked = self.failureResultOf(self.challenge("bob", Proof("", None, COST).first), LockedOut).value
        self.assertEqual(locked.wait, 2)
        self.failureResultOf(checker.requestAvatarId(PasswordCredentials("bob", RIGHT, HOME)), LockedOut)
        self.successResultOf(self.login("bob", RIGHT, ELSEWHERE))
        self.clock.advance(2)
        self.successResultOf(self.login("bob", RIGHT))

    def test_of_names_that_nobody_has_count_alike(self) -> None:
        for _ in range(FREE_TRIES):
            self.refusal(self.login("nobody", "wrong"))
        self.failureResultOf(self.challenge("nobody", Proof("", None, COST).first), LockedOut)

    def test_a_right_one_forgets_them(self) -> None:
        for _ in range(5):
            for _ in range(FREE_TRIES - 1):
                self.refusal(self.login("bob", "wrong"))
            self.successResultOf(self.login("bob", RIGHT))

    def test_a_challenge_alone_is_no_try(self) -> None:
        """It tells nothing, and a stranger must not lock anybody out by asking."""
        for _ in range(20):
            self.begin("bob", "guess")
        self.successResultOf(self.login("bob", RIGHT))

    def test_when_the_store_is_at_fault(self) -> None:
        exchange, _, final = self.begin("bob", RIGHT)
        self.store.error = StoreUnavailable()
        for _ in range(FREE_TRIES + 1):
            self.failureResultOf(self.prove(exchange, final), StoreUnavailable)
        self.store.error = None
        self.successResultOf(self.prove(exchange, final))


class ABinding(ScramTestCase):
    def first(self, flag: str) -> str:
        return f"{flag},,n=*,r=nonce"

    def test_is_offered_where_there_is_one(self) -> None:
        self.assertEqual((ways(HOME), ways(SECURE)), ((SCRAM,), (SCRAM, SCRAM_PLUS)))

    def test_is_required_under_tls(self) -> None:
        """Somebody in between may have told the client that it cannot be had (RFC 5802, section 6)."""
        for flag in ("n", "y"):
            refused = self.failureResultOf(self.challenge("bob", self.first(flag), SECURE), BadBinding).value
            self.assertIn("somebody in between", refused.line)

    def test_is_refused_where_no_tls_arrives(self) -> None:
        """The client speaks TLS, but with somebody else."""
        first = self.first("p=tls-server-end-point")
        refused = self.failureResultOf(self.challenge("bob", first), BadBinding).value
        self.assertIn("no TLS reaches this server", refused.line)
        self.successResultOf(self.challenge("bob", self.first("y")))

    def test_to_something_else_is_refused(self) -> None:
        self.failureResultOf(self.challenge("bob", self.first("p=tls-unique"), SECURE), BadBinding)

    def test_to_another_certificate_is_refused(self) -> None:
        """Somebody in between has a certificate of his own; what was proven to him is worth nothing here."""
        proof = Proof(RIGHT, b"x" * 32, COST)
        exchange = self.successResultOf(self.challenge("bob", proof.first, SECURE))
        proof.read(exchange.answer)
        self.failureResultOf(self.prove(exchange, proof.final(), SECURE), BadBinding)


class Nonsense(ScramTestCase):
    PIECES = st.sampled_from(("n,,", "y,,", "p=", "a=", "n=bob", "r=x", "c=biws", "p=AAAA", ",", "=", "\0", "é", "m=1"))

    @settings(max_examples=200)
    @given(st.lists(PIECES | st.text(max_size=5), max_size=8))
    def test_as_a_first_message_is_refused(self, pieces: list[str]) -> None:
        begun = self.challenge("bob", "".join(pieces))
        if not isinstance(begun.result, ScramExchange):
            self.failureResultOf(begun, BadUsage, BadBinding)

    @settings(max_examples=200)
    @given(st.lists(PIECES | st.text(max_size=5), max_size=8))
    def test_as_a_proof_is_a_wrong_password(self, pieces: list[str]) -> None:
        self.start()
        exchange = self.begin("bob", RIGHT)[0]
        self.failureResultOf(self.prove(exchange, "".join(pieces)), BadCredentials, BadBinding)
        self.assertEqual(exchange.signature, "")
