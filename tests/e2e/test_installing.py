"""``pip install .`` and ``pip install -e .``: the command works from any folder."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sysconfig
import tempfile
import venv
from unittest import SkipTest, TestCase

CHECKOUT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILT = ("chat", "twisted", "setup.cfg", "pyproject.toml", "README.md", "LICENSE")


class Installing(TestCase):
    """Without network: the packages of this environment are lent to the new one, and setuptools builds from there."""

    def setUp(self) -> None:
        try:
            version = importlib.metadata.version("setuptools")
        except importlib.metadata.PackageNotFoundError:
            raise SkipTest("setuptools is not installed, so nothing can be built without network") from None
        if int(version.partition(".")[0]) < 77:
            raise SkipTest(f"setuptools {version} is older than 77, which pyproject.toml asks for")
        folder = tempfile.TemporaryDirectory(prefix="install-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.source = os.path.join(self.folder, "source")
        os.mkdir(self.source)
        for name in BUILT:
            path = os.path.join(CHECKOUT, name)
            if os.path.isdir(path):
                shutil.copytree(path, os.path.join(self.source, name), ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(path, self.source)

    def run_in(self, folder: str, *command: str) -> str:
        """Run something without what this environment says of Python."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PIP"))}
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        self.assertEqual(done.returncode, 0, f"{command}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def environment(self, name: str) -> str:
        """A new environment that sees the packages of this one, but not this checkout.

        :returns: the folder of its programs.
        """
        place = os.path.join(self.folder, name)
        venv.create(place, with_pip=False, symlinks=True)
        packages = sysconfig.get_path("purelib", vars={"base": place})
        lent = os.path.join(self.folder, "lent")
        if not os.path.isdir(lent):
            os.mkdir(lent)
            here = sysconfig.get_path("purelib")
            for each in os.listdir(here):
                if not each.endswith((".pth", ".egg-link")) and not each.startswith(("linechat", "__editable__")):
                    os.symlink(os.path.join(here, each), os.path.join(lent, each))
        with open(os.path.join(packages, "lent.pth"), "w", encoding="utf-8") as file:
            file.write(f"{lent}\n")
        return os.path.join(place, "bin")

    def test_both_ways(self) -> None:
        for name, options in (("plain", (".",)), ("editable", ("-e", "."))):
            with self.subTest(name):
                programs = self.environment(name)
                python = os.path.join(programs, "python")
                self.run_in(
                    self.source, python, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation",
                    "--no-index", "--disable-pip-version-check", *options,
                )  # fmt: skip
                elsewhere = tempfile.mkdtemp(dir=self.folder)
                start = "from twisted.scripts.twistd import run; run()"
                shown = self.run_in(elsewhere, python, "-c", start, "chatserver", "--help")
                self.assertIn("--bcrypt-cost=", shown)
                where = self.run_in(
                    elsewhere, python, "-c", "import chat.server.storage.migrations as u; print(u.__file__)"
                )
                self.assertEqual(where.startswith(self.source), name == "editable", where)
                self.run_in(
                    elsewhere, python, "-c", "from chat.server.storage.migrations import *; assert schema_files(SCHEMA)"
                )
