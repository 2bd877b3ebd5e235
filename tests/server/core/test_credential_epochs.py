"""Checked, awaited, acted on: credentials that change while a login with the old ones is on its way.

In each test something is held (the hashing, a read, the probe of a rival, the commits), the credentials are changed,
and what was held is let go. The login is refused in plain words, and leaves neither a session nor a token nor a device.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.client.session.scram import Proof
from chat.protocol.device_keys import Publication
from chat.protocol.errors import NoSuchDevice
from chat.protocol.events import Challenge, LoggedIn, OneTimeCode, PasswordChanged, Refused, Reply, SignedOut
from chat.protocol.values import Rank
from chat.server.settings.schema import Settings
from tests.server.auth.fakes import COST
from tests.server.core.stage import MANY, PASSWORD, PATIENT, Stage, begun, now
from tests.server.frontends.server import SlowReads

NEW = "another horse"
DAY = 24 * 3600


class InFlightCase(SynchronousTestCase):
    """Bob is signed in with a program, and somebody else knows his password; the operator is there as well."""

    settings: Settings = MANY

    def setUp(self) -> None:
        self.stage = Stage(self.settings)
        self.bob = self.stage.connection(True)
        self.token = self.bob.gets(LoggedIn, "new", user="bob", password=PASSWORD, device="desk").token
        self.account = self.bob.id
        self.other = self.stage.connection(True)
        self.operator = self.stage.connection(True)
        self.operator.session.operator = "the operator"

    def change(self) -> None:
        """Bob changes his password, and nothing of it is held."""
        self.bob.gets(PasswordChanged, "password", old=PASSWORD, new=NEW)

    def reset(self) -> str:
        """The operator resets the password.

        :returns: the code for the next one.
        """
        return self.operator.gets(OneTimeCode, "admin", words=f"reset-password {self.name}").secret

    name = "bob"

    def hold_hashing(self) -> None:
        """Keep what is to be hashed from now on, up to `meanwhile`."""
        self.stage.hashing.held = True

    def meanwhile(self, change: Callable[[], Any]) -> None:
        """Let others go on, and only then make the hashes that were held."""
        hashing = self.stage.hashing
        kept, hashing.waiting = hashing.waiting, []
        hashing.held = False
        self.assertTrue(kept, "nothing waits to be hashed")
        change()
        for result, call in kept:
            result.callback(call())

    def slow(self, method: str) -> SlowReads:
        """Let the answers of a read wait."""
        return SlowReads(self.stage.store, method)

    def refused(self, login: Deferred[Reply], *words: str, code: str = "credentials-changed") -> None:
        """A login has come to nothing, and nothing is left of it."""
        reply = self.successResultOf(login)
        assert isinstance(reply, Refused), reply
        self.assertEqual(reply.code, code, reply.text)
        for each in words:
            self.assertIn(each, reply.text)
        self.assertIsNone(self.other.session.user)
        self.assertEqual(self.other.code("takeover"), "nothing-to-take-over")
        self.assertNotIn("intruder", self.devices())

    def devices(self) -> dict[str, bool]:
        """Bob's devices on disk, and whether each has a token."""
        return {each.name: each.has_token for each in now(self.stage.store.devices(self.account))}

    def starts_scram(self, password: str = PASSWORD) -> str:
        """:returns: the message that ends the exchange."""
        proof = Proof(password, None, COST)
        challenge = self.other.gets(Challenge, "login", user="bob", device="intruder", scram=proof.first)
        proof.read(challenge.scram)
        return proof.final()


