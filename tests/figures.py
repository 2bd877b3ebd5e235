"""Figures that tests have measured, shown together at the end of a run; ``tests/conftest.py`` prints them."""

from __future__ import annotations

TOLD: dict[str, tuple[str, ...]] = {}


def tell(what: str, *lines: str) -> None:
    """Let a figure be shown.

    :param what: measured on what; short.
    :param lines: the figures, in words.
    """
    TOLD[what] = lines
