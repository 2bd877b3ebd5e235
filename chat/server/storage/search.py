"""Full-text search: asking the index (`chat.server.storage.search_index`), within a time that a reader's thread can
spare."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

from chat.protocol.values import Row
from chat.protocol.values.terms import Terms
from chat.server.interfaces import Hits
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.log import COLUMNS, PageBound, read_row
from chat.server.storage.transaction import SEQ_BITS

DEADLINE: Final = 0.25
"""Seconds that one search may take."""

_COUNTED: Final = 2_000
"""Occurrences of a word that are counted, to begin with the rarest: more are many."""

_IN_READABLE: Final = f"p.conversation = {dialect.number('r.key')} AND p.seq > r.value"
_IS_WORD: Final = "p.term = :term"
_HAS_PREFIX: Final = "p.term >= :term AND p.term < :beyond"

_COUNT: Final = (
    f"SELECT count(*) FROM (SELECT 1 FROM {dialect.pairs_of('readable', 'r')} CROSS JOIN terms p"
    f" WHERE {_IN_READABLE} AND {{matches}} LIMIT {_COUNTED})"
)

_ALSO: Final = (
    " AND EXISTS (SELECT 1 FROM terms o WHERE o.conversation = p.conversation AND o.term = :other{number}"
    " AND o.seq = p.seq)"
)

# The inner query finds the newest rows of one conversation and is run for each; the outer one takes the newest of all.
_FIND: Final = (
    f"SELECT id FROM (SELECT log.id, log.time FROM {dialect.pairs_of('readable', 'r')} CROSS JOIN log WHERE log.id IN ("
    f"SELECT {{distinct}} p.conversation << {SEQ_BITS} | p.seq FROM terms p"
    f" {dialect.JOIN_IN_ORDER} log l ON l.id = p.conversation << {SEQ_BITS} | p.seq"
    f" WHERE {_IN_READABLE} AND {{matches}}{{also}}"
    " AND l.time >= :since AND (:author IS NULL OR l.author = :author)"
    f" AND l.author NOT IN {dialect.values_of('blocked')} AND (NOT :look OR holds(l.body))"
    " ORDER BY p.seq DESC LIMIT :limit) ORDER BY log.time DESC, log.id DESC LIMIT :limit)"
)

_READ: Final = (
    f"SELECT {', '.join(f'log.{column.strip()}' for column in COLUMNS.split(','))}"
    f" FROM {dialect.pairs_of('ids', 'found')} {dialect.JOIN_IN_ORDER} log ON log.id = found.value ORDER BY found.key"
)

_COMPLETE: Final = (
    f"SELECT NOT EXISTS (SELECT 1 FROM conversations WHERE unindexed > 0 AND id IN {dialect.keys_of('readable')})"
)


def search(
    connection: Connection,
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
    parameters = {"readable": dialect.collection(readable)}
    with dialect.deadline(connection, DEADLINE, monotonic):
        complete = bool(connection.execute(_COMPLETE, parameters).fetchone()[0])
        rarest, is_prefix, occurrences = _rarest(connection, terms, parameters)
        if not occurrences:
            return Hits((), False, complete)
        others = [word for word in terms.words if is_prefix or word != rarest]
        prefixes = tuple(prefix for prefix in terms.prefixes if not (is_prefix and prefix == rarest))
        rest = Terms((), prefixes, terms.phrases)
        dialect.define(connection, "holds", rest.holds)
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
                "blocked": dialect.collection(blocked),
                "look": bool(rest.prefixes or rest.phrases),
                "limit": limit + 1,
            },
        ).fetchall()
    ids = [id for (id,) in found]
    rows = _read(connection, ids[:limit])
    return Hits(rows, len(rows) < len(ids), complete)


def _rarest(connection: Connection, terms: Terms, parameters: Mapping[str, Any]) -> tuple[str, bool, int]:
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


def _read(connection: Connection, ids: list[int]) -> tuple[Row, ...]:
    """The rows of these ids, in this order, as many as fit on a page."""
    rows: list[Row] = []
    page = PageBound()
    for columns in connection.execute(_READ, {"ids": dialect.collection(ids)}):
        row = read_row(columns)
        if not page.fits(row):
            break
        rows.append(row)
    return tuple(rows)
