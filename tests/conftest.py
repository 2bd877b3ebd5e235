"""What pytest prints at the end beside its own count."""

from __future__ import annotations

import pytest

from tests import figures


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures.TOLD:
        terminalreporter.section("measured")
    for what, lines in sorted(figures.TOLD.items()):
        terminalreporter.line(f"{what}: {lines[0]}")
        for line in lines[1:]:
            terminalreporter.line(f"    {line}")
