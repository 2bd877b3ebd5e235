"""``python -m benchmarks [SCENARIO ...]``: run them and print what they showed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from benchmarks import idle, startup, storm
from benchmarks.compare import SCENARIOS, compare
from benchmarks.peers import Chat, Yardstick
from benchmarks.processes import Failed
from benchmarks.talk import percentile

HEAD = (
    f"{'scenario':<10} {'server':<11} {'us/delivery':>11} {'ratio':>6} {'deliveries/s':>12}"
    f" {'p50 ms':>7} {'p99 ms':>7} {'crowd us':>8}"
)


def main(words: Sequence[str] | None = None) -> int:
    """:returns: the exit status: 1 when something is above its limit or a server failed."""
    arguments = _arguments(words)
    within = True
    if any(name in SCENARIOS for name in arguments.scenario):
        print(HEAD)
    for name in arguments.scenario:
        try:
            if name in SCENARIOS:
                _compare(name, arguments.rounds)
            else:
                within = OTHERS[name]() and within
        except Failed as error:
            print(f"{name}: {error}", file=sys.stderr)
            within = False
        sys.stdout.flush()
    return 0 if within else 1


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    known = (*SCENARIOS, *OTHERS)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the server; see docs/performance.md."
    )
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help=f"which of: {', '.join(known)}; all by default")
    parser.add_argument("--rounds", type=int, default=5, help="turns of each server in a comparison [default: 5]")
    arguments = parser.parse_args(words)
    if unknown := [name for name in arguments.scenario if name not in known]:
        parser.error(f"there is no scenario {unknown[0]}; use one of: {', '.join(known)}")
    arguments.scenario = arguments.scenario or list(known)
    return arguments


def _compare(name: str, rounds: int) -> None:
    compared = compare(SCENARIOS[name], (Chat(), Yardstick()), rounds)
    for each in compared:
        print(
            f"{name:<10} {each.peer:<11} {each.cost():>11.2f} {each.ratio(compared[-1]):>6.2f} {each.speed():>12,.0f}"
            f" {each.percentile(50) * 1e3:>7.2f} {each.percentile(99) * 1e3:>7.2f} {each.load():>8.2f}"
        )


def _verdict(what: str, value: float, limit: float, unit: str) -> bool:
    within = value < limit
    print(f"  {what}: {value:,.2f} {unit}, {'within' if within else 'ABOVE'} the limit of {limit:g}")
    return within


def _idle() -> bool:
    within = True
    for wire in ("text", "json"):
        measured = idle.measure(wire)
        print(f"idle: {measured.connections:,} silent people, {wire}")
        within &= _verdict("memory", measured.memory / 1024, idle.LIMIT / 1024, "KiB a connection")
        print(f"  CPU: {measured.cpu:.2%} of one core while nobody does anything")
        print(f"  login: {measured.logins * 1e3:.2f} ms of CPU each")
    return within


def _storm() -> bool:
    measured = storm.measure()
    print(f"storm: {storm.NEWCOMERS} people make an account and log in, for {measured.storm.seconds:.1f} s")
    for when, weather in (("before", measured.calm), ("during", measured.storm)):
        lines, pings = (
            [percentile(values, part) * 1e3 for part in (50, 99)] for values in (weather.lines, weather.pings)
        )
        print(f"  {when}: lines of the pair p50 {lines[0]:.2f} ms, p99 {lines[1]:.2f} ms;", end=" ")
        print(f"ping p50 {pings[0]:.2f} ms, p99 {pings[1]:.2f} ms, longest {weather.blocked * 1e3:.1f} ms")
    return _verdict("added to the longest wait", measured.added * 1e3, storm.LIMIT * 1e3, "ms")


def _log100k() -> bool:
    measured = startup.measure()
    print(f"log100k: a start with {measured.messages:,} messages")
    within = _verdict("process start to greeting", measured.greeted, startup.LIMIT, "s")
    for asked, seconds in measured.histories.items():
        print(f"  {asked}: {seconds * 1e3:.2f} ms")
    return within


OTHERS: dict[str, Callable[[], bool]] = {"idle": _idle, "storm": _storm, "log100k": _log100k}

if __name__ == "__main__":
    sys.exit(main())
