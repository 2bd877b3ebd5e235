"""The database file: made, brought up to date, and checked.

The schema is a folder of numbered SQL files; the version of a database is the number of the last one
applied to it. A new database is built beside its place and renamed, an older one is copied first and then
changed one file and one transaction at a time: a kill at any moment leaves one version or the other.

Everything here is synchronous and leaves no connection open, because it runs before the server
turns into a daemon: SQLite's connections do not survive a fork.
"""

from __future__ import annotations

import os
import re
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final
from urllib.parse import quote

from chat.protocol.errors import Misconfigured
from chat.server.storage.database_errors import is_busy, is_damaged, is_full, is_no_database
from chat.server.storage.private_files import copy, empty_file, put, remove, with_companions

SCHEMA: Final = Path(__file__).parent / "schema"
"""The folder of the numbered files."""

APPLICATION: Final = 0x43484154
"""``CHAT``: marks the file as ours (``PRAGMA application_id``)."""

CHECKED_WHOLE: Final = 64 * 1024 * 1024
"""A database of up to so many bytes is checked for damage at every start, which takes a fraction of a
second; a larger one shows its damage when it is read."""

_FILE: Final = re.compile(r"([0-9]{4})\.sql")

OTHER_FILE: Final = "choose another file with --db"


def connect(path: str, patience: float) -> sqlite3.Connection:
    """Open a database that exists, in autocommit mode.

    :param patience: seconds to wait for another program that is writing.
    :raises sqlite3.Error: when it cannot be opened.
    """
    return sqlite3.connect(f"file:{quote(path)}?mode=rw", uri=True, timeout=patience, isolation_level=None)


def prepare(path: str, schema: Path = SCHEMA, *, patience: float = 5.0) -> None:
    """Make sure that a database of this program's version is there, made or upgraded where needed.

    Hold the file first (`chat.server.storage.lock_file`), or two servers may build it at once.

    :param path: the database file.
    :param schema: the folder of the numbered files.
    :param patience: seconds to wait for another program that holds the file.
    :raises Misconfigured: when it is not, with what to do.
    """
    files = schema_files(schema)
    place = os.path.realpath(path)
    check_place(path, place)
    try:
        if not os.path.exists(place) or os.path.getsize(place) == 0:
            _make(path, place, files)
        else:
            _upgrade(path, place, files, patience)
    except (sqlite3.Error, OSError) as error:
        raise Misconfigured(_explain(path, error)) from error


def schema_files(schema: Path) -> list[str]:
    """The SQL of each version, from 1 on.

    :raises Misconfigured: when a number is missing: the program is not installed whole.
    """
    numbered = {int(found[1]): file for file in schema.iterdir() if (found := _FILE.fullmatch(file.name))}
    if not numbered or sorted(numbered) != list(range(1, len(numbered) + 1)):
        raise Misconfigured(f"The schema files in {schema} are incomplete. Reinstall the server.")
    return [numbered[number].read_text(encoding="utf-8") for number in sorted(numbered)]


def apply(connection: sqlite3.Connection, version: int, sql: str) -> None:
    """Take a database to a version, in one transaction.

    :raises sqlite3.Error: when that fails; the database is then as it was, once the connection is closed.
    """
    connection.executescript(f"BEGIN IMMEDIATE;\n{sql}")
    broken = connection.execute("PRAGMA foreign_key_check").fetchone()
    if broken is not None:
        raise sqlite3.IntegrityError(f"a row of {broken[0]} refers to nothing after the upgrade to {version}")
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {version}")
    connection.execute("COMMIT")


