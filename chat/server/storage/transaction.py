"""One open transaction of the writer: the pending rows, and what is known without asking the database.

Rules that the rest of the package relies on:

* Plain rows are collected and written with one ``executemany``; `Transaction.execute` writes them first,
  so SQL always sees everything that came before it.
* What is cached (the last seq of busy conversations, the conversations of pairs) is true of the open
  transaction. After a rollback it would not be, so a rollback forgets it.
* A function that runs in a transaction may run twice (see ``chat.server.storage.group_commit``): it touches nothing
  but its transaction.
"""

from __future__ import annotations

from typing import Any, Final

from chat.protocol.errors import NoSuchConversation
from chat.protocol.values import Pair
from chat.server.interfaces import Committed
from chat.server.storage import dialect
from chat.server.storage.connection import Connection, Parameters, Rows

SEQ_BITS: Final = 32
"""A row's id is ``conversation << SEQ_BITS | seq``."""

LAST_SEQ: Final = (1 << SEQ_BITS) - 1
"""The largest seq there can be."""

BUSY: Final = 50_000
"""Conversations whose last seq is remembered; when there are more, all are forgotten and asked for again."""

RETRY_KEPT: Final = 7 * 24 * 3_600_000
"""Milliseconds that a retry id is kept."""

_INSERT_ROW = (
    "INSERT INTO log (id, kind, author, device, time, ref, target, scheme, key, body)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)
_INSERT_RETRY = dialect.replace("retries", ("account", "device", "retry"), ("digest", "conversation", "seq", "time"))
_FORGET_RETRIES = (
    "DELETE FROM retries WHERE (account, device, retry) IN"
    " (SELECT account, device, retry FROM retries WHERE time < ? ORDER BY time LIMIT ?)"
)

RetryKey = tuple[int, str, str]
"""The account, the device, and the retry id that it gave."""

Retry = tuple[bytes, int, int, int]
"""The digest of what was sent; the conversation, seq and time that it got."""


ENDS: Final = (
    f" first_seq, (SELECT max(log.id) FROM log WHERE log.id BETWEEN conversations.id << {SEQ_BITS}"
    f" AND conversations.id << {SEQ_BITS} | {LAST_SEQ})"
)
"""Columns of ``conversations``: the first seq that the log still holds, and the id of the newest row or nothing."""


def last_seq(connection: Connection, conversation: int) -> tuple[int, int]:
    """Look up where a conversation begins and ends on disk.

    :returns: the first seq that the log still holds, and the newest one (0 when nothing was ever said).
    :raises NoSuchConversation: when there is none of that id.
    """
    found = connection.execute(f"SELECT {ENDS} FROM conversations WHERE id = ?", (conversation,)).fetchone()
    if found is None:
        raise NoSuchConversation()
    first, newest = found
    return first, first - 1 if newest is None else newest & LAST_SEQ


class Transaction:
    """The writer's connection, with what waits to be written through it.

    :param connection: in autocommit mode (``isolation_level=None``), used by this object alone.
    """

    __slots__ = ("_committed", "_last", "_pairs", "_retries", "_rows", "changes", "committing", "connection")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.changes = 0
        """Rises with everything that would have to be rolled back."""
        self.committing = False
        """Whether others may see what it did although nobody was told of it; read by other threads as well."""
        self._rows: list[tuple[Any, ...]] = []
        self._retries: dict[RetryKey, Retry] = {}
        self._last: dict[int, int] = {}
        self._pairs: dict[Pair, int] = {}
        self._committed: list[Committed] = []

    # --- the frame ------------------------------------------------------------------------------

    def begin(self) -> None:
        """Open it."""
        self.committing = False
        if self.connection.in_transaction:
            # A rollback failed (a disk error); nothing of it may slip into this transaction.
            self.connection.execute("ROLLBACK")
        self.connection.execute(dialect.BEGIN)

    def commit(self) -> list[Committed]:
        """Make everything durable.

        :returns: the rows that were appended, in order.
        """
        self.flush()
        self.committing = True
        self.connection.execute("COMMIT")
        committed, self._committed = self._committed, []
        return committed

    def rollback(self) -> None:
        """Undo everything, and forget what was known."""
        self._forget(0)
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def savepoint(self) -> int:
        """Begin a part that can be undone alone.

        :returns: what `undo` wants to know.
        """
        self.flush()
        self.connection.execute("SAVEPOINT part")
        return len(self._committed)

    def release(self) -> None:
        """Keep what was done since `savepoint`."""
        self.flush()
        self.connection.execute("RELEASE part")

    def undo(self, mark: int) -> None:
        """Undo what was done since `savepoint`, which returned the mark."""
        self._forget(mark)
        self.connection.execute("ROLLBACK TO part")
        self.connection.execute("RELEASE part")

    def _forget(self, mark: int) -> None:
        self._rows.clear()
        self._retries.clear()
        self._last.clear()
        self._pairs.clear()
        del self._committed[mark:]

    # --- SQL ------------------------------------------------------------------------------------

    def execute(self, sql: str, parameters: Parameters = ()) -> Rows:
        """Change something, after all that came before."""
        self.flush()
        self.changes += 1
        return self.connection.execute(sql, parameters)

    def look(self, sql: str, parameters: Parameters) -> Any:
        """Read the first row of a query that does not depend on pending rows or retry ids."""
        return self.connection.execute(sql, parameters).fetchone()

    def flush(self) -> None:
        """Write the rows and retry ids that are pending."""
        if self._rows:
            rows, self._rows = self._rows, []
            self.connection.executemany(_INSERT_ROW, rows)
        if self._retries:
            retries, self._retries = self._retries, {}
            self.connection.executemany(_INSERT_RETRY, [key + retry for key, retry in retries.items()])
            # Two old ones go for each that comes: the table shrinks to its 7 days without a timer, and
            # no commit ever pays for more than it wrote.
            newest = max(retry[3] for retry in retries.values())
            self.connection.execute(_FORGET_RETRIES, (newest - RETRY_KEPT, 2 * len(retries)))

    # --- the log --------------------------------------------------------------------------------

    def last(self, conversation: int) -> int:
        """The newest seq of a conversation, 0 when it is empty.

        :raises NoSuchConversation: when there is none of that id.
        """
        last = self._last.get(conversation)
        if last is None:
            self.flush()
            last = last_seq(self.connection, conversation)[1]
            if len(self._last) >= BUSY:
                self._last.clear()
            self._last[conversation] = last
        return last

    def add(self, row: tuple[Any, ...], committed: Committed) -> None:
        """Append a row whose seq is `last` and one.

        :param row: the columns of the log, in their order.
        """
        self._rows.append(row)
        self._last[committed.row.conversation] = committed.row.seq
        self._committed.append(committed)
        self.changes += 1

    # --- retry ids ------------------------------------------------------------------------------

    def earlier(self, key: RetryKey) -> Retry | None:
        """What was stored under a retry id, in this transaction or before."""
        found = self._retries.get(key)
        if found is None:
            found = self.look(
                "SELECT digest, conversation, seq, time FROM retries WHERE account = ? AND device = ? AND retry = ?",
                key,
            )
        return found

    def remember(self, key: RetryKey, retry: Retry) -> None:
        """Keep what a retry id stands for."""
        self._retries[key] = retry
        self.changes += 1

    # --- pairs ----------------------------------------------------------------------------------

    def pair(self, pair: Pair) -> int | None:
        """The conversation of a pair, if they have one."""
        conversation = self._pairs.get(pair)
        if conversation is None:
            found = self.look("SELECT conversation FROM pairs WHERE low = ? AND high = ?", pair)
            if found is None:
                return None
            conversation = self._keep_pair(pair, found[0])
        return conversation

    def new_pair(self, pair: Pair) -> int:
        """Make the conversation of a pair that has none."""
        conversation = self.new_conversation("pair")
        self.execute("INSERT INTO pairs (conversation, low, high) VALUES (?, ?, ?)", (conversation, *pair))
        return self._keep_pair(pair, conversation)

    def new_conversation(self, kind: str) -> int:
        """Make an empty conversation.

        :param kind: ``room`` or ``pair``.
        :returns: its id, which none ever had before.
        """
        made: int = self.execute("INSERT INTO conversations (kind) VALUES (?) RETURNING id", (kind,)).fetchone()[0]
        return made

    def _keep_pair(self, pair: Pair, conversation: int) -> int:
        if len(self._pairs) >= BUSY:
            self._pairs.clear()
        self._pairs[pair] = conversation
        return conversation
