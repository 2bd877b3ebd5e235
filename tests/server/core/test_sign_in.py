"""Logging in: how many sessions an account may have, takeover, tokens, and who hangs up meanwhile."""

from __future__ import annotations

from dataclasses import replace

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import LoggedIn, LoggedOut, Presence, Refused, SignedOut
from chat.protocol.values import Text
from chat.server.auth.checkers import TAKEOVER_TIME
from chat.server.settings.schema import Settings
from tests.server.core.stage import MANY, PASSWORD, PATIENT, Person, Stage

DAY = 24 * 3600


class SignInCase(SynchronousTestCase):
    """Bob, who has a password, is signed in; his second connection is not yet."""

    settings: Settings = PATIENT
    program = False

    def setUp(self) -> None:
        self.stage = Stage(self.settings)
        self.stage.after_start()
        self.ann = self.stage.enter("ann")
        self.bob = self.stage.connection(self.program)
        self.first = self.bob.gets(LoggedIn, "new", user="bob", password=PASSWORD)
        self.bob.does("resume")
        self.stage.pass_time(10)
        self.ann.forget()
        self.second = self.stage.connection(self.program)

    def here(self) -> list[Person]:
        """Which of the two sessions are Bob's."""
        return [each for each in (self.bob, self.second) if each.session.user is not None]

    def news(self) -> list[str]:
        """What others were told of Bob's coming and going."""
        self.stage.pass_time(60)
        return [event.state for event in self.ann.told(Presence)]


class OneSession(SignInCase):
    """``sessions = one``: a second login is refused, and told where the first is."""

    def test_the_second_is_refused(self) -> None:
        reply = self.second.gets(Refused, "login", user="bob", password=PASSWORD, device="phone")
        self.assertEqual(reply.code, "already-signed-in")
        self.assertIn("192.0.2.7", reply.text)
        self.assertEqual(self.here(), [self.bob])

    def test_a_wrong_password_learns_nothing_of_it(self) -> None:
        self.assertEqual(self.second.code("login", user="bob", password="wrong"), "bad-credentials")
        self.assertEqual(self.second.code("takeover"), "nothing-to-take-over")

    def test_a_session_without_life_is_replaced(self) -> None:
        self.bob.mind.alive = False
        self.second.logs_in("bob")
        self.assertEqual(self.here(), [self.second])
        self.assertEqual(len(self.bob.told(SignedOut)), 1)
        self.assertEqual(self.news(), [])

    def test_the_first_hangs_up_while_it_is_probed(self) -> None:
        probing = self.bob.mind.probing = Deferred()
        login = self.second.starts("login", user="bob", password=PASSWORD)
        self.assertNoResult(login)
        self.bob.hangs_up()
        probing.callback(True)
        self.assertIsInstance(self.successResultOf(login), LoggedIn)

    def test_the_second_hangs_up_while_the_first_is_probed(self) -> None:
        """It ends nobody's session."""
        probing = self.bob.mind.probing = Deferred()
        login = self.second.starts("login", user="bob", password=PASSWORD)
        self.second.hangs_up()
        probing.callback(False)
        self.assertIsInstance(self.successResultOf(login), Refused)
        self.assertEqual(self.here(), [self.bob])
        self.assertEqual(self.bob.told(SignedOut), [])

    def test_the_same_name_on_another_connection_after_logout(self) -> None:
        self.bob.does("logout")
        self.second.logs_in("bob")
        self.assertEqual(self.here(), [self.second])


