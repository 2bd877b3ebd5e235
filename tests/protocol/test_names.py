"""`chat.protocol.names`: what may be a name, and which names are the same or look the same."""

from __future__ import annotations

import subprocess
import sys
import unicodedata
from functools import partial

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadName
from chat.protocol.names import fold, read_name, skeleton
from chat.protocol.values import Name
from tests.protocol.grammar.big_town import cost

VERBS = frozenset({"say", "message", "login"})

SCRIPTS = st.sampled_from(
    ["ab9_.-Zé", "аБвё", "αΣς", "日本ひカー", "한자漢", "שלום1", "हिन्दी१", "İıſßKＡ", "\u0301\u0307\u200d"]
)
WORDS = st.one_of(
    st.text(max_size=40),
    SCRIPTS.flatmap(lambda letters: st.text(letters, max_size=34)),
    st.lists(st.sampled_from("aаα日한אé9.\u0301\u200b@#"), max_size=6).map("".join),
)


class NamesThatAreAllowed(SynchronousTestCase):
    def test_ascii_needs_no_skeleton(self) -> None:
        """A name of one letter, as in the wishes, and one with everything that is allowed."""
        self.assertEqual(read_name("B"), Name("B", "b", ""))
        self.assertEqual(read_name("A-b_c.9"), Name("A-b_c.9", "a-b_c.9", ""))

    def test_thirty_two_characters(self) -> None:
        for letter in "xжé":
            self.assertEqual(read_name(letter * 32).shown, letter * 32)

    def test_one_mark_is_dropped(self) -> None:
        """``@bob`` and ``#ops`` are what people type; a second mark is no part of a name."""
        self.assertEqual(read_name("@bob").shown, "bob")
        self.assertEqual(read_name("#ops").shown, "ops")
        for word in ("@@bob", "#@bob", "@", "#"):
            self.assertRaises(BadName, read_name, word)

    def test_every_script(self) -> None:
        """Each script alone; those that one language mixes, together; digits and punctuation with all."""
        for word in (
            "josé", "Жанна", "Ελένη", "田中さん", "らーめん", "タナカ-7", "金철수", "注音ㄅ", "مريم", "שלום",
            "हिन्दी", "ไทย", "тест_1.2-3",
        ):  # fmt: skip
            name = read_name(word)
            self.assertEqual(name.shown, word)
            self.assertTrue(name.skeleton)

    def test_decomposed_is_composed(self) -> None:
        """macOS types an e and an accent; that is the name that others type with an é."""
        self.assertEqual(read_name("jose\u0301"), read_name("josé"))
        self.assertEqual(read_name("jose\u0301").shown, "josé")
        self.assertEqual(read_name("\u212a"), Name("K", "k", ""))  # a Kelvin sign


class NamesThatAreRefused(SynchronousTestCase):
    def refusal(self, word: str) -> str:
        refused: BadName = self.assertRaises(BadName, read_name, word, verbs=VERBS)
        return refused.line

    def test_each_with_its_reason(self) -> None:
        for word, reason in {
            "": "1 to 32 letters",
            "x" * 33: "at most 32 characters; this one has 33",
            "ж" * 33: "at most 32 characters; this one has 33",
            "x" * 100_000: "at most 32 characters",
            "9a": 'begin with a letter, not with "9"',
            "_a": 'begin with a letter, not with "_"',
            "20": "begin with a letter",
            "a b": "spaces",
            "a\u00a0b": "spaces",
            "a@b": 'cannot contain "@". Use letters, digits, _ - or .',
            "[ops]": 'cannot contain "["',
            "a\u200bb": "the invisible character U+200B",
            "a\u200db": "the invisible character U+200D",
            "\u202ebob": "the invisible character U+202E",
            "bob\u3164": "the invisible character U+3164",
            "bob\ufe0f": "the character U+FE0F",
            "bob\x1b": "the character U+001B",
            "bob\ud800": "the character U+D800",
            "ＢＯＢ": 'Type the plain "B" instead',
            "ſam": 'Type the plain "s" instead',
            "bob😀": "U+1F600",
            "\u0301a": "begin with a letter",
            "ʻokina": "U+02BB",
            "שלום-": "right-to-left",
            "e" + "\u0323\u0301\u0302\u0303\u0304\u0306": "stack accents",
            "x\u0301\u0301": "stack accents",
        }.items():
            self.assertIn(reason, self.refusal(word), ascii(word))

    def test_mixed_scripts(self) -> None:
        """A Cyrillic а in a Latin name is how one passes for somebody else."""
        self.assertIn("mixes Latin and Cyrillic", self.refusal("pаypal"))
        for word in ("日本abc", "ひらがな한글", "αж", "ㄅ한"):
            self.assertIn("keep to one script", self.refusal(word))

    def test_commands_in_any_case(self) -> None:
        self.assertIn("is a command", self.refusal("Say"))
        self.assertIn("is a command", self.refusal("@message"))
        self.assertEqual(read_name("say").folded, "say")  # where no verbs are given

    def test_reserved_words(self) -> None:
        """Wish 000 had conversations with a user named INVALID."""
        for word in ("INVALID", "server", "System", "admin", "everyone", "me", "none", "guest", "ＡＤＭＩＮ"):
            self.refusal(word)
        self.assertIn("is reserved", self.refusal("INVALID"))

    def test_what_looks_like_a_reserved_word(self) -> None:
        for word in ("ɑll", "ɡuest", "ıNVALID"):
            self.assertIn("is reserved", self.refusal(word))


