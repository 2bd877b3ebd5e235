"""Tokens on disk: at most two of a device let it in, and those before them give away who has copied one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chat.server.interfaces import RENEWED_AFTER, TokenAlert, TokenRecord
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.credential_epochs import begin_device_epoch, begin_token_epoch, check_epoch
from chat.server.storage.known_sources import forget_tokens, note_token
from chat.server.storage.transaction import Transaction

AT_ONCE: Final = 2_000
"""Tokens that one step of the clean-up looks at: a few milliseconds."""

DeviceKey = tuple[int, str]
"""An account and the name of a device of it."""

_RECORD: Final = (
    "SELECT account, device, tokens.created, devices.seen, devices.present, epoch FROM tokens"
    " JOIN devices USING (account, device) JOIN accounts ON accounts.id = account WHERE {} = ?"
)
_USED: Final = (
    "SELECT account, device, used_tokens.time, devices.seen, devices.present, epoch FROM used_tokens"
    " JOIN devices USING (account, device) JOIN accounts ON accounts.id = account WHERE digest = ?"
)


def add_token(
    transaction: Transaction,
    account: int,
    device: str,
    digest: bytes,
    when: int,
    before: bytes | None = None,
    epoch: int = 0,
) -> bool:
    """See `chat.server.interfaces.IStore.add_token`."""
    check_epoch(transaction, account, device, epoch)
    if before is not None:
        return _renew(transaction, account, device, digest, when, before)
    transaction.execute(
        "INSERT INTO devices (account, device, seen) VALUES (?, ?, ?)"
        f" ON CONFLICT (account, device) DO UPDATE SET seen = {dialect.greatest('devices.seen', 'excluded.seen')}",
        (account, device, when),
    )
    note_token(transaction, account, device, digest, when)
    # Whoever has the password may have lost the tokens of before: they let nobody in, and accuse nobody.
    transaction.execute("DELETE FROM used_tokens WHERE account = ? AND device = ?", (account, device))
    transaction.execute(
        "INSERT INTO tokens (account, device, digest, created) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (account, device) DO UPDATE"
        " SET digest = excluded.digest, created = excluded.created, before = NULL",
        (account, device, digest, when),
    )
    return True


def _renew(transaction: Transaction, account: int, device: str, digest: bytes, when: int, before: bytes) -> bool:
    """Replace a token by a login with it, and remember the one that lets nobody in from now on.

    The answer that held the newest token may have been lost, and the login with the one before may be a late one: what
    is younger than `RENEWED_AFTER` is not replaced.

    :returns: whether it was replaced.
    """
    kept = transaction.look(
        "SELECT digest, before, created FROM tokens WHERE account = ? AND device = ?", (account, device)
    )
    if kept is None:
        return False
    newest, previous, created = kept
    if before not in (newest, previous) or when - created < RENEWED_AFTER:
        return False
    transaction.execute(
        "UPDATE tokens SET digest = ?, created = ?, before = ? WHERE account = ? AND device = ?",
        (digest, when, before, account, device),
    )
    note_token(transaction, account, device, digest, when)
    used = previous if before == newest else newest
    if used is not None:
        transaction.execute(
            dialect.replace("used_tokens", ("digest",), ("account", "device", "time")),
            (used, account, device, when),
        )
    return True


def token(connection: Connection, digest: bytes) -> TokenRecord | None:
    """Whose token it is, if anybody's."""
    for query, newest, used in (
        (_RECORD.format("digest"), True, False),
        (_RECORD.format("before"), False, False),
        (_USED, False, True),
    ):
        found = connection.execute(query, (digest,)).fetchone()
        if found is not None:
            account, device, created, seen, present, epoch = found
            return TokenRecord(account, device, created, seen, newest, epoch, bool(present), used)
    return None


def end_token(transaction: Transaction, account: int, device: str) -> int:
    """See `chat.server.interfaces.IStore.end_token`."""
    _forget(transaction, account, device)
    return begin_token_epoch(transaction, account)


def end_copied(
    transaction: Transaction, account: int, device: str, digest: bytes, address: str, when: int
) -> int | None:
    """See `chat.server.interfaces.IStore.end_copied`."""
    if not transaction.look("SELECT 1 FROM used_tokens WHERE digest = ?", (digest,)):
        return None
    _forget(transaction, account, device)
    forget_tokens(transaction, account, device)
    transaction.execute(
        dialect.replace("token_alerts", ("account", "device"), ("address", "time")),
        (account, device, address, when),
    )
    return begin_device_epoch(transaction, account, device, when)


def _forget(transaction: Transaction, account: int, device: str) -> None:
    for table in ("tokens", "used_tokens"):
        transaction.execute(f"DELETE FROM {table} WHERE account = ? AND device = ?", (account, device))


def all_alerts(connection: Connection) -> tuple[TokenAlert, ...]:
    """What the owners of accounts are still to be told, the oldest first."""
    found = connection.execute("SELECT account, device, address, time FROM token_alerts ORDER BY time, account, device")
    return tuple(TokenAlert(*columns) for columns in found)


def end_alerts(transaction: Transaction, account: int) -> None:
    """The owner of an account was told."""
    transaction.execute("DELETE FROM token_alerts WHERE account = ?", (account,))


def unused_tokens(
    connection: Connection, before: int, after: DeviceKey
) -> tuple[tuple[DeviceKey, ...], DeviceKey | None]:
    """Look at some of the devices that have a token.

    :param before: milliseconds since the epoch.
    :returns: those that were not there since, and the last one that was looked at, if there may be more.
    """
    found = connection.execute(
        "SELECT account, device, seen < ? AND NOT present FROM tokens JOIN devices USING (account, device)"
        " WHERE (account, device) > (?, ?) ORDER BY account, device LIMIT ?",
        (before, *after, AT_ONCE),
    ).fetchall()
    last = found[-1][:2] if len(found) == AT_ONCE else None
    return tuple((account, device) for account, device, unused in found if unused), last


def forget_unused(transaction: Transaction, devices: Sequence[DeviceKey], before: int, ended: int) -> None:
    """See `chat.server.interfaces.IStore.forget_unused`."""
    for account, device in devices:
        transaction.execute(
            "DELETE FROM tokens WHERE account = ? AND device = ? AND NOT EXISTS"
            " (SELECT 1 FROM devices WHERE account = ? AND device = ? AND (present OR seen >= ?))",
            (account, device, account, device, before),
        )
    transaction.execute("DELETE FROM used_tokens WHERE time < ?", (before,))
    transaction.execute("DELETE FROM ended_devices WHERE time < ?", (ended,))