def check_place(path: str, place: str) -> None:
    """Look at where a database file is, or is to be made.

    :param place: its real name.
    :raises Misconfigured: when it cannot be used there.
    """
    folder = os.path.dirname(place)
    if not os.path.isdir(folder):
        raise Misconfigured(f"{path}: the folder {folder} does not exist. Create it, or {OTHER_FILE}.")
    if os.path.isdir(place):
        raise Misconfigured(f"{path} is a folder. Give the name of a file with --db.")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise Misconfigured(f"{path}: the folder {folder} is not writable. Change its mode, or {OTHER_FILE}.")
    if os.path.exists(place) and not os.access(place, os.R_OK | os.W_OK):
        raise Misconfigured(f"{path} is not readable and writable. Change its mode or owner, or {OTHER_FILE}.")


def _explain(path: str, error: Exception) -> str:
    """One line for the operator about a file that could not be opened, made or upgraded."""
    if is_no_database(error):
        return f"{path} is not a chat database. Put a backup in its place, or {OTHER_FILE}."
    if is_damaged(error):
        return f"{path} is damaged ({error}). Put a backup in its place, or {OTHER_FILE}."
    if is_busy(error):
        return f"{path} is in use by another program. Stop it, or {OTHER_FILE}."
    if is_full(error):
        return f"{path}: the disk is full. Free some space, or {OTHER_FILE}."
    return f"{path} cannot be used ({error}). Check the disk and the file's mode, or {OTHER_FILE}."


# --- a new one --------------------------------------------------------------------------------------


def _make(path: str, place: str, files: list[str]) -> None:
    log = f"{place}-wal"
    if os.path.exists(log) and os.path.getsize(log) > 0:
        # SQLite would play the log of the database that is gone into the new one.
        raise Misconfigured(
            f"{path} is missing, but {path}-wal, which belongs to it, is there."
            f" Put the database back, or move {path}-wal away."
        )
    remove(log, f"{place}-shm")
    draft = empty_file(f"{place}.new")
    with ExitStack() as undo:
        undo.callback(remove, *with_companions(draft))
        with closing(connect(draft, patience=0)) as connection:
            connection.execute("PRAGMA synchronous = FULL")
            _use_write_ahead_log(path, connection)
            for version, sql in enumerate(files, start=1):
                apply(connection, version, sql)
        put(draft, place)
        undo.pop_all()


def _use_write_ahead_log(path: str, connection: sqlite3.Connection) -> None:
    """Readers and the writer do not wait for each other in this mode, which the file remembers.

    The -wal and -shm files beside a database get its mode from SQLite (``findCreateFileMode``).
    """
    if connection.execute("PRAGMA journal_mode = WAL").fetchone()[0] != "wal":
        raise Misconfigured(
            f"{path} needs a disk that supports SQLite's write-ahead log. Use a local disk, or {OTHER_FILE}."
        )


# --- an older one -----------------------------------------------------------------------------------


def _upgrade(path: str, place: str, files: list[str], patience: float) -> None:
    with closing(connect(place, patience)) as connection:
        version: int = connection.execute("PRAGMA user_version").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        if application != APPLICATION or version < 1:
            raise Misconfigured(f"{path} belongs to another program. Please {OTHER_FILE}.")
        if version > len(files):
            raise Misconfigured(
                f"{path} was written by a newer version of this server (schema {version}, this one knows"
                f" {len(files)}). Install that version, or {OTHER_FILE}."
            )
        _check_for_damage(path, place, connection)
        _use_write_ahead_log(path, connection)
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        if version < len(files):
            _back_up(place, version + 1, connection)
        for number in range(version + 1, len(files) + 1):
            apply(connection, number, files[number - 1])


def _check_for_damage(path: str, place: str, connection: sqlite3.Connection) -> None:
    if os.path.getsize(place) > CHECKED_WHOLE:
        return
    found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    if found != "ok":
        raise Misconfigured(f"{path} is damaged ({found}). Put a backup in its place, or {OTHER_FILE}.")


def _back_up(place: str, version: int, connection: sqlite3.Connection) -> None:
    """Copy the database to ``PLACE.before-VERSION``, where it stays until the operator removes it."""
    kept = f"{place}.before-{version}"
    copy(connection, kept)
