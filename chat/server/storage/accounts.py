"""Accounts, the devices they log in from, and who blocks whom."""

from __future__ import annotations

from collections.abc import Mapping
from json import dumps
from secrets import token_bytes

from chat.protocol.errors import NameTaken
from chat.protocol.preferences import read_preferences
from chat.protocol.values import Account, Device, Name, Rank, Verifier, VerifierCost
from chat.server.interfaces import MOST_DEVICES, EndedDevice
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.credential_epochs import begin_device_epoch, begin_epoch, check_epoch
from chat.server.storage.invitation_codes import use_invitation
from chat.server.storage.known_sources import forget_tokens
from chat.server.storage.transaction import Transaction

# --- accounts ---------------------------------------------------------------------------------------


def create_account(
    transaction: Transaction,
    name: Name,
    realname: str,
    verifier: Verifier | None,
    when: int,
    rank: Rank = Rank.MEMBER,
    invitation: bytes | None = None,
) -> Account:
    """See `chat.server.interfaces.IStore.create_account`.

    Names collide when their folds are equal, when their looks are, and when one looks like the other's
    fold: an ASCII name has no skeleton and looks like itself.
    """
    looks = (name.folded, name.skeleton or name.folded)
    taken = transaction.look(
        "SELECT 1 FROM accounts WHERE folded IN (?, ?) UNION ALL"
        " SELECT 1 FROM accounts WHERE skeleton <> '' AND skeleton IN (?, ?)",
        (*looks, *looks),
    )
    if taken:
        raise NameTaken()
    if invitation is not None:
        use_invitation(transaction, invitation, when)
    account: int = transaction.execute(
        "INSERT INTO accounts (shown, folded, skeleton, realname, rank, created, seen,"
        " salt, iterations, stored_key, server_key) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id",
        (name.shown, name.folded, name.skeleton, realname, rank.value, when, when, *_columns(verifier)),
    ).fetchone()[0]
    return Account(account, name, realname, rank, when, when)


def _columns(verifier: Verifier | None) -> tuple[object, ...]:
    if verifier is None:
        return (None, None, None, None)
    return (verifier.salt, verifier.iterations, verifier.stored_key, verifier.server_key)


def all_accounts(connection: Connection) -> tuple[Account, ...]:
    """Every account that was not deleted, the oldest first."""
    found = connection.execute(
        "SELECT id, shown, folded, skeleton, realname, rank, created, seen, settings FROM accounts"
        " WHERE deleted IS NULL ORDER BY id"
    )
    ranks = {rank.value: rank for rank in Rank}
    return tuple(
        Account(id, Name(shown, folded, skeleton), realname, ranks[rank], created, seen, read_preferences(settings))
        for id, shown, folded, skeleton, realname, rank, created, seen, settings in found
    )


def verifier(connection: Connection, account: int) -> Verifier | None:
    """What is stored instead of the password; nothing for an account without one."""
    found = connection.execute(
        "SELECT salt, iterations, stored_key, server_key FROM accounts WHERE id = ? AND salt IS NOT NULL", (account,)
    ).fetchone()
    return None if found is None else Verifier(*found)


def verifier_among(connection: Connection, account: int) -> tuple[Verifier | None, tuple[VerifierCost, ...]]:
    """See `chat.server.interfaces.IStore.verifier_among`."""
    costs = connection.execute("SELECT cost, iterations, accounts FROM verifier_costs WHERE accounts > 0")
    return verifier(connection, account), tuple(VerifierCost(*columns) for columns in costs)


def set_password(transaction: Transaction, account: int, verifier: Verifier, epoch: int = 0, device: str = "") -> int:
    """See `chat.server.interfaces.IStore.set_password`: whoever has stolen a token is out with the old password."""
    check_epoch(transaction, account, device, epoch)
    return replace_password(transaction, account, verifier)


def replace_password(transaction: Transaction, account: int, verifier: Verifier) -> int:
    """The same, whoever asks for it."""
    transaction.execute(
        "UPDATE accounts SET salt = ?, iterations = ?, stored_key = ?, server_key = ? WHERE id = ?",
        (verifier.salt, verifier.iterations, verifier.stored_key, verifier.server_key, account),
    )
    transaction.execute("DELETE FROM tokens WHERE account = ?", (account,))
    return begin_epoch(transaction, account)


def renew_verifier(transaction: Transaction, account: int, old: Verifier, new: Verifier) -> None:
    """Replace a verifier by another one of the same password, unless the password was changed meanwhile."""
    transaction.execute(
        "UPDATE accounts SET salt = ?, iterations = ?, stored_key = ?, server_key = ? WHERE id = ? AND stored_key = ?",
        (new.salt, new.iterations, new.stored_key, new.server_key, account, old.stored_key),
    )


def set_rank(transaction: Transaction, account: int, rank: Rank) -> None:
    transaction.execute("UPDATE accounts SET rank = ? WHERE id = ? AND deleted IS NULL", (rank.value, account))


def set_realname(transaction: Transaction, account: int, realname: str) -> None:
    transaction.execute("UPDATE accounts SET realname = ? WHERE id = ? AND deleted IS NULL", (realname, account))


