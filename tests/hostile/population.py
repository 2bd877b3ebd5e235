"""A database in which a server has lived for years: rooms, accounts and messages, written at once."""

from __future__ import annotations

import random
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass

from chat.protocol.passwords import new_verifier
from chat.server.storage.migrations import connect, prepare
from chat.server.storage.search_index import index
from chat.server.storage.transaction import SEQ_BITS, Transaction
from tests.e2e.stage import PASSWORD

COST = 4
"""Of bcrypt, as the servers of `tests.e2e.stage` have it."""

BIG = "big"
"""A room full of long text beyond ASCII; all attackers are members of it."""

FULL_OF_MARKS = "a\u0301\u0323\u0308" * 60
"""Letters with combining marks."""

LONG = "Жъщ漢字かな🎉 " * 160
"""4 KiB of text beyond ASCII."""

_LONG_ROWS = 1_000
_A_MEMBER_OF = 3


@dataclass(frozen=True, slots=True)
class Population:
    """How much there is.

    :param attackers: accounts ``bad0`` and so on; the first is a member of every room.
    :param administrators: accounts ``boss0`` and so on.
    :param others: accounts ``other0`` and so on, who want to be served.
    """

    rooms: int = 1_000
    accounts: int = 10_000
    messages: int = 200_000
    attackers: int = 200
    administrators: int = 4
    others: int = 60

    def write(self, path: str) -> None:
        """Make the database file."""
        prepare(path)
        with closing(connect(path, 5)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("BEGIN")
            self._accounts(connection)
            self._rooms(connection)
            connection.execute("COMMIT")
            self._index(connection)

    def _index(self, connection: sqlite3.Connection) -> None:
        transaction, more = Transaction(connection), True
        ids = [id for (id,) in connection.execute("SELECT id FROM conversations")]
        transaction.begin()
        while more:
            more = index(transaction, ids, most=200_000) > 0
        transaction.commit()

    def names(self) -> Iterator[tuple[str, str]]:
        """The name and the rank of each account, in the order of their ids, which begin with 1."""
        for count, prefix, rank in (
            (self.attackers, "bad", "member"),
            (self.administrators, "boss", "administrator"),
            (self.others, "other", "member"),
        ):
            for number in range(count):
                yield f"{prefix}{number}", rank
        for number in range(self.accounts - self.attackers - self.administrators - self.others):
            yield f"person{number}", "member"

    def _accounts(self, connection: sqlite3.Connection) -> None:
        now = int(time.time() * 1000)
        verifier = new_verifier(PASSWORD, COST)
        keys = verifier.salt, verifier.iterations, verifier.stored_key, verifier.server_key
        connection.executemany(
            "INSERT INTO accounts (shown, folded, realname, rank, created, seen, salt, iterations, stored_key,"
            " server_key) VALUES (?, ?, 'Somebody', ?, ?, ?, ?, ?, ?, ?)",
            ((name, name, rank, now, now, *keys) for name, rank in self.names()),
        )

    def _rooms(self, connection: sqlite3.Connection) -> None:
        now = int(time.time() * 1000) - self.messages
        ids = range(1, self.rooms + 1)
        connection.executemany("INSERT INTO conversations (id, kind) VALUES (?, 'room')", ((id,) for id in ids))
        names = {id: BIG if id == 1 else f"room{id}" for id in ids}
        connection.executemany(
            "INSERT INTO rooms (conversation, shown, folded, created) VALUES (?, ?, ?, ?)",
            ((id, name, name, now) for id, name in names.items()),
        )
        chance = random.Random(15)
        members = {(1, account) for account in range(1, self.attackers + self.administrators + self.others + 1)}
        members |= {(id, 1) for id in ids}
        for account in range(1, self.accounts + 1):
            members |= {(chance.choice(ids), account) for _ in range(_A_MEMBER_OF)}
        connection.executemany(
            "INSERT INTO members (conversation, account, role, joined_seq, joined, entered)"
            " VALUES (?, ?, 'member', 0, ?, ?)",
            ((id, account, now, now) for id, account in sorted(members)),
        )
        connection.executemany(
            "INSERT INTO log (id, kind, author, device, time, body) VALUES (?, 'text', ?, 'default', ?, ?)",
            self._messages(chance, now),
        )

    def _messages(self, chance: random.Random, now: int) -> Iterator[tuple[int, int, int, str]]:
        letters = "abcdefghijklmnopqrstuvwxyz"
        words = ["".join(chance.choices(letters, k=chance.randint(3, 9))) for _ in range(5_000)]
        long_rows = min(_LONG_ROWS, self.messages // 20)
        for number in range(long_rows):
            body = FULL_OF_MARKS if number % 10 == 0 else LONG
            yield 1 << SEQ_BITS | number + 1, chance.randint(1, self.accounts), now + number, body
        for number in range(self.messages - long_rows):
            room, seq = number % (self.rooms - 1) + 2, number // (self.rooms - 1) + 1
            body = " ".join(chance.choices(words, k=8))
            yield room << SEQ_BITS | seq, chance.randint(1, self.accounts), now + number, body
