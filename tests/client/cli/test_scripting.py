"""`chat.client.cli.scripting`: what a script gets that sends a line or follows a room, and what it leaves alone."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from chat.client.cli.factory import make_key_files, runtime_folder
from chat.client.cli.scripting import ScriptCommand, Send, Tail
from chat.client.e2e import encrypted_db
from chat.client.main import run
from chat.client.model.failures import ClientFailure, NobodyThere
from chat.client.session.endpoint import ServerAddress
from chat.client.session.profiles import Files
from chat.client.session.protocol import ChatClient
from chat.client.session.sync import SyncMode
from chat.protocol.events import Delivered, Event
from tests.client.e2e.people import WORDS, SealedCase
from tests.client.engines import Desk
from tests.server.frontends.server import PASSWORD

Tamper = Callable[[dict[str, Any]], list[dict[str, Any]]]

HERE = ServerAddress("here.example")


def nobody(prompt: str) -> str:
    raise NobodyThere("A password is needed, and there is no terminal to type it.")


@dataclass
class Outcome:
    """What has come of a command."""

    status: Any = None
    out: str = ""
    err: str = ""

    def write(self, text: str) -> None:
        self.out += text

    def complain(self, text: str) -> None:
        self.err += text


class Script(Desk):
    """Where a script runs.

    :ivar tamper: see `Link.tamper`.
    """

    tamper: Tamper | None = None

    def dial(self, tell: Callable[[Event], object], lost: Callable[[ClientFailure], object]) -> Deferred[ChatClient]:
        dialed = super().dial(tell, lost)
        self.links[-1].tamper = self.tamper
        return dialed


class ScriptCase(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.files = Files(self.folder / "config", self.folder / "data")
        self.configure("device = box")

    def configure(self, *lines: str) -> None:
        self.files.config.parent.mkdir(exist_ok=True)
        self.files.config.write_text("\n".join(["[chat]", *lines]))

    def begins(
        self,
        command: Callable[..., ScriptCommand],
        about: str,
        given: Any,
        ask: Callable[[str], str],
        keys: Path | None,
        tamper: Tamper | None = None,
        **more: Any,
    ) -> Outcome:
        """Begin a command of ann's."""
        outcome = Outcome()
        desk = Script(self, "box-send" if command is Send else "box-tail", SyncMode.ASKED, keys=keys)
        desk.tamper = tamper
        self.desks.append(desk)

        def engine(*args: Any, **settings: Any) -> Any:
            made = desk.engine_for(args[3])
            made._keep_token = lambda account, token: self.files.keep_token(HERE, account, made.device, token)
            return made

        ways = outcome.write, outcome.complain, ask
        work: Any = command(self.server.clock.clock, self.files, HERE, about, *ways, user="ann", engine=engine, **more)
        done: Deferred[Any] = Deferred.fromCoroutine(work.run(given))
        done.addCallback(lambda status: setattr(outcome, "status", status))
        self.settle()
        return outcome

    def sends(
        self,
        name: str,
        text: str,
        ask: Callable[[str], str] = lambda prompt: PASSWORD,
        keys: Path | None = None,
        **more: Any,
    ) -> Outcome:
        outcome = self.begins(Send, name, text, ask, keys, **more)
        self.quiet_link()
        return outcome


