"""How long rows are kept, and removing those that are kept no longer: always a prefix, in small steps."""

from __future__ import annotations

from typing import Final

from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.log import last_before
from chat.server.storage.scrub import mark
from chat.server.storage.search_index import forget_words
from chat.server.storage.transaction import SEQ_BITS, Transaction, last_seq

AT_ONCE: Final = 500
"""Rows that one step removes: a few milliseconds of the writer."""

REMOVED_AT_ONCE: Final = 64 * 1024
"""Characters of bodies that one step removes: each of their words leaves the search index as well."""

PAIRS: Final = 0
"""What stands for all private conversations; no conversation has this id."""


def set_retention(transaction: Transaction, conversation: int, milliseconds: int | None) -> None:
    """See `chat.server.interfaces.IStore.set_retention`."""
    if milliseconds is None:
        transaction.execute("DELETE FROM retention WHERE conversation = ?", (conversation,))
    else:
        transaction.execute(dialect.replace("retention", ("conversation",), ("kept",)), (conversation, milliseconds))


def retention(connection: Connection) -> dict[int, int]:
    """See `chat.server.interfaces.IStore.retention`."""
    return dict(connection.execute("SELECT conversation, kept FROM retention").fetchall())


def older(connection: Connection, conversation: int, when: int) -> int:
    """See `chat.server.interfaces.IStore.older`."""
    which = _pairs(connection) if conversation == PAIRS else (conversation,)
    return sum(last - first + 1 for first, last in (_before(connection, each, when) for each in which))


def outlived(connection: Connection, when: int) -> tuple[tuple[int, int], ...]:
    """See `chat.server.interfaces.IStore.outlived`."""
    kept = retention(connection)
    limits = {conversation: when - milliseconds for conversation, milliseconds in kept.items() if conversation != PAIRS}
    if PAIRS in kept:
        limits |= dict.fromkeys(_pairs(connection), when - kept[PAIRS])
    found = ((conversation, *_before(connection, conversation, before)) for conversation, before in limits.items())
    return tuple((conversation, last) for conversation, first, last in found if first <= last)


def _pairs(connection: Connection) -> tuple[int, ...]:
    """The private conversations."""
    return tuple(conversation for (conversation,) in connection.execute("SELECT conversation FROM pairs"))


def _before(connection: Connection, conversation: int, when: int) -> tuple[int, int]:
    """The first and the last row that are older; the last is less than the first where there is none."""
    first, last = last_seq(connection, conversation)
    oldest = connection.execute("SELECT time FROM log WHERE id = ?", (conversation << SEQ_BITS | first,)).fetchone()
    # Most conversations are done with this one look.
    if oldest is None or oldest[0] >= when:
        return first, first - 1
    return first, last_before(connection, conversation, when, first, last)


def forget_before(transaction: Transaction, conversation: int, upto: int, most: int = AT_ONCE) -> int:
    """See `chat.server.interfaces.IStore.forget_before`.

    :param most: how many rows one step removes.
    """
    transaction.flush()
    first, last = last_seq(transaction.connection, conversation)
    base = conversation << SEQ_BITS
    end = _end_of_step(transaction.connection, base, first, min(upto, last, first + most - 1))
    if end < first:
        return 0
    forget_words(transaction, conversation, first, end)
    transaction.execute("DELETE FROM log WHERE id BETWEEN ? AND ?", (base | first, base | end))
    mark(transaction)
    # Where nothing is left, the next row still gets the next seq.
    transaction.execute("UPDATE conversations SET first_seq = ? WHERE id = ?", (end + 1, conversation))
    return min(upto, last) - end


def _end_of_step(connection: Connection, base: int, first: int, last: int) -> int:
    """The last of some rows that one step removes."""
    left = REMOVED_AT_ONCE
    for id, size in connection.execute(
        "SELECT id, coalesce(length(body), 0) FROM log WHERE id BETWEEN ? AND ? ORDER BY id",
        (base | first, base | last),
    ):
        left -= size
        if left <= 0:
            return int(id) - base
    return last
