"""``chatctl`` against a running server, through the real socket."""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from unittest import skipUnless

from twisted.trial.unittest import SynchronousTestCase

from chat.operator.chatctl import Server, ServerUnreachable, main
from chat.server.frontends.control import control_path
from chat.server.settings.schema import Settings
from tests.e2e.stage import PASSWORD, Actor, StageCase

NOBODY = 65_534
"""The user ``nobody``."""


class Answer(NamedTuple):
    """What one ``chatctl`` has printed, and its exit status."""

    status: int
    out: str
    error: str


class AServerThatHangsUp(SynchronousTestCase):
    def test_does_not_answer(self) -> None:
        """It has taken the connection, and has no file left for it."""
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        place = f"{folder.name}/control"
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(place)
            listening.listen()
            server = Server(Settings(control=place))
            listening.accept()[0].close()
        with contextlib.closing(server), self.assertRaisesRegex(ServerUnreachable, "does not answer"):
            server.ask(words="status")


class ATerminalWithFewLetters(SynchronousTestCase):
    def test_is_shown_every_name(self) -> None:
        printed = io.TextIOWrapper(io.BytesIO(), "latin-1")
        with contextlib.redirect_stderr(printed):
            self.assertEqual(main(["--control=/nowhere/\u0410", "status"]), 3)
        printed.seek(0)
        self.assertIn("No server answers at /nowhere/\\u0410", printed.read())


class ControlCase(StageCase):
    def ctl(self, command: str, *options: str) -> Answer:
        """Run a command in this process, which spares the start of another one."""
        out, error = io.StringIO(), io.StringIO()
        where = (f"--control={self.stage.path('chat.control')}", f"--db={self.stage.path('credentials.db')}")
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(error):
            status = main([*where, *options, *command.split()])
        return Answer(status, out.getvalue(), error.getvalue())

    def json(self, command: str) -> Any:
        answer = self.ctl(command, "--json")
        self.assertEqual((answer.status, answer.error), (0, ""))
        return json.loads(answer.out)


