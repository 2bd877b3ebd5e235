"""``python -m benchmarks [SCENARIO ...]``: run them and print what they showed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from benchmarks import idle, login_storm, screen, sealing, spread, startup
from benchmarks.compare import SCENARIOS, Compared, compare
from benchmarks.irc import Inspircd, Ngircd
from benchmarks.peers import BaselineServer, Chat, ChatPrograms, Peer
from benchmarks.plot import Bar, plot
from benchmarks.processes import Failed, allow_connections
from benchmarks.talk import Rooms, percentile

OTHERS = ("spread", "storm", "idle", "logins", "start", "screen", "sealing")

WIRES = {
    "text": lambda: Chat(),
    "json": lambda: ChatPrograms(),
    "text-tls": lambda: Chat(encrypted=True),
    "json-tls": lambda: ChatPrograms(encrypted=True),
}

SPARE = 200
"""Open files that are no connections of a comparison."""

HEAD = (
    f"{'scenario':<8} {'server':<19} {'us/delivery':>11} {'ours/its':>8} {'deliveries/s':>12}"
    f" {'p50 ms':>7} {'p99 ms':>7} {'clients us':>8}"
)


def main(words: Sequence[str] | None = None) -> int:
    """:returns: the exit status: 1 when something is above its limit or a server failed."""
    arguments = _arguments(words)
    files = allow_connections()
    bars: list[Bar] = []
    within = True
    if any(name in SCENARIOS for name in arguments.scenario):
        print(HEAD)
    for name in arguments.scenario:
        try:
            if name in SCENARIOS:
                within &= _compare(name, arguments, bars, files)
            else:
                within &= _one(name, arguments.scale, arguments.rounds)
        except (Failed, OSError) as error:
            print(f"{name}: {error}", file=sys.stderr)
            within = False
        sys.stdout.flush()
    if arguments.plot is not None and bars:
        arguments.plot.write_text(plot(bars))
    return 0 if within else 1


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    known = (*SCENARIOS, *OTHERS)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure the server; see docs/performance.md."
    )
    parser.add_argument("scenario", nargs="*", metavar="SCENARIO", help=f"which of: {', '.join(known)}; all by default")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each server in a comparison [default: 3]")
    parser.add_argument("--scale", type=float, default=1.0, help="how many times the messages and people [default: 1]")
    parser.add_argument(
        "--wire", nargs="+", choices=WIRES, default=["text"], help="how our server is spoken to [default: text]"
    )
    parser.add_argument("--plot", type=Path, metavar="FILE", help="draw the ratios of the comparisons (SVG)")
    arguments = parser.parse_args(words)
    if unknown := [name for name in arguments.scenario if name not in known]:
        parser.error(f"there is no scenario {unknown[0]}; use one of: {', '.join(known)}")
    arguments.scenario = arguments.scenario or list(known)
    return arguments


def _compare(name: str, arguments: argparse.Namespace, bars: list[Bar], files: int) -> bool:
    comparison = SCENARIOS[name]
    peers: list[Peer] = [WIRES[wire]() for wire in arguments.wire]
    other = Inspircd() if comparison.against == Inspircd.name else Ngircd()
    for peer in (BaselineServer(), other) if comparison.against != Inspircd.name else (other,):
        if missing := peer.missing():
            print(f"{name:<8} {peer.name:<19} is not installed; left out ({missing})")
        else:
            peers.append(peer)
    scenario = comparison.scenario
    if isinstance(scenario, Rooms):
        scenario = scenario.fewer((files - SPARE) // len(peers))
        if len(scenario.rooms) < len(comparison.scenario.rooms):
            print(f"{name:<8} {len(scenario.rooms):,} rooms only, as {files:,} files may be open (ulimit -n)")
    compared = compare(scenario, peers, arguments.rounds, scale=arguments.scale)
    ours = compared[0]
    for each in compared:
        print(
            f"{name:<8} {each.peer:<19} {each.cost():>11.2f} {ours.ratio(each):>8.2f} {each.speed():>12,.0f}"
            f" {each.percentile(50) * 1e3:>7.2f} {each.percentile(99) * 1e3:>7.2f} {each.load():>8.2f}"
        )
    ratios = {each.peer: ours.ratio(each) for each in compared}
    within = True
    if other.name in ratios:
        within = _verdict(f"of {other.name}'s", ratios[other.name], comparison.must, comparison.aim)
        bars.append(Bar(name, other.name, ratios[other.name], comparison.must, comparison.aim))
    if comparison.baseline is not None:
        within &= _verdict("of the baseline's", ratios[BaselineServer.name], comparison.baseline)
    if name == "steady":
        within &= _verdict("p99", _p99(ours), 20.0, unit=" ms")
    return within


def _p99(compared: Compared) -> float:
    return compared.percentile(99) * 1e3


def _verdict(what: str, value: float, limit: float, aim: float | None = None, unit: str = " times") -> bool:
    within = value <= limit
    words = "within" if within else "ABOVE"
    if aim is not None and value <= aim:
        words = f"reaches the aim of {aim:g}, within"
    print(f"  {value:,.2f}{unit} {what}: {words} the limit of {limit:g}")
    return within


def _one(name: str, scale: float, rounds: int) -> bool:
    if name == "spread":
        return _spread(scale, rounds)
    if name == "storm":
        return _storm(scale)
    if name == "idle":
        text = _idle("text", scale)
        return _idle("json", scale) and text
    if name == "screen":
        return _screen(scale)
    if name == "sealing":
        return _sealing(scale)
    return _logins(scale) if name == "logins" else _start(scale)


def _sealing(scale: float) -> bool:
    found = sealing.measure(int(sealing.MESSAGES * scale))
    print(f"sealing: a client in a room of {sealing.MEMBERS}, every key and every saving included")
    print(f"  one message in a hundred takes {found.sealed_p99:.1f} ms to seal, {found.opened_p99:.1f} ms to open")
    sealed = _verdict("to seal a message", found.sealed, sealing.LIMIT, unit=" ms")
    return _verdict("to open one", found.opened, sealing.LIMIT, unit=" ms") and sealed


def _spread(scale: float, rounds: int) -> bool:
    few, many = spread.measure(int(spread.MESSAGES * scale), rounds)
    for each in (few, many):
        print(f"spread: {each.rooms:,} rooms, {each.cost:.2f} us a delivery, {each.memory / 2**20:.0f} MiB")
    ratio = median(more / less for less, more in zip(few.costs, many.costs, strict=True))
    return _verdict("of what it costs in few rooms", ratio, spread.LIMIT)


def _storm(scale: float) -> bool:
    measured = idle.measure("json", int(idle.PEOPLE * scale), watched=0.0)
    print(f"storm: {measured.connections:,} programs log in by token and enter a room, in {measured.seconds:.1f} s")
    return _verdict("of CPU for each", measured.logins * 1e6, 300.0, 140.0, " microseconds")


def _idle(wire: str, scale: float) -> bool:
    measured = idle.measure(wire, int(idle.PEOPLE * scale))
    print(f"idle: {measured.connections:,} silent people, {wire}")
    within = _verdict("for each", measured.memory / 1024, 6.0, 4.0, " KiB")
    return _verdict("of a core", measured.cpu * 100, 0.1, unit=" %") and within


def _logins(scale: float) -> bool:
    measured = login_storm.measure(int(login_storm.NEWCOMERS * scale))
    print(
        f"logins: {login_storm.NEWCOMERS * scale:.0f} people make an account and log in,"
        f" for {measured.storm.seconds:.1f} s"
    )
    for when, weather in (("before", measured.calm), ("during", measured.storm)):
        lines, pings = (
            [percentile(values, part) * 1e3 for part in (50, 99)] for values in (weather.lines, weather.pings)
        )
        print(f"  {when}: lines of the pair p50 {lines[0]:.2f} ms, p99 {lines[1]:.2f} ms;", end=" ")
        print(f"ping p50 {pings[0]:.2f} ms, p99 {pings[1]:.2f} ms, longest {weather.blocked * 1e3:.1f} ms")
    within = _verdict("p99 of the pair", percentile(measured.storm.lines, 99) * 1e3, 250.0, unit=" ms")
    return _verdict("added to the longest wait", measured.added * 1e3, login_storm.LIMIT * 1e3, unit=" ms") and within


def _start(scale: float) -> bool:
    measured = startup.measure(int(startup.MESSAGES * scale))
    print(f"start: with {measured.messages:,} messages")
    for asked, seconds in measured.histories.items():
        print(f"  {asked}: {seconds * 1e3:.2f} ms")
    return _verdict("from the start of the process to the greeting", measured.greeted, startup.LIMIT, unit=" s")


def _screen(scale: float) -> bool:
    measured = screen.measure(int(screen.BURST * scale), int(screen.HISTORY * scale))
    print(f"screen: a burst of {screen.BURST * scale:,.0f} lines, a room with {screen.HISTORY * scale:,.0f}")
    print(f"  the burst is painted in {measured.burst:.2f} s; {len(measured.keys)} keys were pressed meanwhile")
    print(f"  {len(measured.pages)} pages back to the first line in {measured.scrolled:.1f} s,", end=" ")
    print(f"p50 {percentile(measured.pages, 50) * 1e3:.0f} ms, longest {max(measured.pages) * 1e3:.0f} ms")
    print(f"  CPU of a start {percentile(measured.cpu, 50):.2f} s")
    within = _verdict("from the start of the process to use", percentile(measured.started, 50), screen.LIMIT, unit=" s")
    return _verdict("until a key shows in the burst, at most", max(measured.keys), screen.FREEZE, unit=" s") and within


if __name__ == "__main__":
    sys.exit(main())
