"""Deleting an account, and taking what it wrote out of the log little by little."""

from __future__ import annotations

from typing import Final

from chat.storage.effects import empty
from chat.storage.transaction import Transaction
from chat.values import SPOKEN

AT_ONCE: Final = 5_000
"""Rows of the log that one step of an erasure looks at: some milliseconds of the writer."""

_EVERYWHERE: Final = (
    *("tokens", "codes", "devices", "members", "invitations", "restrictions", "received", "read", "retries"),
)
"""Where a deleted account leaves nothing behind; with its devices go their keys and what waited for them."""

_SPOKEN: Final = ", ".join(f"'{kind.value}'" for kind in sorted(SPOKEN))


def delete_account(transaction: Transaction, account: int, when: int, erase: bool) -> None:
    """See `chat.interfaces.IStore.delete_account`."""
    for table in _EVERYWHERE:
        transaction.execute(f"DELETE FROM {table} WHERE account = ?", (account,))
    transaction.execute("DELETE FROM blocks WHERE account = ? OR other = ?", (account, account))
    transaction.execute("DELETE FROM account_keys WHERE account = ?", (account,))
    transaction.execute(
        "UPDATE accounts SET deleted = ?, realname = '', rank = 'member', settings = '{}', salt = NULL,"
        " iterations = NULL, stored_key = NULL, server_key = NULL WHERE id = ?",
        (when, account),
    )
    if erase:
        transaction.execute("INSERT OR IGNORE INTO erasures (account) VALUES (?)", (account,))


def erase(transaction: Transaction, most: int = AT_ONCE) -> int:
    """Take one step of the oldest erasure; see `chat.interfaces.IStore.erase`.

    :param most: how many rows of the log one step looks at.
    """
    found = transaction.look("SELECT account, upto FROM erasures ORDER BY rowid LIMIT 1", ())
    if found is None:
        return 0
    account, upto = found
    transaction.flush()
    rows = transaction.connection.execute(
        f"SELECT id, author = ? AND kind IN ({_SPOKEN}) AND body IS NOT NULL FROM log WHERE id > ? ORDER BY id LIMIT ?",
        (account, upto, most),
    ).fetchall()
    for id, own in rows:
        if own:
            empty(transaction, id)
    if rows:
        transaction.execute("UPDATE erasures SET upto = ? WHERE account = ?", (rows[-1][0], account))
    else:
        transaction.execute("DELETE FROM erasures WHERE account = ?", (account,))
    return max(1, len(rows))
