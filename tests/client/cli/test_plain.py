"""`chat.client.cli.plain`: what screen readers see, and scripts that talk."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.testing import StringTransport

from chat.client.cli.line_output import Printer
from chat.client.cli.plain import Plain, StandardInput
from chat.client.session.endpoint import ServerAddress
from chat.client.session.server_record import Known
from chat.client.session.sync import SyncMode
from tests.client.engines import Desk, EngineCase
from tests.server.frontends.server import PASSWORD

HERE = ServerAddress("here.example")


class PlainDesk(Desk):
    """Somebody at ``chat --plain``."""

    def __init__(self, case: PlainCase, known: Known, user: str, person: bool) -> None:
        super().__init__(case, "plain", SyncMode.EVERYTHING)
        self.keys = StandardInput()
        self.screen_bytes = StringTransport()
        self.keys.makeConnection(self.screen_bytes)
        self.printer = Printer(self.keys.write)
        self.engine._observer = self.engine.sync._observer = self.engine.sender._observer = self.printer
        self.hidden: list[bool] = []
        hide = self.hidden.append if person else None
        plain = Plain(self.engine, self.printer, self.keys, case.server.clock.seconds, hide)
        self.status: Deferred[int] = Deferred.fromCoroutine(plain.run(known, user))
        case.settle()

    def enters(self, *lines: str) -> None:
        for line in lines:
            self.keys.dataReceived(line.encode() + b"\n")
            self.case.settle()

    def sees(self) -> str:
        text = self.screen_bytes.value().decode()
        self.screen_bytes.clear()
        return re.sub(r"\d\d:\d\d", "TIME", text)


class PlainCase(EngineCase):
    def plain(self, *lines: str, user: str = "", person: bool = True, known: Known | None = None) -> PlainDesk:
        desk = PlainDesk(self, known or Known(HERE), user, person)
        desk.enters(*lines)
        return desk

    def status(self, desk: PlainDesk) -> Any:
        desk.keys.end()
        self.settle()
        return self.successResultOf(desk.status)


class Plainly(PlainCase):
    def test_a_new_account_and_a_conversation(self) -> None:
        bob = self.logged_in("bob", "lobby")
        ann = self.plain("new ann", PASSWORD, "connect lobby", "hello", "mesage bob secret")
        self.assertEqual(bob.screen.said(), ["hello"])
        bob.types("hi ann", room="lobby")
        bob.types("message ann psst")
        seen = ann.sees()
        for words in ("Username (or: new NAME to register): ", "* You are logged in as ann.", "* You are in lobby"):
            self.assertIn(words, seen)
        self.assertIn("! Not sent. Did you mean: message bob ...", seen)
        self.assertIn("bob: hi ann\nbob (private): psst\n", seen)
        self.assertNotIn("ann: hello", seen)
        self.assertEqual(self.status(ann), 1)

    def test_passwords_are_not_seen_while_they_are_typed(self) -> None:
        ann = self.plain("new ann")
        self.assertEqual(ann.hidden, [False, True])
        ann.enters(PASSWORD)
        self.assertEqual(ann.hidden[-1], False)
        self.assertNotIn(PASSWORD, ann.sees())

    def test_a_new_account_by_invitation_code(self) -> None:
        self.server.chat.apply(replace(self.server.settings, registration="code"))
        ((code,), _) = self.run_until_done(self.server.chat.authenticator.invite(1, "eve"))
        ann = self.plain("new ann", "wrong", PASSWORD)
        self.assertIn("! That invitation code is wrong", ann.sees())
        ann.enters("new ann", code, PASSWORD)
        self.assertRegex(ann.sees(), r"Invitation code: (.|\n)*Password: (.|\n)*\* You are logged in as ann\.")

    def test_no_new_account_where_nobody_can_make_one(self) -> None:
        self.server.chat.apply(replace(self.server.settings, registration="closed"))
        ann = self.plain()
        self.assertRegex(ann.sees(), "Username: $")
        ann.enters("new ann")
        self.assertRegex(ann.sees(), r"! Registration is closed\..*\nUsername: $")

    def test_a_wrong_password_is_asked_again_without_the_name(self) -> None:
        self.run_link(self.logged_in("ann").engine.leave())
        ann = self.plain("ann", "wrong horse")
        self.assertRegex(ann.sees(), r"Password: \n! Wrong name or password\.\nPassword: $")
        ann.enters(PASSWORD)
        self.assertIn("* You are logged in as ann.", ann.sees())

    def test_somebody_who_is_signed_in_elsewhere(self) -> None:
        first = self.plain("new ann", PASSWORD)
        second = self.plain("ann", PASSWORD)
        self.assertIn("End that session and log in here (y/n)? ", second.sees())
        second.enters("y")
        self.assertIn("* You are logged in as ann.", second.sees())
        self.assertIn("logged in from elsewhere", first.sees())
        self.assertEqual(self.successResultOf(first.status), 0)

    def test_what_was_missed_is_shown_once(self) -> None:
        ann = self.plain("new ann", PASSWORD, "connect lobby")
        self.status(ann)
        bob = self.logged_in("bob", "lobby")
        bob.types("you missed this", room="lobby")
        again = self.plain("ann", PASSWORD)
        self.assertIn("(TIME) [lobby] bob: you missed this\n", again.sees())
        self.status(again)
        self.assertNotIn("missed", self.plain("ann", PASSWORD).sees())

    def test_by_the_token_of_last_time_where_a_person_types(self) -> None:
        ann = self.plain("new ann", PASSWORD)
        known = Known(HERE, tokens={"ann@plain": ann.tokens[-1]}, account="ann")
        self.status(ann)
        again = self.plain(known=known)
        self.assertIn("* You are logged in as ann.", again.sees())

    def test_a_pipe_gives_the_name_first_unless_the_command_line_does(self) -> None:
        """Else what is meant for a password would be said to a room."""
        ann = self.plain("new ann", PASSWORD, person=False)
        known = Known(HERE, tokens={"ann@plain": ann.tokens[-1]}, account="ann")
        self.status(ann)
        self.assertTrue(self.plain(known=known, person=False).sees().startswith("Username"))
        self.assertIn("* You are logged in as ann.", self.plain(known=known, person=False, user="ann").sees())

    def test_a_command_that_asks(self) -> None:
        ann = self.plain("new ann", PASSWORD, "password", PASSWORD, "another horse", "/ping")
        self.assertIn("* Your password has been changed.", ann.sees())


class TheExitStatus(PlainCase):
    def test_is_0_only_when_every_line_is_kept(self) -> None:
        self.assertEqual(self.status(self.plain("new ann", PASSWORD, "message ann note", person=False)), 0)
        self.assertEqual(self.status(self.plain("ann", PASSWORD, "message nobody hi", person=False)), 1)

    def test_is_1_when_a_line_was_held_back_or_refused_before_it_was_sent(self) -> None:
        self.logged_in("bob", "lobby")
        lines = {"ann": "mesage bob secret", "eve": f"message bob {'x' * 16_385}", "joe": "connect nowhere"}
        for name, line in lines.items():
            status = self.status(self.plain(f"new {name}", PASSWORD, "connect lobby", "hello", line, person=False))
            self.assertEqual((line[:40], status), (line[:40], 1))

    def test_is_1_where_nobody_could_log_in(self) -> None:
        self.assertEqual(self.status(self.plain(person=False)), 1)
        self.assertEqual(self.status(self.plain("nobody", "wrong horse", person=False)), 1)

    def test_waits_for_lines_that_are_on_their_way(self) -> None:
        self.logged_in("bob", "lobby")
        ann = self.plain("new ann", PASSWORD, "connect lobby", person=False)
        ann.reachable = False
        ann.cut()
        ann.enters("kept in the end")
        ann.keys.end()
        self.settle()
        self.assertNoResult(ann.status)
        ann.reachable = True
        self.quiet_link()
        self.assertEqual(self.successResultOf(ann.status), 0)

    def test_a_last_line_without_an_end(self) -> None:
        ann = self.plain("new ann", PASSWORD, person=False)
        ann.keys.dataReceived(b"message ann the last one")
        self.assertEqual(self.status(ann), 0)
        self.assertIn("the last one", self.logged_in("ann").screen.said())
