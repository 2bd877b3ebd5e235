"""SQLite's dialect: the SQL, and what is asked of a connection, that another engine would write differently.

All other SQL of this package is what SQLite and PostgreSQL share: ``ON CONFLICT`` that names its columns,
``RETURNING``, ``TRUE`` and ``FALSE``, row values, window functions. Parameters are ``?`` and ``:name``, which the
connection of another engine translates. What only a SQLite file has (its ``PRAGMA``, its copies, its gaps) stands in
`chat.server.storage.migrations`, ``backup``, ``scrub`` and ``workers``, and the tables in ``schema``.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from chat.protocol.errors import SearchTooBroad
from chat.server.storage.connection import Connection
from chat.server.storage.database_errors import is_interrupted

ENGINE: Final = f"SQLite {sqlite3.sqlite_version}"
"""What people are told that the server runs on."""

BEGIN: Final = "BEGIN IMMEDIATE"
"""Opens a transaction that writes: a database in use by another program shows here and not half-way."""

JOIN_IN_ORDER: Final = "CROSS JOIN"
"""A join whose left table is looked through first (sqlite.org/optoverview.html, section 8.2); elsewhere ``JOIN``."""

_STEPS: Final = 20_000
"""Instructions of SQLite's machine between two looks at the clock: about a millisecond where no disk is read. Each look
takes the interpreter from the reactor."""


# --- statements and terms of them -------------------------------------------------------------------


def replace(table: str, key: Collection[str], others: Collection[str]) -> str:
    """A statement that inserts a row, in place of the one that has its key.

    :param key: the columns of the primary key.
    :param others: all further columns that are given; those that are not get their defaults.
    """
    columns = (*key, *others)
    return f"INSERT OR REPLACE INTO {table} ({', '.join(columns)}) VALUES ({', '.join('?' * len(columns))})"


def greatest(*terms: str) -> str:
    """The greatest of some values, none of which is NULL; elsewhere ``greatest``."""
    return f"max({', '.join(terms)})"


def least(*terms: str) -> str:
    """The least of some values, none of which is NULL; elsewhere ``least``."""
    return f"min({', '.join(terms)})"


def merged(column: str) -> str:
    """A JSON object with some of its fields changed to those of the object in the parameter ``?``."""
    return f"json_patch({column}, ?)"


# --- collections in one parameter -------------------------------------------------------------------


def collection(values: Collection[Any] | Mapping[Any, Any]) -> str:
    """The parameter for `values_of`, `pairs_of` and `numbered`."""
    return json.dumps(values if isinstance(values, Mapping) else list(values), ensure_ascii=False) if values else "[]"


def values_of(parameter: str) -> str:
    """The values of a collection, for ``IN``."""
    return f"(SELECT value FROM json_each(:{parameter}))"


def keys_of(parameter: str) -> str:
    """The keys of a mapping by numbers, for ``IN``."""
    return f"(SELECT CAST(key AS INTEGER) FROM json_each(:{parameter}))"


def pairs_of(parameter: str, name: str) -> str:
    """A table of a mapping, with the columns ``key`` (see `number`) and ``value``."""
    return f"json_each(:{parameter}) {name}"


def number(key: str) -> str:
    """The key of a mapping by numbers."""
    return f"CAST({key} AS INTEGER)"


# --- the search index -------------------------------------------------------------------------------

BODIES: Final = "json_group_array(json_array(seq, body))"
"""All rows of a query in one value: what it holds goes to Python in one piece, see `rows_of`."""

ADD_TERMS: Final = (
    "INSERT OR IGNORE INTO terms (conversation, term, seq) SELECT :conversation, term.key, seq.value"
    " FROM json_each(:terms) term, json_each(term.value) seq"
)
"""Adds terms with the seqs of the rows that hold them, given as one mapping of lists (`index_of`)."""


def rows_of(bodies: Any) -> list[tuple[int, str]]:
    """The seqs and bodies that `BODIES` has collected."""
    found: list[tuple[int, str]] = json.loads(bodies)
    return found


def index_of(terms: Mapping[str, Collection[int]]) -> str:
    """The parameter for `ADD_TERMS`, in the order of the key."""
    return json.dumps(terms, ensure_ascii=False, sort_keys=True)


# --- what is asked of a connection ------------------------------------------------------------------


def has_table(connection: Connection, table: str) -> bool:
    """Whether a database, which may be of an earlier version, has a table."""
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone() is not None


def define(connection: Connection, name: str, function: Callable[[str], bool]) -> None:
    """Let statements call a function of one text, which always answers the same."""
    assert isinstance(connection, sqlite3.Connection)
    connection.create_function(name, 1, function, deterministic=True)


@contextmanager
def deadline(connection: Connection, seconds: float, monotonic: Callable[[], float]) -> Iterator[None]:
    """End what a connection is asked in here when its time is over.

    :param monotonic: seconds that never jump.
    :raises SearchTooBroad: then.
    """
    assert isinstance(connection, sqlite3.Connection)
    due = monotonic() + seconds
    connection.set_progress_handler(lambda: monotonic() >= due, _STEPS)
    try:
        yield
    except Exception as error:
        if is_interrupted(error):
            raise SearchTooBroad() from None
        raise
    finally:
        connection.set_progress_handler(None, 0)
