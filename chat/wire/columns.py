"""Text in columns, as a terminal counts them: wide characters take two, marks none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from textwrap import wrap
from unicodedata import category, east_asian_width

from chat.wire.safe import safe

SCREEN = 72
"""The widest line that help and greeting use."""


def width(text: str) -> int:
    """How many columns a safe text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if category(char) in ("Mn", "Me", "Cf") else 2 if east_asian_width(char) in "WF" else 1 for char in text
    )


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
