"""Each battery fails with a server that has one fault (`tests.hostile.spoiled`).

None of them passes whatever it sees, and none prints a figure that nothing holds against a bound.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from unittest import TestCase, mock, result

from chat.protocol.values import Name
from chat.protocol.wire import sanitize as safe
from chat.server.auth import registration
from tests import figures
from tests.hostile import test_guessing, test_peers, test_secrets, test_texts
from tests.hostile.full_speed import Battery
from tests.hostile.payloads import GUEST, Attack
from tests.hostile.population import Population
from tests.hostile.spoiled import SpoiledStage

FEW = Population(rooms=20, accounts=200, messages=400, attackers=10, administrators=1, others=50)


class Noticed(TestCase):
    def fails(self, case: Any, words: str) -> None:
        """A test of a battery fails, and says so in these words."""
        told, outcome = dict(figures.TOLD), result.TestResult()
        case.run(outcome)
        figures.TOLD.clear()
        figures.TOLD.update(told)
        failures = [text for _, text in (*outcome.failures, *outcome.errors)]
        self.assertEqual(len(failures), 1, f"{case.id()} passes")
        self.assertRegex(failures[0], words)

    def fails_with(
        self, how: str, case: test_peers.PeersCase | test_guessing.GuessingCase | test_secrets.Secrets, words: str
    ) -> None:
        """The same with a server that has a fault."""
        with mock.patch.object(case, "new_stage", lambda: SpoiledStage(how, *case.options)):
            self.fails(case, words)


class Peers(Noticed):
    def test_who_sleeps_serves_nobody(self) -> None:
        self.fails_with("asleep", test_peers.NeverReading("test_the_queue_is_bounded"), "sent is|late is [3-9]")

    def test_what_is_kept_of_each_packet(self) -> None:
        self.fails_with("leaking", test_peers.NeverReading("test_the_queue_is_bounded"), "growth is")

    def test_who_stays_for_ever(self) -> None:
        with mock.patch.object(test_peers.Silent, "AMOUNT", 30), mock.patch.object(test_peers.Silent, "PATIENCE", 8):
            self.fails_with("patient", test_peers.Silent("test_they_are_closed_when_their_time_is_over"), "left is 30")

    def test_an_exception_inside(self) -> None:
        self.fails_with("crashing", test_peers.Garbage("test_nobody_else_notices"), "tracebacks is|HungUp|hangs is")


class FullSpeed(Noticed):
    ATTACK = Attack("help", GUEST, b"help\n" * 50)

    def faults(self, how: str) -> list[str]:
        stage = SpoiledStage(how)
        self.addCleanup(stage.close)
        outcome = Battery(stage, FEW, seconds=1.5, tries=1).run([self.ATTACK])
        with self.assertRaises(AssertionError):
            list(outcome.lines())
        return outcome.failed["help"]

    def test_who_sleeps_serves_nobody(self) -> None:
        self.assertRegex(" ".join(self.faults("asleep")), r"ping took [3-9]\d\d ms")

    def test_what_is_kept_of_each_packet(self) -> None:
        self.assertRegex(" ".join(self.faults("leaking")), "memory grew by")

    def test_who_refuses_others(self) -> None:
        self.assertRegex(" ".join(self.faults("refusing")), "times others were refused")


class Guesses(Noticed):
    def test_wrong_passwords_that_nobody_counts(self) -> None:
        self.fails_with(
            "guessable", test_guessing.Guessing("test_forty_tries_are_hindered_and_the_owner_is_not"), "looked is 40"
        )

    def test_a_hash_that_is_left_out(self) -> None:
        self.fails_with("guessable", test_guessing.Telling("test_by_the_text_or_the_time"), "ratio is")

    def test_a_name_that_two_get_or_nobody(self) -> None:
        self.fails_with("refusing", test_guessing.Registering("test_of_twelve_at_once_one_succeeds"), "too-fast")


class Texts(Noticed):
    def test_text_that_reaches_the_terminal_raw(self) -> None:
        table: Callable[[], dict[int, str]] = dict
        with mock.patch.object(safe, "_harmful", table):
            self.fails(test_texts.OnATerminal("test_through_every_way_that_text_takes"), "controls is")

    def test_names_that_are_taken_as_they_come(self) -> None:
        def any_name(word: str, **more: object) -> Name:
            return Name(word, word, "")

        with mock.patch.object(registration, "read_name", any_name):
            outcome = result.TestResult()
            test_texts.Names("test_twins_look_alikes_and_reserved_names").run(outcome)
        self.assertTrue(outcome.failures)

    def test_a_log_that_tells_all(self) -> None:
        self.fails_with("telling", test_secrets.Secrets("test_are_nowhere"), "found is [2-4]")


class Figures(TestCase):
    def test_each_has_a_bound_and_keeps_it(self) -> None:
        self.assertEqual(figures.line("took {took:.1f} ms", took=figures.below(1.26, 2)), "took 1.3 ms")
        for bounded in (
            figures.below(2, 2),
            figures.at_most(3, 2),
            figures.at_least(1, 2),
            figures.exactly(1, 2),
            figures.below(float("nan"), 2),
        ):
            with self.assertRaisesRegex(AssertionError, "^took is "):
                figures.line("took {took}", took=bounded)

    def test_none_stands_there_by_itself(self) -> None:
        with self.assertRaisesRegex(AssertionError, "without a bound"):
            figures.line("0 crashes in {count} tries", count=figures.at_least(3, 1))