class ThePasswordIsChanged(InFlightCase):
    def test_a_login_by_password(self) -> None:
        self.hold_hashing()
        login = self.other.starts("login", user="bob", password=PASSWORD, device="intruder")
        self.meanwhile(self.change)
        self.refused(login, "password", "changed", "login NAME")

    def test_a_login_by_password_whose_session_is_not_attached_yet(self) -> None:
        slow = self.slow("pairs_of")
        login = self.other.starts("login", user="bob", password=PASSWORD, device="intruder")
        self.change()
        slow.release()
        self.refused(login)

    def test_a_login_by_proof(self) -> None:
        final = self.starts_scram()
        slow = self.slow("pairs_of")
        login = self.other.starts("scram", final=final)
        self.change()
        slow.release()
        self.refused(login)

    def test_a_login_by_token(self) -> None:
        """The token was found before it ended with the password, and the answer of the store comes later."""
        for method in ("token", "pairs_of"):
            slow = self.slow(method)
            login = self.other.starts("login", token=self.token, device="desk")
            self.bob.gets(PasswordChanged, "password", old=PASSWORD, new=PASSWORD + "!")
            slow.release()
            self.refused(login)
            self.assertIsNotNone(self.bob.session.user)
            self.token = self.bob.gets(PasswordChanged, "password", old=PASSWORD + "!", new=PASSWORD).token

    def test_a_token_that_is_on_its_way_to_the_disk(self) -> None:
        """The login is in before the change is on disk, and its token is written after it."""
        self.stage.store.hold()
        change = self.bob.starts("password", old=PASSWORD, new=NEW)
        login = self.other.starts("login", user="bob", password=PASSWORD, device="intruder")
        self.stage.store.release()
        self.successResultOf(change)
        self.assertIsInstance(self.successResultOf(login), Refused)
        self.assertIsNone(self.other.session.user)
        self.assertFalse(self.devices().get("intruder"))

    def test_a_token_that_is_renewed(self) -> None:
        phone = self.stage.connection(True)
        token = phone.logs_in("bob@phone").token
        phone.does("quit")
        self.stage.clock.advance(DAY)
        self.stage.store.hold()
        change = self.bob.starts("password", old=PASSWORD, new=NEW)
        login = self.other.starts("login", token=token, device="phone")
        self.stage.store.release()
        self.successResultOf(change)
        self.successResultOf(login)
        self.assertIsNone(self.other.session.user)
        self.assertFalse(self.devices()["phone"])

    def test_the_session_that_changes_it_goes_on(self) -> None:
        self.change()
        self.assertIsNotNone(self.bob.session.user)
        self.bob.gets(PasswordChanged, "password", old=NEW, new=PASSWORD)
        self.assertEqual(self.bob.told(SignedOut), [])

    def test_a_login_with_the_new_one_is_let_in_after_a_restart_too(self) -> None:
        self.change()
        self.stage = self.stage.restart()
        self.stage.connection(True).logs_in("bob", NEW)


class OneSessionAtATime(InFlightCase):
    """Where the owner's session leaves no place, and ``takeover`` would end it."""

    settings = PATIENT

    def owner_stays(self) -> None:
        self.assertIsNotNone(self.bob.session.user)
        self.assertEqual(self.bob.told(SignedOut), [])

    def test_a_login_learns_nothing_of_the_rival_and_has_nothing_to_take_over(self) -> None:
        self.hold_hashing()
        login = self.other.starts("login", user="bob", password=PASSWORD, device="intruder")
        self.meanwhile(self.change)
        self.refused(login)
        self.owner_stays()

    def test_a_proof_while_the_rival_is_probed(self) -> None:
        for alive in (True, False):
            final = self.starts_scram()
            probing = self.bob.mind.probing = Deferred()
            login = self.other.starts("scram", final=final)
            self.bob.gets(PasswordChanged, "password", old=PASSWORD, new=PASSWORD + "!")
            probing.callback(alive)
            self.refused(login)
            self.owner_stays()
            self.bob.gets(PasswordChanged, "password", old=PASSWORD + "!", new=PASSWORD)

    def test_a_takeover(self) -> None:
        self.assertEqual(
            self.other.code("login", user="bob", password=PASSWORD, device="intruder"), "already-signed-in"
        )
        slow = self.slow("pairs_of")
        takeover = self.other.starts("takeover")
        self.change()
        slow.release()
        self.refused(takeover)
        self.owner_stays()

    def test_a_takeover_with_the_token_of_a_device_that_was_signed_out(self) -> None:
        """Whatever the one who has the token calls itself meanwhile."""
        bob = self.stage.connection(True)
        self.bob.does("quit")
        phone = bob.logs_in("bob@phone").token
        bob.does("quit")
        bob = self.stage.connection(True)
        bob.logs_in("bob@desk")
        self.assertEqual(self.other.code("login", token=phone, device="phone"), "already-signed-in")
        self.assertNotIsInstance(bob.does("devices", action="end", device="phone"), Refused)
        self.other.does("hello", client="test", device="laptop")
        refused = self.other.gets(Refused, "takeover")
        self.assertIn("signed out", refused.text)
        self.assertEqual(bob.told(SignedOut), [])
        self.assertNotIn("phone", self.devices())

    def test_a_takeover_is_made_by_the_device_that_was_refused(self) -> None:
        self.assertEqual(self.other.code("login", user="bob", password=PASSWORD, device="phone"), "already-signed-in")
        self.other.does("hello", client="test", device="laptop")
        self.assertEqual(self.other.gets(LoggedIn, "takeover").device, "phone")


