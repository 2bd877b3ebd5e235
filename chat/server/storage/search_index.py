"""The search index: filled behind the log, emptied with it, and moved to after an upgrade.

The index follows the log at a distance; `index` closes it in small steps, so that no message pays for it and no
step keeps the writer for long. What leaves the log leaves the index in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from chat.protocol.values import Kind
from chat.protocol.values.terms import split
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.scrub import mark
from chat.server.storage.transaction import LAST_SEQ, SEQ_BITS, Transaction

AT_ONCE: Final = 500
"""Rows that one step indexes: some 10 milliseconds of the writer."""

BYTES_AT_ONCE: Final = 64 * 1024
"""Characters of bodies after which a step ends, whatever is left of its rows."""

CONVERSATIONS_AT_ONCE: Final = 100
"""Conversations that one step of `rebuild` looks at: most of them are short."""

_OLD_PARTS: Final = ("words_data WHERE id > 10", "words_docsize WHERE id > 0")
"""What is large behind the FTS5 index that `rebuild` removes. Records 1 and 10 are needed to drop the rest."""

_OLD_ROWS: Final = 100
"""Rows of these that one step removes, of about 4 KiB each."""

INDEXED_KINDS: Final = (
    f"kind IN ('{Kind.TEXT.value}', '{Kind.ACTION.value}', '{Kind.EDIT.value}') AND scheme IS NULL AND body IS NOT NULL"
)

# One statement does a whole step, or takes out a whole row: SQLite works without the interpreter, which the reactor
# needs, and asks for it back once and not for each term.

_ROWS: Final = (
    f"SELECT {dialect.BODIES} FILTER (WHERE before < :bytes),"
    f" count(*) FILTER (WHERE before >= :bytes) FROM (SELECT id & {LAST_SEQ} AS seq, body,"
    " sum(length(body)) OVER (ORDER BY id {order}) - length(body) AS before"
    f" FROM log WHERE id BETWEEN :first AND :last AND {INDEXED_KINDS} ORDER BY id {{order}})"
)

_DELETE: Final = (
    f"DELETE FROM terms WHERE conversation = :conversation AND seq = :seq AND term IN {dialect.values_of('terms')}"
)


def index(transaction: Transaction, conversations: Collection[int], most: int = AT_ONCE) -> int:
    """Index the oldest rows that are not, conversation by conversation.

    :param most: how many seqs one step covers.
    :returns: how many seqs it covered; 0 means that all is done.
    """
    left = most
    for conversation in conversations:
        if left <= 0:
            break
        found = transaction.look("SELECT indexed FROM conversations WHERE id = ?", (conversation,))
        if found is None or found[0] >= (last := transaction.last(conversation)):
            continue
        upper, whole = _add(transaction, conversation, found[0], min(last, found[0] + left))
        transaction.execute("UPDATE conversations SET indexed = ? WHERE id = ?", (upper, conversation))
        left -= upper - found[0]
        if not whole:
            break
    return most - left


def rebuild(transaction: Transaction, most: int = AT_ONCE) -> bool:
    """Take one step from the index of an older version to this one: the newest rows first, and the old index last.

    :param most: how many seqs one step covers.
    :returns: whether there is more to do.
    """
    transaction.flush()
    waiting = transaction.connection.execute(
        "SELECT id, unindexed, first_seq FROM conversations WHERE unindexed > 0 ORDER BY id DESC LIMIT ?",
        (CONVERSATIONS_AT_ONCE,),
    ).fetchall()
    left = most
    for conversation, upper, first in waiting:
        if left <= 0:
            break
        lower = max(first - 1, upper - left, 0)
        reached, whole = _add_downward(transaction, conversation, lower, upper)
        remaining = 0 if reached < first else reached
        transaction.execute("UPDATE conversations SET unindexed = ? WHERE id = ?", (remaining, conversation))
        left -= upper - reached
        if not whole:
            break
    return bool(waiting) or _remove_old(transaction)


def _add(transaction: Transaction, conversation: int, after: int, upto: int) -> tuple[int, bool]:
    """Index rows from the oldest on.

    :returns: up to which seq, and whether that is all of them.
    """
    rows, whole = _rows(transaction, conversation, after + 1, upto, "ASC")
    _write(transaction, conversation, rows)
    return (upto, True) if whole else (rows[-1][0], False)


def _add_downward(transaction: Transaction, conversation: int, after: int, upto: int) -> tuple[int, bool]:
    """Index rows from the newest on.

    :returns: after which seq everything is indexed, and whether that is all of them.
    """
    rows, whole = _rows(transaction, conversation, after + 1, upto, "DESC")
    _write(transaction, conversation, rows)
    return (after, True) if whole else (rows[-1][0] - 1, False)


def forget_words(transaction: Transaction, conversation: int, first: int, last: int) -> None:
    """Take the words of the rows from one seq to another out of the index, while their bodies are still there."""
    rows, _ = _rows(transaction, conversation, first, last, "ASC", 1 << 62)
    for seq, body in rows:
        terms = dialect.collection(set(split(body)))
        transaction.execute(_DELETE, {"conversation": conversation, "terms": terms, "seq": seq})


def _rows(
    transaction: Transaction, conversation: int, first: int, last: int, order: str, most: int = BYTES_AT_ONCE
) -> tuple[list[tuple[int, str]], bool]:
    """Rows that belong into the index, until their bodies are more than a step may have; and whether these are all."""
    transaction.flush()
    base = conversation << SEQ_BITS
    bounds = {"first": base | first, "last": base | last, "bytes": most}
    rows, others = transaction.look(_ROWS.format(order=order), bounds)
    return dialect.rows_of(rows), not others


def _write(transaction: Transaction, conversation: int, rows: Iterable[tuple[int, str]]) -> None:
    """Add the terms of these rows, in the order of the key."""
    terms: dict[str, list[int]] = {}
    for seq, body in rows:
        for term in set(split(body)):
            terms.setdefault(term, []).append(seq)
    if terms:
        transaction.execute(dialect.ADD_TERMS, {"conversation": conversation, "terms": dialect.index_of(terms)})


def behind(connection: Connection) -> tuple[int, ...]:
    """The conversations that the index has not caught up with."""
    found = connection.execute(
        "SELECT id FROM conversations WHERE indexed < coalesce((SELECT max(log.id) FROM log WHERE log.id BETWEEN"
        " conversations.id << :bits AND conversations.id << :bits | :most) & :most, 0)",
        {"bits": SEQ_BITS, "most": LAST_SEQ},
    )
    return tuple(conversation for (conversation,) in found)


def _remove_old(transaction: Transaction) -> bool:
    """Remove some of the FTS5 index of older versions.

    Its pages are emptied by and by, as each is overwritten with zeros (``PRAGMA secure_delete``), which for the
    whole of a large one would keep the writer for seconds.

    :returns: whether there was anything.
    """
    if not dialect.has_table(transaction.connection, "words"):
        return False
    for part in _OLD_PARTS:
        removed = transaction.execute(
            f"DELETE FROM {part.split()[0]} WHERE id IN (SELECT id FROM {part} LIMIT ?)", (_OLD_ROWS,)
        ).rowcount
        if removed >= _OLD_ROWS:
            return True
    transaction.execute("DROP TABLE words")
    mark(transaction)
    return True
