"""`chat.server.core.token_theft`: a used token that is presented again, and devices beyond the most an account may
have."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Devices, KeysChanged, LoggedIn, Notice, Refused, SignedOut
from chat.protocol.values import Peer
from chat.server.interfaces import MOST_DEVICES
from tests.server.core.stage import MANY, PASSWORD, Person, Stage

DAY = 24 * 3600
THIEF = Peer("203.0.113.9", "203.0.113.9")


class ACopiedToken(SynchronousTestCase):
    """Bob's phone has a token, and somebody has copied it; Bob is at his desk as well."""

    def setUp(self) -> None:
        self.stage = Stage(replace(MANY, sessions="per-device"))
        self.desk = self.stage.connection()
        self.desk.gets(LoggedIn, "new", user="bob", password=PASSWORD)
        self.desk.does("resume")
        phone = self.stage.connection(True)
        self.copied = phone.logs_in("bob@phone").token
        phone.does("quit")

    def comes_back(self, token: str, peer: Peer | None = None) -> tuple[Person, str]:
        """The phone logs in by token, after a day.

        :returns: with the token for the next time, or nothing when it is refused.
        """
        self.stage.clock.advance(DAY)
        person = self.stage.connection(True, peer)
        reply = person.does("login", token=token, device="phone")
        return person, reply.token if isinstance(reply, LoggedIn) else ""

    def alerts(self, person: Person) -> list[str]:
        return [each.text for each in person.told(Notice)]

    def test_presented_by_the_thief(self) -> None:
        """The owner's phone has gone on meanwhile."""
        _, second = self.comes_back(self.copied)
        phone, third = self.comes_back(second)
        thief, got = self.comes_back(self.copied, THIEF)
        self.assertEqual(got, "")
        self.assertIsNone(thief.session.user)
        self.assertIsNone(phone.session.user)
        (told,) = phone.told(SignedOut)
        self.assertIn("203.0.113.9", told.reason)
        self.assertEqual([self.comes_back(each)[1] for each in (second, third)], ["", ""])

    def test_presented_by_the_owner(self) -> None:
        """The thief has gone on with it: who of the two is which nobody knows, and the password tells."""
        _, second = self.comes_back(self.copied, THIEF)
        thief, _ = self.comes_back(second, THIEF)
        self.assertEqual(self.comes_back(self.copied)[1], "")
        self.assertIsNone(thief.session.user)
        phone = self.stage.connection(True)
        token = phone.logs_in("bob@phone").token
        phone.does("quit")
        self.assertNotEqual(self.comes_back(token)[1], "")

    def test_the_owner_is_told_once_here_and_at_the_next_login(self) -> None:
        _, second = self.comes_back(self.copied)
        self.comes_back(second)
        for _ in range(2):
            self.comes_back(self.copied, THIEF)
        (line,) = self.alerts(self.desk)
        for words in ("phone", "signed out", "203.0.113.9", "change your password: password"):
            self.assertIn(words, line)
        self.assertIsNotNone(self.desk.session.user)
        self.stage = self.stage.restart()
        first, later = self.stage.connection(), self.stage.connection()
        for person, device in ((first, "bob@desk"), (later, "bob@laptop")):
            person.logs_in(device)
            person.does("resume")
        self.assertEqual((self.alerts(first), self.alerts(later)), ([line], []))
        self.stage = self.stage.restart()
        again = self.stage.connection()
        again.logs_in("bob")
        again.does("resume")
        self.assertEqual(self.alerts(again), [])

    def test_the_next_login_is_told_without_a_restart_too(self) -> None:
        self.desk.does("quit")
        _, second = self.comes_back(self.copied)
        self.comes_back(second)[0].hangs_up()
        self.comes_back(self.copied, THIEF)
        first, later = self.stage.connection(), self.stage.connection()
        for person, device in ((first, "bob@desk"), (later, "bob@laptop")):
            person.logs_in(device)
            person.does("resume")
        self.assertEqual([len(self.alerts(each)) for each in (first, later)], [1, 0])

    def test_other_devices_go_on(self) -> None:
        laptop = self.stage.connection(True)
        token = laptop.logs_in("bob@laptop").token
        _, second = self.comes_back(self.copied)
        self.comes_back(second)
        self.comes_back(self.copied, THIEF)
        self.assertIsNotNone(laptop.session.user)
        laptop.does("quit")
        self.stage.connection(True).gets(LoggedIn, "login", token=token, device="laptop")

    def test_an_old_one_is_no_theft_after_a_login_by_password(self) -> None:
        """Whoever has the password may have several programs on a device; none of them accuses another."""
        _, second = self.comes_back(self.copied)
        phone = self.stage.connection(True)
        self.stage.clock.advance(DAY)
        self.comes_back(second)[0].does("quit")
        token = phone.logs_in("bob@phone").token
        phone.does("quit")
        self.assertEqual([self.comes_back(each)[1] for each in (self.copied, second)], ["", ""])
        self.assertEqual(self.alerts(self.desk), [])
        self.assertNotEqual(self.comes_back(token)[1], "")


