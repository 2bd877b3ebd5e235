"""What is asked for when something is missing, and asked again when it was mistyped."""

from __future__ import annotations

from chat.server.frontends.telnet import HIDE, SHOW
from tests.server.frontends.server import ASKED, ASKED_AGAIN, NOWHERE, PASSWORD, WELCOME, ServerCase, SlowReads

WRONG = "! Wrong name or password. Try again: login NAME (or make an account: new NAME)"
OLD = "Old password (your typing is visible): "
AGAIN = "! Wrong name or password. Try again."
TIP = "* Tip: type login NAME without the password; the server then asks for it."


class LoggingIn(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.person("ann").hangs_up()
        self.caller = self.guest()

    def test_name_and_password_are_asked_for(self) -> None:
        """Wish 001: Username, Password, welcome."""
        self.caller.types("login")
        self.assertEqual(self.caller.gets(), "Username: ")
        self.caller.types("ann")
        self.assertEqual(self.caller.gets(), ASKED)
        self.caller.types(PASSWORD)
        self.assertEqual(self.caller.sees(), [WELCOME, NOWHERE])

    def test_a_wrong_password_is_asked_for_again(self) -> None:
        """Wish 001: the name is asked for once, the password as often as need be."""
        self.caller.types("login ann", "wrong password")
        self.assertEqual(self.caller.gets(), f"{ASKED}{AGAIN}\n{ASKED_AGAIN}")
        self.caller.types(PASSWORD)
        self.assertEqual(self.caller.sees(), [WELCOME, NOWHERE])

    def test_why_the_connection_ends_stands_on_a_line_of_its_own(self) -> None:
        self.caller.types("login ann")
        self.assertEqual(self.caller.gets(), ASKED)
        for session in tuple(self.server.chat.node.sessions.values()):
            session.mind.close("Your network is banned.")
        self.assertEqual(self.caller.gets(), "\n* Your network is banned.\n")

    def test_an_empty_line_gives_up(self) -> None:
        self.caller.types("login ann", "")
        self.assertEqual(self.caller.gets(), f"{ASKED}! Cancelled. Type login to start again.\n")
        self.caller.types("online")
        self.assertEqual(self.caller.sees(), ["! You are not logged in. Type: login NAME (or: new NAME)"])

    def test_a_password_keeps_its_spaces(self) -> None:
        self.caller.types("new bob", "  eight  ", "logout", "login bob", "eight")
        self.assertIn(AGAIN, self.caller.gets())
        self.caller.types("  eight  ")
        self.assertIn(WELCOME, self.caller.gets())

    def test_all_on_one_line_is_answered_with_a_tip(self) -> None:
        self.caller.types(f"login ann {PASSWORD}")
        self.assertEqual(self.caller.sees(), [WELCOME, TIP, NOWHERE])

    def test_the_tip_comes_once(self) -> None:
        self.caller.types(f"login ann {PASSWORD}", "logout")
        self.caller.wire.clear()
        self.caller.types(f"login ann {PASSWORD}")
        self.assertEqual(self.caller.sees(), [WELCOME, NOWHERE])

    def test_a_wrong_password_on_the_line_is_not_asked_for(self) -> None:
        """A script that goes on must not have its next line taken for a password."""
        self.caller.types("login ann wrong-password", "online")
        self.assertEqual(self.caller.sees(), [WRONG, "! You are not logged in. Type: login NAME (or: new NAME)"])

    def test_what_was_typed_ahead_is_no_second_try(self) -> None:
        """The next line has come already, and it was meant for something else."""
        self.caller.sends(b"login ann\nwrong password\nhello everybody\n")
        seen = self.caller.gets()
        self.assertEqual(seen.count(WRONG), 1)
        self.assertNotIn(f"{WRONG}\n{ASKED}", seen)

    def test_second_login_on_one_connection(self) -> None:
        self.caller.types("login ann", PASSWORD)
        self.caller.wire.clear()
        self.caller.types(f"login ann {PASSWORD}")
        self.assertEqual(self.caller.sees(), ["! You are already logged in. Type logout first."])


class WhatComesMeanwhile(ServerCase):
    """While a prompt waits: on lines of its own, and the prompt once more, as the answer is still expected."""

    settings = {"sessions": "many"}  # noqa: RUF012  # read only

    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(self.ann, self.bob)
        self.ann.types("password")
        self.assertEqual(self.ann.gets(), OLD)

    def test_stands_above_the_prompt(self) -> None:
        self.bob.types("message ann got a minute?")
        self.assertEqual(self.ann.gets(), f"\nbob (private): got a minute?\n{OLD}")
        self.bob.types("hi all")
        self.assertEqual(self.ann.gets(), f"\nbob: hi all\n{OLD}")
        self.ann.types("")
        self.assertEqual(self.ann.gets(), "! Cancelled. Type password to start again.\n")
        self.bob.types("hi again")
        self.assertEqual(self.ann.gets(), "bob: hi again\n")

    def test_what_came_while_the_answer_was_sent_follows_it(self) -> None:
        self.bob.sends(b"/me waves\n")
        self.ann.sends(b"\n")
        self.assertEqual(self.ann.sees(), ["! Cancelled. Type password to start again.", "* bob waves"])

    def test_a_bell_alone_leaves_the_prompt_where_it_is(self) -> None:
        self.ann.protocol.outbox.write(b"\a")
        self.assertEqual(self.ann.gets(), "\a")

    def test_who_is_signed_out_meanwhile_is_asked_no_more(self) -> None:
        phone = self.guest()
        phone.types(f"login ann@phone {PASSWORD}", "password", PASSWORD, "new secret words")
        self.assertEqual(
            self.ann.gets(), "\n* Your password was changed from another session. Log in again: login NAME\n"
        )
        self.ann.types("online")
        self.assertEqual(self.ann.sees(), ["! You are not logged in. Type: login NAME (or: new NAME)"])

    def test_a_telnet_prompt_stays_hidden(self) -> None:
        telnet = self.guest("telnet")
        telnet.types(f"login ann@old {PASSWORD}\r", "password\r")
        telnet.wire.clear()
        self.bob.types("message ann got a minute?")
        hidden = b"Old password: " + HIDE
        self.assertEqual(telnet.raw(), b"\r\nbob (private): got a minute?\r\n" + hidden)
        self.ann.types(PASSWORD, "new secret words")
        gone = b"* Your password was changed from another session. Log in again: login NAME\r\n"
        self.assertEqual(telnet.raw(), SHOW + b"\r\n" + gone)


class SignedOutWhileArriving(ServerCase):
    """Somebody changes the password elsewhere while the past of who logs in is still being read."""

    settings = {"sessions": "many"}  # noqa: RUF012  # read only

    def test_says_so_and_shows_nothing_else(self) -> None:
        ann = self.person("ann")
        for method in ("waiting", "missed"):
            phone = self.guest()
            reads = SlowReads(self.server.store, method)
            phone.types(f"login ann@phone {PASSWORD}")
            ann.types("password", PASSWORD, PASSWORD)
            reads.release()
            gone = "* Your password was changed from another session. Log in again: login NAME"
            self.assertEqual(phone.sees(), [gone], method)
            phone.types("online")
            self.assertEqual(phone.sees(), ["! You are not logged in. Type: login NAME (or: new NAME)"])


class Registering(ServerCase):
    def test_name_and_password_are_asked_for(self) -> None:
        caller = self.guest()
        caller.types("new", "ann", PASSWORD)
        self.assertEqual(caller.gets(), f"Username: {ASKED}* Account ann created.\n{WELCOME}\n{NOWHERE}\n")

    def test_a_taken_name_is_refused_before_a_password_is_asked_for(self) -> None:
        """Wish 002: if the user already exists, prompt to login instead."""
        self.person("ann")
        caller = self.guest()
        caller.types("new ann")
        self.assertEqual(caller.sees(), ["! The name ann is taken. If it is yours: login ann"])
        caller.types("new help")
        self.assertEqual(caller.sees(), ['! "help" is a command, so it cannot be a name. Choose another one.'])

    def test_a_bad_password_is_asked_for_again(self) -> None:
        caller = self.guest()
        caller.types("new ann", "short")
        self.assertEqual(
            caller.gets(), f"{ASKED}! A password must have at least 8 characters. Choose a longer one.\n{ASKED_AGAIN}"
        )
        self.assertEqual(self.online(), [])
        caller.types(PASSWORD)
        self.assertEqual(self.online(), ["ann"])

    def test_what_was_typed_ahead_is_no_password(self) -> None:
        """A script whose password is refused must not have its next line taken for one."""
        caller = self.guest()
        caller.sends(b"new ann\nshort\nmessage bob this is long enough\n")
        self.assertNotIn("made", caller.gets())
        self.assertEqual(self.online(), [])

    def test_nothing_makes_a_user_called_invalid(self) -> None:
        """Wish 000: certain input let people past the registration as "INVALID"."""
        caller = self.guest()
        for line in ("new", "", "new", "   ", "new !!", "new 1", "new new", "register", "\t", "new a b c d", "INVALID"):
            caller.types(line)
        caller.types("")
        self.assertEqual((self.online(), len(self.server.chat.directory)), ([], 0))


class ChangingThePassword(ServerCase):
    def test_old_and_new_are_asked_for(self) -> None:
        ann = self.person("ann")
        ann.types("password", PASSWORD, "new secret words")
        self.assertEqual(
            ann.gets(),
            "Old password (your typing is visible): New password (your typing is visible): "
            "* Your password has been changed. Your other sessions have been ended.\n",
        )
        ann.types("logout", "login ann", PASSWORD)
        self.assertIn(AGAIN, ann.gets())
        ann.types("new secret words")
        self.assertIn(WELCOME, ann.gets())

    def test_after_a_wrong_old_one_both_are_asked_for_again(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("/password", "wrong", "first try of one", PASSWORD)
        self.assertTrue(
            ann.gets().endswith(
                "Old password (your typing is visible; an empty line cancels): New password (your typing is visible): "
            )
        )
        ann.types("new secret words")
        self.assertEqual(ann.sees(), ["* Your password has been changed. Your other sessions have been ended."])
        self.assertEqual(bob.sees(), [])

    def test_what_was_typed_ahead_of_a_refusal_is_not_said(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(f"/password\nwrong\nnew secret words\n{PASSWORD}\nnew secret words\n".encode())
        self.assertTrue(
            ann.gets().endswith(
                "! What was typed after it was not read (2 more), as it may hold a password.\n"
                "Old password (your typing is visible; an empty line cancels): "
            )
        )
        ann.types(PASSWORD, "new secret words")
        self.assertIn("Your password has been changed", ann.gets())
        self.assertEqual(bob.sees(), [])

    def test_who_is_locked_out_is_asked_again_and_says_nothing(self) -> None:
        """The next line is a password too, typed too soon."""
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("/password", *["wrong", "new secret words"] * 4)
        self.assertTrue(ann.gets().endswith("Old password (your typing is visible; an empty line cancels): "))
        ann.types(PASSWORD, "new secret words")
        self.assertEqual(bob.sees(), [])
        self.server.advance(10)
        ann.types(PASSWORD, "new secret words")
        self.assertIn("Your password has been changed", ann.gets())

    def test_in_a_room_a_password_is_not_said(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("password secret words")
        self.assertEqual(ann.sees(), ["! Not sent. Did you mean: /password ? Type ! to say it to lobby anyway."])
        self.assertEqual(bob.sees(), [])


class HeldLines(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.ann, self.bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(self.ann, self.bob)

    def test_an_exclamation_mark_says_it(self) -> None:
        self.ann.types("mesage bob hi")
        self.assertEqual(
            self.ann.sees(), ["! Not sent. Did you mean: message bob ... ? Type ! to say it to lobby anyway."]
        )
        self.assertEqual(self.bob.sees(), [])
        self.ann.types("!")
        self.assertEqual((self.ann.sees(), self.bob.sees()), ([], ["ann: mesage bob hi"]))

    def test_only_the_next_line_can_say_it(self) -> None:
        self.ann.types("mesage bob hi", "never mind", "!")
        self.assertEqual(self.ann.sees()[-1], "! There is no held line. ! sends a line that was held back.")
        self.assertEqual(self.bob.sees(), ["ann: never mind"])

    def test_it_is_said_once(self) -> None:
        self.ann.types("mesage bob hi", "!", "!")
        self.assertEqual(self.bob.sees(), ["ann: mesage bob hi"])

    def test_an_exclamation_mark_that_was_typed_ahead(self) -> None:
        self.ann.sends(b"broadcast lunch\n!\n")
        self.assertEqual(self.bob.sees(), ["ann: broadcast lunch"])


class OverTlsOnly(ServerCase):
    """``plain-login = tls``: a password that was not asked for does not cross the network."""

    settings = {"plain_login": "tls"}  # noqa: RUF012  # read only

    def test_no_password_is_asked_for(self) -> None:
        for line in ("login ann", "new ann", "login", "claim ann", "claim"):
            caller = self.guest()
            caller.types(line)
            (refusal,) = caller.sees()
            self.assertIn("TLS", refusal)
            caller.types("online")
            self.assertIn("You are not logged in", caller.gets())
