"""Nothing acknowledged is lost when the server is killed, and the checker that says so can tell.

The short form; ``python -m tests.crash`` is the long one.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from functools import partialmethod
from unittest import TestCase

from tests import figures
from tests.crash import spoiled
from tests.crash.checker import Checker, Outcome
from tests.e2e.stage import Stage


class SpoiledStage(Stage):
    """A server that breaks a promise (`tests.crash.spoiled`)."""

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
        outcome = self.play(Stage(), rounds=6, messages=150)
        self.assertEqual(outcome.wrong, {}, outcome.failures())
        figures.tell("crash checker", *outcome.lines())


NOTICED = {
    "late": ("lost", "shown, and not stored so"),
    "forgetful,strange,markless": ("twice in the history", "accounts lost", "marks lost"),
    "backwards,denying": ("out of order", "refused, and stored all the same"),
    "indiscreet,unmarked": ("to a wrong person", "shown again without a word"),
    "dropping": ("never shown to who should have it",),
    "doubling": ("shown twice to a program",),
    "damaging": ("damage", "failed starts"),
    "stuck": ("no orderly stop",),
}
"""What the checker notices of each server with a fault."""


class Noticed(TestCase):
    def notices(self, how: str) -> None:
        stage = SpoiledStage(how)
        self.addCleanup(stage.close)
        outcome = Checker(stage, rounds=3, messages=80, seed=7, stop_time=2).run()
        for kind in NOTICED[how]:
            self.assertGreater(outcome.wrong.get(kind, 0), 0, f"{kind}: {outcome.wrong}")
        with self.assertRaises(AssertionError):
            list(outcome.lines())

    def test_every_kind(self) -> None:
        self.assertEqual({kind for kinds in NOTICED.values() for kind in kinds}, set(Outcome.KINDS))


def _add_tests() -> None:
    for how in NOTICED:
        setattr(Noticed, f"test_{how.replace(',', '_and_')}", partialmethod(Noticed.notices, how))


_add_tests()