class ThePasswordIsReset(InFlightCase):
    """By an operator, who gives a code for another one."""

    def test_a_login_by_password(self) -> None:
        self.hold_hashing()
        login = self.other.starts("login", user="bob", password=PASSWORD, device="intruder")
        self.meanwhile(self.reset)
        self.refused(login)
        self.assertEqual(len(self.bob.told(SignedOut)), 1)

    def test_a_change_by_whoever_knows_the_old_one(self) -> None:
        """The reset stands, and its code lets the owner in."""
        self.hold_hashing()
        codes: list[str] = []
        change = self.bob.starts("password", old=PASSWORD, new=NEW)
        self.meanwhile(lambda: codes.append(self.reset()))
        reply = self.successResultOf(change)
        assert isinstance(reply, Refused), reply
        self.assertEqual(reply.code, "credentials-changed")
        self.assertEqual(self.other.code("login", user="bob", password=NEW), "bad-credentials")
        self.other.gets(LoggedIn, "claim", user="bob", code=codes[0], password=NEW)

    def test_a_change_by_proof(self) -> None:
        proof = Proof(PASSWORD, None, COST)
        challenge = self.bob.gets(Challenge, "password", scram=proof.first)
        proof.read(challenge.scram)
        verifier = now(self.stage.store.verifier(self.account))
        slow = self.slow("verifier_among")
        change = self.bob.starts("password", final=proof.final(), verifier=verifier)
        self.reset()
        slow.release()
        reply = self.successResultOf(change)
        assert isinstance(reply, Refused), reply
        self.assertEqual(reply.code, "credentials-changed")
        self.assertIsNone(now(self.stage.store.verifier(self.account)))

    def test_a_deletion_by_whoever_knows_the_old_one(self) -> None:
        self.hold_hashing()
        deletion = self.bob.starts("account", action="delete", password=PASSWORD)
        self.meanwhile(self.reset)
        self.assertIsInstance(self.successResultOf(deletion), Refused)
        self.assertIsNotNone(self.stage.chat.directory.account("bob"))

    def test_a_deletion_whose_row_is_on_its_way(self) -> None:
        self.stage.store.hold()
        reset = self.operator.starts("admin", words="reset-password bob")
        deletion = self.bob.starts("account", action="delete", password=PASSWORD)
        self.stage.store.release()
        self.assertIsInstance(self.successResultOf(reset), OneTimeCode)
        self.assertIsInstance(self.successResultOf(deletion), Refused)
        self.assertIsNotNone(self.stage.chat.directory.account("bob"))

    def test_an_account_that_is_made_just_now(self) -> None:
        self.name = "carol"
        slow = self.slow("pairs_of")
        making = self.other.starts("new", user="carol", password=PASSWORD, device="intruder")
        self.reset()
        slow.release()
        self.refused(making)

    def test_a_code_that_is_being_used(self) -> None:
        """The second code stands, and the password that was chosen with the first one does not."""
        first = self.reset()
        self.hold_hashing()
        claim = self.other.starts("claim", user="bob", code=first, password=NEW)
        codes: list[str] = []
        self.meanwhile(lambda: codes.append(self.reset()))
        self.refused(claim, "code", code="bad-credentials")
        self.assertEqual(self.other.code("login", user="bob", password=NEW), "bad-credentials")
        self.other.gets(LoggedIn, "claim", user="bob", code=codes[0], password=NEW)

    def test_a_code_that_was_used_just_now(self) -> None:
        first = self.reset()
        slow = self.slow("pairs_of")
        claim = self.other.starts("claim", user="bob", code=first, password=NEW)
        self.reset()
        slow.release()
        self.refused(claim)

    def test_a_code_ends_the_sessions_of_before(self) -> None:
        code = self.reset()
        self.other.gets(LoggedIn, "claim", user="bob", code=code, password=NEW)
        late = self.stage.connection(True)
        slow = self.slow("pairs_of")
        login = late.starts("login", user="bob", password=NEW)
        code = self.reset()
        slow.release()
        self.assertIsInstance(self.successResultOf(login), Refused)
        self.assertIsNone(self.other.session.user)


