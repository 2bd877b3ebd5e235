"""`chat.client.session.scram`: the client looks at a server as hard as the server looks at it."""

from __future__ import annotations

from base64 import b64encode

from hypothesis import given
from hypothesis import strategies as st
from scramp import ScramMechanism
from scramp.core import Password
from twisted.trial.unittest import SynchronousTestCase

from chat.client.model.failures import ServerNotTrusted
from chat.client.session.scram import Proof
from chat.protocol.passwords import BINDING, MOST_ITERATIONS, new_salt
from tests.server.auth.fakes import COST, verifier_of

RIGHT = "correct horse"


def challenge(proof: Proof, salt: bytes | None = None, iterations: int = 4096) -> str:
    """What a server answers."""
    nonce = proof.first.rpartition("r=")[2]
    return f"r={nonce}server,s={b64encode(salt or new_salt(COST)).decode()},i={iterations}"


class AChallenge(SynchronousTestCase):
    def setUp(self) -> None:
        self.proof = Proof(RIGHT, None, COST)

    def refused(self, words: str, message: str) -> None:
        error = self.assertRaises(ServerNotTrusted, self.proof.read, message)
        self.assertIn(words, str(error))

    def test_that_is_reasonable(self) -> None:
        self.proof.read(challenge(self.proof))
        self.assertRegex(self.proof.final(), "^c=biws,r=.*server,p=")

    def test_with_a_cost_that_makes_guessing_cheap(self) -> None:
        """Whoever stands in between would like a proof that a dictionary opens in an evening."""
        self.proof = Proof(RIGHT, None, 10)
        self.refused("cost of 9", challenge(self.proof, new_salt(9)))
        self.proof = Proof(RIGHT, None, 10)
        self.proof.read(challenge(self.proof, new_salt(10)))

    def test_with_more_work_than_a_login_is_worth(self) -> None:
        self.refused("cost", challenge(self.proof, new_salt(15)[:4] + b"31" + new_salt(15)[6:]))
        self.proof = Proof(RIGHT, None, COST)
        self.refused("iterations", challenge(self.proof, iterations=MOST_ITERATIONS + 1))
        self.proof = Proof(RIGHT, None, COST)
        self.refused("invalid login challenge", challenge(self.proof, iterations=4095))

    def test_with_a_salt_that_is_none_of_bcrypt(self) -> None:
        self.refused("invalid login challenge", challenge(self.proof, b"x" * 22))

    def test_for_somebody_else(self) -> None:
        self.refused("invalid login challenge", challenge(Proof(RIGHT, None, COST)))

    @given(st.text(max_size=40) | st.builds("r={},s={},i={}".format, st.text(), st.text(), st.text()))
    def test_of_nonsense(self, message: str) -> None:
        self.assertRaises(ServerNotTrusted, Proof(RIGHT, None, COST).read, message)


class AProof(SynchronousTestCase):
    def test_is_bound_to_the_certificate_where_there_is_one(self) -> None:
        self.assertTrue(Proof(RIGHT, None, COST).first.startswith("n,,"))
        self.assertTrue(Proof(RIGHT, b"c" * 32, COST).first.startswith(f"p={BINDING},,"))

    def test_says_neither_the_password_nor_the_name(self) -> None:
        proof = Proof(RIGHT, None, COST)
        proof.read(challenge(proof))
        self.assertNotIn(RIGHT, proof.first + proof.final())
        self.assertIn("n=*,", proof.first)

    def test_keeps_no_password(self) -> None:
        """Once the proof is made, nothing that the client holds on to could make another one."""
        proof = Proof(RIGHT, None, COST)
        proof.read(challenge(proof))
        proof.final()
        held = [value for each in (proof, *vars(proof).values()) for value in getattr(each, "__dict__", {}).values()]
        self.assertGreater(len(held), 10)
        self.assertNotIn(RIGHT, held)
        self.assertFalse([each for each in held if isinstance(each, Password)])

    def test_and_the_servers_answer(self) -> None:
        """Only who has the verifier signs what the client expects."""
        right, wrong = verifier_of(RIGHT), verifier_of(RIGHT)
        for signer, trusted in ((right, True), (wrong, False)):
            proof = Proof(RIGHT, None, COST)
            keys = (right.salt, right.stored_key, signer.server_key, right.iterations)
            server = ScramMechanism("SCRAM-SHA-256").make_server(lambda _, keys=keys: keys)
            server.set_client_first(proof.first)
            proof.read(server.get_server_first())
            server.set_client_final(proof.final())
            if trusted:
                proof.check(server.get_server_final())
            else:
                self.assertRaises(ServerNotTrusted, proof.check, server.get_server_final())
