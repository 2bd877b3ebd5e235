"""``python -m tests.hostile``: a reader that never reads for a minute, and 10,000 silent connections."""

from __future__ import annotations

import asyncio

from tests import figures
from tests.hostile.test_peers import FAST, NeverReading, Silent

SECONDS, CONNECTIONS = 60, 10_000

Silent.options = (*FAST, "--login-timeout=60")  # so many take longer to come than the suite gives them


def attack(case: NeverReading | Silent, amount: int) -> None:
    case.setUp()
    try:
        asyncio.run(case.play(amount))
    finally:
        case.doCleanups()


attack(NeverReading(), SECONDS)
attack(Silent(), CONNECTIONS)
for what, lines in figures.TOLD.items():
    print(f"{what}: {' '.join(lines)}")