class ManyDevices(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.bob = self.stage.connection(True)
        self.bob.gets(LoggedIn, "new", user="bob", password=PASSWORD, device="first")
        self.bob.does("resume")

    def test_one_more_takes_the_place_of_the_one_unused_for_longest(self) -> None:
        oldest = ""
        for number in range(MOST_DEVICES - 1):
            self.stage.clock.advance(1)
            person = self.stage.connection(True)
            token = person.logs_in(f"bob@d{number}").token
            oldest = oldest or token
            person.does("quit")
        self.assertEqual(self.bob.told(Notice), [])
        newcomer = self.stage.connection(True)
        newcomer.logs_in("bob@new")
        newcomer.does("resume")
        devices = {each.name for each in self.bob.gets(Devices, "devices").devices}
        self.assertEqual((len(devices), {"first", "d0", "d1", "new"} & devices), (MOST_DEVICES, {"first", "d1", "new"}))
        for person in (self.bob, newcomer):
            (notice,) = person.told(Notice)
            self.assertIn("d0, the one unused for longest, has been signed out", notice.text)
        self.assertEqual([each.user for each in self.bob.told(KeysChanged)], ["bob"])
        self.assertEqual(self.stage.connection(True).code("login", token=oldest, device="d0"), "bad-credentials")

    def test_where_each_is_here_there_is_no_place(self) -> None:
        people = [self.stage.connection(True) for _ in range(MOST_DEVICES - 1)]
        for number, person in enumerate(people):
            person.logs_in(f"bob@d{number}")
        late = self.stage.connection(True)
        refused = late.gets(Refused, "login", user="bob@new", password=PASSWORD)
        self.assertEqual(refused.code, "too-many-devices")
        self.assertIn("devices end NAME", refused.text)
        self.stage.connection(True).logs_in("bob@d1")
        people[0].does("quit")
        late.logs_in("bob@new")


class TheCleanUp(SynchronousTestCase):
    def test_deletes_tokens_that_nobody_used_for_90_days(self) -> None:
        stage = Stage(MANY)
        bob = stage.connection(True)
        token = bob.gets(LoggedIn, "new", user="bob", password=PASSWORD, device="phone").token
        bob.does("quit")
        desk = stage.connection()
        desk.logs_in("bob@desk")

        def tokens() -> dict[str, bool]:
            return {each.name: each.has_token for each in desk.gets(Devices, "devices").devices}

        stage.clock.advance(90 * DAY - 3600)
        stage.pass_time(1)
        self.assertTrue(tokens()["phone"])
        for _ in range(4):
            stage.clock.advance(3600)
        self.assertFalse(tokens()["phone"])
        self.assertEqual(stage.connection(True).code("login", token=token, device="phone"), "bad-credentials")

    def test_a_device_that_is_there_for_longer_comes_back(self) -> None:
        """The server has not noticed yet that its connection is gone."""
        stage = Stage(MANY)
        bob = stage.connection(True)
        token = bob.gets(LoggedIn, "new", user="bob", password=PASSWORD, device="bot").token
        stage.clock.advance(100 * DAY)
        stage.connection(True).gets(LoggedIn, "login", token=token, device="bot")
