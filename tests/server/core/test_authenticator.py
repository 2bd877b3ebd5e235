"""The settings of the door: who makes accounts, and where a password may be typed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.client.session.scram import Proof
from chat.protocol.events import Challenge, LoggedIn, OneTimeCode, Refused, Resumed, Welcome
from chat.protocol.values import Peer, Rank
from chat.server.storage.transaction import Transaction
from tests.server.auth.fakes import COST
from tests.server.core.stage import PASSWORD, PATIENT, Person, Stage, now


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


CLEAR = Peer("192.0.2.7", "192.0.2.7")
TLS = replace(CLEAR, encrypted=True)


class WhateverIsAsGoodAsAPassword(SynchronousTestCase):
    """``plain-login = tls``: tokens and one-time codes do not cross the network in the clear either."""

    def setUp(self) -> None:
        self.stage = Stage(replace(PATIENT, plain_login="tls", sessions="many"))
        self.token = self.connection(TLS).gets(LoggedIn, "new", user="bob", password=PASSWORD, device="phone").token
        self.verifier = now(self.stage.store.verifier(self.stage.account("bob").id))
        self.assertTrue(self.token)

    def connection(self, peer: Peer = CLEAR) -> Person:
        return self.stage.connection(True, peer)

    def logs_in_by_proof(self) -> tuple[Person, LoggedIn]:
        """A login over a connection that everybody can read, but gives nothing away."""
        person, proof = self.connection(), Proof(PASSWORD, None, COST)
        proof.read(person.gets(Challenge, "login", user="bob", device="phone", scram=proof.first).scram)
        return person, person.gets(LoggedIn, "scram", final=proof.final())

    def refused(self, person: Person, secret: str, command: str, **arguments: Any) -> None:
        refused = person.gets(Refused, command, **arguments)
        self.assertEqual(refused.code, "plain-login-refused")
        self.assertEqual(
            refused.text,
            f"{secret} are not accepted on this unencrypted connection. Connect with TLS: ncat --ssl HOST PORT",
        )

    def test_a_token_is_not_taken(self) -> None:
        self.refused(self.connection(), "Tokens", "login", token=self.token, device="phone")
        self.connection(TLS).gets(LoggedIn, "login", token=self.token, device="phone")

    def test_a_token_is_not_renewed(self) -> None:
        self.stage.clock.advance(24 * 3600)
        self.refused(self.connection(), "Tokens", "login", token=self.token, device="phone")
        renewed = self.connection(TLS).gets(LoggedIn, "login", token=self.token, device="phone").token
        self.assertNotIn(renewed, ("", self.token))

    def test_a_token_is_not_handed_out(self) -> None:
        """The one that the device has goes on."""
        self.assertEqual(self.logs_in_by_proof()[1].token, "")
        self.connection(TLS).gets(LoggedIn, "login", token=self.token, device="phone")

    def test_welcome_names_what_is_taken(self) -> None:
        self.assertEqual(self.connection().gets(Welcome, "hello", client="x").auth, ("scram-bcrypt",))
        self.assertIn("token", self.connection(TLS).gets(Welcome, "hello", client="x").auth)
        loopback = self.connection(replace(CLEAR, loopback=True))
        self.assertNotIn("token", loopback.gets(Welcome, "hello", client="x").auth)

    def test_a_verifier_is_not_taken(self) -> None:
        """Whoever reads it and a later proof can log in."""
        self.refused(self.connection(), "New passwords", "new", user="eve", verifier=self.verifier)
        self.assertIsNone(self.stage.chat.directory.account("eve"))
        bob, proof = self.logs_in_by_proof()[0], Proof(PASSWORD, None, COST)
        proof.read(bob.gets(Challenge, "password", scram=proof.first).scram)
        self.refused(bob, "New passwords", "password", final=proof.final(), verifier=self.verifier)

    def test_a_code_is_neither_shown_nor_taken(self) -> None:
        admin = self.stage.arrives("ann", rank=Rank.ADMINISTRATOR, peer=CLEAR)
        for words in ("reset-password bob", "create-user eve", "invite"):
            refused = admin.gets(Refused, "admin", words=words)
            self.assertEqual(refused.code, "secret-not-shown")
            self.assertIn("TLS", refused.text)
        self.assertIsNone(self.stage.chat.directory.account("eve"))
        self.connection(TLS).logs_in("bob")
        operator = self.stage.connection(peer=replace(CLEAR, loopback=True))
        operator.session.operator = "the operator"
        code = operator.gets(OneTimeCode, "admin", words="reset-password bob").secret
        self.refused(self.connection(), "One-time codes", "claim", user="bob", code=code, password=PASSWORD)
        self.connection(TLS).gets(LoggedIn, "claim", user="bob", code=code, password=PASSWORD)


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
