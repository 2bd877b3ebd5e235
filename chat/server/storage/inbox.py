"""The inbox of a device: what waits for it alone, until it says that it has it.

Whoever is better known to its reader may fill more of it, so that no number of strangers keeps a friend's keys out.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Final

from chat.protocol.device_keys import InboxMessage, StoredLetter
from chat.protocol.values import Pair
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import LAST_SEQ, SEQ_BITS, Transaction


class Standing(IntEnum):
    """How well the author of a letter is known to its reader, by what the reader has done about it."""

    STRANGER = 0
    NEIGHBOR = 1
    """Both are in a room that everybody may enter."""
    FRIEND = 2
    """The reader has written to the author privately, or both are in a private room; or they are the same person."""


MOST_OF_ONE: Final = 1_000
"""Messages of one author that may wait in an inbox."""

MOST_WAITING: Final = {Standing.STRANGER: 2_000, Standing.NEIGHBOR: 6_000, Standing.FRIEND: 10_000}
"""Messages that may wait in an inbox of authors who are known so well or less; many together do not fill the disk."""

LOOKED_AT: Final = 1_000
"""Rows of a private conversation, the newest ones, among which the reader's are looked for."""


def put_into_inboxes(
    transaction: Transaction, author: int, device: str, letters: Sequence[InboxMessage], when: int
) -> tuple[int | None, ...]:
    """See `chat.server.interfaces.IKeyStore.put_into_inboxes`."""
    transaction.flush()
    standings = {reader: _standing(transaction, author, reader) for reader in {each.account for each in letters}}
    return tuple(_put(transaction, author, device, each, when, standings[each.account]) for each in letters)


def _standing(transaction: Transaction, author: int, reader: int) -> Standing:
    if author == reader or _has_written(transaction, reader, author):
        return Standing.FRIEND
    shared = transaction.look(
        "SELECT max(CASE WHEN private THEN 1 ELSE 0 END) FROM members AS own"
        f" {dialect.JOIN_IN_ORDER} members AS other USING (conversation)"
        " JOIN rooms USING (conversation) WHERE own.account = ? AND other.account = ?",
        (author, reader),
    )[0]
    if shared is None:
        return Standing.STRANGER
    return Standing.FRIEND if shared else Standing.NEIGHBOR


def _has_written(transaction: Transaction, account: int, other: int) -> bool:
    """Whether somebody has lately written to another person."""
    pair = Pair.of(account, other)
    found = transaction.look("SELECT conversation FROM pairs WHERE low = ? AND high = ?", (pair.low, pair.high))
    if found is None:
        return False
    first = found[0] << SEQ_BITS
    return bool(
        transaction.look(
            "SELECT 1 FROM (SELECT author FROM log WHERE id BETWEEN ? AND ? ORDER BY id DESC LIMIT ?) WHERE author = ?",
            (first, first | LAST_SEQ, LOOKED_AT, account),
        )
    )


def _put(
    transaction: Transaction, author: int, device: str, letter: InboxMessage, when: int, standing: Standing
) -> int | None:
    whose = letter.account, letter.device
    if not transaction.look("SELECT 1 FROM device_keys WHERE account = ? AND device = ?", whose):
        return None
    waiting = "SELECT coalesce(sum(letters), 0) FROM inbox_counts WHERE account = ? AND device = ? AND author = ?"
    if transaction.look(f"{waiting} AND standing <= ?", (*whose, 0, standing))[0] >= MOST_WAITING[standing]:
        return None
    if transaction.look(waiting, (*whose, author))[0] >= MOST_OF_ONE:
        return None
    number: int = transaction.execute(
        "INSERT INTO inbox (account, device, author, author_device, time, body, standing) VALUES (?, ?, ?, ?, ?, ?, ?)"
        " RETURNING id",
        (*whose, author, device, when, letter.body, standing),
    ).fetchone()[0]
    return number


def inbox(connection: Connection, account: int, device: str, after: int, limit: int) -> tuple[StoredLetter, ...]:
    """See `chat.server.interfaces.IKeyStore.inbox`."""
    found = connection.execute(
        "SELECT id, author, author_device, time, body FROM inbox WHERE account = ? AND device = ? AND id > ?"
        " ORDER BY id LIMIT ?",
        (account, device, after, limit),
    )
    return tuple(StoredLetter(*columns) for columns in found)


def empty_inbox(transaction: Transaction, account: int, device: str, upto: int) -> None:
    """See `chat.server.interfaces.IKeyStore.empty_inbox`."""
    transaction.execute("DELETE FROM inbox WHERE account = ? AND device = ? AND id <= ?", (account, device, upto))
