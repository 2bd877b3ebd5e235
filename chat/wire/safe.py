"""What people wrote, made harmless for a terminal.

1. No control character comes out: what remains of an escape sequence is ordinary text.
2. Nothing reorders the text around it: embeddings, overrides and isolates go (Unicode TR 36, section 2.6).
   LRM, RLM and ALM stay, as they do no more than a letter of that direction.
3. Nothing piles up: characters without a width come at most `PILE` in a row, whatever their order.
4. What scripts and emoji need stays: joiners, variation selectors, combining marks, every kind of space.
   Unassigned characters stay too, as emoji are assigned faster than Python is updated.
"""

from __future__ import annotations

import re
from functools import cache
from unicodedata import category

PILE = 6
"""The most characters without a width in a row. Tibetan and pointed Hebrew need five; Zalgo starts at ten."""

TAB = 4
"""The width of a tab."""

_BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_JOINERS_AND_MARKS = "\u061c\u180e\u200c\u200d\u200e\u200f"
_VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
_TWO_PLANES = range(0x80, 0x20000)
_IGNORABLE_PLANE = range(0xE0000, 0xE1000)


@cache
def _harmful() -> dict[int, str]:
    """The table for `str.translate`: what is taken away, or replaced. Made when it is first needed: 30 milliseconds."""
    kept = set(_JOINERS_AND_MARKS + _VISIBLE_FORMATS)
    selectors = range(0xE0100, 0xE01F0)
    table = dict.fromkeys((*range(0x20), 0x7F, 0x2065, *range(0xFFF0, 0xFFF9)), "")
    table |= {code: "" for code in _TWO_PLANES if category(chr(code)) in ("Cc", "Cf") and chr(code) not in kept}
    table |= {code: "" for code in _IGNORABLE_PLANE if code not in selectors}
    table |= {ord(char): " " for char in _BREAKS}
    nowhere = (
        *range(0xD800, 0xE000),
        *range(0xFDD0, 0xFDF0),
        *(p << 16 | e for p in range(17) for e in (0xFFFE, 0xFFFF)),
    )
    return table | dict.fromkeys(nowhere, "\ufffd")


def _without_width() -> str:
    """The characters that stand on top of others or show nothing, as ranges for a regular expression."""
    codes = [code for code in _TWO_PLANES if category(chr(code)) in ("Mn", "Me") or chr(code) in _JOINERS_AND_MARKS]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and ranges[-1][1] == code - 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    ranges.append([0xE0100, 0xE01EF])
    return "".join(f"{chr(first)}-{chr(last)}" for first, last in ranges)


@cache
def _piled() -> re.Pattern[str]:
    """What stands on top of a pile. Made when it is first needed: 20 milliseconds."""
    widthless = f"[{_without_width()}]"
    return re.compile(f"({widthless}{{{PILE}}}){widthless}+")


def prepare() -> None:
    """Make the tables now, where nobody waits for it, instead of at the first text that needs them."""
    _harmful()
    _piled()


def safe(text: str) -> str:
    """One line of text that any terminal can show as it is; breaks and tabs become spaces."""
    if text.isprintable():
        if text.isascii():
            return text
    else:
        text = text.translate(_harmful())
    return _piled().sub(r"\1", text)


def safe_lines(text: str) -> list[str]:
    """The lines of a text, each of them `safe`; there is always at least one.

    Lines end at ``\\n`` or ``\\r\\n`` alone, as a line break of any other kind may not look like one.
    """
    if text.isprintable():
        return [safe(text)]
    return [safe(line.expandtabs(TAB)) for line in text.replace("\r\n", "\n").split("\n")]
