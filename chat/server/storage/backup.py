"""Copies of the database: made while it is in use, tried out, and put in its place."""

from __future__ import annotations

import os
import shutil
import sqlite3
import tempfile
import time
from contextlib import closing, suppress
from itertools import chain, count
from pathlib import Path
from typing import Final
from urllib.parse import quote

from chat.protocol.errors import Misconfigured, NotWritten
from chat.server.interfaces import Contents
from chat.server.storage.connection import Connection
from chat.server.storage.dialect import has_table
from chat.server.storage.migrations import APPLICATION, SCHEMA, connect, prepare
from chat.server.storage.private_files import copy, put, reason
from chat.server.storage.restore_points import all_restored, note_restored
from chat.server.storage.transaction import LAST_SEQ

PATIENCE: Final = 5.0
"""Seconds to wait for a program that holds a file."""

BEGINNING: Final = 1_767_225_600
"""2026-01-01, before which no number was given; seconds since the epoch."""

A_SECOND: Final = {"inbox": 1_000, "files": 1_000, "conversations": 1}
"""More numbers than anybody has given a second, on average since then. Those of letters and files may have 53 bits
(`chat.protocol.device_keys.MOST_NUMBER`), those of conversations 31 (`chat.server.storage.transaction.SEQ_BITS`):
enough until 2094."""


def back_up(connection: Connection, file: str) -> Contents:
    """Copy the whole database into a file with mode 0600, and look at the copy; see
    `chat.server.interfaces.IStore.back_up`."""
    if os.path.lexists(file):
        raise NotWritten(f"{file} already exists. Use another name, or move it away.")
    try:
        copy(connection, file)
        with closing(connect(file, PATIENCE)) as written:
            _check(written, file)
            return contents(written, file)
    except (sqlite3.Error, OSError) as error:
        raise NotWritten(f"Cannot write {file} ({reason(error)}). No file was left behind.") from None


def rehearse(connection: Connection, file: str) -> Contents:
    """Find out whether a backup could be put in place of the database that a connection is open on.

    :raises NotWritten: when it could not, with why.
    """
    place: str = connection.execute("PRAGMA database_list").fetchone()[2]
    try:
        return rehearse_beside(place or file, file)
    except Misconfigured as error:
        raise NotWritten(f"{error}") from None


def rehearse_beside(place: str, file: str, schema: Path = SCHEMA) -> Contents:
    """Do everything that `restore` does but the last step, in a folder beside a database.

    :param place: the database.
    :raises Misconfigured: when the backup is not there, cannot be read, is damaged, or belongs to a newer version.
    """
    with _Draft(place, file, schema) as draft:
        return draft.contents


def restore(place: str, file: str, schema: Path = SCHEMA) -> tuple[Contents, str]:
    """Put a backup in the place of a database that nobody uses (`chat.server.storage.lock_file`).

    :returns: what it holds, and where the database of before is kept; empty where there was none.
    :raises Misconfigured: see `rehearse_beside`; nothing has changed then.
    """
    place = os.path.realpath(place)
    with _Draft(place, file, schema) as draft:
        try:
            kept = _move_away(place)
            put(draft.path, place)
        except OSError as error:
            raise Misconfigured(f"{file} cannot be restored ({error.strerror}).") from None
        return draft.contents, kept


def contents(connection: sqlite3.Connection, file: str) -> Contents:
    """What a database holds."""
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    accounts, rooms, rows, newest = (
        connection.execute(f"SELECT {what}").fetchone()[0]
        for what in (
            "count(*) FROM accounts",
            "count(*) FROM rooms WHERE deleted IS NULL",
            "count(*) FROM log",
            f"max(time) FROM log WHERE id & {LAST_SEQ} > 0",
        )
    )
    return Contents(version, accounts, rooms, rows, newest, os.path.getsize(file))


