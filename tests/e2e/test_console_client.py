"""The console client at real terminals and in real pipes, with a real server that is killed and comes back."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from unittest import skipUnless

from tests.e2e.stage import PASSWORD, StageCase
from tests.e2e.terminal import CHAT, Terminal

BYE = "Client is terminating. Bye!"


class ClientCase(StageCase):
    options = ("--rate=1000000", "--burst=1000000", "--sessions=per-device")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.stage.port}"

    def terminal(self, name: str, *words: str, width: int = 80, height: int = 24) -> Terminal:
        terminal = Terminal(self.stage, name, [*CHAT, *words], width, height)
        self.addCleanup(terminal.leave)
        return terminal

    def run_chat(self, *words: str, lines: str = "", name: str = "ann") -> tuple[int, str]:
        """Run the command with lines on its standard input; its status, and all that it printed."""
        home = self.stage.path(f"home-{name}")
        os.makedirs(run := f"{home}/run", exist_ok=True)
        env = os.environ | {
            "XDG_CONFIG_HOME": f"{home}/config",
            "XDG_DATA_HOME": f"{home}/data",
            "XDG_RUNTIME_DIR": run,
        }
        done = subprocess.run(
            [*CHAT, *words], input=lines, env=env, capture_output=True, text=True, timeout=30, check=False
        )
        return done.returncode, done.stdout + done.stderr


@skipUnless(shutil.which("tmux"), "tmux is not installed")
class AtATerminal(ClientCase):
    def test_a_day(self) -> None:
        """Log in, talk, switch, complete, resize, lose the server and get it back, leave."""
        bob = self.person("bob", "lobby")
        ann = self.terminal("ann", self.address)
        ann.sees("Log in to chat")
        ann.presses("F4")
        ann.sees("Create an account on chat")
        ann.types("ann")
        ann.types(PASSWORD)
        ann.sees("You are not in a room yet", "● bob")
        ann.types("connect lobby")
        ann.sees(">#lobby", "You are in lobby")

        ann.types("grüße 漢字")
        bob.sees("ann: grüße 漢字")
        ann.sees("ann: grüße 漢字 ✓")
        bob.types("hello ann", "message ann psst")
        ann.sees("bob: hello ann", "bob (1)")
        ann.presses("F4")
        ann.sees("bob: psst", "bob (online)")
        ann.types("what is it?")
        bob.sees("ann (private): what is it?")
        ann.presses("M-Up")
        ann.sees(">#lobby")

        ann.types("/whoi", enter=False)
        ann.presses("Tab")
        ann.types("bob")
        ann.sees("state    online")

        ann.resizes(40, 12)
        ann.does_not_see("> ")
        bob.types("can you still read this in a narrow window?")
        ann.sees("bob: can you still", "window?")
        ann.resizes(100, 30)
        ann.sees("● bob", "bob: can you still read this in a narrow window?")

        port = self.stage.port
        self.stage.stop(signal.SIGKILL)
        ann.sees("Not connected; next try in")
        ann.types("said while it was away")
        ann.sees("said while it was away …")
        self.stage.start(f"--listen=tcp:{port}:interface=127.0.0.1")
        ann.presses("F5")
        ann.sees("said while it was away ✓")
        again = self.stage.enter("bob again")
        again.types("login bob", PASSWORD, "/catchup")
        again.sees("said while it was away")

        ann.presses("C-c")
        ann.sees(BYE, "ended with 0")

    def test_a_password_is_not_seen_and_the_next_time_none_is_asked_for(self) -> None:
        first = self.terminal("ann", "--plain", self.address)
        first.sees("Username (or: new NAME to register):")
        first.types("new ann")
        first.sees("Password:")
        first.types(PASSWORD)
        first.sees("You are logged in as ann.")
        self.assertNotIn("horse", first.screen())
        first.types("quit")
        first.sees("ended with 0")
        second = self.terminal("ann", "--plain")
        second.sees("You are logged in as ann.")
        second.presses("C-c")
        second.sees(BYE, "ended with 130")

    def test_a_dumb_terminal_gets_lines(self) -> None:
        ann = Terminal(self.stage, "ann", ["env", "TERM=dumb", *CHAT, self.address])
        self.addCleanup(ann.leave)
        ann.sees("Username (or: new NAME to register):")
        self.assertEqual(ann.modes(), "000")

    def test_a_server_whose_key_has_changed(self) -> None:
        ann = self.terminal("ann", self.address)
        ann.sees("Log in to chat")
        ann.presses("C-c")
        ann.sees(BYE)
        port = self.stage.port
        self.stage.stop()
        os.unlink(self.stage.path("chat.pem"))
        self.stage.start(f"--listen=tcp:{port}:interface=127.0.0.1")
        again = self.terminal("ann", f"127.0.0.1:{port}")
        again.sees("HAS CHANGED", "Nothing was sent.", "Type trust to continue.")
        again.types("yes", enter=False)
        again.sees("┃ yes")
        again.presses("Enter")
        again.does_not_see("┃ yes")
        again.types("trust")
        again.sees("Log in to chat")

    def test_a_server_that_was_set_up_anew(self) -> None:
        """One client runs meanwhile, another one comes later; neither takes one database for the other."""
        ann = self.terminal("ann", self.address)
        ann.sees("Log in to chat")
        ann.presses("F4")
        ann.types("ann")
        ann.types(PASSWORD)
        ann.sees("You are not in a room yet")
        ann.types("create ops")
        ann.sees("You are in ops")
        ann.types("said to the old one")
        ann.sees("said to the old one ✓")
        port = self.stage.port
        self.stage.stop()
        ann.types("never said")
        ann.sees("never said …")
        for name in ("credentials.db", "credentials.db-wal", "credentials.db-shm"):
            with suppress(FileNotFoundError):
                os.unlink(self.stage.path(name))
        self.stage.start(f"--listen=tcp:{port}:interface=127.0.0.1")
        plain = self.terminal("ann", "--plain", f"127.0.0.1:{port}", width=200)
        plain.sees("was reinstalled, or is another server", f"chat forget 127.0.0.1:{port}", "ended with 1")
        self.assertEqual(plain.screen().count("was reinstalled"), 1)
        ann.sees("! 127.0.0.1", "was reinstalled", "Not connected (F5: again)")
        ann.presses("F5")
        ann.sees("WAS SET UP ANEW", "Type anew to continue.")
        ann.types("anew")
        ann.sees("You have no account on this server yet")
        ann.presses("F4")
        ann.types("ann")
        ann.types(PASSWORD)
        ann.sees("were moved to")
        ann.types("create ops")
        ann.sees("Room ops created")
        ann.does_not_see("said")


@skipUnless(shutil.which("tmux"), "tmux is not installed")
class TheEnd(ClientCase):
    """However it ends, the terminal is as it was."""

    def at_the_door(self) -> Terminal:
        ann = self.terminal("ann", self.address)
        ann.sees("Log in to chat")
        self.assertEqual(ann.modes()[:2], "11")
        return ann

    def assert_restored(self, ann: Terminal) -> None:
        self.assertEqual(ann.modes(), "000", ann.screen())
        self.assertNotIn("spoiled", ann.screen())
        self.assertNotIn("Traceback", ann.screen())

    def test_by_signals(self) -> None:
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            ann = self.at_the_door()
            os.kill(ann.pid("chat.client.main"), number)
            ann.sees(BYE, "ended with 0")
            self.assert_restored(ann)

    def test_by_a_failure_of_its_own(self) -> None:
        broken = (
            "from chat.client.screen.app import ChatApp\n"
            "def fail(self): raise RuntimeError('broken on purpose')\n"
            "ChatApp.action_other_theme = fail\n"
            "from chat.client.main import main; main()"
        )
        ann = Terminal(self.stage, "ann", [sys.executable, "-c", broken, self.address], 100, 40)
        self.addCleanup(ann.leave)
        ann.sees("Log in to chat")
        ann.presses("F6")
        ann.sees("broken on purpose", BYE, "ended with 1")
        self.assertEqual(ann.modes(), "000")
        self.assertNotIn("spoiled", ann.screen())

    def test_with_a_server_that_does_not_answer_any_more(self) -> None:
        ann = self.at_the_door()
        ann.presses("F4")
        ann.types("ann")
        ann.types(PASSWORD)
        ann.sees("You are not in a room yet")
        assert self.stage.server is not None, "it runs"
        self.stage.server.send_signal(signal.SIGSTOP)
        self.addCleanup(self.stage.server.send_signal, signal.SIGCONT)
        ann.presses("C-c")
        ann.sees(BYE, "ended with 0")
        self.assert_restored(ann)

    def test_when_the_window_is_closed_what_was_not_sent_is_kept_and_cannot_be_read(self) -> None:
        ann = self.at_the_door()
        ann.presses("F4")
        ann.types("ann")
        ann.types(PASSWORD)
        ann.sees("You are not in a room yet")
        ann.types("/connect lobby")
        ann.sees(">#lobby")
        self.stage.stop(signal.SIGKILL)
        ann.sees("Not connected")
        ann.types("said to nobody yet")
        ann.sees("1 unsent")
        program = ann.pid("chat")
        ann.leave()
        self.stage.wait(lambda: not Path(f"/proc/{program}").exists(), "it does not end")
        files = [each for each in Path(self.stage.path("home-ann")).rglob("*") if each.is_file()]
        self.assertNotIn(b"said to nobody yet", b"".join(each.read_bytes() for each in files))
        before = self.stage.port
        self.stage.start(f"--listen=tcp:{before}:interface=127.0.0.1")
        again = self.terminal("ann", f"127.0.0.1:{before}")
        again.sees("said to nobody yet ✓")
        again.presses("Up", "Up")
        again.sees("/connect lobby")


class InPipes(ClientCase):
    def test_a_message_that_is_kept_and_one_that_is_not(self) -> None:
        self.accounts("bob")
        status, said = self.run_chat("--plain", self.address, lines=f"new ann\n{PASSWORD}\nmessage bob hello\n")
        self.assertEqual(status, 0, said)
        status, said = self.run_chat("--plain", self.address, "--user", "ann", lines="message nobody hello\n")
        self.assertEqual(status, 1, said)
        self.assertIn("! No user nobody.", said)
        bob = self.stage.enter("bob")
        bob.types("login bob", PASSWORD)
        bob.sees("ann (private): hello")

    def test_without_a_server(self) -> None:
        port = self.stage.port
        self.stage.stop()
        for words in (
            ("--plain", f"127.0.0.1:{port}"),
            ("send", "--server", f"127.0.0.1:{port}", "--user", "ann", "bob", "x"),
        ):
            status, said = self.run_chat(*words)
            self.assertEqual(status, 1, said)
            self.assertIn("Cannot connect to", said)
            self.assertNotIn("Traceback", said)

    def test_help(self) -> None:
        status, said = self.run_chat("--help")
        self.assertEqual(status, 0)
        for words in ("--plain", "chat send NAME TEXT", "chat tail ROOM", "[servers]", "config.ini"):
            self.assertIn(words, said)

    @skipUnless(shutil.which("tmux"), "tmux is not installed")
    def test_send_and_tail_with_the_password_typed_once(self) -> None:
        bob = self.person("bob", "lobby")
        status, said = self.run_chat("--plain", self.address, lines=f"new ann\n{PASSWORD}\nconnect lobby\n")
        self.assertEqual(status, 0, said)
        first = Terminal(self.stage, "ann", [*CHAT, "send", "--user", "ann", "bob", "build", "started"])
        self.addCleanup(first.leave)
        first.sees("Password for ann:")
        first.types(PASSWORD)
        first.sees("ended with 0")
        bob.sees("ann (private): build started")
        status, said = self.run_chat("send", "bob", "build done")
        self.assertEqual(status, 0, said)
        bob.sees("ann (private): build done")
        status, said = self.run_chat("send", "#lobby", "-", lines="two\nlines\n")
        self.assertEqual(status, 0, said)
        bob.sees("ann: two", "ann| lines")
        status, said = self.run_chat("send", "nobody", "x")
        self.assertEqual((status, "No user nobody." in said), (1, True), said)
        tail = Terminal(self.stage, "ann2", [*CHAT, "tail", "--server", self.address, "--user", "ann", "lobby"])
        self.addCleanup(tail.leave)
        tail.sees("Password for ann:")
        tail.types(PASSWORD)
        tail.sees("ann: two")
        bob.types("a new line")
        tail.sees("bob: a new line")
