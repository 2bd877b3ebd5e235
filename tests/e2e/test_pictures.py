"""``python -m docs.pictures``: the pictures of the README can be drawn anew at any time."""

from __future__ import annotations

import subprocess
import sys
from html import unescape
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parents[2]


class Pictures(SynchronousTestCase):
    def test_show_the_client_of_today_and_need_nothing_from_elsewhere(self) -> None:
        with TemporaryDirectory() as folder:
            done = subprocess.run(
                [sys.executable, "-m", "docs.pictures", folder], cwd=ROOT, capture_output=True, text=True, timeout=60
            )
            self.assertEqual(done.returncode, 0, done.stderr)
            for name, words in (("screen.svg", "#ops"), ("narrow.svg", "encrypted, verified")):
                picture = unescape((Path(folder) / name).read_text("utf-8")).replace("\xa0", " ")
                self.assertIn(words, picture)
                self.assertNotIn("@font-face", picture)
                self.assertTrue((ROOT / "docs" / "pictures" / name).exists())
