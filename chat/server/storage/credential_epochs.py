"""Epochs of credentials on disk: whether what a login was proven with still counts."""

from __future__ import annotations

from chat.protocol.errors import CredentialsChanged
from chat.server.interfaces import CredentialEpoch
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import Transaction


def all_epochs(connection: Connection) -> tuple[CredentialEpoch, ...]:
    """The epochs of all accounts whose credentials were ever changed."""
    found = connection.execute("SELECT id, epoch, valid_since FROM accounts WHERE epoch > 0 AND deleted IS NULL")
    return tuple(CredentialEpoch(*columns) for columns in found)


def begin_epoch(transaction: Transaction, account: int) -> int:
    """Let nothing count any more that an account was proven with before.

    :returns: the new epoch.
    """
    transaction.execute("UPDATE accounts SET epoch = epoch + 1, valid_since = epoch + 1 WHERE id = ?", (account,))
    transaction.execute("DELETE FROM ended_devices WHERE account = ?", (account,))
    return _epoch(transaction, account)


def begin_device_epoch(transaction: Transaction, account: int, device: str, when: int) -> int:
    """Let nothing count any more that was proven on one device before.

    :param when: milliseconds since the epoch of Unix.
    :returns: the new epoch.
    """
    epoch = begin_token_epoch(transaction, account)
    transaction.execute(
        dialect.replace("ended_devices", ("account", "device"), ("epoch", "time")),
        (account, device, epoch, when),
    )
    return epoch


def begin_token_epoch(transaction: Transaction, account: int) -> int:
    """Tell what is proven from now on from what was proven before; both count.

    :returns: the new epoch.
    """
    transaction.execute("UPDATE accounts SET epoch = epoch + 1 WHERE id = ?", (account,))
    return _epoch(transaction, account)


def check_epoch(transaction: Transaction, account: int, device: str, epoch: int) -> None:
    """Find out whether a session still stands for its account.

    :param device: the one that it logged in on.
    :param epoch: what it was proven in.
    :raises CredentialsChanged: when the account was deleted, its credentials were changed, or the device was ended.
    """
    stands = transaction.look(
        "SELECT 1 FROM accounts WHERE id = ? AND valid_since <= ? AND deleted IS NULL AND NOT EXISTS"
        " (SELECT 1 FROM ended_devices AS ended WHERE ended.account = accounts.id AND device = ? AND ended.epoch > ?)",
        (account, epoch, device, epoch),
    )
    if not stands:
        raise CredentialsChanged()


def _epoch(transaction: Transaction, account: int) -> int:
    found = transaction.look("SELECT epoch FROM accounts WHERE id = ?", (account,))
    return 0 if found is None else int(found[0])