class TakingOver(SignInCase):
    """Offered only after the right password."""

    def refused(self) -> None:
        self.assertEqual(self.second.code("login", user="bob", password=PASSWORD), "already-signed-in")

    def test_it_ends_the_other_session(self) -> None:
        self.refused()
        reply = self.second.gets(LoggedIn, "takeover")
        self.assertEqual(reply.account, "bob")
        self.assertEqual(self.here(), [self.second])
        self.assertEqual(len(self.bob.told(SignedOut)), 1)
        self.assertEqual(self.bob.mind.closed, "")
        self.assertEqual(self.bob.code("online"), "not-logged-in")

    def test_to_others_bob_was_here_all_the_time(self) -> None:
        self.refused()
        self.second.does("takeover")
        self.assertEqual(self.news(), [])

    def test_the_events_flow_to_the_new_session_only(self) -> None:
        self.refused()
        self.second.does("takeover")
        self.second.does("resume")
        self.bob.forget()
        self.ann.writes("bob", "hi")
        self.assertEqual((self.bob.heard, self.second.heard), ([], ["hi"]))

    def test_not_for_ever(self) -> None:
        self.refused()
        self.stage.clock.advance(TAKEOVER_TIME + 1)
        self.assertEqual(self.second.code("takeover"), "nothing-to-take-over")

    def test_only_once(self) -> None:
        self.refused()
        self.second.does("takeover")
        self.second.does("logout")
        self.assertEqual(self.second.code("takeover"), "nothing-to-take-over")

    def test_not_after_the_password_was_changed(self) -> None:
        self.refused()
        self.bob.does("password", old=PASSWORD, new="another password")
        self.assertEqual(self.second.code("takeover"), "nothing-to-take-over")
        self.assertEqual(self.here(), [self.bob])

    def test_while_the_password_is_being_changed(self) -> None:
        """Whoever came in with the old one is out with it."""
        self.refused()
        self.stage.hashing.held = True
        change = self.bob.starts("password", old=PASSWORD, new="another password")
        self.second.does("takeover")
        self.stage.hashing.release()
        self.assertNotIsInstance(self.successResultOf(change), Refused)
        self.assertEqual(self.here(), [])


class OneForEachDevice(SignInCase):
    """``sessions = per-device``."""

    settings = replace(PATIENT, sessions="per-device")

    def test_another_device(self) -> None:
        self.second.logs_in("bob@phone")
        self.assertEqual(self.here(), [self.bob, self.second])
        self.assertEqual(self.second.session.device, "phone")

    def test_the_same_device(self) -> None:
        self.assertEqual(self.second.code("login", user="bob", password=PASSWORD), "already-signed-in")

    def test_one_device_gone_another_stays(self) -> None:
        self.second.logs_in("bob@phone")
        self.bob.does("logout")
        self.assertEqual(self.here(), [self.second])
        self.assertEqual(self.news(), [])


class ManySessions(SignInCase):
    """``sessions = many``."""

    settings = MANY

    def test_as_many_as_one_likes(self) -> None:
        self.second.logs_in("bob")
        self.assertEqual(self.here(), [self.bob, self.second])

    def test_a_new_password_ends_the_others(self) -> None:
        self.second.logs_in("bob")
        self.second.does("password", old=PASSWORD, new="another password")
        self.assertEqual(self.here(), [self.second])
        self.assertEqual(len(self.bob.told(SignedOut)), 1)


class Tokens(SignInCase):
    """A program gets a token, which logs its device in again without a hash."""

    program = True

    def test_it_replaces_its_own_ghost_at_once(self) -> None:
        """Although the old connection still looks alive."""
        hashes = len(self.stage.hashing.calls)
        reply = self.second.gets(LoggedIn, "login", token=self.first.token)
        self.assertEqual(reply.account, "bob")
        self.assertEqual(self.here(), [self.second])
        self.assertEqual(len(self.stage.hashing.calls), hashes)
        self.assertEqual(self.news(), [])

    def test_it_is_good_for_its_device_only(self) -> None:
        self.assertEqual(self.second.code("login", token=self.first.token, device="phone"), "bad-credentials")

    def test_it_stays_the_same_for_a_day(self) -> None:
        self.bob.does("quit")
        self.stage.clock.advance(DAY - 3600)
        self.assertEqual([self.renewed(self.first.token) for _ in range(3)], [self.first.token] * 3)

    def test_the_one_before_is_good_until_the_next_is_made(self) -> None:
        """The answer that held the new one may have been lost."""
        first = self.first.token
        self.stage.clock.advance(DAY)
        second = self.renewed(first)
        self.assertNotIn(second, ("", first))
        self.assertEqual([self.renewed(each) for each in (first, second, first)], [first, second, first])
        self.stage.clock.advance(DAY)
        third = self.renewed(second)
        self.assertNotIn(third, ("", first, second))
        self.assertEqual([self.renewed(each) for each in (second, third)], [second, third])

    def test_the_one_before_goes_on_where_the_answer_was_lost(self) -> None:
        self.stage.clock.advance(DAY)
        self.renewed(self.first.token)
        self.stage.clock.advance(DAY)
        third = self.renewed(self.first.token)
        self.assertEqual(self.renewed(third), third)

    def test_it_goes_on_while_the_disk_takes_nothing(self) -> None:
        for _ in range(2):
            self.stage.store.fail(10)
            self.assertEqual(self.renewed(self.first.token), self.first.token)
            self.stage.clock.advance(DAY)

    def test_logging_out_ends_it_and_quitting_does_not(self) -> None:
        self.bob.does("quit")
        self.second.does("login", token=self.first.token)
        self.second.does("logout")
        self.assertEqual(self.second.code("login", token=self.first.token), "bad-credentials")

    def test_logging_out_needs_no_disk(self) -> None:
        self.stage.store.fail(10)
        self.bob.gets(LoggedOut, "logout")
        self.assertEqual(self.here(), [])

    def renewed(self, token: str) -> str:
        """What a login by a token is answered with for the next time; nothing when it is refused."""
        connection = self.stage.connection(True)
        reply = connection.does("login", token=token)
        connection.hangs_up()
        return reply.token if isinstance(reply, LoggedIn) else ""

    def test_a_new_password_ends_it(self) -> None:
        self.bob.does("password", old=PASSWORD, new="another password")
        self.assertEqual(self.second.code("login", token=self.first.token), "bad-credentials")

    def test_the_device_of_the_hello(self) -> None:
        self.bob.does("logout")
        self.second.does("hello", client="test", device="tablet")
        self.assertEqual(self.second.logs_in("bob").device, "tablet")
        self.second.does("logout")
        self.assertEqual(self.second.logs_in("bob@phone").device, "phone")

    def test_people_get_none(self) -> None:
        person = self.stage.connection()
        self.assertEqual(person.gets(LoggedIn, "new", user="carol", password=PASSWORD).token, "")


