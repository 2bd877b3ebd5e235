"""The server with one promise broken, to show that the checks notice: ``python spoiled.py HOW TWISTD-OPTIONS``.

``late``: everybody is told before the commit, which happens with the first batch that comes `LATE` seconds later.
``unsynced``: commits are not synced to the disk.
"""

from __future__ import annotations

import sqlite3
import sys
import time
from collections.abc import Callable
from typing import Any

from twisted.scripts.twistd import run

from chat.storage import accounts
from chat.storage.transaction import Transaction

LATE = 60.0


def late() -> None:
    begin, commit, create = Transaction.begin, Transaction.commit, accounts.create_account
    begun = 0.0

    class Later:
        """A connection that puts the commit off."""

        def __init__(self, connection: sqlite3.Connection) -> None:
            self._connection = connection

        def __getattr__(self, name: str) -> Any:
            return getattr(self._connection, name)

        def execute(self, sql: str, *parameters: Any) -> Any:
            return self._connection.execute("SELECT 1" if sql == "COMMIT" else sql, *parameters)

    def begin_now(transaction: Transaction) -> None:
        nonlocal begun
        if transaction.connection.in_transaction:
            if time.monotonic() - begun < LATE:
                return
            transaction.connection.execute("COMMIT")
        begin(transaction)
        begun = time.monotonic()

    def commit_later(transaction: Transaction) -> Any:
        connection = transaction.connection
        transaction.connection = Later(connection)  # type: ignore[assignment]
        try:
            return commit(transaction)
        finally:
            transaction.connection = connection

    def create_now(*arguments: Any) -> Any:
        """Who makes an account reads it at the next login."""
        nonlocal begun
        begun = 0.0
        return create(*arguments)

    setattr(accounts, "create_account", create_now)  # noqa: B010
    setattr(Transaction, "begin", begin_now)  # noqa: B010  # mypy minds a plain assignment
    setattr(Transaction, "commit", commit_later)  # noqa: B010


def unsynced() -> None:
    class Connection(sqlite3.Connection):
        def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
            return super().execute(sql.replace("synchronous = FULL", "synchronous = OFF"), *parameters)

    connect: Any = sqlite3.connect

    def connect_unsynced(*arguments: Any, **options: Any) -> Any:
        return connect(*arguments, **options | {"factory": Connection})

    setattr(sqlite3, "connect", connect_unsynced)  # noqa: B010


WAYS: dict[str, Callable[[], None]] = {"late": late, "unsynced": unsynced}

if __name__ == "__main__":
    WAYS[sys.argv.pop(1)]()
    run()
