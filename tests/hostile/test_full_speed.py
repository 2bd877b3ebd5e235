"""The battery at full speed in its short form; ``python -m tests.hostile --full`` is the long one.

That it fails with a server at fault is shown in `tests.hostile.test_spoiled`.
"""

from __future__ import annotations

from unittest import TestCase

from tests import figures
from tests.e2e.stage import Stage
from tests.hostile.full_speed import Battery
from tests.hostile.payloads import in_short
from tests.hostile.population import Population

SOME = Population(rooms=200, accounts=2_000, messages=20_000)


class FullSpeed(TestCase):
    def test_others_are_served_whatever_is_sent(self) -> None:
        stage = Stage()
        self.addCleanup(stage.close)
        outcome = Battery(stage, SOME, seconds=0.12).run(in_short())
        self.assertEqual(outcome.failed, {}, outcome.failures())
        figures.tell("full speed", *outcome.lines())
