"""``python -m tests.crash``: the crash checker in its long form."""

from __future__ import annotations

import argparse
import secrets
import sys
from contextlib import closing

from tests.crash.checker import Checker
from tests.e2e.stage import Stage

parser = argparse.ArgumentParser(prog="python -m tests.crash", description=__doc__)
parser.add_argument("--rounds", type=int, default=100, help="how often the server is killed [default: %(default)s]")
parser.add_argument("--messages", type=int, default=600, help="acknowledged messages a round [default: %(default)s]")
parser.add_argument("--seed", type=int, default=None, help="repeats the choices of another run")
options = parser.parse_args()
seed = secrets.randbits(32) if options.seed is None else options.seed
print(f"seed {seed}", flush=True)
with closing(Stage()) as stage:
    outcome = Checker(stage, options.rounds, options.messages, seed).run()
if outcome.wrong:
    sys.exit(outcome.failures())
print(*outcome.lines(), sep="\n")
