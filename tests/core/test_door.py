"""The settings of the door: who makes accounts, and where a password may be typed."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.events import LoggedIn, Refused
from chat.values import Peer
from tests.core.stage import PASSWORD, PATIENT, Stage


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
