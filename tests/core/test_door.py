"""The settings of the door: who makes accounts, and where a password may be typed."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.client.proof import Proof
from chat.events import Challenge, LoggedIn, Refused, Resumed, Welcome
from chat.storage.transaction import Transaction
from chat.values import Peer
from tests.auth.fakes import COST
from tests.core.stage import PASSWORD, PATIENT, Stage, now


class UnknownNames(SynchronousTestCase):
    """``auto-register``."""

    def test_no(self) -> None:
        """A wrong name and a wrong password are told alike."""
        stage = Stage()
        stage.connection().does("new", user="bob", password=PASSWORD)
        one, other = (stage.connection().gets(Refused, "login", user=name, password="x" * 9) for name in ("bob", "eve"))
        self.assertEqual(one, other)

    def test_yes(self) -> None:
        stage = Stage(replace(PATIENT, auto_register="yes"))
        reply = stage.connection().logs_in("bob")
        self.assertTrue(reply.created)
        self.assertEqual(stage.connection().code("login", user="bob", password="x" * 9), "bad-credentials")
        self.assertEqual(stage.connection().code("login", user="eve", password="short"), "bad-password")

    def test_ask(self) -> None:
        stage = Stage(replace(PATIENT, auto_register="ask"))
        reply = stage.connection().gets(Refused, "login", user="bob", password=PASSWORD)
        self.assertEqual((reply.code, reply.ask), ("bad-credentials", "user"))
        self.assertIn("new bob", reply.text)


class PlainPasswords(SynchronousTestCase):
    """``plain-login``: where a password may cross the network unencrypted."""

    def allowed(self, policy: str) -> list[bool]:
        """From elsewhere, from this machine, and from elsewhere under TLS."""
        stage = Stage(replace(PATIENT, plain_login=policy))
        results = []
        for number, peer in enumerate(
            (
                Peer("192.0.2.7", "192.0.2.7"),
                Peer("127.0.0.1", "127.0.0.1", loopback=True),
                Peer("192.0.2.7", "192.0.2.7", encrypted=True),
            )
        ):
            person = stage.connection(peer=peer)
            reply = person.does("new", user=f"bob{number}", password=PASSWORD)
            results.append(isinstance(reply, LoggedIn))
            self.assertTrue(results[-1] or (isinstance(reply, Refused) and reply.code == "plain-login-refused"))
            if not results[-1]:
                self.assertEqual(person.code("login", user="bob", password=PASSWORD), "plain-login-refused")
        return results

    def test_policies(self) -> None:
        self.assertEqual(self.allowed("always"), [True, True, True])
        self.assertEqual(self.allowed("loopback"), [False, True, True])
        self.assertEqual(self.allowed("tls"), [False, False, True])

    def test_a_change_of_password(self) -> None:
        stage = Stage(replace(PATIENT, plain_login="tls"))
        bob = stage.enter("bob")
        self.assertEqual(bob.code("password", old=PASSWORD, new="another one"), "plain-login-refused")
        self.assertEqual(stage.hashing.calls, [])


class AFullDisk(SynchronousTestCase):
    """From the start on nothing can be written; whoever has an account logs in all the same."""

    def setUp(self) -> None:
        before = Stage(replace(PATIENT, sessions="many"))
        self.token = before.connection(True).gets(LoggedIn, "new", user="bob", password=PASSWORD).token
        forget_secrets(before)
        now(before.chat.stop("The disk is full."))
        before.store.fail(1_000)
        self.stage = Stage(before.chat.settings, before.store, clock=before.clock)

    def test_by_password(self) -> None:
        for program in (False, True):
            person = self.stage.connection(program)
            self.assertEqual(person.logs_in("bob").token, "")
            person.gets(Resumed, "resume")

    def test_by_proof(self) -> None:
        person, proof = self.stage.connection(True), Proof(PASSWORD, None, COST)
        self.assertEqual(person.gets(Welcome, "hello", client="test").database, "")
        proof.read(person.gets(Challenge, "login", user="bob", scram=proof.first).scram)
        proof.check(person.gets(LoggedIn, "scram", final=proof.final()).scram)

    def test_by_token(self) -> None:
        self.assertEqual(self.stage.connection(True).gets(LoggedIn, "login", token=self.token).token, self.token)


def forget_secrets(stage: Stage) -> None:
    """Leave a database whose secrets were never made."""

    def forget(transaction: Transaction) -> None:
        transaction.execute("DELETE FROM secrets")

    now(stage.store._write(forget))
