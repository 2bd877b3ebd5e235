"""Copies of the database: whole while it is written to, tried out, put in place, and the way back after an upgrade."""

# ruff: noqa: ASYNC240  # a test may wait for its disk
from __future__ import annotations

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from shutil import copy
from typing import Any
from unittest.mock import patch

from chat.protocol.device_keys import DeviceKeys, InboxMessage, Publication
from chat.protocol.errors import Busy, Misconfigured, NotWritten
from chat.protocol.values import Pair
from chat.server.interfaces import Contents
from chat.server.storage.backup import restore
from chat.server.storage.migrations import SCHEMA, prepare
from tests.server.storage.engines import OnFile, text


class ABackup(OnFile):
    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        self.bob = await self.person("bob")
        self.lobby = await self.room(self.bob.id)
        self.file = os.path.join(os.path.dirname(self.path), "backup.db")

    async def test_holds_what_was_committed_before_it_and_is_its_owners_alone(self) -> None:
        await self.store.append(text(self.lobby, self.bob.id, "before"))
        found = await self.store.back_up(self.file)
        self.assertEqual((found.accounts, found.rooms, found.rows, found.newest), (1, 1, 2, 1_000))
        self.assertEqual(found.size, os.path.getsize(self.file))
        self.assertEqual(os.stat(self.file).st_mode & 0o777, 0o600)

    async def test_is_whole_while_people_talk(self) -> None:
        said = [self.store.append(text(self.lobby, self.bob.id, f"{number}")) for number in range(500)]
        making = self.store.back_up(self.file)
        said += [self.store.append(text(self.lobby, self.bob.id, f"{number}")) for number in range(500)]
        for each in said:
            await each
        await making
        with closing(sqlite3.connect(self.file)) as backup:
            self.assertEqual(backup.execute("PRAGMA integrity_check").fetchone()[0], "ok")
            rows, last = backup.execute("SELECT count(*), max(id) & 0xffffffff FROM log").fetchone()
        self.assertEqual(rows, last, "a prefix of the log, without gaps")

    async def test_overwrites_nothing(self) -> None:
        Path(self.file).write_text("precious")
        await self.assertFailure(self.store.back_up(self.file), NotWritten)
        self.assertEqual(Path(self.file).read_text(), "precious")

    async def test_leaves_nothing_where_it_cannot_be_written(self) -> None:
        folder = os.path.join(os.path.dirname(self.path), "missing")
        await self.assertFailure(self.store.back_up(os.path.join(folder, "backup.db")), NotWritten)

    async def test_a_file_system_that_is_read_only_to_the_server_alone_is_explained(self) -> None:
        """As that of a unit of systemd: whoever types the command may well write there."""
        read_only = OSError(errno.EROFS, os.strerror(errno.EROFS))
        with patch("chat.server.storage.private_files.os.open", side_effect=read_only):
            for refused in (
                await self.assertFailure(self.store.back_up(self.file), NotWritten),
                await self.assertFailure(self.store.export(self.bob.id, self.file), NotWritten),
            ):
                self.assertIn("Read-only file system for the server; under systemd, ReadWritePaths", str(refused))

    async def test_one_at_a_time(self) -> None:
        making = self.store.back_up(self.file)
        await self.assertFailure(self.store.back_up(f"{self.file}2"), Busy)
        await making
        await self.store.back_up(f"{self.file}2")

    async def test_a_rehearsal_changes_nothing(self) -> None:
        made = await self.store.back_up(self.file)
        await self.store.append(text(self.lobby, self.bob.id))
        before = sorted(os.listdir(os.path.dirname(self.path)))
        found = await self.store.rehearse(self.file)
        self.assertEqual((found.accounts, found.rows), (made.accounts, made.rows))
        self.assertEqual(sorted(os.listdir(os.path.dirname(self.path))), before)

    async def test_a_rehearsal_finds_what_cannot_be_put_in_place(self) -> None:
        await self.store.back_up(self.file)
        with closing(sqlite3.connect(self.file)) as newer:
            newer.execute("PRAGMA user_version = 9999")
        await self.assertFailure(self.store.rehearse(self.file), NotWritten)
        content = bytearray(Path(self.file).read_bytes())
        content[4096 * 5 :] = b"\xa5" * (len(content) - 4096 * 5)
        for bad in (bytes(content), b"garbage " * 1_000, b""):
            Path(self.file).write_bytes(bad)
            await self.assertFailure(self.store.rehearse(self.file), NotWritten)
        missing: Any = await self.assertFailure(self.store.rehearse("/nowhere/backup.db"), NotWritten)
        self.assertEqual(missing.line, "There is no file /nowhere/backup.db. Nothing has changed.")
        self.assertEqual([each for each in os.listdir(os.path.dirname(self.path)) if each.startswith(".restore")], [])

    async def test_in_its_place_it_is_what_was_and_the_one_before_is_kept(self) -> None:
        await self.store.append(text(self.lobby, self.bob.id, "then"))
        await self.store.back_up(self.file)
        await self.store.append(text(self.lobby, self.bob.id, "now"))
        await self.store.stop()
        found, kept = restore(self.path, self.file)
        self.assertEqual(found.rows, 2)
        await self.restart()
        self.assertEqual(await self.words(self.lobby), ["", "then"])
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)
        await self.store.stop()
        restore(self.path, kept)
        await self.restart()
        self.assertEqual(await self.words(self.lobby), ["", "then", "now"])

    async def test_no_number_that_was_given_since_is_given_again(self) -> None:
        """Clients remember them, however often a backup is put back."""
        bob = self.bob.id
        await self.store.saw(bob, "desk", 700, True)
        await self.store.publish_keys(bob, "desk", Publication(device=DeviceKeys(b"i" * 32, b"s" * 32)), 800)
        await self.store.back_up(self.file)
        given: set[tuple[str, int | None]] = set()
        for times in range(1, 4):
            (letter,) = await self.store.put_into_inboxes(bob, "desk", [InboxMessage(bob, "desk", b"sealed")], 900)
            given |= {("letter", letter), ("file", await self.store.begin_file(bob, bob, 1, 100, 100, 900))}
            self.assertEqual(len(given), 2 * times)
            await self.store.stop()
            restore(self.path, self.file)
            await self.restart()
        self.assertGreater(await self.room(bob, "ops"), self.lobby + 1_000_000)

    async def put_in_place(self, file: str) -> int:
        """:returns: when, as clients are told."""
        await self.store.stop()
        restore(self.path, file)
        return (await self.restart()).restored

    async def test_tells_up_to_where_the_log_is_what_it_was(self) -> None:
        self.assertEqual(self.snapshot.restored, 0)
        eve = await self.person("eve")
        secret = await self.room(eve.id, "secret")
        await self.store.append(text(self.lobby, self.bob.id, "kept"))
        stored = await self.store.append(text(Pair.of(self.bob.id, eve.id), eve.id, "kept as well"))
        await self.store.back_up(self.file)
        await self.store.append(text(self.lobby, self.bob.id, "lost"))
        when = await self.put_in_place(self.file)
        await self.store.append(text(self.lobby, self.bob.id, "new"))
        await self.room(self.bob.id, "later")
        left = {self.lobby: 2, stored.conversation: 1}
        self.assertEqual(await self.store.restored_since(self.bob.id, when - 1), left)
        self.assertEqual(await self.store.restored_since(self.bob.id, when), {})
        self.assertEqual(await self.store.restored_since(eve.id, 0), {secret: 1, stored.conversation: 1})

    async def test_of_several_backups_the_one_that_left_least_counts(self) -> None:
        """Also where a later one knows nothing of an earlier one that was put in place before it."""
        files = [f"{self.file}{number}" for number in range(3)]
        for file in files:
            await self.store.back_up(file)
            await self.store.append(text(self.lobby, self.bob.id, f"after {file}"))
        times = [0]
        for file, seqs in ((files[0], (1,)), (files[2], (1, 1)), (files[1], (1, 1, 1))):
            times.append(await self.put_in_place(file))
            found = [await self.store.restored_since(self.bob.id, each) for each in times]
            self.assertEqual(found, [*({self.lobby: seq} for seq in seqs), {}])
        self.assertEqual(times, sorted(set(times)))
        await self.store.append(text(self.lobby, self.bob.id, "new"))
        await self.store.back_up(self.file)
        times.append(await self.put_in_place(self.file))
        self.assertEqual(await self.store.restored_since(self.bob.id, times[-2]), {self.lobby: 3})
        self.assertEqual(await self.store.restored_since(self.bob.id, times[-3]), {self.lobby: 1})

    async def test_a_clock_that_was_set_back_makes_no_backup_an_earlier_one(self) -> None:
        await self.store.back_up(self.file)
        times = []
        for ago in range(3):
            with patch("chat.server.storage.backup.time.time", return_value=2_000_000_000.0 - ago):
                times.append(await self.put_in_place(self.file))
        self.assertEqual(times, sorted(set(times)))

    async def test_in_the_place_of_a_file_that_cannot_be_read(self) -> None:
        await self.store.back_up(self.file)
        await self.store.stop()
        Path(self.path).write_bytes(b"garbage " * 1_000)
        restore(self.path, self.file)
        self.assertGreater((await self.restart()).restored, 0)

    async def test_the_log_of_a_killed_server_does_not_come_along(self) -> None:
        """What stands in PATH-wal belongs to the database of before."""
        await self.store.back_up(self.file)
        await self.store.append(text(self.lobby, self.bob.id, "later"))
        killed = Path(self.path).parent / "killed"
        killed.mkdir()
        for name in ("credentials.db", "credentials.db-wal", "credentials.db-shm"):
            copy(Path(self.path).parent / name, killed / name)
        _, kept = restore(str(killed / "credentials.db"), self.file)
        with closing(sqlite3.connect(killed / "credentials.db")) as database:
            self.assertEqual(database.execute("SELECT count(*) FROM log").fetchone()[0], 1)
        with closing(sqlite3.connect(kept)) as before:
            self.assertEqual(before.execute("SELECT count(*) FROM log").fetchone()[0], 2)

    async def test_what_another_program_still_reads_does_not_come_along_either(self) -> None:
        await self.store.back_up(self.file)
        await self.store.append(text(self.lobby, self.bob.id, "later"))
        await self.store.stop()
        with closing(sqlite3.connect(self.path)) as shell:
            shell.execute("BEGIN")
            shell.execute("SELECT count(*) FROM log").fetchone()
            self.assertTrue(os.path.exists(f"{self.path}-wal"))
            restore(self.path, self.file)
            self.assertFalse(os.path.exists(f"{self.path}-wal"))
        with closing(sqlite3.connect(self.path)) as database:
            self.assertEqual(database.execute("SELECT count(*) FROM log").fetchone()[0], 1)


