"""Deleting an account, and taking what it wrote out of the log little by little."""

from __future__ import annotations

from typing import Final

from chat.protocol.values import SPOKEN, Kind
from chat.server.interfaces import Erased
from chat.server.storage.credential_epochs import begin_epoch, check_epoch
from chat.server.storage.row_effects import empty
from chat.server.storage.scrub import mark
from chat.server.storage.transaction import SEQ_BITS, Transaction

AT_ONCE: Final = 2_000
"""Rows of the log that one step of an erasure looks at: some milliseconds of the writer."""

EMPTIED_AT_ONCE: Final = 64 * 1024
"""Characters of bodies that one step empties: each of their words leaves the search index as well."""

_EMPTIED: Final = 64
"""What emptying a row takes beside its body, in characters."""

_EVERYWHERE: Final = (
    *("tokens", "known_tokens", "networks", "codes", "devices", "ended_devices", "members", "invitations"),
    *("restrictions", "received", "read", "retries", "token_alerts"),
)
"""Where a deleted account leaves nothing behind; with its devices go their keys and what waited for them."""

_WRITTEN: Final = ", ".join(
    f"'{kind.value}'" for kind in sorted(SPOKEN | {Kind.TOPIC, Kind.KICKED, Kind.BANNED, Kind.MUTED})
)
"""The kinds of rows that hold words of their author; the reason of a ban is one."""


def delete_account(
    transaction: Transaction, account: int, when: int, erase: bool, epoch: int | None = None, device: str = ""
) -> None:
    """See `chat.server.interfaces.IStore.delete_account`."""
    if epoch is not None:
        check_epoch(transaction, account, device, epoch)
    begin_epoch(transaction, account)
    for table in _EVERYWHERE:
        transaction.execute(f"DELETE FROM {table} WHERE account = ?", (account,))
    transaction.execute("DELETE FROM blocks WHERE account = ? OR other = ?", (account, account))
    transaction.execute("DELETE FROM account_keys WHERE account = ?", (account,))
    transaction.execute("UPDATE files SET ended = TRUE WHERE ? IN (sender, reader)", (account,))
    transaction.execute(
        "UPDATE accounts SET deleted = ?, realname = '', rank = 'member', settings = '{}', salt = NULL,"
        " iterations = NULL, stored_key = NULL, server_key = NULL WHERE id = ?",
        (when, account),
    )
    mark(transaction)
    if erase:
        transaction.execute("UPDATE restrictions SET reason = '' WHERE by = ?", (account,))
        transaction.execute("INSERT INTO erasures (account) VALUES (?) ON CONFLICT DO NOTHING", (account,))


def erase(transaction: Transaction, most: int = AT_ONCE) -> Erased:
    """Take one step of an erasure; see `chat.server.interfaces.IStore.erase`.

    :param most: how many rows of the log one step looks at.
    """
    found = transaction.look("SELECT account, upto FROM erasures ORDER BY account LIMIT 1", ())
    if found is None:
        return Erased(False)
    account, upto = found
    transaction.flush()
    rows = _next_rows(transaction, account, upto, most)
    topics = [_empty_topic(transaction, id) for id, own, kind in rows if own and kind == Kind.TOPIC]
    for id, own, _ in rows:
        if own:
            empty(transaction, id)
    if any(own for _, own, _ in rows):
        mark(transaction)
    if rows:
        transaction.execute("UPDATE erasures SET upto = ? WHERE account = ?", (rows[-1][0], account))
    else:
        transaction.execute("DELETE FROM erasures WHERE account = ?", (account,))
    return Erased(True, tuple(each for each in topics if each is not None))


def _next_rows(transaction: Transaction, account: int, after: int, most: int) -> list[tuple[int, bool, str]]:
    """The next rows of the log with which one step can be done: id, whether it is to be emptied, and kind."""
    rows = []
    left = EMPTIED_AT_ONCE
    for id, size, kind in transaction.connection.execute(
        f"SELECT id, CASE WHEN author = ? AND kind IN ({_WRITTEN}) AND body IS NOT NULL THEN length(body) + {_EMPTIED}"
        " ELSE 0 END, kind FROM log WHERE id > ? ORDER BY id LIMIT ?",
        (account, after, most),
    ):
        rows.append((id, size > 0, kind))
        left -= size
        if left <= 0:
            break
    return rows


def _empty_topic(transaction: Transaction, id: int) -> tuple[int, str] | None:
    """Empty the topic of a room if it is what this row says.

    :returns: the room and what its topic was.
    """
    conversation = id >> SEQ_BITS
    found: tuple[str] | None = transaction.look(
        "SELECT topic FROM rooms WHERE conversation = ? AND topic = (SELECT body FROM log WHERE id = ?)",
        (conversation, id),
    )
    if found is None:
        return None
    transaction.execute("UPDATE rooms SET topic = '' WHERE conversation = ?", (conversation,))
    return conversation, found[0]
