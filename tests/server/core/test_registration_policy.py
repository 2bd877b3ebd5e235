"""The ``registration`` setting: who makes accounts, and what invitation codes are good for."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Done, Help, InvitationCodes, Listing, LoggedIn, Refused, Welcome
from chat.protocol.names import read_name
from chat.protocol.passwords import new_verifier
from chat.protocol.values import Rank
from chat.server.auth.registration import INVITATION_DAYS
from tests.server.auth.fakes import COST
from tests.server.core.stage import PASSWORD, PATIENT, Person, Stage, now

DAY = 24 * 3600


class RegistrationCase(SynchronousTestCase):
    registration = "open"

    def setUp(self) -> None:
        self.stage = Stage(replace(PATIENT, registration=self.registration))
        self.ann = self.stage.enter("ann", rank=Rank.ADMINISTRATOR)

    def invites(self, words: str = "invite") -> tuple[str, ...]:
        """Codes that an administrator makes."""
        return self.ann.gets(InvitationCodes, "admin", words=words).secrets

    def guest(self) -> Person:
        return self.stage.connection()

    def registers(self, name: str, code: str | None = None) -> LoggedIn:
        return self.guest().gets(LoggedIn, "new", user=name, password=PASSWORD, invitation=code)

    def refusal(self, name: str, code: str | None = None) -> str:
        return self.guest().code("new", user=name, password=PASSWORD, invitation=code)


class OpenRegistration(RegistrationCase):
    def test_needs_no_code_and_uses_none_up(self) -> None:
        (code,) = self.invites()
        self.registers("bob", code)
        self.assertEqual(self.ann.gets(Listing, "admin", words="invites").rows[0][1], 1)
        self.registers("carol")

    def test_is_told_to_programs(self) -> None:
        self.assertEqual(self.stage.connection(True).gets(Welcome, "hello", client="test").registration, "open")


class RegistrationThatIsClosedMeanwhile(RegistrationCase):
    def test_while_the_password_is_hashed(self) -> None:
        """The operator has changed the setting and let the server read it again: it holds for whoever is under way."""
        for policy, code in (("closed", "registration-closed"), ("code", "invitation-needed")):
            self.stage.chat.apply(replace(self.stage.chat.settings, registration="open"))
            self.stage.hashing.held = True
            making = self.guest().starts("new", user="bob", password=PASSWORD)
            self.stage.chat.apply(replace(self.stage.chat.settings, registration=policy))
            self.stage.hashing.release()
            self.stage.hashing.held = False
            refused = self.successResultOf(making)
            assert isinstance(refused, Refused), refused
            self.assertEqual(refused.code, code)
            self.assertIsNone(self.stage.chat.directory.account("bob"))
        self.stage.chat.apply(replace(self.stage.chat.settings, registration="open"))
        self.registers("bob")


class ClosedRegistration(RegistrationCase):
    registration = "closed"

    def test_makes_no_account_in_any_way(self) -> None:
        (code,) = self.invites()
        self.assertEqual(self.refusal("bob"), "registration-closed")
        self.assertEqual(self.refusal("bob", code), "registration-closed")
        verifier = new_verifier(PASSWORD, COST)
        program = self.stage.connection(True)
        self.assertEqual(program.code("new", user="bob", verifier=verifier), "registration-closed")
        self.assertEqual(self.stage.hashing.calls, [])

    def test_does_not_say_which_names_exist(self) -> None:
        self.assertEqual(self.refusal("ann"), self.refusal("nobody"))

    def test_is_not_opened_by_auto_register(self) -> None:
        """Nor does a login say that it would be."""
        for auto in ("yes", "ask"):
            self.stage = Stage(replace(PATIENT, registration="closed", auto_register=auto))
            verifier = new_verifier("another horse", COST)
            self.stage.chat.directory.add_account(
                now(self.stage.store.create_account(read_name("ann"), "", verifier, 0))
            )
            one, other = (self.guest().gets(Refused, "login", user=name, password=PASSWORD) for name in ("ann", "eve"))
            self.assertEqual(one, other)

    def test_offers_no_new_accounts(self) -> None:
        guest = self.guest()
        refused = guest.gets(Refused, "login", user="bob", password=PASSWORD)
        self.assertEqual(refused.text, "Wrong name or password. Try again: login NAME")
        self.assertEqual(guest.gets(Refused, "say", room="lobby").text, "You are not logged in. Type: login NAME")
        named = {verb.verb for _, verbs in guest.gets(Help, "help").groups for verb in verbs}
        self.assertNotIn("new", named)
        self.assertIn("login", named)
        self.assertEqual(guest.code("help", verb="new"), "registration-closed")
        self.assertEqual(self.stage.connection(True).gets(Welcome, "hello", client="test").registration, "closed")

    def test_those_who_run_the_server_still_make_accounts(self) -> None:
        self.ann.does("admin", words="create-user bob")
        self.assertIsNotNone(self.stage.chat.directory.account("bob"))


class RegistrationByCode(RegistrationCase):
    registration = "code"

    def test_each_code_makes_one_account(self) -> None:
        codes = self.invites("invite 30")
        self.assertEqual(len(set(codes)), 30)
        for number, code in enumerate(codes):
            self.registers(f"pupil-{number}", code if number % 2 else code.upper().replace("-", " "))
        self.assertEqual(self.refusal("bob", codes[0]), "bad-invitation")
        self.assertEqual(self.ann.gets(Listing, "admin", words="invites").rows, ())

    def test_the_password_may_stay_with_its_owner(self) -> None:
        (code,) = self.invites()
        program = self.stage.connection(True)
        program.gets(LoggedIn, "new", user="bob", verifier=new_verifier(PASSWORD, COST), invitation=code)

    def test_without_one_or_with_a_wrong_one_no_account_is_made_and_nothing_hashed(self) -> None:
        self.assertEqual(self.refusal("bob"), "invitation-needed")
        reply = self.guest().gets(Refused, "new", user="bob", password=PASSWORD, invitation="k7mq-2xnp-w4ta-9hdr")
        self.assertEqual((reply.code, reply.ask), ("bad-invitation", "invitation"))
        self.assertEqual(self.stage.hashing.calls, [])

    def test_which_names_exist_is_told_to_those_with_a_code(self) -> None:
        (code,) = self.invites()
        self.assertEqual(self.refusal("ann"), self.refusal("nobody"))
        self.assertEqual(self.refusal("ann", "wrong"), self.refusal("nobody", "wrong"))
        self.assertEqual(self.refusal("ann", code), "name-taken")
        self.registers("bob", code)

    def test_a_name_or_a_password_that_will_not_do_leaves_the_code(self) -> None:
        (code,) = self.invites()
        self.assertEqual(self.guest().code("new", user="bob", password="short", invitation=code), "bad-password")
        self.registers("bob", code)

    def test_two_at_once_with_one_code_make_one_account(self) -> None:
        """Both were looked at before either was stored."""
        (code,) = self.invites()
        self.stage.hashing.held = True
        both = [self.guest().starts("new", user=name, password=PASSWORD, invitation=code) for name in ("bob", "eve")]
        self.stage.hashing.release()
        one, other = (self.successResultOf(each) for each in both)
        self.assertIsInstance(one, LoggedIn)
        assert isinstance(other, Refused)
        self.assertEqual(other.code, "bad-invitation")
        self.assertIsNone(self.stage.chat.directory.account("eve"))

    def test_codes_expire(self) -> None:
        codes = self.invites("invite 2")
        self.stage.clock.advance(INVITATION_DAYS * DAY - 1)
        self.registers("bob", codes[0])
        self.stage.clock.advance(1)
        self.assertEqual(self.refusal("eve", codes[1]), "bad-invitation")
        self.assertEqual(self.ann.gets(Listing, "admin", words="invites").rows, ())

    def test_codes_are_listed_by_batch_and_can_be_ended(self) -> None:
        class_a, class_b = self.invites("invite 3"), self.invites("invite 5")
        self.registers("bob", class_a[0])
        rows = self.ann.gets(Listing, "admin", words="invites").rows
        self.assertEqual([(row[0], row[1], row[4]) for row in rows], [(1, 2, "ann"), (2, 5, "ann")])
        self.assertEqual(self.ann.gets(Done, "admin", words="invites end 1").text, "2 invitation codes revoked.")
        self.assertEqual(self.refusal("eve", class_a[1]), "bad-invitation")
        self.assertEqual(self.ann.code("admin", words="invites end 1"), "no-effect")
        self.assertEqual(self.ann.code("admin", words="invites end"), "bad-usage")
        self.registers("eve", class_b[4])

    def test_only_digests_are_stored(self) -> None:
        (code,) = self.invites()
        self.stage = self.stage.restart()
        assert self.stage.store._connection is not None
        stored = self.stage.store._connection.serialize()
        for spelled in (code, code.replace("-", "")):
            self.assertNotIn(spelled.encode(), stored)
        self.registers("bob", code)

    def test_wrong_codes_are_slowed_down(self) -> None:
        codes = {self.refusal("bob", f"guess-{number}") for number in range(60)}
        self.assertEqual(codes, {"bad-invitation"})
        self.assertEqual(self.refusal("bob", "guess"), "too-fast")

    def test_auto_register_does_not_tell_which_names_exist(self) -> None:
        for auto in ("yes", "ask"):
            self.stage = Stage(replace(PATIENT, registration="code", auto_register=auto))
            reply = self.guest().gets(Refused, "login", user="bob", password=PASSWORD)
            self.assertEqual(reply.code, "bad-credentials")
            self.assertNotIn("no account", reply.text)

    def test_only_administrators_make_codes(self) -> None:
        self.assertEqual(self.stage.enter("bob").code("admin", words="invite"), "forbidden")
