"""The server with a promise broken, to show that the checks notice: ``python spoiled.py HOW TWISTD-OPTIONS``.

``HOW`` is one or several of these, with commas between them:

``late``: everybody is told before the commit, which happens with the first batch that comes `LATE` seconds later.
``unsynced``: commits are not synced to the disk.
``forgetful``: what is sent again under the same retry id is stored again.
``backwards``: of what is committed together, the last is stored first.
``indiscreet``: private messages are told to many.
``denying``: every tenth message is stored, and its sender is told that it is not.
``dropping``, ``doubling``: every tenth event of a room is told to no program, or twice.
``unmarked``: no line is marked as a repeat.
``markless``: what programs say they have is not noted.
``strange``: accounts whose names begin with ``guest`` are unknown after a restart.
``damaging``: the database is damaged before the second start.
``stuck``: it does not end when it is told to.
"""

from __future__ import annotations

import itertools
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

from twisted.scripts.twistd import run

from chat.server.storage import accounts
from chat.server.storage.connection import Connection
from chat.server.storage.store import Store, write
from chat.server.storage.transaction import Transaction

LATE = 60.0


def late() -> None:
    begin, commit, create = Transaction.begin, Transaction.commit, accounts.create_account
    begun = 0.0

    class Later:
        """A connection that puts the commit off."""

        def __init__(self, connection: Connection) -> None:
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
        transaction.connection = Later(connection)
        try:
            return commit(transaction)
        finally:
            transaction.connection = connection

    def create_now(*arguments: Any) -> Any:
        """Who makes an account reads it at the next login."""
        nonlocal begun
        begun = 0.0
        return create(*arguments)

    setattr(Store, "create_account", write(create_now))  # noqa: B010
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


def forgetful() -> None:
    def appending(append: Any) -> Any:
        return lambda store, draft, *more: append(store, draft._replace(retry=None), *more)

    spoil(Store, "append", appending)


def backwards() -> None:
    from chat.server.storage import workers

    spoil(workers, "commit", lambda commit: lambda transaction, jobs: commit(transaction, jobs[::-1]))


def indiscreet() -> None:
    from chat.server.bus.local import LocalBus

    def publishing(publish: Any) -> Any:
        def to_many(bus: LocalBus, topics: Any, published: Any) -> Any:
            private = any(kind == "account" for kind, _ in topics)
            return publish(bus, [("account", id) for id in range(1, 20)] if private else topics, published)

        return to_many

    spoil(LocalBus, "publish", publishing)


def denying() -> None:
    from chat.protocol.events import Refused, StoredAs
    from chat.server.core.dispatcher import Dispatcher

    counter = itertools.count(1)

    def performing(perform: Any) -> Any:
        async def or_deny(*arguments: Any) -> Any:
            reply = await perform(*arguments)
            if isinstance(reply, StoredAs) and next(counter) % 10 == 0:
                return Refused("forbidden", "Nothing was sent.")
            return reply

        return or_deny

    spoil(Dispatcher, "perform", performing)


def dropping() -> None:
    _each_tenth_event_is_told(0)


def doubling() -> None:
    _each_tenth_event_is_told(2)


def _each_tenth_event_is_told(times: int) -> None:
    from chat.server.frontends.audience import Audience

    counter = itertools.count(1)

    def posting(post: Any) -> Any:
        def so_often(audience: Audience, *arguments: Any) -> None:
            for _ in range(times if audience.features.gaps and next(counter) % 10 == 0 else 1):
                post(audience, *arguments)

        return so_often

    spoil(Audience, "post", posting)


def unmarked() -> None:
    from chat.protocol.values import Unsure

    spoil(Unsure, "may_have_seen", lambda _: lambda unsure, row: False)


def markless() -> None:
    from twisted.internet.defer import succeed

    spoil(Store, "mark_received", lambda _: lambda *arguments: succeed({}))


def strange() -> None:
    def reading(read: Any) -> Any:
        return lambda connection: tuple(each for each in read(connection) if not each.name.folded.startswith("guest"))

    spoil(accounts, "all_accounts", reading)


def damaging() -> None:
    if os.path.exists("credentials.db"):
        with closing(sqlite3.connect("credentials.db", isolation_level=None)) as connection:
            connection.executescript(
                "CREATE TABLE spoiled (word); CREATE INDEX by_word ON spoiled (word);"
                "INSERT INTO spoiled VALUES ('a'), ('b'), ('c'); PRAGMA writable_schema = ON;"
                "UPDATE sqlite_schema SET sql = 'CREATE INDEX by_word ON spoiled (word DESC)' WHERE name = 'by_word';"
            )


def stuck() -> None:
    from twisted.internet.defer import Deferred

    from chat.server.core.service import ChatService

    def stopping(stop: Any) -> Any:
        async def never(*arguments: Any, **named: Any) -> None:
            await Deferred()

        return never

    spoil(ChatService, "stop", stopping)


def spoil(owner: Any, name: str, make: Callable[[Any], Any]) -> None:
    """Put something in the place of a function, made of it."""
    setattr(owner, name, make(getattr(owner, name)))


WAYS: dict[str, Callable[[], None]] = {
    each.__name__: each
    for each in (
        *(late, unsynced, forgetful, backwards, indiscreet, denying, dropping, doubling),
        *(unmarked, markless, strange, damaging, stuck),
    )
}

if __name__ == "__main__":
    for how in sys.argv.pop(1).split(","):
        WAYS[how]()
    run()
