"""A test that fails fails alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

import tests

TWO_TESTS = """
import gc

from twisted.internet.defer import fail
from twisted.trial.unittest import SynchronousTestCase


class Two(SynchronousTestCase):
    def test_1_fails_and_leaves_a_failure_in_a_cycle(self) -> None:
        left = [fail(ValueError("left behind"))]
        left.append(left)
        self.fail("on purpose")

    def test_2_is_innocent(self) -> None:
        gc.collect()
"""


class WhatAFailedTestLeaves(SynchronousTestCase):
    def test_is_no_failure_of_the_next_one(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        Path(folder.name, "test_two.py").write_text(TWO_TESTS)
        ours = ("-p", "tests.conftest", "-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider")
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *ours, "--rootdir", folder.name, folder.name],
            capture_output=True, text=True, timeout=60, check=False, cwd=Path(tests.__file__).parent.parent,
        )  # fmt: skip
        self.assertIn("1 failed, 1 passed", ran.stdout, ran.stdout + ran.stderr)
