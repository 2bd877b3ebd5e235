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
from typing import NamedTuple
from unicodedata import category

from chat.protocol.wire.character_classes import BEYOND_ASCII, Ranges, character_class, ranges_of

PILE = 6
"""The most characters without a width in a row. Tibetan and pointed Hebrew need five; Zalgo starts at ten."""

TAB = 4
"""The width of a tab."""

_BREAKS = "\t\n\v\f\r\x1c\x1d\x1e\x1f\x85\u2028\u2029"
_JOINERS_AND_MARKS = "\u061c\u180e\u200c\u200d\u200e\u200f"
_VISIBLE_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u0890\u0891\u08e2\U000110bd\U000110cd"
_IGNORABLE_PLANE = range(0xE0000, 0xE1000)


@cache
def _harmful() -> dict[int, str]:
    """The table for `str.translate`: what is taken away, or replaced. Made when it is first needed: 30 milliseconds."""
    kept = set(_JOINERS_AND_MARKS + _VISIBLE_FORMATS)
    selectors = range(0xE0100, 0xE01F0)
    table = dict.fromkeys((*range(0x20), 0x7F, 0x2065, *range(0xFFF0, 0xFFF9)), "")
    table |= {code: "" for code in BEYOND_ASCII if category(chr(code)) in ("Cc", "Cf") and chr(code) not in kept}
    table |= {code: "" for code in _IGNORABLE_PLANE if code not in selectors}
    table |= {ord(char): " " for char in _BREAKS}
    nowhere = (
        *range(0xD800, 0xE000),
        *range(0xFDD0, 0xFDF0),
        *(p << 16 | e for p in range(17) for e in (0xFFFE, 0xFFFF)),
    )
    return table | dict.fromkeys(nowhere, "\ufffd")


_ASTRAL_BLOCK = 0x400
"""Characters beyond U+FFFF without a width that are no further apart are looked for together."""


def _without_width() -> Ranges:
    """The characters that stand on top of others or show nothing."""
    codes = [code for code in BEYOND_ASCII if category(chr(code)) in ("Mn", "Me") or chr(code) in _JOINERS_AND_MARKS]
    return [*ranges_of(codes), (0xE0100, 0xE01EF)]


class _Piles(NamedTuple):
    """What finds that characters without a width pile up.

    :param rare: the neighbourhoods of those beyond U+FFFF.
    :param common: a pile of others, in 3 nanoseconds a character.
    :param any: a pile of both, in 150.
    """

    rare: re.Pattern[str]
    common: re.Pattern[str]
    any: re.Pattern[str]


@cache
def _piles() -> _Piles:
    """Made when it is first needed: 20 milliseconds."""
    ranges = _without_width()
    astral = [each for each in ranges if each[0] > 0xFFFF]
    rare = ranges_of((code for each in astral for code in each), _ASTRAL_BLOCK)
    return _Piles(
        re.compile(character_class(rare)), _pile([each for each in ranges if each[1] <= 0xFFFF]), _pile(ranges)
    )


def _pile(ranges: Ranges) -> re.Pattern[str]:
    """Begins with a class, so that the search goes from one of its characters to the next without trying the rest."""
    widthless = character_class(ranges)
    return re.compile(f"({widthless}{widthless}{{{PILE - 1}}}){widthless}+")


def prepare() -> None:
    """Make the tables now, where nobody waits for it, instead of at the first text that needs them."""
    _harmful()
    _piles()


def safe(text: str) -> str:
    """One line of text that any terminal can show as it is; breaks and tabs become spaces."""
    if text.isprintable():
        if text.isascii():
            return text
    else:
        text = text.translate(_harmful())
    piles = _piles()
    return (piles.any if piles.rare.search(text) else piles.common).sub(r"\1", text)


def safe_lines(text: str) -> list[str]:
    """The lines of a text, each of them `safe`; there is always at least one.

    Lines end at ``\\n`` or ``\\r\\n`` alone, as a line break of any other kind may not look like one.
    """
    if text.isprintable():
        return [safe(text)]
    return [safe(line.expandtabs(TAB)) for line in text.replace("\r\n", "\n").split("\n")]