class NamesAreCompared(SynchronousTestCase):
    def test_whatever_the_case(self) -> None:
        for one, other in (("Bob", "bOB"), ("@Bob", "bob"), ("#Ops", "ops"), ("ЖАННА", "жанна"), ("Straße", "STRASSE")):
            self.assertEqual(fold(one), fold(other))
        self.assertEqual(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"))

    def test_however_composed(self) -> None:
        self.assertEqual(fold("jose\u0301"), fold("JOSÉ"))

    def test_what_is_no_name_finds_nobody(self) -> None:
        """Full-width letters, a long s, and a zero-width space find neither bob nor sam."""
        for word, name in (("ｂｏｂ", "bob"), ("ſam", "sam"), ("bo\u200bb", "bob"), ("bob,", "bob"), ("", "bob")):
            self.assertNotEqual(fold(word), name)
        self.assertEqual(fold("ж" * 10_000), "")

    def test_all_of_unicode_folds_once(self) -> None:
        for code in range(0x110000):
            folded = fold("x" + chr(code))
            self.assertEqual(fold(folded), folded, hex(code))


class NamesThatLookAlike(SynchronousTestCase):
    def test_another_script_than_ascii(self) -> None:
        """The skeleton equals the folded ASCII name that is imitated."""
        for imitation, name in (("ВОВ", "bob"), ("Рау", "pay"), ("ІРА", "ipa"), ("ΝΙΚΟ", "niko"), ("ɑlice", "alice"),
                                ("ıvan", "ivan"), ("i\u0307van", "ivan"), ("рор-1", "pop-1")):  # fmt: skip
            self.assertEqual(read_name(imitation).skeleton, name)

    def test_two_scripts_beyond_ascii(self) -> None:
        self.assertEqual(read_name("ВОВ").skeleton, read_name("ΒΟΒ").skeleton)

    def test_a_letter_and_its_parts(self) -> None:
        """Unicode does not compose a stroke; an o with a stroke typed over it looks like an ø all the same."""
        for typed in ("so\u0338ren", "so\u0337ren"):
            self.assertNotEqual(fold(typed), fold("søren"))
            self.assertEqual(read_name(typed).skeleton, read_name("søren").skeleton)

    def test_what_does_not_look_alike(self) -> None:
        for one, other in (("josé", "jose"), ("жук", "жик"), ("müller", "muller")):
            self.assertNotEqual(skeleton(one), skeleton(other))

    def test_ascii_stands_for_itself(self) -> None:
        """Tables take m for rn and 1 for l; between plain names that would refuse far too much."""
        self.assertEqual(skeleton("m1I0rn"), "m1i0rn")


class AnyWord(SynchronousTestCase):
    @given(WORDS)
    def test_is_a_name_or_is_refused(self, word: str) -> None:
        """Whatever is typed, `read_name` gives a name that obeys its rules, or `BadName`; `fold` never fails."""
        folded = fold(word)
        try:
            name = read_name(word, verbs=VERBS)
        except BadName as refused:
            self.assertTrue(refused.line.isprintable(), ascii(refused.line))
            return
        self.assertEqual(name.folded, folded)
        self.assertEqual(fold(name.shown), folded)
        self.assertEqual(fold(folded), folded)
        self.assertEqual(read_name(name.shown), name)
        self.assertEqual(unicodedata.normalize("NFC", name.shown), name.shown)
        self.assertLessEqual(len(name.shown), 32)
        self.assertEqual(bool(name.skeleton), not name.shown.isascii())


class LongWords(SynchronousTestCase):
    """To put combining marks in order takes a time that grows with the square of their number."""

    def test_cost_nothing(self) -> None:
        for marks in (50, 15_000):
            word = "a" + "\u0345\u0301\u0327\u0300" * marks
            self.assertLess(cost(partial(fold, word), 0.000_5), 0.000_5)
            self.assertLess(cost(partial(self.assertRaises, BadName, read_name, word), 0.002), 0.002)


class AServerOfAsciiNames(SynchronousTestCase):
    def test_reads_no_tables(self) -> None:
        """The tables cost 30 ms and a megabyte: they are read with the first name that needs them."""
        program = (
            "import sys; from chat.protocol.names import fold, read_name; read_name('bob'); fold('привет');"
            "sys.exit(any(name.startswith(('precis', 'confusable')) for name in sys.modules))"
        )
        self.assertEqual(subprocess.run([sys.executable, "-c", program], check=False).returncode, 0)
