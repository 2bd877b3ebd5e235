"""Full-text search: filling the index behind the log, and asking it.

The index follows the log at a distance; `index` closes it in small steps, so that no message pays for it and no
step keeps the writer for long.
"""

from __future__ import annotations

import heapq
import re
import sqlite3
from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from json import dumps
from typing import Final

from chat.storage.log import COLUMNS, read_row
from chat.storage.transaction import LAST_SEQ, SEQ_BITS, Transaction
from chat.values import Kind, Row

AT_ONCE: Final = 2_000
"""Rows that one step indexes: some tens of milliseconds of the writer."""

_INDEXED_KINDS: Final = (
    f"kind IN ('{Kind.TEXT.value}', '{Kind.ACTION.value}', '{Kind.EDIT.value}') AND scheme IS NULL AND body IS NOT NULL"
)

_TERM: Final = re.compile(r'"([^"]*)"|(\S+)')


def index(transaction: Transaction, conversations: Collection[int], most: int = AT_ONCE) -> int:
    """Index the oldest rows that are not, conversation by conversation.

    :param most: how many seqs one step covers.
    :returns: how many seqs it covered; less than ``most`` means that all is done.
    """
    left = most
    for conversation in conversations:
        if left <= 0:
            break
        found = transaction.look("SELECT indexed FROM conversations WHERE id = ?", (conversation,))
        if found is None or found[0] >= (last := transaction.last(conversation)):
            continue
        upper = min(last, found[0] + left)
        base = conversation << SEQ_BITS
        transaction.execute(
            f"INSERT INTO words (rowid, body) SELECT id, body FROM log WHERE id > ? AND id <= ? AND {_INDEXED_KINDS}",
            (base | found[0], base | upper),
        )
        transaction.execute("UPDATE conversations SET indexed = ? WHERE id = ?", (upper, conversation))
        left -= upper - found[0]
    return most - left


def forget_words(transaction: Transaction, conversation: int, seq: int) -> None:
    """Take the words of a row out of the index, while its body is still there."""
    transaction.execute(
        f"INSERT INTO words (words, rowid, body) SELECT 'delete', id, body FROM log WHERE id = ? AND {_INDEXED_KINDS}"
        " AND (SELECT indexed FROM conversations WHERE id = ?) >= ?",
        (conversation << SEQ_BITS | seq, conversation, seq),
    )


def forget_words_between(transaction: Transaction, conversation: int, first: int, last: int) -> None:
    """The same for the rows from one seq to another."""
    base = conversation << SEQ_BITS
    transaction.execute(
        f"INSERT INTO words (words, rowid, body) SELECT 'delete', id, body FROM log WHERE id BETWEEN ? AND ?"
        f" AND {_INDEXED_KINDS} AND id <= ? + (SELECT indexed FROM conversations WHERE id = ?)",
        (base | first, base | last, base, conversation),
    )


def unindexed(connection: sqlite3.Connection) -> tuple[int, ...]:
    """The conversations that the index has not caught up with."""
    found = connection.execute(
        "SELECT id FROM conversations WHERE indexed < coalesce((SELECT max(log.id) FROM log WHERE log.id BETWEEN"
        " conversations.id << :bits AND conversations.id << :bits | :most) & :most, 0)",
        {"bits": SEQ_BITS, "most": LAST_SEQ},
    )
    return tuple(conversation for (conversation,) in found)


def search(
    connection: sqlite3.Connection,
    words: str,
    readable: Mapping[int, int],
    *,
    author: int | None,
    since: int,
    blocked: Collection[int],
    limit: int,
) -> tuple[Row, ...]:
    """Find rows; see `chat.interfaces.IStore.search`."""
    expression = match_expression(words)
    if not expression:
        return ()
    parameters = {"words": expression, "since": since, "author": author, "blocked": dumps(list(blocked))}
    logs = [
        _found_in(connection, conversation, after, {**parameters, "limit": limit})
        for conversation, after in readable.items()
    ]
    return tuple(islice(heapq.merge(*logs, key=lambda row: -row.time), limit))


def _found_in(
    connection: sqlite3.Connection, conversation: int, after: int, parameters: Mapping[str, object]
) -> Iterator[Row]:
    """The newest first. Each conversation is asked for by itself, so nothing unreadable can come along."""
    base = conversation << SEQ_BITS
    columns = ", ".join(f"log.{column.strip()}" for column in COLUMNS.split(","))
    for row in connection.execute(
        f"SELECT {columns} FROM words JOIN log ON log.id = words.rowid"
        " WHERE words MATCH :words AND words.rowid > :low AND words.rowid <= :high"
        " AND log.time >= :since AND (:author IS NULL OR log.author = :author)"
        " AND log.author NOT IN (SELECT value FROM json_each(:blocked)) ORDER BY words.rowid DESC LIMIT :limit",
        {**parameters, "low": base | after, "high": base | LAST_SEQ},
    ):
        yield read_row(row)


def match_expression(words: str) -> str:
    """What people typed as an FTS5 query in which nothing of theirs is syntax.

    Every word has to occur; words in double quotes stand side by side; a ``*`` at the end of a word stands for any
    ending. (sqlite.org/fts5.html, section 3: within a string only the quotation mark is special.)
    """
    terms = []
    for phrase, word in _TERM.findall(words):
        term = phrase or word
        prefix = "*" if word.endswith("*") and len(word) > 2 else ""
        if any(character.isalnum() for character in term):
            terms.append('"' + term.rstrip("*").replace('"', '""').replace("\0", " ") + '"' + prefix)
    return " ".join(terms)
