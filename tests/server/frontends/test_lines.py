"""Bytes in, lines read: however they were cut, whatever they held."""

from __future__ import annotations

from chat.server.frontends.prompt_state import LINE_BYTES
from tests.server.frontends.server import ASKED, NOWHERE, PASSWORD, WELCOME, ServerCase

TOO_LONG = "! A line can have at most 8,192 bytes; this one was ignored. Send it in parts."
NOT_UTF8 = "! That line is not valid UTF-8 and was ignored. Set your terminal to UTF-8."
CONTROL = "! That line contains control characters and was ignored. Type it again without them."


class CuttingLines(ServerCase):
    def test_a_line_may_be_cut_anywhere(self) -> None:
        """Whichever way the network cuts it, the same bytes have the same answer; UTF-8 may be cut in the middle."""
        ann = self.person("ann", "lobby")
        bob = self.person("bob", "lobby")
        self.quiet(ann, bob)
        line = "grüße 😀\n".encode()
        for place in range(len(line)):
            ann.sends(line[:place])
            self.server.settle()
            ann.sends(line[place:])
            self.assertEqual(bob.sees(), ["ann: grüße 😀"], f"cut at {place}")
        self.assertEqual(ann.sees(), [])

    def test_a_program_is_shown_as_it_is_indented(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(b"def double(x):\n    return 2 * x\n")
        self.assertEqual(bob.sees(), ["ann: def double(x):", "ann:     return 2 * x"])

    def test_byte_by_byte(self) -> None:
        caller = self.guest()
        for byte in b"new ann\r\ncorrect horse\r\n":
            caller.sends(bytes([byte]))
        self.assertEqual(caller.sees(), [f"{ASKED}* Account ann created.", WELCOME, NOWHERE])

    def test_several_lines_in_one_packet(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(b"one\ntwo\nthree\nfo")
        self.assertEqual(bob.sees(), ["ann: one", "ann: two", "ann: three"])
        ann.sends(b"ur\n")
        self.assertEqual(bob.sees(), ["ann: four"])

    def test_every_end_of_line(self) -> None:
        """Netcat ends a line with LF, telnet with CR LF or CR NUL (RFC 854)."""
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(b"one\ntwo\r\nthree\r\0four\r\n")
        self.assertEqual(bob.sees(), ["ann: one", "ann: two", "ann: three", "ann: four"])

    def test_a_carriage_return_and_its_nul_may_be_cut_apart(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(b"one\r")
        ann.sends(b"\0two\r")
        ann.sends(b"\n")
        self.assertEqual(bob.sees(), ["ann: one", "ann: two"])
        self.assertEqual(ann.sees(), [])

    def test_empty_lines_say_nothing(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(b"\n\r\n   \n\t\n")
        self.assertEqual((ann.gets(), bob.gets()), ("", ""))


class LinesThatAreTooLong(ServerCase):
    def test_the_longest_line_is_read(self) -> None:
        caller = self.guest()
        caller.sends(b"x" * LINE_BYTES + b"\r\n")
        self.assertEqual(caller.sees(), ["! No command that. Type login NAME, new NAME or help."])

    def test_one_byte_more_is_refused_whole(self) -> None:
        """It is refused with the limit, never cut, and the next line is read."""
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(b"x" * (LINE_BYTES + 1) + b"\nnext\n")
        self.assertEqual(ann.sees(), [TOO_LONG])
        self.assertEqual(bob.sees(), ["ann: next"])

    def test_refused_once_however_it_arrives(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        for _ in range(50):
            ann.sends(b"x" * 1_000)
        ann.sends(b"quit\nnext\n")
        self.assertEqual(ann.sees(), [TOO_LONG])
        self.assertEqual(bob.sees(), ["ann: next"])

    def test_one_that_never_ends_is_not_kept(self) -> None:
        """Somebody sends a disk image: it takes no memory, and only one line says so."""
        caller = self.guest()
        for _ in range(300):
            caller.sends(b"\x00" * 65_536)
        self.assertEqual(caller.sees(), [TOO_LONG])
        self.assertLess(len(caller.protocol._decoder.rest), 2 * LINE_BYTES)
        self.assertFalse(caller.ended)

    def test_one_that_ends_with_the_connection(self) -> None:
        caller = self.guest()
        caller.sends(b"x" * 20_000)
        caller.finishes()
        self.assertEqual(caller.sees(), [TOO_LONG])
        self.assertTrue(caller.ended)

    def test_a_prompt_survives_it(self) -> None:
        """9,000 characters are no password; the question stands and is asked again."""
        caller = self.guest()
        caller.types("new ann")
        self.assertEqual(caller.gets(), ASKED)
        caller.sends(b"x" * 9_000 + b"\n")
        self.assertEqual(caller.gets(), f"{TOO_LONG}\n{ASKED}")
        caller.types(PASSWORD)
        self.assertEqual(self.online(), ["ann"])


class LinesThatAreNoText(ServerCase):
    def test_invalid_utf8(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        for broken in (b"gr\xfc\xdfe", b"\xff\xfe", b"\xed\xa0\x80", b"\xc0\xaf", b"\xe2\x82"):
            ann.sends(broken + b"\n")
            self.assertEqual(ann.sees(), [NOT_UTF8], repr(broken))
        ann.types("next")
        self.assertEqual(bob.sees(), ["ann: next"])

    def test_control_characters(self) -> None:
        """An escape sequence, a NUL, a delete: one clear line, and nobody gets anything of it."""
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        for broken in (b"\x1b[2J", b"a\0b", b"\x7f", b"\x07", "a\x9bb".encode(), b"a\rb"):
            ann.sends(broken + b"\n")
            self.assertEqual(ann.sees(), [CONTROL], repr(broken))
        self.assertEqual(bob.sees(), [])

    def test_tabs_are_text(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("a\tb")
        self.assertEqual(ann.sees(), [])
        self.assertEqual(len(bob.sees()), 1)

    def test_a_prompt_survives_it(self) -> None:
        """What cannot be read is no answer: the question stands."""
        caller = self.guest()
        caller.types("new ann")
        self.assertEqual(caller.gets(), ASKED)
        caller.sends(b"\xff\n")
        self.assertEqual(caller.gets(), f"{NOT_UTF8}\n{ASKED}")
        caller.types(PASSWORD)
        self.assertEqual(caller.sees(), ["* Account ann created.", WELCOME, NOWHERE])
        self.assertEqual(self.online(), ["ann"])

    def test_a_held_line_survives_it(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("mesage bob hi")
        ann.sends(b"\xff\n!\n")
        self.assertEqual(bob.sees(), ["ann: mesage bob hi"])
