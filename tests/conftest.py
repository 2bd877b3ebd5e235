"""What pytest prints at its end, how patient hypothesis is, and that what a failed test leaves harms no other one."""

from __future__ import annotations

import gc
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests import figures

# How long an example takes says how busy the machine is, and nothing about the code.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """A test that fails in its middle may leave Deferreds that failed as well, in cycles with its frames. They are told
    of when they are collected, and trial counts that as an error of whichever test runs then: so they are collected
    before the next one begins."""
    failed = item.session.testsfailed
    result = yield
    if item.session.testsfailed > failed:
        gc.collect()
    return result


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if figures.TOLD:
        terminalreporter.section("measured")
    for what, lines in sorted(figures.TOLD.items()):
        terminalreporter.line(f"{what}: {lines[0]}")
        for line in lines[1:]:
            terminalreporter.line(f"    {line}")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over its figures (``-n``, pytest-xdist)."""
    output = getattr(session.config, "workeroutput", None)
    if output is not None:
        output["figures"] = figures.TOLD


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any, error: object) -> None:
    figures.TOLD.update(getattr(node, "workeroutput", {}).get("figures", {}))
