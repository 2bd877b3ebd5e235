"""What the failures of a database mean, whatever its driver calls them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Final

_REMEDIES: Final[Mapping[int, str]] = {
    sqlite3.SQLITE_FULL: "Free some disk space.",
    sqlite3.SQLITE_READONLY: "Make the file and its folder writable for the server.",
    sqlite3.SQLITE_PERM: "Make the file and its folder writable for the server.",
    sqlite3.SQLITE_CANTOPEN: "Make the file and its folder writable for the server.",
    sqlite3.SQLITE_BUSY: "Another program is using the database: end it.",
    sqlite3.SQLITE_LOCKED: "Another program is using the database: end it.",
    sqlite3.SQLITE_PROTOCOL: "Another program is using the database: end it.",
    sqlite3.SQLITE_IOERR: "Check the disk.",
    sqlite3.SQLITE_NOMEM: "The machine has no memory left: end other programs.",
    sqlite3.SQLITE_CORRUPT: "The file is damaged: stop the server and put a backup in its place.",
    sqlite3.SQLITE_NOTADB: "The file is damaged: stop the server and put a backup in its place.",
}
"""What the operator can do when the database itself fails, by SQLite's primary error code
(sqlite.org/rescode.html). Any other code means that a statement is wrong, which is a bug of ours."""


class DatabaseFailure(Exception):
    """The database itself fails, and no job is to blame.

    :param remedy: what the operator can do about it, in a sentence.
    """

    def __init__(self, message: str, remedy: str) -> None:
        super().__init__(message)
        self.remedy: Final = remedy


class DatabaseReplaced(DatabaseFailure):
    """The database file was removed, moved, or replaced by another one: what is written to it now is lost at the end
    of the process."""

    def __init__(self, message: str) -> None:
        super().__init__(message, "Put the original file back, or restart the server to use the new one.")


def database_failure(error: BaseException) -> DatabaseFailure | None:
    """What an error says of the database, or nothing when it is the fault of one job."""
    if isinstance(error, DatabaseFailure):
        return error
    remedy = _REMEDIES.get(_code(error))
    return None if remedy is None else DatabaseFailure(str(error), remedy)


def is_busy(error: BaseException) -> bool:
    """Whether another connection holds what was needed."""
    return _code(error) in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_interrupted(error: BaseException) -> bool:
    """Whether a statement was ended because its time was over."""
    return _code(error) == sqlite3.SQLITE_INTERRUPT


def is_full(error: BaseException) -> bool:
    """Whether the disk has no more room."""
    return _code(error) == sqlite3.SQLITE_FULL


def is_damaged(error: BaseException) -> bool:
    """Whether the file does not hold what it should."""
    return _code(error) == sqlite3.SQLITE_CORRUPT


def is_no_database(error: BaseException) -> bool:
    """Whether the file is something else."""
    return _code(error) == sqlite3.SQLITE_NOTADB


def _code(error: BaseException) -> int:
    """SQLite's primary error code; 0 for errors that are not SQLite's."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF if isinstance(error, sqlite3.Error) else 0
