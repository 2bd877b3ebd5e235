"""Telnet: negotiation never shows, a password stays off the screen, timing marks are answered."""

from __future__ import annotations

from threading import Event

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.server.frontends.delivery_proof import LOOK_AFTER
from chat.server.frontends.telnet import HIDE, MOST_ANSWERS, SHOW, Telnet
from tests.server.frontends.server import PASSWORD, ServerCase

IAC_DO_ECHO = b"\xff\xfd\x01"
IAC_DO_SGA, IAC_WONT_SGA = b"\xff\xfd\x03", b"\xff\xfc\x03"
IAC_WILL_NAWS, IAC_DONT_NAWS = b"\xff\xfb\x1f", b"\xff\xfe\x1f"
IAC_DO_TM, IAC_WILL_TM = b"\xff\xfd\x06", b"\xff\xfb\x06"
WINDOW_SIZE = b"\xff\xfa\x1f\x00\x50\x00\x18\xff\xf0"


class Negotiation(SynchronousTestCase):
    def test_every_request_is_refused_once(self) -> None:
        """Answering each time would let two sides that disagree go on for ever (RFC 854)."""
        telnet = Telnet()
        self.assertEqual(telnet.receive(IAC_DO_SGA + b"hi" + IAC_WILL_NAWS), (b"hi", IAC_WONT_SGA + IAC_DONT_NAWS))
        self.assertEqual(telnet.receive(IAC_DO_SGA + IAC_WILL_NAWS), (b"", b""))

    def test_what_is_said_about_an_option_is_no_text(self) -> None:
        self.assertEqual(Telnet().receive(b"a" + WINDOW_SIZE + b"b\xff\xf1c"), (b"abc", b""))

    def test_a_doubled_byte_is_text(self) -> None:
        self.assertEqual(Telnet().receive(b"a\xff\xffb"), (b"a\xffb", b""))

    def test_timing_marks_are_answered_each_time(self) -> None:
        telnet = Telnet()
        for _ in range(3):
            self.assertEqual(telnet.receive(IAC_DO_TM), (b"", IAC_WILL_TM))

    def test_an_answer_to_a_timing_mark_of_ours(self) -> None:
        """Whichever answer it is, and once; we ask no other before."""
        for answer in (IAC_WILL_TM, b"\xff\xfc\x06"):
            telnet, told = Telnet(), Event()
            self.assertEqual(telnet.ask(told.set), IAC_DO_TM)
            self.assertEqual(telnet.ask(told.clear), b"")
            self.assertEqual(telnet.receive(b"a" + answer + b"b"), (b"ab", b""))
            self.assertTrue(told.is_set())
            told.clear()
            telnet.receive(answer)
            self.assertFalse(told.is_set())

    def test_a_flood_is_answered_no_longer(self) -> None:
        _, answers = Telnet().receive(IAC_DO_TM * 10_000)
        self.assertEqual(answers, IAC_WILL_TM * MOST_ANSWERS)

    def test_an_endless_subnegotiation_is_bounded(self) -> None:
        telnet = Telnet()
        for _ in range(100):
            self.assertEqual(telnet.receive(b"\xff\xfa" + b"x" * 10_000), (b"", b""))
        self.assertLess(len(telnet._partial), 2_000)

    @given(st.lists(st.sampled_from([b"hi", IAC_DO_SGA, IAC_DO_TM, WINDOW_SIZE, b"\xff\xff", b"\xff\xf1", b"\r\n"])))
    def test_byte_by_byte_is_as_whole(self, pieces: list[bytes]) -> None:
        sent = b"".join(pieces)
        whole, telnet = Telnet().receive(sent), Telnet()
        parts = [telnet.receive(bytes([byte])) for byte in sent]
        self.assertEqual((b"".join(text for text, _ in parts), b"".join(answer for _, answer in parts)), whole)

    @given(st.binary())
    def test_no_bytes_break_it(self, sent: bytes) -> None:
        Telnet().receive(sent)


class Passwords(ServerCase):
    def test_are_not_echoed(self) -> None:
        """``WILL ECHO`` before, ``WONT ECHO`` and the line end that was not shown after."""
        ann = self.guest("telnet")
        ann.sends(b"new ann\r\n")
        self.server.settle()
        self.assertEqual(ann.wire.value(), b"Password: " + HIDE)
        ann.wire.clear()
        ann.sends(IAC_DO_ECHO + PASSWORD.encode() + b"\r\0")
        self.server.settle()
        self.assertTrue(ann.wire.value().startswith(SHOW + b"\r\n* Account ann created.\r\nWelcome"), ann.wire.value())

    def test_a_wrong_one_is_asked_for_unseen_again(self) -> None:
        self.person("ann").types("logout")
        ann = self.guest("telnet")
        ann.types("login ann", "wrong password")
        self.assertIn(SHOW + b"\r\n! Wrong name or password.", ann.wire.value())
        self.assertTrue(ann.wire.value().endswith(b"Password (an empty line cancels): " + HIDE), ann.wire.value())


class Lines(ServerCase):
    def test_end_as_telnet_wants_them_for_telnet_alone(self) -> None:
        """One room, two spellings of the same events."""
        bob = self.person("bob", "lobby")
        ann = self.guest("telnet")
        ann.types("new ann", PASSWORD, "connect lobby")
        ann.wire.clear()
        bob.gets()
        bob.types("hello")
        self.assertEqual(ann.wire.value(), b"bob: hello\r\n")
        ann.types("hi")
        self.assertEqual(bob.wire.value(), b"ann: hi\n")

    def test_negotiation_is_never_seen_by_others(self) -> None:
        bob = self.person("bob", "lobby")
        ann = self.guest("telnet")
        ann.types("new ann", PASSWORD, "connect lobby")
        bob.gets()
        ann.sends(b"he" + IAC_WILL_NAWS + b"llo" + WINDOW_SIZE + b"\r\n")
        self.server.settle()
        self.assertEqual(bob.wire.value(), b"ann: hello\n")


class Proofs(ServerCase):
    """A telnet says by itself that it has shown everything; a person need not type anything."""

    def setUp(self) -> None:
        super().setUp()
        self.bob = self.person("bob")
        self.ann = self.guest("telnet")
        self.ann.types("new ann", PASSWORD)
        self.server.advance(5)
        self.ann.wire.clear()

    def comes_back(self) -> str:
        self.ann.hangs_up(orderly=False)
        self.ann = self.guest("telnet")
        self.ann.types("login ann", PASSWORD)
        self.server.settle()
        return str(self.ann.wire.value(), errors="replace")

    def test_what_was_shown_before_the_mark_is_proven(self) -> None:
        self.bob.types("message ann first")
        self.server.advance(LOOK_AFTER)
        self.server.settle()
        self.assertEqual(self.ann.wire.value(), b"bob (private): first\r\n" + IAC_DO_TM)
        self.bob.types("message ann second")
        self.ann.sends(IAC_WILL_TM)
        seen = self.comes_back()
        self.assertNotIn("first", seen)
        self.assertIn("(again) bob (private): second", seen)

    def test_nothing_is_asked_when_nothing_is_new(self) -> None:
        self.ann.types("/ping")
        self.server.advance(LOOK_AFTER)
        self.server.settle()
        self.assertNotIn(IAC_DO_TM, self.ann.wire.value())