class ADeviceIsEnded(InFlightCase):
    """``devices end``, and ``logout``, which ends the token of a program."""

    def setUp(self) -> None:
        super().setUp()
        self.phone = self.stage.connection(True)
        self.phone_token = self.phone.logs_in("bob@phone").token
        self.phone.does("quit")

    def end(self) -> None:
        self.assertNotIsInstance(self.bob.does("devices", action="end", device="phone"), Refused)

    def test_a_login_by_its_token(self) -> None:
        for method in ("token", "pairs_of"):
            slow = self.slow(method)
            login = self.other.starts("login", token=self.phone_token, device="phone")
            self.end()
            slow.release()
            self.refused(login, "signed out", "password")
            self.assertNotIn("phone", self.devices())
            self.phone_token = self.other.logs_in("bob@phone").token
            self.other.does("quit")
            self.other = self.stage.connection(True)

    def test_a_login_by_password_stands(self) -> None:
        slow = self.slow("pairs_of")
        login = self.other.starts("login", user="bob@phone", password=PASSWORD)
        self.end()
        slow.release()
        reply = self.successResultOf(login)
        assert isinstance(reply, LoggedIn), reply
        self.assertTrue(self.devices()["phone"])
        self.stage.connection(True).gets(LoggedIn, "login", token=reply.token, device="phone")

    def test_a_session_that_came_while_it_was_ended(self) -> None:
        self.stage.store.hold()
        ending = self.bob.starts("devices", action="end", device="phone")
        login = self.other.starts("login", token=self.phone_token, device="phone")
        self.stage.store.release()
        self.successResultOf(ending)
        self.assertIsInstance(self.successResultOf(login), LoggedIn | Refused)
        self.assertIsNone(self.other.session.user)
        self.assertFalse(self.devices().get("phone"))

    def test_a_token_that_is_renewed(self) -> None:
        self.stage.clock.advance(DAY)
        self.stage.store.hold()
        ending = self.bob.starts("devices", action="end", device="phone")
        login = self.other.starts("login", token=self.phone_token, device="phone")
        self.stage.store.release()
        self.successResultOf(ending)
        self.successResultOf(login)
        self.assertIsNone(self.other.session.user)
        self.assertFalse(self.devices().get("phone"))
        self.assertEqual(self.other.code("login", token=self.phone_token, device="phone"), "bad-credentials")

    def test_a_password_that_is_changed_from_it(self) -> None:
        phone = self.stage.connection(True)
        phone.gets(LoggedIn, "login", token=self.phone_token, device="phone")
        self.hold_hashing()
        change = phone.starts("password", old=PASSWORD, new=NEW)
        self.meanwhile(self.end)
        self.assertIsInstance(self.successResultOf(change), Refused)
        self.other.logs_in("bob")

    def test_a_logout_while_the_token_is_used(self) -> None:
        phone = self.stage.connection(True)
        phone.gets(LoggedIn, "login", token=self.phone_token, device="phone")
        slow = self.slow("pairs_of")
        login = self.other.starts("login", token=self.phone_token, device="phone")
        phone.does("logout")
        slow.release()
        self.refused(login, "signed out")

    def test_a_logout_ends_no_other_session_of_the_device(self) -> None:
        one, other = self.stage.connection(True), self.stage.connection(True)
        for each in (one, other):
            each.logs_in("bob@phone")
        one.does("logout")
        self.assertIsNotNone(other.session.user)
        other.gets(PasswordChanged, "password", old=PASSWORD, new=NEW)


