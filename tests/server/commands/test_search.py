"""What is typed behind ``search``, taken apart."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadUsage
from chat.protocol.grammar.search_queries import Query, read_query


class AQuery(SynchronousTestCase):
    def test_words_and_filters_in_any_order(self) -> None:
        wanted = Query("disk full", "ops", "bob", "2h")
        for text in ("disk full in:ops from:bob since:2h", "in:ops disk from:bob since:2h full"):
            self.assertEqual(read_query(text), wanted)
        self.assertEqual(read_query('disk since:"20 November"').since, "20 November")

    def test_a_filter_that_says_nothing(self) -> None:
        for text, name in (
            ("disk from:", "from:"),
            ("from: bob disk", "from:"),
            ("disk IN:", "IN:"),
            ('disk since:""', 'since:""'),
        ):
            told = str(self.assertRaises(BadUsage, read_query, text))
            self.assertEqual(
                told, f"{name} needs a value right after it. Usage: /search WORDS [in:ROOM] [from:NAME] [since:2h]"
            )

    def test_what_merely_ends_with_a_colon_is_a_word(self) -> None:
        self.assertEqual(read_query("mail-from: header").words, "mail-from: header")

    def test_nothing_to_look_for(self) -> None:
        with self.assertRaisesRegex(BadUsage, "yesterday is not a time. Use since:2h"):
            _ = read_query("disk since:yesterday").span
        for text in ("in:ops", "from:bob since:2h", "...", ""):
            self.assertIn("Nothing to search for", str(self.assertRaises(BadUsage, read_query, text)))
