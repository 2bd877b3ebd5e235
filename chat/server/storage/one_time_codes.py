"""Codes that let somebody choose a password, each of them once."""

from __future__ import annotations

from hmac import compare_digest

from chat.protocol.errors import BadCredentials, NoSuchUser
from chat.protocol.values import Verifier
from chat.server.storage import dialect
from chat.server.storage.accounts import replace_password
from chat.server.storage.connection import Connection
from chat.server.storage.credential_epochs import begin_epoch
from chat.server.storage.transaction import Transaction


def give_code(transaction: Transaction, account: int, digest: bytes, until: int) -> int:
    """See `chat.server.interfaces.IStore.give_code`."""
    if not transaction.look("SELECT 1 FROM accounts WHERE id = ? AND deleted IS NULL", (account,)):
        raise NoSuchUser()
    transaction.execute(
        "UPDATE accounts SET salt = NULL, iterations = NULL, stored_key = NULL, server_key = NULL WHERE id = ?",
        (account,),
    )
    transaction.execute("DELETE FROM tokens WHERE account = ?", (account,))
    transaction.execute(dialect.replace("codes", ("account",), ("digest", "until")), (account, digest, until))
    return begin_epoch(transaction, account)


def code(connection: Connection, account: int) -> tuple[bytes, int] | None:
    """See `chat.server.interfaces.IStore.code`."""
    found = connection.execute("SELECT digest, until FROM codes WHERE account = ?", (account,)).fetchone()
    return None if found is None else (found[0], found[1])


def use_code(transaction: Transaction, account: int, digest: bytes, verifier: Verifier) -> int:
    """See `chat.server.interfaces.IStore.use_code`."""
    kept = transaction.look("SELECT digest FROM codes WHERE account = ?", (account,))
    if kept is None or not compare_digest(kept[0], digest):
        raise BadCredentials("That code has already been used. Ask for another one.")
    transaction.execute("DELETE FROM codes WHERE account = ?", (account,))
    return replace_password(transaction, account, verifier)
