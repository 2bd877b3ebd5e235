"""What people wrote can harm no terminal, and what scripts and emoji need stays."""

from __future__ import annotations

from unicodedata import category

from hypothesis import given
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.wire.sanitize import PILE, safe, safe_lines
from tests.protocol.wire.strategies import ANYTHING

REORDERING = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def harmful(char: str) -> bool:
    """Whether a terminal may do anything else with a character than show it in its place."""
    return category(char) in ("Cc", "Cs", "Zl", "Zp") or char in REORDERING


class Harmless(SynchronousTestCase):
    def test_printable_text_stays_as_it_is(self) -> None:
        for text in ("", "hello all", "größe", "日本語", "שלום", "re\u0301sume\u0301", "🫨", "\ue0b0"):
            self.assertEqual(safe(text), text)

    def test_joiners_and_variation_selectors_stay(self) -> None:
        for text in ("👨\u200d👩\u200d👧", "❤\ufe0f", "می\u200cخواهم", "葛\U000e0100", "ᠠ\u180eᠠ"):
            self.assertEqual(safe(text), text)

    def test_spaces_of_all_kinds_stay(self) -> None:
        self.assertEqual(safe("a\u00a0b\u3000c\u202fd"), "a\u00a0b\u3000c\u202fd")

    def test_marks_of_direction_stay(self) -> None:
        self.assertEqual(safe("a\u200eb\u200fc\u061cd"), "a\u200eb\u200fc\u061cd")


class Harmful(SynchronousTestCase):
    def test_escape_sequences_lose_what_makes_them_work(self) -> None:
        self.assertEqual(safe("\x1b[31mred\x1b]0;title\x07\x9b2J"), "[31mred]0;title2J")

    def test_control_characters_go(self) -> None:
        self.assertEqual(safe("a\x00b\x08c\x7fd\x9ce"), "abcde")

    def test_breaks_and_tabs_become_spaces(self) -> None:
        self.assertEqual(safe("a\nb\rc\td\x0be\x0cf\x85g\u2028h\u2029i"), "a b c d e f g h i")

    def test_nothing_reorders_the_line(self) -> None:
        self.assertEqual(safe("a" + "".join(sorted(REORDERING)) + "b"), "ab")

    def test_invisible_characters_go(self) -> None:
        self.assertEqual(safe("a\u200b\u2060\ufeff\u00ad\U000e0041\u2065b"), "ab")

    def test_what_is_no_character_is_replaced(self) -> None:
        self.assertEqual(safe("a\ud800b\uffffc"), "a\ufffdb\ufffdc")

    def test_marks_do_not_pile_up(self) -> None:
        self.assertEqual(safe("e" + "\u0301" * 50 + "!"), "e" + "\u0301" * PILE + "!")

    def test_joiners_do_not_make_a_pile_higher(self) -> None:
        self.assertEqual(len(safe("e" + "\u0301\u200d\u0489\ufe0f" * 50)), 1 + PILE)

    @given(ANYTHING)
    def test_nothing_harmful_comes_out_of_anything(self, text: str) -> None:
        self.assertFalse([char for char in safe(text) if harmful(char)])
        safe(text).encode()

    @given(ANYTHING)
    def test_what_is_safe_stays_as_it_is(self, text: str) -> None:
        once = safe(text)
        self.assertEqual(safe(once), once)


class Lines(SynchronousTestCase):
    def test_lines_end_at_line_feeds_alone(self) -> None:
        self.assertEqual(safe_lines("a\r\nb\n\nc\rd\x0be\u2028f"), ["a", "b", "", "c d e f"])

    def test_tabs_keep_columns_aligned(self) -> None:
        self.assertEqual(safe_lines("if x:\n\tgo\nab\tc"), ["if x:", "    go", "ab  c"])

    def test_there_is_always_a_line(self) -> None:
        self.assertEqual(safe_lines(""), [""])

    @given(ANYTHING)
    def test_a_line_holds_no_break(self, text: str) -> None:
        for line in safe_lines(text):
            self.assertLessEqual(len(line.splitlines()), 1)
            self.assertFalse([char for char in line if harmful(char)])
