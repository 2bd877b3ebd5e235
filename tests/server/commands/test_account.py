"""Accounts, passwords, devices, settings."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import ChatError
from chat.protocol.events import Devices, LoggedIn, LoggedOut, OwnSettings, PasswordChanged, Profile, Welcome
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.parser import read
from chat.protocol.values import Rank
from tests.protocol.grammar.town import GUEST
from tests.server.core.stage import MANY, PASSWORD, Stage


class NewAccounts(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)

    def test_one_is_logged_in_to_it(self) -> None:
        person = self.stage.connection()
        reply = person.gets(LoggedIn, "new", user="@Bob", password=PASSWORD, realname="Bob B.", device="phone")
        self.assertEqual((reply.account, reply.rank, reply.device, reply.created), ("Bob", Rank.MEMBER, "phone", True))
        self.assertEqual(person.gets(Profile, "whois").realname, "Bob B.")

    def test_what_will_not_do(self) -> None:
        self.stage.account("bob")
        guest = self.stage.connection()
        for user, password, code in (
            ("BOB", PASSWORD, "name-taken"),
            ("message", PASSWORD, "bad-name"),
            ("everyone", PASSWORD, "bad-name"),
            ("9lives", PASSWORD, "bad-name"),
            ("eve", "short", "bad-password"),
            ("eve", "x" * 1001, "bad-password"),
        ):
            self.assertEqual(guest.code("new", user=user, password=password), code, user)
        self.assertEqual(guest.code("new", user="eve", password=PASSWORD, realname="\x1b"), "bad-text")
        self.assertEqual(len(self.stage.chat.directory), 1)

    def test_two_at_the_same_moment(self) -> None:
        self.stage.hashing.held = True
        one, other = (self.stage.connection().starts("new", user=name, password=PASSWORD) for name in ("bob", "Bob"))
        self.assertEqual(getattr(self.successResultOf(other), "code", ""), "name-taken")
        self.stage.hashing.release()
        self.assertIsInstance(self.successResultOf(one), LoggedIn)


class LoggingIn(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.stage.connection().does("new", user="bob", password="two  blanks ")

    def test_a_device(self) -> None:
        person = self.stage.connection()
        self.assertEqual(person.logs_in("bob@phone", "two  blanks ").device, "phone")
        person.does("logout")
        self.assertEqual(person.logs_in("bob", "two  blanks ").device, "default")

    def test_a_device_that_is_none(self) -> None:
        guest = self.stage.connection()
        self.assertEqual(guest.code("login", user="bob@my phone", password="two  blanks "), "bad-usage")

    def test_a_password_is_compared_as_it_is(self) -> None:
        for password in ("two blanks ", "two  blanks", "Two  blanks "):
            self.assertEqual(self.stage.connection().code("login", user="bob", password=password), "bad-credentials")

    def test_too_many_wrong_ones(self) -> None:
        codes = [self.stage.connection().code("login", user="bob", password="wrong one") for _ in range(8)]
        self.assertEqual(set(codes), {"bad-credentials", "locked-out"})
        self.assertEqual(self.stage.connection().code("login", user="bob", password="two  blanks "), "locked-out")

    def test_logging_out_twice(self) -> None:
        person = self.stage.connection()
        person.logs_in("bob", "two  blanks ")
        self.assertEqual(person.does("logout"), LoggedOut("bob"))
        self.assertEqual(person.code("logout"), "not-logged-in")
        self.assertEqual(person.does("quit"), LoggedOut("", closing=True))


class Passwords(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.bob = self.stage.connection()
        self.bob.does("new", user="bob", password=PASSWORD)

    def test_the_new_one_counts(self) -> None:
        self.assertIsInstance(self.bob.does("password", old=PASSWORD, new="another password"), PasswordChanged)
        self.assertEqual(self.stage.connection().code("login", user="bob", password=PASSWORD), "bad-credentials")
        self.stage.connection().logs_in("bob", "another password")

    def test_refusals_change_nothing(self) -> None:
        other = self.stage.connection()
        other.logs_in("bob")
        self.assertEqual(self.bob.code("password", old="wrong one", new="another password"), "bad-credentials")
        self.assertEqual(self.bob.code("password", old=PASSWORD, new="short"), "bad-password")
        self.assertIsNotNone(other.session.user)
        self.stage.connection().logs_in("bob")


class MyDevices(SynchronousTestCase):
    def test_sessions_and_devices(self) -> None:
        stage = Stage(MANY)
        phone, laptop = stage.connection(program=True), stage.connection()
        phone.does("new", user="bob", password=PASSWORD, device="phone")
        laptop.logs_in("bob@laptop")
        reply = laptop.gets(Devices, "devices")
        self.assertEqual([(each.device, each.current) for each in reply.sessions], [("phone", False), ("laptop", True)])
        self.assertEqual({each.name: each.has_token for each in reply.devices}, {"phone": True, "laptop": False})


class RealNames(SynchronousTestCase):
    """A real name follows the same rules here and when the account is made."""

    def setUp(self) -> None:
        self.stage = Stage()
        self.bob = self.stage.enter("bob")

    def test_a_real_name(self) -> None:
        for value, shown in {" Bob B. ": "Bob B.", "Zoe\u0308": "Zoë", "": ""}.items():
            self.assertEqual(self.bob.gets(OwnSettings, "set", setting="realname", value=value).realname, shown)
            self.assertEqual(self.bob.gets(Profile, "whois").realname, shown)

    def test_it_is_kept(self) -> None:
        self.bob.does("set", setting="realname", value="Bob B.")
        self.assertEqual(self.stage.restart().account("bob").realname, "Bob B.")

    def test_what_is_none(self) -> None:
        for value, code in {"x" * 61: "too-long", "a\nb": "bad-text", "\x1b[31m": "bad-text"}.items():
            self.assertEqual(self.bob.code("set", setting="realname", value=value), code)
            self.assertEqual(self.stage.connection().code("new", user="eve", password=PASSWORD, realname=value), code)


class Hello(SynchronousTestCase):
    def test_what_a_program_is_told(self) -> None:
        program = Stage().connection(program=True)
        welcome = program.gets(Welcome, "hello", client="test", heartbeat=True)
        self.assertEqual((welcome.server, welcome.limits["body"]), ("chat", 16_384))
        self.assertTrue(program.session.heartbeat)

    def test_which_database_it_is_stays_the_same(self) -> None:
        stage = Stage()

        def database(stage: Stage) -> str:
            return stage.connection(program=True).gets(Welcome, "hello").database

        before = database(stage)
        self.assertEqual(database(stage.restart()), before)
        self.assertNotEqual(database(Stage()), before)

    def test_what_it_is_called_gives_no_secret_away(self) -> None:
        stage = Stage()
        secret = self.successResultOf(stage.store.secret("database"))
        database = stage.connection(program=True).gets(Welcome, "hello").database
        self.assertNotIn(database[:8], secret.hex())

    def test_it_does_not_rename_the_device_of_a_login(self) -> None:
        program = Stage().enter("bob", program=True, device="phone")
        program.does("hello", device="other")
        self.assertEqual(program.session.device, "phone")


class AsItIsTyped(SynchronousTestCase):
    """From a line to the account, as a text front end does it."""

    def test_new_and_login(self) -> None:
        stage = Stage()
        for line in ("new bob correct horse", "login bob@phone correct horse"):
            person = stage.connection()
            call = read(line, replace(GUEST, names=stage.chat.rooms.names_for(person.session)))
            assert isinstance(call, Call)
            self.assertIsInstance(person.does(call.verb.name, **call.arguments), LoggedIn)
            person.does("logout")
        with self.assertRaises(ChatError):
            read("new bob correct horse", replace(GUEST, names=stage.chat.rooms.names_for(person.session)))
