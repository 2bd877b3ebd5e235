"""Full-text search: asking the index (`chat.server.storage.search_index`), within a time that a reader's thread can
spare."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from json import dumps
from typing import Any, Final

from chat.protocol.errors import SearchTooBroad
from chat.protocol.values import Row
from chat.protocol.values.terms import Terms
from chat.server.interfaces import Hits
from chat.server.storage.log import COLUMNS, PageBound, read_row
from chat.server.storage.transaction import SEQ_BITS

DEADLINE: Final = 0.25
"""Seconds that one search may take."""

_STEPS: Final = 20_000
"""Instructions of SQLite's machine between two looks at the clock: about a millisecond where no disk is read. Each look
takes the interpreter from the reactor."""

_COUNTED: Final = 2_000
"""Occurrences of a word that are counted, to begin with the rarest: more are many."""

_IN_READABLE: Final = "p.conversation = CAST(r.key AS INTEGER) AND p.seq > r.value"
_IS_WORD: Final = "p.term = :term"
_HAS_PREFIX: Final = "p.term >= :term AND p.term < :beyond"

_COUNT: Final = (
    "SELECT count(*) FROM (SELECT 1 FROM json_each(:readable) r CROSS JOIN terms p"
    f" WHERE {_IN_READABLE} AND {{matches}} LIMIT {_COUNTED})"
)

_ALSO: Final = (
    " AND EXISTS (SELECT 1 FROM terms o WHERE o.conversation = p.conversation AND o.term = :other{number}"
    " AND o.seq = p.seq)"
)

# The inner query finds the newest rows of one conversation and is run for each; the outer one takes the newest of all.
_FIND: Final = (
    "SELECT id FROM (SELECT log.id, log.time FROM json_each(:readable) r CROSS JOIN log WHERE log.id IN ("
    f"SELECT {{distinct}} p.conversation << {SEQ_BITS} | p.seq FROM terms p"
    f" CROSS JOIN log l ON l.id = p.conversation << {SEQ_BITS} | p.seq WHERE {_IN_READABLE} AND {{matches}}{{also}}"
    " AND l.time >= :since AND (:author IS NULL OR l.author = :author)"
    " AND l.author NOT IN (SELECT value FROM json_each(:blocked)) AND (NOT :look OR holds(l.body))"
    " ORDER BY p.seq DESC LIMIT :limit) ORDER BY log.time DESC, log.id DESC LIMIT :limit)"
)

_READ: Final = (
    f"SELECT {', '.join(f'log.{column.strip()}' for column in COLUMNS.split(','))}"
    " FROM json_each(:ids) found CROSS JOIN log ON log.id = found.value ORDER BY found.key"
)

_COMPLETE: Final = (
    "SELECT NOT EXISTS (SELECT 1 FROM conversations WHERE unindexed > 0"
    " AND id IN (SELECT CAST(key AS INTEGER) FROM json_each(:readable)))"
)


def search(
    connection: sqlite3.Connection,
    terms: Terms,
    readable: Mapping[int, int],
    *,
    author: int | None,
    since: int,
    blocked: Collection[int],
    limit: int,
    monotonic: Callable[[], float] = time.monotonic,
) -> Hits:
    """Find rows; see `chat.server.interfaces.IStore.search`.

    :param monotonic: seconds that never jump.
    """
    parameters = {"readable": dumps(readable)}
    with _deadline(connection, DEADLINE, monotonic):
        complete = bool(connection.execute(_COMPLETE, parameters).fetchone()[0])
        rarest, is_prefix, occurrences = _rarest(connection, terms, parameters)
        if not occurrences:
            return Hits((), False, complete)
        others = [word for word in terms.words if is_prefix or word != rarest]
        prefixes = tuple(prefix for prefix in terms.prefixes if not (is_prefix and prefix == rarest))
        rest = Terms((), prefixes, terms.phrases)
        connection.create_function("holds", 1, rest.holds, deterministic=True)
        parameters |= _term(rarest) | {f"other{number}": word for number, word in enumerate(others)}
        found = connection.execute(
            _FIND.format(
                distinct="DISTINCT" if is_prefix else "",
                matches=_HAS_PREFIX if is_prefix else _IS_WORD,
                also="".join(_ALSO.format(number=number) for number in range(len(others))),
            ),
            {
                **parameters,
                "since": since,
                "author": author,
                "blocked": dumps(list(blocked)),
                "look": bool(rest.prefixes or rest.phrases),
                "limit": limit + 1,
            },
        ).fetchall()
    ids = [id for (id,) in found]
    rows = _read(connection, ids[:limit])
    return Hits(rows, len(rows) < len(ids), complete)


def _rarest(connection: sqlite3.Connection, terms: Terms, parameters: Mapping[str, Any]) -> tuple[str, bool, int]:
    """The term with which to begin, whether it is a prefix, and how often it occurs, as far as that is counted."""
    counted = []
    for term, is_prefix in (*((word, False) for word in terms.words), *((prefix, True) for prefix in terms.prefixes)):
        sql = _COUNT.format(matches=_HAS_PREFIX if is_prefix else _IS_WORD)
        count: int = connection.execute(sql, {**parameters, **_term(term)}).fetchone()[0]
        if not count:
            return term, is_prefix, 0
        counted.append((count, is_prefix, term))
    count, is_prefix, term = min(counted)
    return term, is_prefix, count


def _term(term: str) -> dict[str, str]:
    return {"term": term, "beyond": f"{term}\U0010ffff"}


def _read(connection: sqlite3.Connection, ids: list[int]) -> tuple[Row, ...]:
    """The rows of these ids, in this order, as many as fit on a page."""
    rows: list[Row] = []
    page = PageBound()
    for columns in connection.execute(_READ, {"ids": dumps(ids)}):
        row = read_row(columns)
        if not page.fits(row):
            break
        rows.append(row)
    return tuple(rows)


@contextmanager
def _deadline(connection: sqlite3.Connection, seconds: float, monotonic: Callable[[], float]) -> Iterator[None]:
    """End what a connection is asked in here when its time is over.

    :raises SearchTooBroad: then.
    """
    due = monotonic() + seconds
    connection.set_progress_handler(lambda: monotonic() >= due, _STEPS)
    try:
        yield
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
            raise SearchTooBroad() from None
        raise
    finally:
        connection.set_progress_handler(None, 0)
