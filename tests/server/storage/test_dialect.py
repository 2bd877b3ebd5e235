"""SQL that another engine would write differently stands in one place."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from unittest import TestCase

from chat.server.storage import dialect

FOLDER = Path(dialect.__file__).parent

OF_SQLITE = {
    "backup",
    "database_errors",
    "dialect",
    "memory",
    "migrations",
    "private_files",
    "scrub",
    "sqlite",
    "workers",
}
"""The modules of the SQLite engine, and the copies of its files."""

ONLY_SQLITE = re.compile(
    r"json_(each|group_array|array|patch)\b|OR (REPLACE|IGNORE)|ON CONFLICT DO UPDATE|\browid\b|sqlite_|PRAGMA|VACUUM"
    r"|BEGIN IMMEDIATE|\b(max|min)\([^()]*(\([^()]*\)[^()]*)*, "
)


def statements(file: Path) -> Iterator[str]:
    """The texts of a module that are not documentation."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    documentation = {id(each.value) for each in ast.walk(tree) if isinstance(each, ast.Expr)}
    for each in ast.walk(tree):
        if isinstance(each, ast.Constant) and isinstance(each.value, str) and id(each) not in documentation:
            yield each.value


class WhatAllEnginesShare(TestCase):
    def test_is_no_dialect(self) -> None:
        files = [file for file in FOLDER.glob("*.py") if file.stem not in OF_SQLITE]
        self.assertGreater(len(files), 20)
        found = [(file.name, sql) for file in files for sql in statements(file) if ONLY_SQLITE.search(sql)]
        self.assertEqual(found, [])
