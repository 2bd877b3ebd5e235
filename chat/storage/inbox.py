"""The inbox of a device: what waits for it alone, until it says that it has it."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from chat.keys import Letter, StoredLetter
from chat.storage.transaction import Transaction

MOST_OF_ONE: Final = 1_000
"""Messages of one author that may wait in an inbox."""

MOST_WAITING: Final = 10_000
"""Messages that may wait in an inbox; many strangers together do not fill the disk with it."""


def put_into_inboxes(
    transaction: Transaction, author: int, device: str, letters: Sequence[Letter], when: int
) -> tuple[int | None, ...]:
    """See `chat.interfaces.IKeyStore.put_into_inboxes`."""
    return tuple(_put(transaction, author, device, letter, when) for letter in letters)


def _put(transaction: Transaction, author: int, device: str, letter: Letter, when: int) -> int | None:
    whose = letter.account, letter.device
    if not transaction.look("SELECT 1 FROM device_keys WHERE account = ? AND device = ?", whose):
        return None
    waiting = "SELECT count(*) FROM inbox WHERE account = ? AND device = ?"
    if transaction.look(waiting, whose)[0] >= MOST_WAITING:
        return None
    if transaction.look(f"{waiting} AND author = ?", (*whose, author))[0] >= MOST_OF_ONE:
        return None
    return transaction.execute(
        "INSERT INTO inbox (account, device, author, author_device, time, body) VALUES (?, ?, ?, ?, ?, ?)",
        (*whose, author, device, when, letter.body),
    ).lastrowid


def inbox(
    connection: sqlite3.Connection, account: int, device: str, after: int, limit: int
) -> tuple[StoredLetter, ...]:
    """See `chat.interfaces.IKeyStore.inbox`."""
    found = connection.execute(
        "SELECT id, author, author_device, time, body FROM inbox WHERE account = ? AND device = ? AND id > ?"
        " ORDER BY id LIMIT ?",
        (account, device, after, limit),
    )
    return tuple(StoredLetter(*columns) for columns in found)


def empty_inbox(transaction: Transaction, account: int, device: str, upto: int) -> None:
    """See `chat.interfaces.IKeyStore.empty_inbox`."""
    transaction.execute("DELETE FROM inbox WHERE account = ? AND device = ? AND id <= ?", (account, device, upto))
