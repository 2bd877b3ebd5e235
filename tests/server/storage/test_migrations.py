"""The database file: made whole or not at all, upgraded step by step, refused with what to do."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import Misconfigured
from chat.server.storage.migrations import SCHEMA, prepare

TOY = {
    "0001.sql": "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL);",
    "0002.sql": "ALTER TABLE people ADD COLUMN age INTEGER NOT NULL DEFAULT 7;\nUPDATE people SET age = 8;",
    "0003.sql": "CREATE TABLE pets (owner INTEGER NOT NULL REFERENCES people (id));",
}


def dump(path: str) -> list[str]:
    """The schema and everything that is in a database."""
    with closing(sqlite3.connect(path)) as connection:
        return [*connection.iterdump(), str(connection.execute("PRAGMA user_version").fetchone())]


class FolderCase(SynchronousTestCase):
    """A folder for the database, and a schema of toy files that grows."""

    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.path = str(self.folder / "credentials.db")

    def schema(self, versions: int, **instead: str) -> Path:
        """The first toy files; ``v2="..."`` replaces one."""
        folder = self.folder / f"schema-{versions}{'-other' if instead else ''}"
        folder.mkdir(exist_ok=True)
        for number, (name, sql) in enumerate(list(TOY.items())[:versions], start=1):
            (folder / name).write_text(instead.get(f"v{number}", sql))
        return folder

    def files(self) -> set[str]:
        return {file.name for file in self.folder.iterdir() if file.is_file()}

    def run_sql(self, sql: str) -> None:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            connection.executescript(sql)

    def refused(self, *remedies: str, path: str | None = None, schema: Path = SCHEMA) -> None:
        """Preparing is refused, in one line that holds all of these words."""
        with self.assertRaises(Misconfigured) as caught:
            prepare(path or self.path, schema, patience=0.05)
        line = str(caught.exception)
        self.assertNotIn("\n", line)
        for remedy in remedies:
            self.assertIn(remedy, line)


class NewDatabases(FolderCase):
    def test_one_is_made_for_its_owner_alone(self) -> None:
        umask = os.umask(0)
        self.addCleanup(os.umask, umask)
        for mask in (0, 0o777):
            os.umask(mask)
            prepare(self.path)
            self.assertEqual(self.files(), {"credentials.db"})
            self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)
            os.remove(self.path)

    def test_preparing_it_again_changes_nothing(self) -> None:
        prepare(self.path)
        before = dump(self.path)
        prepare(self.path)
        self.assertEqual(dump(self.path), before)

    def test_an_empty_file_is_a_place_for_one(self) -> None:
        Path(self.path).touch()
        prepare(self.path)
        self.assertIn("CREATE TABLE log", "\n".join(dump(self.path)))

    def test_a_build_that_fails_leaves_nothing_in_its_place(self) -> None:
        self.refused("cannot be used", schema=self.schema(2, v2="CREATE TABLE half (x); CREATE NONSENSE;"))
        self.assertNotIn("credentials.db", self.files())
        prepare(self.path, self.schema(2))
        self.assertEqual(self.files(), {"credentials.db"})

    def test_a_write_ahead_log_without_its_database_is_not_played_into_a_new_one(self) -> None:
        Path(f"{self.path}-wal").write_bytes(b"rows of the database that somebody moved away")
        self.refused("credentials.db-wal", "Put the database back")
        self.assertEqual(self.files(), {"credentials.db-wal"})

    def test_a_link_leads_to_the_file(self) -> None:
        (self.folder / "link.db").symlink_to(self.path)
        prepare(str(self.folder / "link.db"))
        self.assertTrue((self.folder / "link.db").is_symlink())
        self.assertIn("credentials.db", self.files())


class Upgrades(FolderCase):
    def setUp(self) -> None:
        super().setUp()
        prepare(self.path, self.schema(1))

    def test_an_upgraded_database_is_a_new_one(self) -> None:
        prepare(self.path, self.schema(2))
        prepare(self.path, self.schema(3))
        other = str(self.folder / "new.db")
        prepare(other, self.schema(3))
        self.assertEqual(dump(self.path), dump(other))

    def test_several_versions_at_once_keep_what_is_there(self) -> None:
        self.run_sql("INSERT INTO people (name) VALUES ('bob')")
        prepare(self.path, self.schema(3))
        with closing(sqlite3.connect(self.path)) as connection:
            self.assertEqual(connection.execute("SELECT name, age FROM people").fetchall(), [("bob", 8)])

    def test_the_older_one_is_kept_beside_it_for_its_owner_alone(self) -> None:
        self.run_sql("INSERT INTO people (name) VALUES ('bob')")
        before = dump(self.path)
        umask = os.umask(0)
        self.addCleanup(os.umask, umask)
        prepare(self.path, self.schema(3))
        kept = f"{self.path}.before-2"
        self.assertEqual(self.files(), {"credentials.db", "credentials.db.before-2"})
        self.assertEqual(dump(kept), before)
        self.assertEqual(stat.S_IMODE(os.stat(kept).st_mode), 0o600)

    def test_a_step_that_fails_leaves_the_version_before_it(self) -> None:
        """The step is undone whole, earlier ones stay, and the next start goes on from there."""
        self.refused("cannot be used", schema=self.schema(3, v3="CREATE TABLE half (x); CREATE NONSENSE;"))
        reached = str(self.folder / "reached.db")
        prepare(reached, self.schema(2))
        self.assertEqual(dump(self.path), dump(reached))
        prepare(self.path, self.schema(3))
        self.assertIn("pets", "\n".join(dump(self.path)))

    def test_a_kill_in_the_middle_of_a_step_leaves_the_version_before_it(self) -> None:
        before = dump(self.path)
        die = (
            "import os, sqlite3, sys\n"
            "from pathlib import Path\n"
            "from chat.server.storage import migrations\n"
            "class Dying(sqlite3.Connection):\n"
            "    def execute(self, sql, *more):\n"
            "        if sql.startswith('PRAGMA user_version ='):\n"
            "            os.kill(os.getpid(), 9)\n"
            "        return super().execute(sql, *more)\n"
            "connect = sqlite3.connect\n"
            "sqlite3.connect = lambda *a, **k: connect(*a, **k, factory=Dying)\n"
            "migrations.prepare(sys.argv[1], Path(sys.argv[2]))\n"
        )
        ended = subprocess.run([sys.executable, "-c", die, self.path, str(self.schema(2))], check=False)
        self.assertEqual(ended.returncode, -9)
        self.assertEqual(dump(self.path), before)
        prepare(self.path, self.schema(2))
        self.assertIn("age", "\n".join(dump(self.path)))

    def test_a_step_that_breaks_a_reference_is_refused(self) -> None:
        self.refused("refers to nothing", schema=self.schema(3, v3=TOY["0003.sql"] + "INSERT INTO pets VALUES (99);"))

    def test_a_newer_one_is_left_alone(self) -> None:
        prepare(self.path, self.schema(3))
        before = dump(self.path)
        self.refused("newer version", "schema 3", "--db", schema=self.schema(2))
        self.assertEqual(dump(self.path), before)


class Refusals(FolderCase):
    def test_a_folder_that_is_missing(self) -> None:
        self.refused("does not exist", "Create it", path=str(self.folder / "nowhere" / "credentials.db"))

    def test_a_folder_in_its_place(self) -> None:
        os.mkdir(self.path)
        self.refused("is a folder", "--db")

    def test_what_is_no_database(self) -> None:
        Path(self.path).write_bytes(b"dear diary, " * 400)
        self.refused("not a chat database", "--db")
        self.assertEqual(Path(self.path).read_bytes()[:10], b"dear diary")

    def test_the_database_of_another_program(self) -> None:
        self.run_sql("CREATE TABLE recipes (name TEXT); PRAGMA user_version = 1;")
        self.refused("another program", "--db")

    def test_a_damaged_one(self) -> None:
        prepare(self.path)
        content = bytearray(Path(self.path).read_bytes())
        content[4096 * 3 :] = b"\xa5" * (len(content) - 4096 * 3)
        Path(self.path).write_bytes(content)
        self.refused("damaged", "backup")

    def test_one_that_is_locked_for_good(self) -> None:
        prepare(self.path, self.schema(1))
        with closing(sqlite3.connect(self.path, isolation_level=None)) as other:
            other.execute("PRAGMA locking_mode = EXCLUSIVE")
            other.execute("BEGIN EXCLUSIVE")
            other.execute("INSERT INTO people (name) VALUES ('bob')")
            self.refused("in use by another program", schema=self.schema(2))

    def test_files_of_somebody_else(self) -> None:
        """Run as somebody who may not: a folder that is not writable, a file that is not readable."""
        schema = self.schema(1)
        prepare(self.path, schema)
        try_it = (
            "import os, sys\n"
            "from pathlib import Path\n"
            "from chat.protocol.errors import Misconfigured\n"
            "from chat.server.storage.migrations import prepare\n"
            "if os.getuid() == 0:\n"
            "    os.setuid(65534)\n"
            "try:\n"
            "    prepare(sys.argv[1], Path(sys.argv[2]))\n"
            "except Misconfigured as refusal:\n"
            "    print(refusal)\n"
        )
        for mode, words in ((0o555, "is not writable"), (0o777, "is not readable and writable")):
            os.chmod(self.folder, mode)
            os.chmod(self.path, 0o000)
            ran = subprocess.run(
                [sys.executable, "-c", try_it, self.path, str(schema)],
                capture_output=True,
                text=True,
                check=True,
            )
            self.assertIn(words, ran.stdout)
        os.chmod(self.folder, 0o700)


class SchemaFiles(FolderCase):
    def test_a_number_that_is_missing_is_noticed(self) -> None:
        folder = self.schema(3)
        (folder / "0002.sql").unlink()
        self.refused("incomplete", schema=folder)


del FolderCase
