"""Published keys: kept for their owners, handed out to others, a one-time key to one of them alone."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from chat.protocol.device_keys import (
    MOST_DEVICES,
    MOST_ONE_TIME,
    AccountKeys,
    DeviceKeys,
    HandedOut,
    NumberedKey,
    Publication,
    Supply,
    Wanted,
)
from chat.protocol.errors import AccountKeyExists, NoDeviceKeys, NoSuchDevice, TooManyKeys
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import Transaction

# --- publishing -------------------------------------------------------------------------------------


def publish_keys(transaction: Transaction, account: int, device: str, publication: Publication, when: int) -> Supply:
    """See `chat.server.interfaces.IKeyStore.publish_keys`."""
    if not transaction.look("SELECT 1 FROM devices WHERE account = ? AND device = ?", (account, device)):
        raise NoSuchDevice()  # it was ended: it changes nothing any more, the key of the account least of all
    if publication.account_key is not None:
        _set_account_key(transaction, account, publication.account_key, publication.reset, when)
    if publication.device is not None:
        _set_device_keys(transaction, account, device, publication.device, when)
    if publication.one_time or publication.fallback is not None:
        _add_numbered(transaction, account, device, publication.one_time, publication.fallback)
    return supply(transaction.connection, account, device)


def _set_account_key(transaction: Transaction, account: int, key: bytes, reset: bool, when: int) -> None:
    found = transaction.look("SELECT signing_key FROM account_keys WHERE account = ?", (account,))
    if found is not None and found[0] == key:
        return
    if found is not None and not reset:
        raise AccountKeyExists()
    transaction.execute(dialect.replace("account_keys", ("account",), ("signing_key", "created")), (account, key, when))
    # What the key before has signed proves nothing any more.
    transaction.execute("DELETE FROM device_keys WHERE account = ?", (account,))


def _set_device_keys(transaction: Transaction, account: int, device: str, keys: DeviceKeys, when: int) -> None:
    found = transaction.look(
        "SELECT identity_key, signing_key, signature FROM device_keys WHERE account = ? AND device = ?",
        (account, device),
    )
    if found is not None and found[:2] == (keys.identity, keys.signing):
        if keys.signature and found[2] != keys.signature:
            transaction.execute(
                "UPDATE device_keys SET signature = ? WHERE account = ? AND device = ?",
                (keys.signature, account, device),
            )
        return
    if found is None:
        others = transaction.look("SELECT count(*) FROM device_keys WHERE account = ?", (account,))[0]
        if others >= MOST_DEVICES:
            raise TooManyKeys(f"An account has keys on at most {MOST_DEVICES} devices. End one: devices end DEVICE")
    # The one-time keys of other keys go with them.
    transaction.execute("DELETE FROM device_keys WHERE account = ? AND device = ?", (account, device))
    transaction.execute(
        "INSERT INTO device_keys (account, device, identity_key, signing_key, signature, created)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (account, device, keys.identity, keys.signing, keys.signature or None, when),
    )


def _add_numbered(
    transaction: Transaction, account: int, device: str, one_time: Sequence[NumberedKey], fallback: NumberedKey | None
) -> None:
    """Keep the keys that are newer than every one before."""
    found = transaction.look("SELECT numbered FROM device_keys WHERE account = ? AND device = ?", (account, device))
    if found is None:
        raise NoDeviceKeys()
    newest: int = found[0]
    fresh = {each.number: each for each in one_time if each.number > newest}
    if supply(transaction.connection, account, device).one_time + len(fresh) > MOST_ONE_TIME:
        raise TooManyKeys(f"A device has at most {MOST_ONE_TIME} one-time keys.")
    for each in fresh.values():
        transaction.execute(
            "INSERT INTO one_time_keys (account, device, number, public_key, signature) VALUES (?, ?, ?, ?, ?)",
            (account, device, each.number, each.key, each.signature),
        )
    if fallback is not None and fallback.number > newest:
        transaction.execute(
            dialect.replace("fallback_keys", ("account", "device"), ("number", "public_key", "signature")),
            (account, device, fallback.number, fallback.key, fallback.signature),
        )
    numbers = [newest, *fresh, *([fallback.number] if fallback is not None else ())]
    transaction.execute(
        "UPDATE device_keys SET numbered = ? WHERE account = ? AND device = ?", (max(numbers), account, device)
    )


def supply(connection: Connection, account: int, device: str) -> Supply:
    """What a device has left to hand out."""
    one_time, fresh = connection.execute(
        "SELECT (SELECT count(*) FROM one_time_keys WHERE account = :account AND device = :device),"
        " EXISTS (SELECT 1 FROM fallback_keys WHERE account = :account AND device = :device AND NOT used)",
        {"account": account, "device": device},
    ).fetchone()
    return Supply(one_time, not fresh)


# --- handing out ------------------------------------------------------------------------------------


def keys_of(connection: Connection, accounts: Collection[int], since: int) -> tuple[AccountKeys, ...]:
    """See `chat.server.interfaces.IKeyStore.keys_of`."""
    return tuple(_keys_of(connection, account, since) for account in accounts)


def _keys_of(connection: Connection, account: int, since: int) -> AccountKeys:
    key = connection.execute("SELECT signing_key FROM account_keys WHERE account = ?", (account,)).fetchone()
    devices = connection.execute(
        "SELECT devices.device, identity_key, signing_key, signature FROM devices LEFT JOIN device_keys"
        " ON device_keys.account = devices.account AND device_keys.device = devices.device"
        " WHERE devices.account = ? AND (identity_key IS NOT NULL OR seen >= ?)"
        " ORDER BY identity_key IS NULL, devices.device LIMIT ?",
        (account, since, 2 * MOST_DEVICES),
    )
    shown = (
        (device, None if identity is None else DeviceKeys(identity, signing, signature or b""))
        for device, identity, signing, signature in devices
    )
    return AccountKeys(account, None if key is None else key[0], tuple(shown))


def claim_keys(transaction: Transaction, wanted: Sequence[Wanted]) -> tuple[HandedOut, ...]:
    """See `chat.server.interfaces.IKeyStore.claim_keys`."""
    claimed = (_claim(transaction, each) for each in wanted)
    return tuple(each for each in claimed if each is not None)


def _claim(transaction: Transaction, wanted: Wanted) -> HandedOut | None:
    whose = wanted.account, wanted.device
    vouched_for = "SELECT 1 FROM device_keys WHERE account = ? AND device = ? AND signature IS NOT NULL"
    if not transaction.look(vouched_for, whose):
        return None
    kept = "SELECT number, public_key, signature FROM {} WHERE account = ? AND device = ? ORDER BY number LIMIT 1"
    found = transaction.look(kept.format("one_time_keys"), whose) if wanted.one_time else None
    fallback = found is None
    if found is not None:
        transaction.execute(
            "DELETE FROM one_time_keys WHERE account = ? AND device = ? AND number = ?", (*whose, found[0])
        )
    else:
        found = transaction.look(kept.format("fallback_keys"), whose)
        if found is None:
            return None
        transaction.execute("UPDATE fallback_keys SET used = TRUE WHERE account = ? AND device = ?", whose)
    return HandedOut(*whose, NumberedKey(*found), fallback, supply(transaction.connection, *whose))