class Commands(ControlCase):
    def test_an_account_from_its_code_to_its_rank(self) -> None:
        """The first administrator is made here, and then does the same from netcat."""
        code = self.json("create-user ann administrator")["secret"]
        ann = self.stage.enter("ann")
        ann.types(f"claim ann {code}", PASSWORD)
        ann.sees("Welcome to the chat system!")
        bob = self.person("bob", "lobby")
        ann.types("admin users")
        ann.sees("accounts, 2:", "ann", "administrator", "bob")
        self.assertEqual([row["name"] for row in self.json("users")], ["ann", "bob"])
        self.assertEqual([row["account"] for row in self.json("sessions")], ["ann", "bob"])
        self.assertEqual(self.json("sessions bob")[0]["address"], "127.0.0.1")
        self.assertEqual(self.json("whois bob")["rooms"], "lobby")
        self.assertIn("or type: chatctl revoke ann sure", self.ctl("revoke ann").error)
        self.assertEqual(self.ctl("revoke ann sure").out, "ann is no longer an administrator.\n")
        ann.types("admin users")
        ann.sees("! Only administrators may do that.")
        self.assertEqual(self.ctl("grant ann").status, 0)
        ann.types("admin kick bob cool down")
        bob.sees("* You have been disconnected by an administrator: cool down")
        bob.sees_the_end()
        code = self.json("reset-password bob")["secret"]
        bob = self.stage.enter("bob again")
        bob.types("login bob", PASSWORD)
        bob.sees("! Wrong name or password.")
        bob = self.stage.enter("bob with a code")
        bob.types(f"claim bob {code} another password")
        bob.sees("Welcome to the chat system!")

    def test_invitation_codes_for_a_class_in_a_file(self) -> None:
        path = self.stage.path("codes.txt")
        answer = self.ctl(f"invite 30 {path}")
        self.assertEqual((answer.status, answer.out), (0, f"{path}: 30 invitation codes, one per line.\n"))
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="ascii") as file:
            codes = file.read().splitlines()
        self.assertEqual(len(set(codes)), 30)
        again = self.ctl(f"invite 5 {path}")
        self.assertEqual((again.status, again.out), (1, ""))
        self.assertIn(f"Cannot create {path}: File exists. No codes were created.", again.error)
        wrong = self.stage.path("wrong.txt")
        self.assertEqual(self.ctl(f"invite 5000 {wrong}").status, 2)
        self.assertFalse(os.path.exists(wrong))
        self.assertEqual([(row["batch"], row["left"]) for row in self.json("invites")], [(1, 30)])
        printed = self.ctl("invite 2").out.splitlines()
        self.assertRegex(printed[0], "^2 invitation codes; each works once, until ")
        self.assertRegex(printed[1], "^  [a-z2-9]{4}(-[a-z2-9]{4}){3}$")

    def test_who_is_banned_stays_out(self) -> None:
        bob = self.person("bob")
        self.assertEqual(self.ctl("ban bob 2h spam").out, "bob is banned.\n")
        bob.sees("* You are banned from this server for another 2 hours: spam")
        bob.sees_the_end()
        for line in (f"login BOB {PASSWORD}", f'{{"cmd":"login","args":{{"user":"@Bob","password":"{PASSWORD}"}}}}'):
            self.assertIn("You are banned from this server", self.stage.pipe(f"{line}\nquit\n", "-N"))
        (ban,) = self.json("bans")
        self.assertEqual((ban["who"], ban["what"], ban["reason"]), ("bob", "banned", "spam"))
        self.assertEqual(self.ctl("unban bob").status, 0)
        self.person("bob")
        self.assertEqual(self.ctl("ban 127.0.0.0/8").status, 0)
        self.assertEqual(self.stage.pipe(""), "! Your network is banned from this server.\n")
        self.assertEqual(self.ctl("unban 127.0.0.0/8").status, 0)
        self.person("bob")

    def test_rooms_and_everybody(self) -> None:
        bob = self.person("bob")
        bob.types("create ops")
        bob.sees("you are its owner")
        self.assertEqual([row["name"] for row in self.json("rooms")], ["lobby", "ops"])
        self.assertEqual(self.ctl("mute bob 30m").status, 0)
        bob.types("'hello")
        bob.sees("! You are muted on this server for another 30 minutes.")
        self.assertEqual(self.json("why bob ops")[1]["allowed"], False)
        self.assertEqual(self.ctl("unmute bob").status, 0)
        self.assertEqual(self.ctl("broadcast lunch!").out, "1 session notified.\n")
        bob.sees("* From the administrators: lunch!")
        self.assertEqual(self.ctl("close-room ops moved").out, "Room ops has been closed.\n")
        bob.sees("* ops was closed by the server: moved")

    def test_the_server_itself(self) -> None:
        self.person("bob")
        status = self.json("status")
        self.assertEqual((status["people_here"], status["rooms"], status["logins_since_the_start"]), (1, 1, 1))
        self.assertGreater(status["database"], 50_000)
        self.assertRegex(status["running_since"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
        wrong = self.ctl("check")
        self.assertEqual(wrong.status, 1)
        self.assertIn("bcrypt-cost is below 10", wrong.out)
        self.assertIn("ban NAME|ADDRESS [TIME] [TEXT]", self.ctl("help").out)
        self.assertIn("ban bob 7d spam", self.ctl("help ban").out)

    def test_settings_are_read_again(self) -> None:
        self.assertEqual(self.ctl("reload").out, "Nothing has changed.\n")
        self.stage.write("config.ini", "[chatserver]\nname = Room 12\ndb = other.db\nbroadcasts = 7\n")
        self.assertEqual(self.ctl("reload").out, "Changed: name, broadcasts. A restart is needed for: db.\n")
        guest = self.stage.enter("guest")
        guest.sees("Welcome to Room 12")
        self.stage.write("config.ini", "[chatserver]\nname = Room 12\nbroadcasts = 7\nlog-level = warn\n")
        self.ctl("unban 192.0.2.7")
        self.assertEqual(self.ctl("reload").out, "Changed: log-level.\n")
        self.ctl("unban 192.0.2.8")
        self.assertIn("gives the command: admin unban 192.0.2.7", self.stage.log())
        self.assertNotIn("192.0.2.8", self.stage.log())
        self.stage.write("config.ini", "[chatserver]\nbroadcasts = many\n")
        refused = self.ctl("reload")
        self.assertEqual(refused.status, 1)
        self.assertIn("config.ini, line 2: broadcasts: use a number", refused.error)

    def test_the_end(self) -> None:
        bob = self.person("bob")
        self.assertEqual(self.ctl("shutdown in 10m new disk").status, 0)
        bob.sees("* The server shuts down in 10 minutes: new disk")
        self.assertEqual(self.ctl("shutdown now the disk is here").out, "The server is shutting down now.\n")
        bob.sees("* Server is shutting down. Reason: the disk is here")
        assert self.stage.server is not None
        self.assertEqual(self.stage.server.wait(10), 0)
        self.assertFalse(os.path.lexists(self.stage.path("chat.control")))


class WhatIsKept(ControlCase):
    def test_a_backup_is_made_rehearsed_and_put_in_place(self) -> None:
        bob = self.person("bob", "lobby")
        bob.types("'before the backup")
        bob.does_not_see("!")
        file = self.stage.path("monday.db")
        made = self.json(f"backup {file}")
        self.assertEqual((made["accounts"], made["rooms"]), (1, 1))
        self.assertEqual(self.ctl(f"backup {file}").status, 1)
        bob.types("'after the backup")
        bob.does_not_see("!")
        rehearsed = self.json(f"restore {os.path.relpath(file)}")
        self.assertEqual(rehearsed["rows"], made["rows"])
        self.assertTrue(rehearsed["about"].endswith(f"chatctl restore --now {file}"), rehearsed)
        running = self.ctl(f"restore --now {file}")
        self.assertEqual(running.status, 1)
        self.assertIn("is in use by another chat server", running.error)
        self.stage.stop()
        self.assertEqual(
            self.json(f"restore {os.path.relpath(file)}"),
            rehearsed | {"about": rehearsed["about"].replace("Stop the server and type", "Type")},
        )
        done = self.ctl(f"restore --now {file}")
        self.assertEqual(done.status, 0)
        self.assertIn("the previous database is", done.out)
        self.stage.start()
        bob = self.person("bob")
        bob.types("/history lobby")
        bob.sees("before the backup")
        bob.does_not_see("after the backup")

    def test_a_deleted_word_is_in_no_backup_and_after_a_stop_in_no_file(self) -> None:
        word = "supercalifragilistic"
        bob = self.person("bob", "lobby")
        bob.types(f"'{word}", f"/search {word}")
        bob.sees(f"bob: {word}", "history ID")
        bob.types("/delete")
        bob.sees("deleted message")
        self.json(f"backup {self.stage.path('after.db')}")
        self.assertNotIn(word.encode(), Path(self.stage.path("after.db")).read_bytes())
        self.stage.stop()
        self.assertFalse(os.path.exists(self.stage.path("credentials.db-wal")))
        self.assertNotIn(word.encode(), Path(self.stage.path("credentials.db")).read_bytes())
        self.assertNotIn(word, self.stage.log())

    def test_what_a_stopped_server_left_can_be_looked_at_and_copied(self) -> None:
        self.person("bob")
        self.stage.stop()
        self.assertRegex(self.ctl("check").out, r"Only its owner can read \S*credentials\.db\.")
        self.assertEqual(self.json(f"backup {self.stage.path('copy.db')}")["accounts"], 1)
        self.assertEqual(self.ctl(f"restore {self.stage.path('nowhere.db')}").status, 1)
        self.assertEqual(self.ctl("users").status, 3)

    def test_an_export_and_then_forgotten(self) -> None:
        bob = self.person("bob", "lobby")
        bob.types("'my words")
        bob.does_not_see("!")
        file = self.stage.path("bob.jsonl")
        self.assertEqual(self.ctl(f"export bob {file}").status, 0)
        with open(file, encoding="utf-8") as lines:
            self.assertIn("my words", lines.read())
        self.assertEqual(self.ctl("retention lobby 90d").out, "lobby keeps what was said for 90 days.\n")
        self.assertEqual(self.ctl("forget bob").status, 0)
        bob.sees("* This account is being deleted.")
        self.assertEqual(self.ctl("whois bob").status, 1)

    def test_below_the_floor_of_free_disk_people_come_in_and_nothing_is_taken(self) -> None:
        self.stage.stop()
        self.stage.start("--disk-floor=1000000000")
        bob = self.person("bob", "lobby")
        bob.types("'hello")
        bob.sees("! Nothing was sent: the server's disk is almost full.")
        self.assertIn("Messages are rejected until space is freed", self.ctl("check", "--config=/dev/null").out)


class TheCommandLine(ControlCase):
    def test_options_stand_anywhere(self) -> None:
        for words in ("--json users", "users --json"):
            self.assertEqual(json.loads(self.ctl(words).out), [])
        for options in ((), ("-h",)):
            self.assertIn("chatctl ban bob 7d spam", self.ctl("ban --help", *options).out)
        self.assertIn("chatctl ban bob 7d spam", self.ctl("help ban").out)

    def test_what_is_none_is_refused_and_not_taken_for_a_word(self) -> None:
        self.person("bob")
        for words in ("kick bob --jsno", "status --now", "users --con x"):
            error = io.StringIO()
            with contextlib.redirect_stderr(error), self.assertRaises(SystemExit) as ended:
                main([f"--control={self.stage.path('chat.control')}", *words.split()])
            self.assertEqual(ended.exception.code, 2)
            self.assertIn("chatctl: error: ", error.getvalue())

    def test_what_follows_two_dashes_is_no_option(self) -> None:
        bob = self.person("bob")
        self.assertEqual(self.ctl("broadcast -- use --json and --help").status, 0)
        bob.sees("From the administrators: use --json and --help")

    def test_help_needs_no_server(self) -> None:
        self.stage.stop()
        for words in ("help", "", "help ban", "ban --help", "?"):
            answer = self.ctl(words)
            self.assertEqual((answer.status, answer.error), (0, ""), words)
            self.assertIn("ban NAME|ADDRESS [TIME] [TEXT]", answer.out)
        self.assertEqual(self.ctl("help nosuch").status, 2)
        self.assertEqual(self.ctl("bans").status, 3)

    def test_its_own_help(self) -> None:
        out = io.StringIO()
        with contextlib.redirect_stdout(out), self.assertRaises(SystemExit) as ended:
            main(["--help"])
        self.assertEqual(ended.exception.code, 0)
        self.assertIn("--config FILE", out.getvalue())


class ExitStatus(ControlCase):
    def test_it_means_something(self) -> None:
        for command, status in (("bans", 0), ("unban nobody", 1), ("nosuch", 2), ("ban", 2), ("users a b", 2)):
            answer = self.ctl(command)
            self.assertEqual(answer.status, status, command)
            self.assertEqual(bool(answer.error), status != 0, command)
        self.stage.stop()
        answer = self.ctl("bans")
        self.assertEqual(answer.status, 3)
        self.assertIn("No server answers at", answer.error)

    def test_as_a_program_of_its_own(self) -> None:
        program = os.path.join(os.path.dirname(sys.executable), "chatctl")
        self.assertTrue(os.path.exists(program), "it is installed beside python")
        done = subprocess.run(
            [program, "bans"], cwd=self.stage.folder, capture_output=True, text=True, timeout=20, check=False
        )
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "No bans and mutes.\n", ""))
        with_server = subprocess.run([program, "help"], cwd=self.stage.folder, capture_output=True, check=False)
        self.stage.stop()
        without = subprocess.run([program, "help"], cwd=self.stage.folder, capture_output=True, check=False)
        self.assertEqual(without.stdout, with_server.stdout)


