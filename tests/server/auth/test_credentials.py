"""`chat.server.auth.credentials` and `chat.server.auth.tokens`."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from chat.server.auth.credentials import (
    OneTimeCodeCredentials,
    PasswordCredentials,
    RegistrationCredentials,
    ScramCredentials,
    TakeoverCredentials,
    TokenCredentials,
)
from chat.server.auth.tokens import PREFIX, digest, new_token
from chat.server.interfaces import (
    IOneTimeCodeCredentials,
    IPasswordCredentials,
    IRegistrationCredentials,
    IScramCredentials,
    ITakeoverCredentials,
    ITokenCredentials,
)
from tests.server.auth.fakes import HOME


class Credentials(SynchronousTestCase):
    def test_are_what_the_checkers_ask_for(self) -> None:
        verifyObject(IPasswordCredentials, PasswordCredentials("bob", "hunter22", HOME))
        verifyObject(ITokenCredentials, TokenCredentials("ct_x", "phone", HOME))
        verifyObject(IScramCredentials, ScramCredentials(None, "c=biws", HOME))
        verifyObject(IRegistrationCredentials, RegistrationCredentials("bob", "hunter22", "", None, HOME))
        verifyObject(IOneTimeCodeCredentials, OneTimeCodeCredentials("bob", "abcd", "hunter22", HOME))
        verifyObject(ITakeoverCredentials, TakeoverCredentials(None))

    def test_never_show_their_secret(self) -> None:
        """What stands in a traceback or a log is the repr."""
        for credentials in (
            PasswordCredentials("bob", "hunter22", HOME),
            TokenCredentials("hunter22", "phone", HOME),
            ScramCredentials(None, "hunter22", HOME),
            RegistrationCredentials("bob", "hunter22", "", "hunter22", HOME),
            OneTimeCodeCredentials("bob", "hunter22", "hunter22", HOME),
        ):
            self.assertNotIn("hunter22", f"{credentials!r} {credentials}")
            self.assertIn("192.0.2.7", repr(credentials))


class Tokens(SynchronousTestCase):
    def test_cannot_be_guessed(self) -> None:
        """32 random bytes, each time others, in characters that need no quoting anywhere."""
        tokens = {new_token() for _ in range(100)}
        self.assertEqual(len(tokens), 100)
        for token in tokens:
            self.assertRegex(token, r"\Act_[A-Za-z0-9_-]{43}\Z")
            self.assertTrue(token.startswith(PREFIX))

    def test_are_stored_as_a_digest(self) -> None:
        token = new_token()
        self.assertEqual(len(digest(token)), 32)
        self.assertEqual(digest(token), digest(token))
        self.assertNotEqual(digest(token), digest(new_token()))
        self.assertEqual(len(digest("\ud800")), 32)