class HangingUp(SignInCase):
    """Who hangs up in the middle of anything leaves nothing behind."""

    def test_while_the_password_is_hashed(self) -> None:
        self.bob.does("logout")
        self.news()
        self.ann.forget()
        self.stage.hashing.held = True
        login = self.second.starts("login", user="bob", password=PASSWORD)
        self.second.hangs_up()
        self.stage.hashing.release()
        self.assertIsInstance(self.successResultOf(login), Refused)
        self.assertEqual(self.here(), [])
        self.assertNotIn(self.stage.account("bob").id, self.stage.chat.node.users)
        self.assertEqual(self.news(), [])

    def test_while_the_account_is_made(self) -> None:
        """The account is whole, and nobody is in it."""
        self.stage.hashing.held = True
        registering = self.second.starts("new", user="carol", password=PASSWORD)
        self.second.hangs_up()
        self.stage.hashing.release()
        self.assertIsInstance(self.successResultOf(registering), Refused)
        self.stage.hashing.held = False
        self.assertEqual(self.news(), [])
        self.stage.connection().logs_in("carol")

    def test_while_a_message_is_stored(self) -> None:
        self.stage.store.hold()
        saying = self.bob.starts("message", user="ann", text=Text("x"))
        self.bob.hangs_up()
        self.stage.store.release()
        self.successResultOf(saying)
        self.assertEqual(self.stage.chat.node.users.keys(), {self.ann.id})

    def test_while_a_setting_is_stored(self) -> None:
        """What was asked for before is done all the same."""
        self.stage.store.hold()
        changing = self.bob.starts("set", setting="realname", value="Bob")
        self.bob.does("logout")
        self.stage.store.release()
        self.successResultOf(changing)
        self.assertEqual(self.stage.account("bob").realname, "Bob")

    def test_a_room_forgets_the_session(self) -> None:
        self.bob.does("create", room="ops")
        self.bob.hangs_up()
        self.assertEqual(self.stage.room("ops").occupants, {})
        self.assertEqual(len(self.stage.chat.node.everyone), 1)


class EndingADevice(SignInCase):
    """``devices end``: its sessions and its token."""

    settings = replace(PATIENT, sessions="per-device")
    program = True

    def test_its_session_and_its_token_end(self) -> None:
        token = self.second.logs_in("bob@phone").token
        self.assertNotIsInstance(self.bob.does("devices", action="end", device="phone"), Refused)
        self.assertEqual(self.here(), [self.bob])
        self.assertEqual(self.second.code("login", token=token, device="phone"), "bad-credentials")

    def test_this_very_session(self) -> None:
        self.assertEqual(self.bob.code("devices", action="end", device="default"), "bad-usage")
        self.assertEqual(self.here(), [self.bob])

    def test_an_unknown_device(self) -> None:
        self.assertEqual(self.bob.code("devices", action="end", device="fridge"), "no-such-device")

    def test_a_device_of_somebody_else(self) -> None:
        self.stage.enter("carol", device="fridge")
        self.assertEqual(self.bob.code("devices", action="end", device="fridge"), "no-such-device")