def prefer(transaction: Transaction, account: int, changes: Mapping[str, str | bool]) -> None:
    """Change some of the fields of `chat.protocol.preferences.Preferences`; what else is kept there stays."""
    transaction.execute(
        f"UPDATE accounts SET settings = {dialect.merged('settings')} WHERE id = ? AND deleted IS NULL",
        (dumps(dict(changes)), account),
    )


def block(transaction: Transaction, account: int, other: int) -> None:
    transaction.execute("INSERT INTO blocks (account, other) VALUES (?, ?) ON CONFLICT DO NOTHING", (account, other))


def unblock(transaction: Transaction, account: int, other: int) -> None:
    transaction.execute("DELETE FROM blocks WHERE account = ? AND other = ?", (account, other))


def all_blocks(connection: Connection) -> tuple[tuple[int, int], ...]:
    """Who blocks whom."""
    return tuple(connection.execute("SELECT account, other FROM blocks ORDER BY account, other").fetchall())


# --- devices ----------------------------------------------------------------------------------------


def saw(transaction: Transaction, account: int, device: str, when: int, present: bool) -> tuple[EndedDevice, ...]:
    """Note that a session of a device began or ended; a device is known from its first session on.

    :returns: the devices that were forgotten in favour of this one.
    """
    seen = transaction.execute(
        f"UPDATE accounts SET seen = {dialect.greatest('seen', '?')} WHERE id = ? AND deleted IS NULL", (when, account)
    )
    if not seen.rowcount:
        return ()  # it was deleted meanwhile, and leaves nothing behind
    known = transaction.execute(
        f"UPDATE devices SET seen = {dialect.greatest('seen', '?')}, present = ? WHERE account = ? AND device = ?",
        (when, present, account, device),
    )
    if known.rowcount or not present:
        return ()  # a device that was ended does not come back by the end of its session
    forgotten = _make_room(transaction, account, when)
    transaction.execute(
        "INSERT INTO devices (account, device, seen, present) VALUES (?, ?, ?, ?)", (account, device, when, present)
    )
    return forgotten


def _make_room(transaction: Transaction, account: int, when: int) -> tuple[EndedDevice, ...]:
    """Forget the devices of an account that were unused for longest, so that there is room for one more."""
    count: int = transaction.look("SELECT count(*) FROM devices WHERE account = ?", (account,))[0]
    if count < MOST_DEVICES:
        return ()
    found = transaction.connection.execute(
        "SELECT device FROM devices WHERE account = ? AND NOT present ORDER BY seen, device LIMIT ?",
        (account, count - MOST_DEVICES + 1),
    ).fetchall()
    return tuple(EndedDevice(device, end_device(transaction, account, device, when)) for (device,) in found)


def cut_off(connection: Connection) -> frozenset[tuple[int, str]]:
    """At a start: the devices that were in the midst of a session when the server before ended without a word."""
    return frozenset(connection.execute("SELECT account, device FROM devices WHERE present").fetchall())


def note_crash(transaction: Transaction, when: int) -> None:
    """Note, at a start, that the devices which were `cut_off` may have been shown whatever is older than now."""
    seen = dialect.greatest("seen", "?")
    transaction.execute(f"UPDATE devices SET present = FALSE, unsure = ?, seen = {seen} WHERE present", (when, when))


def devices(connection: Connection, account: int) -> tuple[Device, ...]:
    """The devices of an account, the one seen last first."""
    found = connection.execute(
        "SELECT device, seen, EXISTS (SELECT 1 FROM tokens WHERE tokens.account = devices.account"
        " AND tokens.device = devices.device) FROM devices WHERE account = ? ORDER BY seen DESC, device",
        (account,),
    )
    return tuple(Device(name, seen, bool(has_token)) for name, seen, has_token in found)


def end_device(transaction: Transaction, account: int, device: str, when: int) -> int:
    """Forget a device: its token, keys and inbox go with it, and so do its marks.

    :returns: the new epoch.
    """
    forget_tokens(transaction, account, device)
    transaction.execute("DELETE FROM devices WHERE account = ? AND device = ?", (account, device))
    transaction.execute("DELETE FROM received WHERE account = ? AND device = ?", (account, device))
    return begin_device_epoch(transaction, account, device, when)


# --- what the server alone knows --------------------------------------------------------------------

SECRET_BYTES = 32


def kept_secret(connection: Connection, name: str) -> bytes | None:
    """The secret of that name, if it was made already."""
    found = connection.execute("SELECT secret FROM secrets WHERE name = ?", (name,)).fetchone()
    return None if found is None else bytes(found[0])


def make_secret(transaction: Transaction, name: str) -> bytes:
    """The secret of that name, made of `SECRET_BYTES` random bytes where there is none."""
    fresh = token_bytes(SECRET_BYTES)
    transaction.execute("INSERT INTO secrets (name, secret) VALUES (?, ?) ON CONFLICT DO NOTHING", (name, fresh))
    return kept_secret(transaction.connection, name) or fresh