class _Draft:
    """A backup as it would stand in place: copied, checked whole, and brought up to date."""

    def __init__(self, place: str, file: str, schema: Path) -> None:
        self._place = os.path.realpath(place)
        self._file = file
        self._schema = schema

    def __enter__(self) -> _Draft:
        self._folder = tempfile.mkdtemp(prefix=".restore-", dir=os.path.dirname(self._place))
        self.path = os.path.join(self._folder, "draft.db")
        try:
            self._fill()
        except (sqlite3.Error, OSError) as error:
            shutil.rmtree(self._folder)
            raise Misconfigured(f"{self._file} cannot be used ({reason(error)}). Nothing has changed.") from None
        except BaseException:
            shutil.rmtree(self._folder)
            raise
        return self

    def __exit__(self, *error: object) -> None:
        shutil.rmtree(self._folder)

    def _fill(self) -> None:
        try:
            os.stat(self._file)
        except FileNotFoundError:
            raise Misconfigured(f"There is no file {self._file}. Nothing has changed.") from None
        source = f"file:{quote(os.path.abspath(self._file))}?mode=ro"
        with closing(sqlite3.connect(source, uri=True, timeout=PATIENCE, isolation_level=None)) as backup:
            if backup.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
                raise Misconfigured(f"{self._file} is not a chat database. Nothing has changed.")
            version = backup.execute("PRAGMA user_version").fetchone()[0]
            copy(backup, self.path)
        prepare(self.path, self._schema)
        with closing(connect(self.path, PATIENCE)) as draft:
            _check(draft, self._file)
            found = contents(draft, self.path)
            with draft:
                draft.execute("BEGIN IMMEDIATE")
                _count_on(draft, time.time())
                _hand_out_nothing_again(draft)
                if has_table(draft, "restored"):
                    note_restored(draft, _restored(self._place), int(time.time() * 1_000))
            # Else what stands in its log would be lost when it is moved.
            draft.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self.contents = Contents(version, found.accounts, found.rooms, found.rows, found.newest, found.size)


def _count_on(connection: sqlite3.Connection, when: float) -> None:
    """Go on with numbers that the database of before cannot have given, nor one that was put in its place earlier.

    What has come since the backup is gone here, but clients remember its numbers: they would take a letter for one that
    they have, and a new room for one that is lost.

    :param when: now, seconds since the epoch.
    """
    for table, a_second in A_SECOND.items():
        if not has_table(connection, table):
            continue
        (last,) = connection.execute("SELECT max(seq) FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        beyond = max(last or 0, int((when - BEGINNING) * a_second))
        connection.execute("DELETE FROM sqlite_sequence WHERE name = ?", (table,))
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", (table, beyond))


def _restored(place: str) -> list[tuple[int, int, int]]:
    """What a database says of the backups before it, which may be damaged, of an earlier version, or not there."""
    with suppress(sqlite3.Error):
        if os.path.exists(place):
            with closing(connect(place, PATIENCE)) as before:
                return all_restored(before)
    return []


def _hand_out_nothing_again(connection: sqlite3.Connection) -> None:
    """Keys that may be used once may have been since: whose they are destroys the private half, and what is sealed with
    one again opens nowhere. Each device makes new ones when it comes; until then, its fallback key serves."""
    connection.execute("DELETE FROM one_time_keys")
    connection.execute("UPDATE fallback_keys SET used = 1")


def _check(connection: sqlite3.Connection, file: str) -> None:
    found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
    if found != "ok":
        raise sqlite3.DatabaseError(f"{file} is damaged: {found}")


def _move_away(place: str) -> str:
    """Keep the database of now under another name, with what stands beside it.

    :returns: that name, or empty where there was none.
    """
    if not os.path.exists(place):
        return ""
    name = f"{place}.before-restore-{time.strftime('%Y%m%d-%H%M%S')}"
    names = chain([name], (f"{name}-{number}" for number in count(2)))
    kept = next(each for each in names if not os.path.lexists(each))
    with suppress(sqlite3.Error), closing(connect(place, PATIENCE)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    os.link(place, kept)
    for end in ("-wal", "-shm"):
        if os.path.exists(f"{place}{end}"):
            os.rename(f"{place}{end}", f"{kept}{end}")
    return kept
