"""Text in columns, as a terminal counts them: wide characters take two, marks none."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache, lru_cache
from textwrap import wrap
from unicodedata import category, east_asian_width

from chat.protocol.wire.character_classes import character_class, ranges_of
from chat.protocol.wire.sanitize import safe

SCREEN = 72
"""The widest line that help and greeting use."""


def width(text: str) -> int:
    """How many columns a safe text takes."""
    if text.isascii():
        return len(text)
    none, two = _widths()
    width = len(text) - sum(map(len, none.findall(text))) + sum(map(len, two.findall(text)))
    return width + sum(_more_than_one(char) for run in _BEYOND.findall(text) for char in run)


_BEYOND = re.compile("[\U00010000-\U0010ffff]+")


@cache
def _widths() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Runs of characters up to U+FFFF that take no column, and two. Made when it is first needed: 40 milliseconds."""
    others = {code: more for code in range(0x80, 0x10000) if (more := _more_than_one(chr(code)))}
    none = ranges_of(code for code, more in others.items() if more < 0)
    two = ranges_of(code for code, more in others.items() if more > 0)
    return re.compile(f"{character_class(none)}+"), re.compile(f"{character_class(two)}+")


@lru_cache(maxsize=0x4000)
def _more_than_one(char: str) -> int:
    """How many columns a character takes beyond the first."""
    if category(char) in ("Mn", "Me", "Cf"):
        return -1
    return 1 if east_asian_width(char) in "WF" else 0


def prepare() -> None:
    """Make the tables now, where nobody waits for it, instead of at the first text that needs them."""
    _widths()


def columns(rows: Iterable[Sequence[str]]) -> str:
    """Indented lines whose cells stand below each other; empty columns take no room."""
    table = [[safe(cell) for cell in row] for row in rows]
    widths = [max(map(width, cells)) for cells in zip(*table, strict=True)]
    return "".join(
        "".join(
            f"  {cell}{' ' * (most - width(cell))}" for cell, most in zip(row, widths, strict=True) if most
        ).rstrip()
        + "\n"
        for row in table
    )


def paragraph(text: str, indent: int = 0) -> str:
    """Words, broken into lines of at most `SCREEN` columns."""
    margin = " " * indent
    return "".join(f"{line}\n" for line in wrap(safe(text), SCREEN, initial_indent=margin, subsequent_indent=margin))


def entry(term: str, text: str, start: int) -> str:
    """A term and its explanation from column ``start`` on, which begins below a term that is too long."""
    margin = " " * start
    explained = wrap(safe(text), SCREEN, initial_indent=margin, subsequent_indent=margin)
    term = f"  {safe(term)}"
    if width(term) + 2 > start or not explained:
        return paragraph(term.strip(), 2) + "".join(f"{line}\n" for line in explained)
    explained[0] = term + explained[0][width(term) :]
    return "".join(f"{line}\n" for line in explained)