class TheWayBack(OnFile):
    """The copy that an upgrade makes by itself is a database of the version before."""

    def older(self) -> Path:
        """The schema of the version before."""
        folder = Path(self.path).parent / "older"
        if not folder.exists():
            folder.mkdir()
            for file in sorted(SCHEMA.glob("*.sql"))[:-1]:
                copy(file, folder / file.name)
        return folder

    async def test_leads_to_the_version_before(self) -> None:
        place = str(Path(self.path).parent / "aged.db")
        prepare(place, self.older())
        version = len(list(self.older().iterdir()))
        prepare(place)
        found, _ = restore(place, f"{place}.before-{version + 1}", self.older())
        self.assertEqual(found.version, version)
        with closing(sqlite3.connect(place)) as database:
            self.assertEqual(database.execute("PRAGMA user_version").fetchone()[0], version)

    async def test_and_forth_again(self) -> None:
        place = str(Path(self.path).parent / "aged.db")
        prepare(place, self.older())
        prepare(place)
        version = len(list(self.older().iterdir()))
        found, _ = restore(place, f"{place}.before-{version + 1}")
        self.assertIsInstance(found, Contents)
        with closing(sqlite3.connect(place)) as database:
            self.assertEqual(database.execute("PRAGMA user_version").fetchone()[0], version + 1)

    async def test_a_newer_database_is_no_way_back(self) -> None:
        place = str(Path(self.path).parent / "aged.db")
        prepare(place, self.older())
        with self.assertRaises(Misconfigured):
            restore(place, self.path, self.older())


del OnFile  # it has nothing to show by itself