class TheAccountIsDeleted(InFlightCase):
    def delete(self) -> None:
        self.assertNotIsInstance(self.bob.does("account", action="delete", password=PASSWORD), Refused)

    def test_a_login_by_password(self) -> None:
        slow = self.slow("pairs_of")
        login = self.other.starts("login", user="bob", password=PASSWORD, device="intruder")
        self.delete()
        slow.release()
        self.refused(login, code="bad-credentials")

    def test_a_token_and_a_password_on_their_way(self) -> None:
        """Nothing of a deleted account comes back to the disk."""
        second = self.stage.connection(True)
        second.logs_in("bob@phone")
        self.hold_hashing()
        change = second.starts("password", old=PASSWORD, new=NEW)
        login = self.other.starts("login", user="bob", password=PASSWORD, device="intruder")
        slow = self.slow("delete_account")
        deletions: list[Deferred[Reply]] = []
        self.meanwhile(lambda: deletions.append(self.bob.starts("account", action="delete", password=PASSWORD)))
        code = self.operator.starts("admin", words="reset-password bob")
        late = self.stage.connection(True).starts("login", user="bob", password=PASSWORD)
        slow.release()
        for each in (change, login, code, late):
            self.assertIsInstance(self.successResultOf(each), Refused)
        self.assertNotIsInstance(self.successResultOf(deletions[0]), Refused)
        self.assertIsNone(now(self.stage.store.verifier(self.account)))
        self.assertIsNone(now(self.stage.store.code(self.account)))
        self.assertEqual(self.devices(), {})
        self.assertNotIn(self.account, self.stage.chat.node.users)

    def test_a_room_that_is_entered_just_now(self) -> None:
        """The account leaves that one as well, and nobody is a member who does not exist."""
        second = self.stage.connection(True)
        second.logs_in("bob@phone")
        ann = self.stage.enter("ann", "ops", "staff").id
        for person in (self.bob, second):
            person.does("resume")
        self.stage.store.hold()
        entering = second.starts("connect", room="ops")
        deletion = self.bob.starts("account", action="delete", password=PASSWORD)
        late = second.starts("connect", room="staff")
        self.stage.store.release()
        for each in (entering, deletion, late):
            self.successResultOf(each)
        self.assertIsNone(self.stage.chat.directory.account("bob"))
        self.assertEqual([set(self.stage.room(name).members) for name in ("ops", "staff")], [{ann}] * 2)
        after = self.stage.restart()
        self.assertEqual([set(after.room(name).members) for name in ("ops", "staff")], [{ann}] * 2)

    def test_a_setting_and_a_rank_on_their_way(self) -> None:
        """They do not bring the account back to memory either."""
        self.stage.account("ann", Rank.ADMINISTRATOR)
        second = self.stage.connection(True)
        second.logs_in("bob@phone")
        slow = [self.slow(method) for method in ("set_realname", "set_rank")]
        naming = second.starts("set", setting="realname", value="Bob")
        granting = self.operator.starts("admin", words="grant bob")
        self.delete()
        for each in slow:
            each.release()
        reply = self.successResultOf(naming)
        assert isinstance(reply, Refused), reply
        self.assertEqual(reply.code, "not-logged-in")
        refused = self.successResultOf(granting)
        assert isinstance(refused, Refused), refused
        self.assertEqual(refused.code, "no-such-user")
        self.assertIsNone(self.stage.chat.directory.account("bob"))


class KeysOfADeviceThatIsEnded(InFlightCase):
    def test_a_key_of_the_account_that_is_published_from_it(self) -> None:
        """Whoever has the device does not put a key of theirs in place of the owner's."""
        phone = self.stage.connection(True)
        phone.logs_in("bob@phone")
        key, other = b"k" * 32, b"o" * 32
        now(self.stage.store.publish_keys(self.account, "desk", Publication(account_key=key), 1))
        self.stage.store.hold()
        ending = self.bob.starts("devices", action="end", device="phone")
        publishing = begun(self.stage.chat.keys.publish(phone.session, Publication(account_key=other, reset=True)))
        self.stage.store.release()
        self.successResultOf(ending)
        self.failureResultOf(publishing, NoSuchDevice)
        (kept,) = now(self.stage.store.keys_of([self.account], 0))
        self.assertEqual(kept.account_key, key)


class Administrators(InFlightCase):
    def test_of_two_who_revoke_each_other_one_stays(self) -> None:
        """Also while the disk is slow."""
        ann, eve = (self.stage.arrives(name, rank=Rank.ADMINISTRATOR) for name in ("ann", "eve"))
        self.stage.store.hold()
        revoked = [one.starts("admin", words=f"revoke {other}") for one, other in ((ann, "eve"), (eve, "ann"))]
        self.stage.store.release()
        for each in revoked:
            self.successResultOf(each)
        self.assertEqual([each.name.shown for each in self.stage.chat.directory.administrators()], ["ann"])

    def test_a_rank_that_cannot_be_kept_stays_what_it_was(self) -> None:
        ann, eve = (self.stage.arrives(name, rank=Rank.ADMINISTRATOR) for name in ("ann", "eve"))
        self.stage.store.fail(1)
        self.assertEqual(ann.code("admin", words="revoke eve"), "not-stored")
        self.assertTrue(eve.session.administers)
