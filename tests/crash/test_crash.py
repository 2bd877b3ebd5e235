"""Nothing acknowledged is lost when the server is killed, and the checker that says so can tell.

The short form; ``python -m tests.crash`` is the long one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from unittest import TestCase

from tests import figures
from tests.crash import spoiled
from tests.crash.checker import Checker, Outcome
from tests.e2e.stage import Stage


class SpoiledStage(Stage):
    """A server that breaks one promise (`tests.crash.spoiled`)."""

    def __init__(self, how: str) -> None:
        super().__init__()
        self._how = how

    def command(self, *options: str, daemon: bool = False, twistds: Sequence[str] = ()) -> list[str]:
        file = os.path.abspath(spoiled.__file__)
        return [sys.executable, file, self._how, *super().command(*options, daemon=daemon, twistds=twistds)[1:]]


class Killed(TestCase):
    def play(self, stage: Stage, rounds: int, messages: int) -> Outcome:
        self.addCleanup(stage.close)
        return Checker(stage, rounds, messages, seed=7).run()

    def test_the_server_keeps_every_promise(self) -> None:
        outcome = self.play(Stage(), rounds=5, messages=250)
        self.assertEqual(outcome.wrong, {}, outcome.failures())
        figures.tell("crash checker", *outcome.lines())

    def test_the_checker_notices_when_the_acknowledgement_comes_before_the_commit(self) -> None:
        outcome = self.play(SpoiledStage("late"), rounds=4, messages=100)
        self.assertGreater(outcome.wrong.get("lost", 0), 0)
        self.assertGreater(outcome.wrong.get("shown, and not stored so", 0), 0)
