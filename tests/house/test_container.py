"""The container image is made of the program alone: what else stands in the folder is never handed to its builder."""

from __future__ import annotations

import re
from pathlib import Path
from unittest import TestCase

ROOT = Path(__file__).parents[2]

_PRIVATE = (
    *("credentials.db", "credentials.db-wal", "chat.db.before-16", "chat.pem", "chat.control", "config.ini", ".env"),
    *("traffic.log", "twistd.log.1", "twistd.pid", "notes.txt", "id_ed25519", "backups/monday.db", ".git/config"),
    *(
        "chat/chat.pem",
        "chat/credentials.db",
        "chat/server/core/notes.txt",
        "chat/server/core/__pycache__/room.cpython-313.pyc",
    ),
    *("twisted/plugins/dropin.cache", "twisted/plugins/chat.pem", "tests/house/test_tree.py", "deploy/config.ini"),
    *("docs/security.md", "benchmarks/out.py", "chatserver.egg-info/PKG-INFO", "build/lib/chat/tap.py"),
)


class Ignored:
    """A ``.dockerignore``: the last pattern that matches a file, or a folder it is in, decides."""

    def __init__(self, lines: list[str]) -> None:
        self._rules = [
            (not line.startswith("!"), _pattern(line.removeprefix("!")))
            for each in lines
            if (line := each.strip()) and not line.startswith("#")
        ]

    def ignores(self, path: str) -> bool:
        parts = path.split("/")
        prefixes = ["/".join(parts[:end]) for end in range(1, len(parts) + 1)]
        ignored = False
        for ignores, pattern in self._rules:
            if any(pattern.fullmatch(prefix) for prefix in prefixes):
                ignored = ignores
        return ignored


def _pattern(words: str) -> re.Pattern[str]:
    wild = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", words.strip("/"))
    return re.compile("".join(wild.get(part, re.escape(part)) for part in parts))


class TheImage(TestCase):
    def setUp(self) -> None:
        self.ignored = Ignored((ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines())
        self.stages = re.split(r"^FROM ", (ROOT / "deploy" / "Containerfile").read_text(encoding="utf-8"), flags=re.M)[
            1:
        ]

    def copied(self, stage: str) -> list[str]:
        """The sources of its COPY lines."""
        return [word for line in re.findall(r"^COPY (.*)$", stage, re.M) for word in line.split()[:-1]]

    def test_nothing_private_is_handed_to_the_builder(self) -> None:
        for path in _PRIVATE:
            self.assertTrue(self.ignored.ignores(path), path)

    def test_what_the_program_is_made_of_is(self) -> None:
        kinds = ("*.py", "*.sql", "py.typed")
        made_of = [path for kind in kinds for path in (ROOT / "chat").rglob(kind)]
        made_of += (ROOT / "twisted" / "plugins").glob("*.py")
        made_of += [ROOT / name for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE")]
        self.assertGreater(len(made_of), 300)
        for path in made_of:
            self.assertFalse(self.ignored.ignores(str(path.relative_to(ROOT))), path)

    def test_named_paths_are_copied(self) -> None:
        build, _image = self.stages
        self.assertEqual(
            sorted(self.copied(build)),
            sorted(("LICENSE", "README.md", "pyproject.toml", "setup.cfg", "chat", "twisted")),
        )

    def test_no_source_enters_the_image(self) -> None:
        """A file that is removed in a later layer is still in the one before: what is installed comes from a stage."""
        _build, image = self.stages
        self.assertEqual(self.copied(image), ["--from=build", "/opt/chatserver"])
