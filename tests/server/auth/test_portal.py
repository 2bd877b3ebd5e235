"""Cred's portal: every way to log in passes it, and nothing attaches a session beside it.

`tests.house.test_portal` proves the second half from the source.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.portal import Portal
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase
from zope.interface import Interface

from chat.client.session.scram import Proof
from chat.protocol.events import Challenge, InvitationCodes, LoggedIn, OneTimeCode, Refused
from chat.protocol.passwords import new_verifier
from chat.server.auth.authenticator import Authenticator
from chat.server.auth.credentials import (
    OneTimeCodeCredentials,
    PasswordCredentials,
    RegistrationCredentials,
    ScramCredentials,
    TakeoverCredentials,
    TokenCredentials,
)
from chat.server.core.user import ChatUser, Session
from chat.server.interfaces import IChatUser
from chat.server.settings.schema import Settings
from tests.server.auth.fakes import COST
from tests.server.core.stage import MANY, PASSWORD, PATIENT, Person, Stage

NEW = "another horse"


class SpyPortal(Portal):
    """Notes what was presented by which session, and the avatar and the logout that came of it."""

    def __init__(self, portal: Portal) -> None:
        super().__init__(portal.realm, set(portal.checkers.values()))
        self.presented: list[tuple[type, object]] = []
        self.attached: list[tuple[Any, Any]] = []
        self.before_answer: list[Any] = []

    def login(self, credentials: Any, mind: object, *interfaces: type[Interface]) -> Deferred[Any]:
        self.presented.append((type(credentials), mind))
        return super().login(credentials, mind, *interfaces).addCallback(self._note)

    def _note(self, result: tuple[Any, Any, Any]) -> tuple[Any, Any, Any]:
        self.attached.append((result[0], result[1]))
        for call in self.before_answer:
            call()
        return result


class PortalCase(SynchronousTestCase):
    """Bob has an account and is signed in with a program; what comes later is noted."""

    settings: Settings = MANY

    def setUp(self) -> None:
        self.stage = Stage(self.settings)
        self.bob = self.stage.connection(True)
        self.token = self.bob.gets(LoggedIn, "new", user="bob", password=PASSWORD, device="desk").token
        authenticator = self.stage.chat.authenticator
        assert isinstance(authenticator, Authenticator)
        self.portal = authenticator.portal = SpyPortal(authenticator.portal)
        self.guest = self.stage.connection(True)

    def presented(self, kind: type, person: Person | None = None) -> None:
        """The last thing that came to the portal was of this kind, with the session as the mind."""
        person = person or self.guest
        self.assertEqual(self.portal.presented[-1], (kind, person.session))

    def attached(self, kind: type) -> None:
        """Exactly one login passed the portal, and its avatar is the user of the session."""
        self.assertEqual(self.portal.presented, [(kind, self.guest.session)])
        ((interface, avatar),) = self.portal.attached
        self.assertIs(interface, IChatUser)
        self.assertIsInstance(avatar, ChatUser)
        self.assertIs(self.guest.session.user, avatar)
        self.assertIsNotNone(self.guest.session.logout)

    def proves(self, person: Person, password: str = PASSWORD) -> tuple[Proof, str]:
        """Begin a login without the password.

        :returns: the client's side of it, and its final message.
        """
        proof = Proof(password, None, COST)
        proof.read(person.gets(Challenge, "login", user="bob", device="phone", scram=proof.first).scram)
        return proof, proof.final()


class EveryWayIn(PortalCase):
    def test_a_password(self) -> None:
        self.guest.gets(LoggedIn, "login", user="bob", password=PASSWORD, device="phone")
        self.attached(PasswordCredentials)

    def test_a_token(self) -> None:
        self.guest.gets(LoggedIn, "login", token=self.token, device="desk")
        self.attached(TokenCredentials)

    def test_a_proof(self) -> None:
        proof, final = self.proves(self.guest)
        proof.check(self.guest.gets(LoggedIn, "scram", final=final).scram)
        self.attached(ScramCredentials)

    def test_a_registration_with_a_password(self) -> None:
        self.guest.gets(LoggedIn, "new", user="ann", password=PASSWORD)
        self.attached(RegistrationCredentials)

    def test_a_registration_with_a_verifier(self) -> None:
        self.guest.gets(LoggedIn, "new", user="ann", verifier=new_verifier(PASSWORD, COST))
        self.attached(RegistrationCredentials)

    def test_a_one_time_code(self) -> None:
        self.bob.session.operator = "the operator"
        code = self.bob.gets(OneTimeCode, "admin", words="reset-password bob").secret
        self.guest.gets(LoggedIn, "claim", user="bob", code=code, password=NEW)
        self.attached(OneTimeCodeCredentials)

    def test_a_wrong_one_attaches_nobody(self) -> None:
        for command, arguments in (
            ("login", {"user": "bob", "password": "wrong"}),
            ("login", {"token": "ct_wrong", "device": "desk"}),
            ("scram", {"final": "c=biws,r=x,p=AAAA"}),
            ("new", {"user": "bob", "password": PASSWORD}),
            ("claim", {"user": "bob", "code": "wrong", "password": NEW}),
            ("takeover", {}),
        ):
            self.guest.gets(Refused, command, **arguments)
            self.assertIsNone(self.guest.session.user)
        self.assertEqual(
            [kind for kind, _ in self.portal.presented],
            [
                PasswordCredentials,
                TokenCredentials,
                ScramCredentials,
                RegistrationCredentials,
                OneTimeCodeCredentials,
                TakeoverCredentials,
            ],
        )
        self.assertEqual(self.portal.attached, [])

    def test_as_many_as_the_portal_has_checkers(self) -> None:
        """A new way in is a new interface of credentials, which has to be tested here as well."""
        ours = {each.__name__ for each in self.portal.checkers} - {"INoProof"}
        kinds = (
            OneTimeCodeCredentials,
            PasswordCredentials,
            RegistrationCredentials,
            ScramCredentials,
            TakeoverCredentials,
            TokenCredentials,
        )
        self.assertEqual(ours, {f"I{each.__name__}" for each in kinds})


class AnAutomaticRegistration(PortalCase):
    settings = Settings(bcrypt_cost=COST, rate=1e6, burst=1_000_000, sessions="many", auto_register="yes")

    def test_is_a_registration(self) -> None:
        self.guest.gets(LoggedIn, "login", user="ann", password=PASSWORD)
        self.attached(RegistrationCredentials)


class ATakeover(PortalCase):
    settings = PATIENT

    def test_is_a_way_in_of_its_own(self) -> None:
        self.assertEqual(self.guest.code("login", user="bob", password=PASSWORD), "already-signed-in")
        self.presented(PasswordCredentials)
        self.assertEqual(self.portal.attached, [])
        self.guest.gets(LoggedIn, "takeover")
        self.presented(TakeoverCredentials)
        self.assertEqual([avatar for _, avatar in self.portal.attached], [self.guest.session.user])
        self.assertIsNone(self.bob.session.user)

    def test_of_a_proof_is_signed_by_the_server(self) -> None:
        """Whatever the session has tried since: the signature belongs to the login that is taken over."""
        proof, final = self.proves(self.guest)
        self.assertEqual(self.guest.code("scram", final=final), "already-signed-in")
        self.assertEqual(self.guest.code("login", user="bob", password="wrong"), "bad-credentials")
        proof.check(self.guest.gets(LoggedIn, "takeover").scram)

    def test_of_a_password_is_not_signed(self) -> None:
        self.proves(self.guest)
        self.guest.code("login", user="bob", password=PASSWORD)
        self.assertEqual(self.guest.gets(LoggedIn, "takeover").scram, "")


class SomebodyWhoHangsUpMeanwhile(PortalCase):
    def test_is_logged_out_by_what_cred_hands_out(self) -> None:
        """The connection ends between the attachment and the answer of the portal: no ghost is left."""

        def cut() -> None:
            self.guest.session.gone = True

        self.portal.before_answer.append(cut)
        reply = self.guest.gets(Refused, "login", user="bob", password=PASSWORD, device="phone")
        self.assertEqual(reply.code, "shutting-down")
        ((_, avatar),) = self.portal.attached
        self.assertEqual(avatar.sessions, [self.bob.session])
        self.assertIsNone(self.guest.session.user)

    def test_is_logged_out_by_the_end_of_the_connection(self) -> None:
        self.guest.gets(LoggedIn, "login", user="bob", password=PASSWORD, device="phone")
        logged_out: list[Session] = []
        logout = self.guest.session.logout
        assert logout is not None

        def note() -> None:
            logged_out.append(self.guest.session)
            logout()

        self.guest.session.logout = note
        self.guest.hangs_up()
        self.assertEqual(logged_out, [self.guest.session])
        self.assertIsNone(self.guest.session.user)


class AnInvitation(PortalCase):
    settings = Settings(bcrypt_cost=COST, rate=1e6, burst=1_000_000, sessions="many", registration="code")

    def setUp(self) -> None:
        self.settings = MANY
        super().setUp()
        self.stage.chat.apply(type(self).settings)

    def test_is_part_of_the_registration(self) -> None:
        self.bob.session.operator = "the operator"
        (code,) = self.bob.gets(InvitationCodes, "admin", words="invite").secrets
        self.assertEqual(self.guest.code("new", user="ann", password=PASSWORD), "invitation-needed")
        self.guest.gets(LoggedIn, "new", user="ann", password=PASSWORD, invitation=code)
        self.presented(RegistrationCredentials)
        self.assertEqual(len(self.portal.attached), 1)
