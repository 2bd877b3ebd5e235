"""What the words after a verb are taken for."""

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadUsage
from chat.protocol.grammar.durations import Span
from chat.protocol.grammar.typos import LONGEST, WordIndex, edits, near
from chat.server.commands.table import TABLE
from tests.protocol.grammar.town import LOBBY, OUTSIDE, meaning, refusal


class OptionalArguments(SynchronousTestCase):
    """What may be left out is skipped where the word fits what follows."""

    def test_history(self) -> None:
        ways: dict[str, dict[str, object]] = {
            "": {},
            " 20": {"span": Span(20)},
            " 2h": {"span": Span(200, seconds=7200)},
            " since 09:00": {"span": Span(200, clock="09:00")},
            " since 2026-11-20": {"span": Span(200, clock="2026-11-20")},
            " before r2.41": {"span": Span(before="r2.41")},
            " After k3.7  100": {"span": Span(100, after="k3.7")},
            " since 3d": {"span": Span(200, seconds=3 * 86_400)},
            " ops": {"where": "ops"},
            " ops 5": {"where": "ops", "span": Span(5)},
            " alice 30m": {"where": "alice", "span": Span(200, seconds=1800)},
        }
        for words, arguments in ways.items():
            self.assertEqual(meaning(f"/history{words}"), ("history", {**arguments, "room": "lobby"}), words)

    def test_a_ban_with_and_without_an_end(self) -> None:
        bob = {"user": "bob", "room": "lobby"}
        self.assertEqual(meaning("/ban bob"), ("ban", bob))
        self.assertEqual(meaning("/ban bob spam"), ("ban", {**bob, "reason": "spam"}))
        self.assertEqual(meaning("/ban bob 2h"), ("ban", {**bob, "duration": 7200}))
        self.assertEqual(
            meaning("/ban bob 2h spam and so on"), ("ban", {**bob, "duration": 7200, "reason": "spam and so on"})
        )

    def test_a_mistyped_time_is_no_reason(self) -> None:
        for verb in ("ban", "mute"):
            for time in ("5x", "-5m", "+2h", "10", "2hours"):
                for rest in ("", " of rest"):
                    line = f"/{verb} bob {time}{rest}"
                    self.assertIn("is not a duration; use 90s, 30m, 2h, 7d or 4w", refusal(line).line, line)
        bob = {"user": "bob", "room": "lobby", "duration": 7200, "reason": "5 warnings"}
        self.assertEqual(meaning("/ban bob 2h 5 warnings"), ("ban", bob))

    def test_list(self) -> None:
        self.assertEqual(meaning("/list ops"), ("list", {"room": "ops"}))
        self.assertEqual(meaning("/list channels"), ("list", {"what": "channels"}))
        self.assertIn("users, channels, blocked", refusal("/list nonsense").line)

    def test_the_current_room(self) -> None:
        self.assertEqual(meaning("disconnect"), ("disconnect", {"room": "lobby"}))
        self.assertEqual(meaning("disconnect ops"), ("disconnect", {"room": "ops"}))
        self.assertEqual(meaning("history", OUTSIDE), ("history", {}))

    def test_what_does_not_fit_is_said_with_how_to_write_it(self) -> None:
        for line in ("/history 0", "/history 501", "/history ops yesterday", "/ban bob 0h", "/devices end -x"):
            error = refusal(line)
            self.assertIsInstance(error, BadUsage, line)
            self.assertFalse(error.line[0].islower(), error.line)


class Forms(SynchronousTestCase):
    """How help writes each verb: optional parts in brackets, what needs another part inside of it."""

    def test_forms(self) -> None:
        for verb, form in {
            "message": "message NAME TEXT",
            "login": "login [NAME[@DEVICE] [PASSWORD]]",
            "new": "new [NAME [PASSWORD]]",
            "password": "password",
            "disconnect": "disconnect [ROOM]",
            "ban": "ban NAME [TIME] [TEXT]",
            "devices": "devices [end [DEVICE]]",
            "list": "list [users|channels|blocked [ROOM]]",
        }.items():
            self.assertEqual(TABLE[verb].form, form)

    def test_an_alias_has_the_form_of_its_verb(self) -> None:
        self.assertIs(TABLE["tell"], TABLE["message"])


class NearWords(SynchronousTestCase):
    """One letter too many, missing, wrong, or two exchanged; no more."""

    def test_one_edit(self) -> None:
        for typed in ("bobb", "bb", "bbo", "bop", "obb"):
            self.assertEqual(near(typed, {"bob"}), "bob")
        for typed in ("bob", "bobby", "b", "", "x" * 33, "bo" * 100):
            self.assertIsNone(near(typed, {"bob"}), typed)

    def test_a_few_words_that_are_kept_ready_are_found_alike(self) -> None:
        words = {"message", "massage", "history"}
        ready = WordIndex(words)
        for word in words:
            for typed in edits(word):
                self.assertIn(ready.near(typed), [each for each in words if each in edits(typed)], typed)
                for farther in (f"{typed}xx", f"é{typed}", typed[::-1], typed[2:]):
                    self.assertEqual(ready.near(farther) is None, near(farther, words) is None, farther)

    def test_a_beginning_of_a_verb(self) -> None:
        self.assertEqual(TABLE.typed.nearest("histo"), "history")
        self.assertIsNone(TABLE.typed.nearest("h"))

    def test_of_the_words_that_begin_so_the_one_declared_first(self) -> None:
        self.assertEqual(WordIndex(("zoom", "zoo-keeper", "zoology")).nearest("zoo"), "zoom")
        self.assertIsNone(WordIndex(("zoom",)).nearest("z" * (LONGEST + 1)))

    def test_verbs_of_programs_are_not_suggested(self) -> None:
        self.assertIsNone(TABLE.typed.nearest("roste"))

    def test_outside_ascii_letters_may_be_missing_or_exchanged(self) -> None:
        self.assertEqual(near("дмтирий", {"дмитрий"}), "дмитрий")
        self.assertEqual(near("дмиитрий", {"дмитрий"}), "дмитрий")


class Suggestions(SynchronousTestCase):
    def test_a_word_that_is_not_shown(self) -> None:
        """What cannot be shown on a line is not repeated."""
        self.assertNotIn("\x1b", refusal("/\x1b[2Jx", LOBBY).line)
        self.assertLess(len(refusal("/" + "x" * 5000, LOBBY).line), 200)