class Sending(ScriptCase):
    """``chat send``."""

    def test_a_line_that_is_kept_leaves_nothing_to_say(self) -> None:
        self.logged_in("ann").engine.close()
        bob = self.logged_in("bob")
        self.assertEqual(self.sends("bob", "build done"), Outcome(0))
        self.assertEqual(bob.screen.said().count("build done"), 1)

    def test_the_answer_of_the_server_is_the_only_output(self) -> None:
        self.logged_in("ann").engine.close()
        self.logged_in("bob").engine.close()
        sent = self.sends("bob", "build done")
        kept = "* User bob is not here; your message is kept and will be delivered.\n"
        self.assertEqual(sent, Outcome(0, kept))

    def test_what_was_missed_is_not_shown_and_waits_for_the_person(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        self.logged_in("carol")
        bob = self.logged_in("bob", "lobby")
        bob.types("message ann lunch?")
        bob.types("all quiet", room="lobby")
        self.assertEqual(self.sends("carol", "build done"), Outcome(0))
        self.assertEqual([each for each in bob.screen.events if isinstance(each, Delivered)], [])
        ann = self.logged_in("ann")
        self.assertEqual(sorted(ann.screen.said()), ["all quiet", "build done", "lunch?"])
        self.assertEqual(ann.talk("bob", room=False).unread, 1)

    def test_what_happens_while_it_is_tried_again_is_not_shown_either(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        bob = self.logged_in("bob", "lobby")
        busy = {"type": "refused", "code": "busy", "text": "Not now."}
        answers = iter([busy])

        def tamper(frame: dict[str, Any]) -> list[dict[str, Any]]:
            return [frame | next(answers, {})] if frame["type"] == "stored" else [frame]

        sent = self.begins(Send, "bob", "build done", lambda prompt: PASSWORD, None, tamper=tamper)
        self.assertEqual(sent, Outcome())
        bob.types("message ann so late?")
        self.logged_in("carol", "lobby")
        self.quiet_link()
        self.assertEqual(sent, Outcome(0))
        self.assertEqual(bob.screen.said().count("build done"), 1)

    def test_a_person_is_told_in_one_line_how_much_waits(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        bob = self.logged_in("bob", "lobby")
        bob.types("message ann lunch?")
        sent = self.sends("bob", "build done", person=True)
        self.assertEqual(sent, Outcome(0, "", "* You have 1 unread message. To read: chat\n"))
        bob.types("all quiet", room="lobby")
        sent = self.sends("#lobby", "build done", person=True)
        self.assertEqual(sent.err, "* You have 2 unread messages. To read: chat\n")

    def test_what_is_refused_goes_to_the_other_output(self) -> None:
        self.logged_in("ann").engine.close()
        sent = self.sends("nobody", "build done")
        self.assertEqual((sent.status, sent.out), (1, ""))
        self.assertIn("! No user nobody.", sent.err)

    def test_where_no_server_is_known_it_is_said_how_to_name_one(self) -> None:
        with self.assertRaisesRegex(ClientFailure, "No server given.*--server HOST"):
            run(["send", "bob", "build done"], self.files)

    def test_what_is_too_long_is_said_in_one_line_before_anybody_is_called(self) -> None:
        for text, why in (
            ("\n".join("x" * 41), "! A message can have at most 40 lines. Send it in parts.\n"),
            ("x" * 16_385, "! A message can have at most 16,384 bytes. Send it in parts.\n"),
            ("", "! A message needs some text.\n"),
        ):
            self.assertEqual(self.sends("#lobby", text), Outcome(1, "", why))
        self.assertEqual(self.links, [])


class SendingSealed(ScriptCase):
    """``chat send`` where what is said is sealed."""

    def setUp(self) -> None:
        super().setUp()
        self.keys = self.folder / "ann"

    def test_it_is_read_without_a_doubt_whatever_was_said_between(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        ann.engine.close()
        for number in (2, 3):
            bob.types(f"message ann answer {number}")
            self.assertEqual(self.sends("bob", f"build {number}", keys=self.keys).status, 0)
        self.assertEqual(self.sealed(bob), ["one", "answer 2", "build 2", "answer 3", "build 3"])
        again = self.enters("ann")
        self.assertEqual(self.sealed(again)[-4:], ["answer 2", "build 2", "answer 3", "build 3"])
        for desk in (bob, again):
            self.assertEqual(
                [words for words in desk.screen.findings if "seal" not in words and "device" not in words], []
            )

    def test_from_a_machine_that_is_a_stranger_nothing_goes_in_the_clear_where_it_was_sealed(self) -> None:
        ann, bob = self.enters("ann"), self.enters("bob")
        ann.types("message bob one")
        sent = self.sends("bob", WORDS, keys=self.folder / "a machine in a cellar")
        self.assertEqual((sent.status, sent.out), (1, ""))
        self.assertIn("Not sent: this device is not linked yet.", sent.err)
        self.assertNotIn(WORDS.encode(), self.recorded())
        self.assertEqual(bob.screen.said(), ["one"])

    def test_who_else_will_read_it_is_told(self) -> None:
        ann = self.enters("ann")
        ann.types("create den")
        ann.types("/room sealed on", room="den")
        ann.engine.close()
        self.sends("#den", "build 1", keys=self.keys)
        eve = self.enters("eve", "den")
        sent = self.sends("#den", WORDS, keys=self.keys)
        self.assertEqual((sent.status, sent.out), (0, ""))
        self.assertRegex(sent.err, r"^-- .* --\n\(\d\d:\d\d\) \* eve has entered den.\n$")
        self.assertEqual(self.sealed(eve), [WORDS])
        self.assertEqual(self.sends("#den", "build 3", keys=self.keys), Outcome(0))

    def test_while_the_screen_has_the_keys_that_it_would_share(self) -> None:
        """Else it would be a stranger, and what it says in the clear, for good."""
        self.patch(encrypted_db, "BUSY_TIMEOUT", 0)
        ann, bob = self.enters("ann"), self.enters("bob")
        sent = self.sends("bob", WORDS, keys=self.keys)
        self.assertEqual((sent.status, sent.out), (1, ""))
        self.assertIn("Another chat client uses the keys", sent.err)
        ann.engine.close()
        self.assertEqual(self.sends("bob", WORDS, keys=self.keys).status, 0)
        self.assertEqual(self.sealed(bob), [WORDS])

    def test_where_nobody_can_unlock_keys_nothing_is_sent_and_it_is_said_what_to_do(self) -> None:
        self.enters("ann").engine.close()
        bob = self.enters("bob")
        self.sends("bob", "build 1", keys=self.keys)
        sent = self.sends("bob", "build 2", nobody, self.keys)
        advice = f"Set unattended = yes in the section [chat] of {self.files.config}, then run this command once in a"
        words = f"! A password is needed, and there is no terminal to type it. {advice} terminal.\n"
        self.assertEqual(sent, Outcome(1, "", words))
        self.configure("device = box", "unattended = yes")
        self.assertIn("Run this command once in a terminal;", self.sends("bob", "build 2", nobody, self.keys).err)
        self.assertEqual(self.sealed(bob), ["build 1"])


class Unattended(ScriptCase):
    """``unattended = yes``: keys that a script uses stay open on disk."""

    def test_what_was_unlocked_once_stays_so_until_the_setting_is_taken_back(self) -> None:
        self.configure("unattended = yes")
        make_key_files(self.files, HERE, True).open("ann", "box-send", "horse").close()
        self.assertEqual(make_key_files(self.files, HERE, True).wanted("ann", "box-send"), "")
        self.assertTrue(make_key_files(self.files, HERE).wanted("ann", "box-send"), "the screen asks as before")
        self.configure("unattended = no")
        self.assertTrue(make_key_files(self.files, HERE, False).wanted("ann", "box-send"))
        self.configure("unattended = yes")
        self.assertTrue(make_key_files(self.files, HERE, True).wanted("ann", "box-send"))

    def test_until_one_logs_out_of_the_machine_they_stay_open_without_it_in_cron_too(self) -> None:
        self.patch(os, "environ", {"XDG_RUNTIME_DIR": "/somewhere"})
        self.assertEqual(runtime_folder(self.folder), Path("/somewhere/chat"))
        self.patch(os, "environ", {})
        self.assertIsNone(runtime_folder(self.folder))
        mine = self.folder / str(os.getuid())
        mine.mkdir(mode=0o700)
        self.assertEqual(runtime_folder(self.folder), mine / "chat")
        mine.chmod(0o755)
        self.assertIsNone(runtime_folder(self.folder), "others may read it")


class Following(ScriptCase):
    """``chat tail``."""

    def test_the_room_alone_is_shown_and_the_rest_waits(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        bob = self.logged_in("bob", "lobby")
        bob.types("message ann lunch?")
        for number in range(3):
            bob.types(f"line {number}", room="lobby")
        tail = self.begins(Tail, "lobby", 2, lambda prompt: PASSWORD, None)
        bob.types("message ann are you there?")
        bob.types("line 3", room="lobby")
        self.quiet_link()
        shown = tail.out
        self.assertRegex(shown, r"^-- .* --\n\(\d\d:\d\d\) bob: line 1\n\(\d\d:\d\d\) bob: line 2\nbob: line 3\n$")
        self.assertEqual(tail.err, "")
        self.assertNotIn(b'"received"', self.desks[-1].links[-1].sent)
        self.assertEqual([each for each in bob.screen.events if isinstance(each, Delivered)], [])

    def test_it_goes_on_after_the_connection_was_lost(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        bob = self.logged_in("bob", "lobby")
        tail = self.begins(Tail, "lobby", 0, lambda prompt: PASSWORD, None)
        self.desks[-1].cut()
        bob.types("while it was away", room="lobby")
        self.quiet_link()
        self.assertIn("bob: while it was away\n", tail.out)
