"""Ratios as a drawing: one bar a scenario, with what must be reached and what is aimed at. Pure: values in, SVG out."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import NamedTuple

_LEFT, _WIDTH, _RIGHT, _STEP, _TOP = 150, 480, 60, 34, 40
_LOW, _HIGH = 0.1, 30.0
"""The scale is logarithmic, from a tenth of the peer's cost to thirty times."""


class Bar(NamedTuple):
    """One scenario: our CPU for each delivery over a peer's."""

    scenario: str
    peer: str
    ratio: float
    must: float
    aim: float


def plot(bars: Sequence[Bar]) -> str:
    """An SVG drawing; a red line is the limit, a green one the aim."""
    height = _TOP + _STEP * len(bars) + 30
    width = _LEFT + _WIDTH + _RIGHT
    shapes = [f'<rect width="{width}" height="{height}" fill="white"/>']
    shapes.append(_words(10, 22, "CPU for each delivery, as a multiple of the peer's: red must, green aim"))
    for ratio in (0.1, 0.3, 1, 3, 10, 30):
        x = _place(ratio)
        shapes.append(_line(x, _TOP, x, height - 26, "#ddd", 1))
        shapes.append(_words(x - 8, height - 10, f"{ratio:g}"))
    for number, bar in enumerate(bars):
        y = _TOP + _STEP * number + 6
        shapes.append(_words(10, y + 15, f"{bar.scenario} / {bar.peer}"))
        shapes.append(f'<rect x="{_LEFT}" y="{y}" width="{_place(bar.ratio) - _LEFT:.1f}" height="22" fill="#7aa6d8"/>')
        for ratio, colour in ((bar.must, "#c33"), (bar.aim, "#2a2")):
            shapes.append(_line(_place(ratio), y - 3, _place(ratio), y + 25, colour, 2))
        shapes.append(_words(_place(max(bar.ratio, bar.must)) + 6, y + 15, f"{bar.ratio:.2f}"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif"'
    return f'{head} font-size="13">\n' + "\n".join(shapes) + "\n</svg>\n"


def _place(ratio: float) -> float:
    share = log10(min(max(ratio, _LOW), _HIGH) / _LOW) / log10(_HIGH / _LOW)
    return _LEFT + _WIDTH * share


def _words(x: float, y: float, words: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}">{words}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str, width: int) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1}" x2="{x2:.1f}" y2="{y2}" stroke="{colour}" stroke-width="{width}"/>'