class TheSocket(ControlCase):
    def test_is_its_owners_alone(self) -> None:
        self.assertEqual(os.stat(self.stage.path("chat.control")).st_mode & 0o777, 0o600)

    @skipUnless(os.geteuid() == 0, "only root can become somebody else")
    def test_another_user_is_refused_by_the_kernel_and_by_the_server(self) -> None:
        os.chmod(self.stage.folder, 0o755)
        self.assertEqual(self.as_nobody(), "PermissionError")
        os.chmod(self.stage.path("chat.control"), 0o666)
        answer = json.loads(self.as_nobody())
        self.assertEqual(answer["code"], "forbidden")
        self.assertIn("This socket is for root and root; you are user 65534.", answer["text"])

    def as_nobody(self) -> str:
        """What the user ``nobody`` gets for a command."""
        script = (
            "import socket, sys\n"
            "try:\n"
            " s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[1])\n"
            ' s.sendall(b\'{"cmd": "admin", "args": {"words": "shutdown"}}\\n\')\n'
            " sys.stdout.write(s.makefile().read())\n"
            "except OSError as error: sys.stdout.write(type(error).__name__)\n"
        )
        python = shutil.which("python3", path="/usr/bin:/usr/local/bin") or sys.executable
        done = subprocess.run(
            [python, "-c", script, self.stage.path("chat.control")],
            user=NOBODY,
            group=NOBODY,
            extra_groups=[],
            cwd="/",
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        return done.stdout + done.stderr

    def test_only_admin_is_taken(self) -> None:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.connect(self.stage.path("chat.control"))
            for line in (b'{"id": 1, "cmd": "whoami"}', b"nonsense", b'{"cmd": "admin", "args": {"words": 3}}'):
                connection.sendall(line + b"\n")
            with connection.makefile() as lines:
                codes = [json.loads(next(lines))["code"] for _ in range(3)]
        self.assertEqual(codes, ["bad-frame", "bad-frame", "bad-usage"])

    def test_one_that_a_killed_server_left_is_no_obstacle(self) -> None:
        assert self.stage.server is not None
        self.stage.server.kill()
        self.stage.server.wait()
        self.assertTrue(os.path.lexists(self.stage.path("chat.control")))
        self.stage.start()
        self.assertEqual(self.ctl("bans").status, 0)


class ALongPath(ControlCase):
    running = False

    def test_a_short_folder_stands_in_and_is_printed(self) -> None:
        long = self.stage.path("x" * 100)
        place = control_path(long)
        self.assertLessEqual(len(place), 107)
        self.stage.start(f"--control={long}")
        self.addCleanup(shutil.rmtree, os.path.dirname(place))
        self.assertIn(f"The chatctl socket is {place}.", self.stage.log())
        self.assertEqual(self.ctl("bans", f"--control={long}").status, 0)
        self.assertEqual(os.stat(os.path.dirname(place)).st_mode & 0o777, 0o700)
        self.stage.stop()

    def test_what_is_no_socket_is_left_alone(self) -> None:
        self.stage.write("precious", "data")
        done = subprocess.run(
            self.stage.command("--listen=tcp:0", "--control=precious"),
            cwd=self.stage.folder,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("precious exists and is not a socket.", done.stderr)
        self.assertTrue(os.path.isfile(self.stage.path("precious")))


class Watching(ControlCase):
    def test_what_happens_is_shown_and_noted_without_what_is_said(self) -> None:
        program = os.path.join(os.path.dirname(sys.executable), "chatctl")
        watcher = Actor(self.stage, "watcher", [program, f"--control={self.stage.path('chat.control')}", "watch"])
        watcher.sees("Watching the server.")
        bob = self.person("bob", "lobby")
        bob.types("'xyzzy")
        watcher.sees("logged-in bob", "joined bob lobby", "text bob lobby 5 bytes 127.0.0.1")
        self.stage.stop()
        watcher.sees("Server is shutting down.")
        watcher.sees_the_end()
        for secret in ("xyzzy", PASSWORD):
            self.assertNotIn(secret, watcher.shown + self.stage.log())
        path = self.stage.path("traffic.log")
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path, encoding="utf-8") as lines:
            kinds = [json.loads(line)["kind"] for line in lines]
        self.assertEqual(kinds, ["created", "connected", "logged-in", "joined", "text", "logged-out", "disconnected"])

    def test_it_can_be_switched_off(self) -> None:
        self.stage.stop()
        os.unlink(self.stage.path("traffic.log"))
        self.stage.start("--traffic-log=none")
        self.person("bob")
        self.assertFalse(os.path.exists(self.stage.path("traffic.log")))
