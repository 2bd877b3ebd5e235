"""``python -m tests.hostile``: the attacks that last.

Without an option: a reader that never reads for a minute, and 10,000 silent connections. With ``--full``: everything
that can be sent, each kind for itself at full speed, with 1,000 rooms, 10,000 accounts and 200,000 messages.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from contextlib import closing

from tests import figures
from tests.e2e.stage import Stage
from tests.hostile.full_speed import Battery, Impact
from tests.hostile.payloads import attacks, in_short
from tests.hostile.population import Population
from tests.hostile.test_peers import FAST, NeverReading, Silent

SECONDS, CONNECTIONS = 60, 10_000


def attack(case: NeverReading | Silent, amount: int) -> None:
    case.setUp()
    try:
        asyncio.run(case.play(amount))
    finally:
        case.doCleanups()


def lasting() -> bool:
    """Whether a long attack did no harm."""
    Silent.options = (*FAST, "--login-timeout=60")  # so many take longer to come than the suite gives them
    Silent.PATIENCE = 180.0
    attack(NeverReading(), SECONDS)
    attack(Silent(), CONNECTIONS)
    return True


def full(only: str, seconds: float) -> bool:
    """Whether none of all attacks did any harm."""
    wanted = [each for each in (*attacks(), *in_short()) if re.search(only, each.name)]
    with closing(Stage()) as stage:
        outcome = Battery(stage, Population(), seconds, _show).run({each.name: each for each in wanted}.values())
    if outcome.failed:
        print(outcome.failures())
        return False
    figures.tell("full speed", *outcome.lines())
    return True


def _show(impact: Impact) -> None:
    served = impact.served
    longest = max(served.logins, default=0.0) * 1000
    print(
        f"{served.worst:6.0f} ms ping {longest:6.0f} ms login {len(served.refused):3} refused"
        f" {impact.growth / 1024:7.1f} MiB {impact.sent / 1e6:8.1f} MB, {impact.came:5} came: {impact.attack.name}",
        flush=True,
    )


parser = argparse.ArgumentParser(prog="python -m tests.hostile", description=__doc__)
parser.add_argument("--full", action="store_true", help="every kind of line, frame and command at full speed")
parser.add_argument("--only", default="", metavar="REGEX", help="of these, the kinds whose name matches")
parser.add_argument("--seconds", type=float, default=1.0, help="for which each of them lasts [default: %(default)s]")
options = parser.parse_args()
harmless = full(options.only, options.seconds) if options.full else lasting()
for what, lines in figures.TOLD.items():
    print(f"{what}: {' '.join(lines)}")
sys.exit(not harmless)
