"""What is cheap to send is cheap to answer: every line costs its sender, whatever it turns out to be."""

from __future__ import annotations

import json
from typing import Any

from chat.server.core.throttle import MOST_UNKNOWN
from chat.server.process.reactor import MOST_AT_ONCE
from chat.server.settings.schema import Settings
from tests.server.frontends.server import PASSWORD, Caller, ServerCase

SHIPPED: dict[str, Any] = {"rate": Settings().rate, "burst": Settings().burst, "broadcasts": Settings().broadcasts}
LETTERS = b"abcdefghijklmnopqrstuvwxyzabcdef\n"
FRAME = b'{"cmd": "' + b"x" * 64_000 + b'", }\n'
TOO_LONG = b"x" * 100_000 + b"\n"
NOT_TEXT = b"\xff\x00\n"


class Guests(ServerCase):
    settings = SHIPPED

    def test_who_sends_no_command_at_all_is_disconnected(self) -> None:
        for garbage in (LETTERS, TOO_LONG, NOT_TEXT, b"Host: chat.example\r\n"):
            guest = self.guest()
            guest.sends(garbage * (190_000 // len(garbage) + MOST_UNKNOWN))
            self.server.advance(10)
            seen = guest.sees()
            self.assertEqual(len(seen), MOST_UNKNOWN + 1)
            self.assertEqual(seen[-1], "* Disconnected: none of the first 10 lines was a command.")
            self.assertTrue(guest.ended)
            guest.hangs_up()

    def test_neither_is_a_program(self) -> None:
        for garbage in (FRAME, b'{"cmd": "get"}\n', b"{}\n", TOO_LONG):
            program = self.call("json")
            program.sends(garbage * 50)
            for _ in range(60):
                self.server.advance(1)
            frames = program.frames()
            self.assertEqual([frame["type"] for frame in frames], ["refused"] * MOST_UNKNOWN + ["closing"])
            self.assertTrue(program.ended)
            program.hangs_up()

    def test_nothing_is_read_after_that(self) -> None:
        """What a browser posts is no command of anybody."""
        guest = self.guest()
        guest.sends(LETTERS * 10 + f"new bot {PASSWORD}\n".encode())
        self.assertIsNone(self.server.chat.directory.account("bot"))

    def test_who_mistypes_is_not(self) -> None:
        guest = self.guest()
        guest.types("hlep", "help", *["nonsense"] * (MOST_UNKNOWN + 5))
        self.assertFalse(guest.ended)

    def test_empty_lines_are_slowed_down(self) -> None:
        """They mean nothing, so they are not counted; 400 at once, and then 50 a second."""
        guest = self.guest()
        guest.sends(b"\n" * 1_000 + b"time\n")
        self.server.advance(10)
        self.assertNotIn("It is", guest.gets())
        self.server.advance(5)
        self.assertEqual(len(guest.sees()), 1)

    def test_telnet_commands_without_end(self) -> None:
        """They are no lines, so nothing else counts them."""
        for packet in (b"\xff\xfd\x01" * 20_000, b"\xff\xff" * 200):
            guest = self.call("telnet")
            packets = 0
            while not guest.ended:
                guest.sends(packet)
                packets += 1
                self.assertLess(packets, 200)
            self.assertTrue(guest.sees()[-1].endswith("Disconnected: too many commands."))
            guest.hangs_up()

    def test_what_a_telnet_negotiates_costs_little(self) -> None:
        guest = self.call("telnet")
        for option in range(40):
            guest.sends(bytes((255, 253, option)))
        guest.types("new ann", PASSWORD)
        self.assertIn(b"Welcome", guest.raw())

    def test_commands_in_a_loop_are_slowed_down(self) -> None:
        program = self.call("json")
        program.sends(b'{"cmd": "commands"}\n' * 500)
        at_once = len(program.frames())
        self.assertLess(at_once, 50)
        for _ in range(100):
            self.server.advance(0.1)
        self.assertLess(len(program.frames()), 60)

    def test_connecting_again_gives_no_more(self) -> None:
        """Each connection has little, and all of a network have a bucket together."""
        done = 0
        for _ in range(400):
            program = self.call("json")
            program.sends(b'{"cmd": "time"}\n' * 40)
            done += len(program.frames())
            program.hangs_up()
        self.assertLessEqual(done, self.server.settings.burst * self.server.settings.network_connections / 4 + 400)


class People(ServerCase):
    settings = SHIPPED

    def test_what_they_paste_is_slowed_down_and_not_refused(self) -> None:
        """Outside a room every line is a command; nobody is disconnected for a wrong one now and then."""
        ann = self.person("ann")
        ann.sends(b"hello\nonline\n" * 50)
        for _ in range(200):
            self.server.advance(0.1)
        seen = ann.sees()
        self.assertEqual(len([line for line in seen if "No command hello" in line]), 50)
        self.assertFalse([line for line in seen if "too fast" in line])
        self.assertFalse(ann.ended)

    def test_garbage_is_read_at_the_rate_and_then_ended(self) -> None:
        ann = self.person("ann")
        ann.sends(b"gibberish\n" * 65_000)
        read = len(ann.sees())
        self.assertLessEqual(read, Settings().burst + 1)
        for _ in range(150):
            self.server.advance(0.1)
        self.assertAlmostEqual(len(ann.sees()), 15 * Settings().rate, delta=5)
        for _ in range(100):
            self.server.advance(0.1)
        self.assertTrue(ann.ended)
        self.assertEqual(ann.sees()[-1], "* Disconnected: too many commands.")

    def test_a_program_that_logs_in_in_a_loop_has_one_bucket(self) -> None:
        """Whatever it does between: commands and frames that are none."""
        ann = self.program("ann", resume=False)
        token = self.token(ann)
        ann.hangs_up()
        done = 0
        for number in range(30):
            again = self.call("json")
            again.sends(json.dumps({"cmd": "login", "args": {"token": token}}).encode() + b"\n")
            (logged_in,) = again.frames()
            token = logged_in["token"]
            again.sends((b'{"cmd": "time"}\n' if number % 2 else b'{"cmd": "?"}\n') * 100)
            done += len(again.frames())
            again.hangs_up()
        self.assertLessEqual(done, Settings().burst + 30)

    def token(self, program: Caller) -> str:
        program.asks("logout")
        program.asks("login", user="ann", password=PASSWORD)
        return str(program.frames()[-1]["token"])


class OneTurn(ServerCase):
    """Others are served while somebody's lines are read."""

    def test_nobody_waits_for_a_packet(self) -> None:
        """As if it took a millisecond to read each line of it."""
        ann, bob = self.person("ann", "lobby"), self.person("bob")
        self.quiet(ann, bob)
        clock = self.server.clock.clock
        read, reads = self.server.chat.table.get, 0

        def slowly(word: str, default: object = None) -> object:
            nonlocal reads
            reads += 1
            clock.rightNow += MOST_AT_ONCE / 5
            return read(word, default)

        self.patch(self.server.chat.table, "get", slowly)
        ann.sends(b"nonsense here\n" * 900)
        self.assertLess(reads, 10)
        bob.sends(b"ping\n")
        self.server.turn.end()
        self.assertEqual(bob.wire.value(), b"* pong\n")
        self.server.settle()
        self.assertEqual(self.server.chat.node.room_names["lobby"].last, 2 + 900)
