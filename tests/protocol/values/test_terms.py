"""Terms: how texts are cut into words, and what a search may ask for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadUsage
from chat.protocol.values.terms import TERM_LENGTH, Terms, read_terms, split


class Texts(SynchronousTestCase):
    def test_words_of_letters_and_digits_whatever_their_case(self) -> None:
        self.assertEqual(split("The DISK_is full: 98%!"), ["the", "disk", "is", "full", "98"])

    def test_without_diacritics_however_they_are_written(self) -> None:
        for word in ("Köln", "Ko\u0308ln", "köln"):
            self.assertEqual(split(word), ["koln"])
        self.assertEqual(split("ΐ Ǖ İ"), ["ι", "u", "i"])

    def test_a_long_word_is_cut_into_several(self) -> None:
        self.assertEqual(split("x" * 100), ["x" * TERM_LENGTH, "x" * (100 - TERM_LENGTH)])
        terms = read_terms("é" + "x" * 99)
        self.assertTrue(terms.holds("look: É" + "x" * 99))
        self.assertFalse(terms.holds("look: É" + "x" * 98))

    @given(st.text(st.characters(codec="ascii")))
    def test_ascii_is_cut_like_all_else(self, text: str) -> None:
        self.assertEqual([*split(text), "ж"], split(f"{text} ж"))

    @given(st.text())
    def test_a_text_has_the_terms_that_it_is_searched_for(self, text: str) -> None:
        terms = split(text)
        self.assertTrue(
            Terms((), tuple(term[:3] for term in terms), ((tuple(terms), True),) if terms else ()).holds(text)
        )


class Searches(SynchronousTestCase):
    def refused(self, typed: str, why: str) -> None:
        self.assertIn(why, str(self.assertRaises(BadUsage, read_terms, typed)))

    def test_words_prefixes_and_phrases(self) -> None:
        self.assertEqual(
            read_terms('disk "is full" dep* up-to-dat*'),
            Terms(
                ("disk", "is", "full", "up", "to"),
                ("dep", "dat"),
                ((("is", "full"), False), (("up", "to", "dat"), True)),
            ),
        )

    def test_operators_of_query_languages_are_words(self) -> None:
        self.assertEqual(read_terms("a OR b").words, ("a", "or", "b"))
        self.assertEqual(read_terms('NEAR(x "y z" body:q -w').words, ("near", "x", "y", "z", "body", "q", "w"))

    def test_nothing_to_look_for(self) -> None:
        for typed in ("", "   ", '""', "*** - ( )"):
            self.refused(typed, "Nothing to search for")

    def test_bounds(self) -> None:
        self.assertEqual(len(read_terms("a b c d e f g h").words), 8)
        for typed in ("a b c d e f g h i", "a-b-c-d-e-f-g-h-i", '"a b c d e f g h i"', "aaa* b c d e f g h i"):
            self.refused(typed, "at most 8 words")
        self.refused("abc* def* ghi*", "At most 2 words of a search can end with *")
        for typed in ("de*", "abc-d*", "ö\u0308*"):
            self.refused(typed, "at least 3 letters")
