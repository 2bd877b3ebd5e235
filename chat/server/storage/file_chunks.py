"""Files that lie here until their reader has them: pieces, sealed, in the order of their numbers."""

from __future__ import annotations

from typing import Final

from chat.protocol.errors import NoSuchFile, QuotaUsed
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import Transaction

AT_ONCE: Final = 200
"""Pieces that one step removes: 6 MiB, a few milliseconds of the writer."""


def begin_file(
    transaction: Transaction, sender: int, reader: int, count: int, quota: int, total: int, when: int
) -> int:
    """See `chat.server.interfaces.IFileStore.begin_file`."""
    kept = "SELECT coalesce(sum(pieces), 0) FROM files WHERE NOT ended"
    if transaction.look(f"{kept} AND sender = ?", (sender,))[0] + count > quota:
        raise QuotaUsed()
    if transaction.look(kept, ())[0] + count > total:
        raise QuotaUsed("The server's space for files is full. Try again when others have collected theirs.")
    made: int = transaction.execute(
        "INSERT INTO files (sender, reader, pieces, time) VALUES (?, ?, ?, ?) RETURNING id",
        (sender, reader, count, when),
    ).fetchone()[0]
    return made


def put_piece(transaction: Transaction, file: int, sender: int, number: int, body: bytes) -> int:
    """See `chat.server.interfaces.IFileStore.put_piece`."""
    found = transaction.look(
        "SELECT pieces FROM files WHERE id = ? AND sender = ? AND NOT ended"
        " AND NOT EXISTS (SELECT 1 FROM blocks WHERE account = files.reader AND other = files.sender)",
        (file, sender),
    )
    if found is None:
        raise NoSuchFile()
    there: int = transaction.look("SELECT coalesce(max(number) + 1, 0) FROM pieces WHERE file = ?", (file,))[0]
    if number != there or number >= found[0]:
        return there
    transaction.execute("INSERT INTO pieces (file, number, body) VALUES (?, ?, ?)", (file, number, body))
    return there + 1


def piece(connection: Connection, file: int, reader: int, number: int) -> bytes | None:
    """See `chat.server.interfaces.IFileStore.piece`."""
    found: tuple[bytes] | None = connection.execute(
        "SELECT body FROM pieces WHERE file = ? AND number = ? AND EXISTS"
        " (SELECT 1 FROM files WHERE id = file AND reader = ? AND NOT ended)",
        (file, number, reader),
    ).fetchone()
    return None if found is None else found[0]


def end_file(transaction: Transaction, file: int, account: int) -> None:
    """See `chat.server.interfaces.IFileStore.end_file`."""
    transaction.execute("UPDATE files SET ended = TRUE WHERE id = ? AND ? IN (sender, reader)", (file, account))


def forget_files(transaction: Transaction, before: int, most: int = AT_ONCE) -> bool:
    """See `chat.server.interfaces.IFileStore.forget_files`.

    :param most: how many pieces one step removes.
    """
    transaction.execute("UPDATE files SET ended = TRUE WHERE NOT ended AND time < ?", (before,))
    found = transaction.look("SELECT id FROM files WHERE ended ORDER BY id LIMIT 1", ())
    if found is None:
        return False
    removed = transaction.execute(
        "DELETE FROM pieces WHERE file = ? AND number IN"
        " (SELECT number FROM pieces WHERE file = ? ORDER BY number LIMIT ?)",
        (*found, *found, most),
    ).rowcount
    if removed < most:
        transaction.execute("DELETE FROM files WHERE id = ?", found)
    return True
