"""What waits for somebody: the marks, and the log after them.

What is unread in a conversation begins after the latest of three seqs: the ``received`` mark of the
device, the ``read`` mark of the person, and, in a room, the last seq before the person joined. So nothing
that was said while somebody was no member ever counts, and marks from before need not be touched.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterator, Mapping
from heapq import nsmallest
from operator import itemgetter
from typing import Final

from chat.protocol.errors import NoSuchConversation
from chat.protocol.values import SPOKEN, Row, Shown, Unsure, Waiting
from chat.server.interfaces import Backlog, MissedRows
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.log import COLUMNS, PageBound, read_row
from chat.server.storage.transaction import ENDS, LAST_SEQ, SEQ_BITS, Transaction

MOST_UNREAD: Final = 1_000
"""Unread rows are counted up to this many in each conversation: then it is "1,000 or more"."""

LOOKED_AT: Final = 20_000
"""Only so many of the newest rows of a conversation are looked at when unread ones are counted, so
that a login costs the same after a year in which everything was said by somebody blocked."""

LOOKED_AT_IN_ALL: Final = 200_000
"""Rows that one count looks at in all conversations together: some 30 milliseconds of the thread that every login and
every history waits for. In conversations beyond that all rows count, whoever wrote them."""

_SPOKEN: Final = ", ".join(f"'{kind.value}'" for kind in sorted(SPOKEN))

_HEARD: Final = (
    f"kind IN ({_SPOKEN}) AND author <> :account AND body IS NOT NULL AND author NOT IN {dialect.values_of('blocked')}"
)
"""What others said and still stands, but nobody blocked."""

_FIRST: Final = f"SELECT time FROM log WHERE id > :low AND id <= :high AND {_HEARD} ORDER BY id LIMIT 1"

_MARKS: Final = (
    " coalesce((SELECT seq FROM received WHERE account = :account AND conversation = c.conversation"
    " AND device = :device), 0),"
    " coalesce((SELECT seq FROM read WHERE account = :account AND conversation = c.conversation), 0)"
)

_START: Final = "SELECT " + dialect.greatest(
    "coalesce((SELECT joined_seq FROM members WHERE conversation = :conversation AND account = :account), 0)",
    "coalesce((SELECT seq FROM received WHERE account = :account AND conversation = :conversation"
    " AND device = :device), 0)",
    "coalesce((SELECT seq FROM read WHERE account = :account AND conversation = :conversation), 0)",
)

_DELIVERED: Final = (
    " coalesce((SELECT max(seq) FROM received WHERE conversation = c.conversation AND account = {}), 0),"
)

_PLACES: Final = (
    f"SELECT c.conversation, NULL, c.joined_seq, 0,{_MARKS},{ENDS} FROM members c"
    " JOIN rooms ON rooms.conversation = c.conversation AND rooms.deleted IS NULL"
    " JOIN conversations ON id = c.conversation WHERE c.account = :account"
    f" UNION ALL SELECT c.conversation, c.high, 0,{_DELIVERED.format('c.high')}{_MARKS},{ENDS} FROM pairs c"
    " JOIN conversations ON id = c.conversation WHERE c.low = :account"
    f" UNION ALL SELECT c.conversation, c.low, 0,{_DELIVERED.format('c.low')}{_MARKS},{ENDS} FROM pairs c"
    " JOIN conversations ON id = c.conversation WHERE c.high = :account AND c.low <> c.high"
)


def waiting(
    connection: Connection,
    account: int,
    device: str,
    blocked: Collection[int],
    shown: Mapping[int, int] | None = None,
) -> Backlog:
    """Where an account stands, the places in the order of their ids, and how much lies in the inbox of the device."""
    blocked_json = dialect.collection(blocked)
    shown = shown or {}
    result = []
    left = LOOKED_AT_IN_ALL
    found = connection.execute(_PLACES, {"account": account, "device": device}).fetchall()
    for conversation, partner, joined_seq, delivered, received, read, first, newest in sorted(found, key=itemgetter(0)):
        last = first - 1 if newest is None else newest & LAST_SEQ
        received, read = max(received, joined_seq), max(read, joined_seq)
        start = max(received, read, shown.get(conversation, 0))
        unread = 0
        if start < last and left > 0:
            unread, looked_at = _count(
                connection, conversation, max(start, last - LOOKED_AT), last, account, blocked_json
            )
            left -= looked_at
        elif start < last:
            unread = min(last - start, MOST_UNREAD)
        result.append(Waiting(conversation, partner, first, last, received, read, unread, delivered))
    letters: int = connection.execute(
        "SELECT count(*) FROM inbox WHERE account = ? AND device = ?", (account, device)
    ).fetchone()[0]
    return Backlog(tuple(result), letters)


def _count(
    connection: Connection, conversation: int, start: int, last: int, account: int, blocked: str
) -> tuple[int, int]:
    """How many rows of a conversation are unread, and how many were looked at to find out."""
    base = conversation << SEQ_BITS
    count, newest = connection.execute(
        f"SELECT count(*), max(id) FROM (SELECT id FROM log WHERE id > :low AND id <= :high AND {_HEARD}"
        " ORDER BY id LIMIT :most)",
        {
            "low": base | start,
            "high": base | LAST_SEQ,
            "account": account,
            "blocked": blocked,
            "most": MOST_UNREAD,
        },
    ).fetchone()
    return count, (newest - base if count == MOST_UNREAD else last) - start


def missed(
    connection: Connection,
    account: int,
    device: str,
    blocked: Collection[int],
    conversations: Collection[int],
    limit: int,
    shown: Mapping[int, int] | None = None,
) -> MissedRows:
    """The oldest rows that others said after the marks, of several conversations.

    They come by time, and those of one conversation always by seq, even where the clock was set back. Which of them are
    perhaps repeats is read as of the same moment: a proof that comes between two reads would make them look new.
    """
    blocked_json = dialect.collection(blocked)
    shown = shown or {}
    begin: list[tuple[int, int, int]] = []
    for conversation in set(conversations):
        start = max(_start(connection, account, device, conversation), shown.get(conversation, 0))
        heard = {"low": conversation << SEQ_BITS | start, "high": conversation << SEQ_BITS | LAST_SEQ}
        first = connection.execute(_FIRST, {**heard, "account": account, "blocked": blocked_json}).fetchone()
        if first is not None:
            begin.append((first[0], conversation, start))
    # The page ends before it reaches a conversation in which more than so many others begin earlier.
    earliest = sorted(nsmallest(limit + 1, begin), key=itemgetter(1))
    logs = [_heard_after(connection, conversation, start, account, blocked_json) for _, conversation, start in earliest]
    # Each log is read lazily and only as far as the merge goes; equal times keep the order of the logs.
    rows: list[Row] = []
    page = PageBound()
    more = False
    for row in heapq.merge(*logs, key=lambda row: row.time):
        if len(rows) == limit or not page.fits(row):
            more = True
            break
        rows.append(row)
    return MissedRows(tuple(rows), _unsure(connection, account, device), more)


def _start(connection: Connection, account: int, device: str, conversation: int) -> int:
    """After which seq a conversation is unread."""
    seq: int = connection.execute(
        _START,
        {"account": account, "device": device, "conversation": conversation},
    ).fetchone()[0]
    return seq


def _heard_after(connection: Connection, conversation: int, start: int, account: int, blocked: str) -> Iterator[Row]:
    base = conversation << SEQ_BITS
    for columns in connection.execute(
        f"SELECT {COLUMNS} FROM log WHERE id > :low AND id <= :high AND {_HEARD} ORDER BY id",
        {"low": base | start, "high": base | LAST_SEQ, "account": account, "blocked": blocked},
    ):
        yield read_row(columns)


def mark_received(transaction: Transaction, account: int, device: str, marks: Mapping[int, int]) -> Mapping[int, int]:
    """See `chat.server.interfaces.IStore.mark_received`."""
    raised = {}
    for conversation, seq in _within_the_log(transaction, marks):
        changed = transaction.execute(
            "INSERT INTO received (account, conversation, device, seq) VALUES (?, ?, ?, ?)"
            " ON CONFLICT (account, conversation, device) DO UPDATE SET seq = excluded.seq"
            " WHERE excluded.seq > received.seq",
            (account, conversation, device, seq),
        ).rowcount
        if changed:
            raised[conversation] = seq
    return raised


def mark_shown(transaction: Transaction, account: int, device: str, shown: Mapping[int, Shown]) -> None:
    """Note what a device was sent, which may not have arrived."""
    for conversation, seq in _within_the_log(transaction, {id: each.upto for id, each in shown.items()}):
        transaction.execute(
            "INSERT INTO received (account, conversation, device, seq, shown, shown_after) VALUES (?, ?, ?, 0, ?, ?)"
            " ON CONFLICT (account, conversation, device) DO UPDATE SET"
            f" shown = {dialect.greatest('received.shown', 'excluded.shown')},"
            " shown_after = CASE WHEN received.shown > received.seq"
            f" THEN {dialect.least('received.shown_after', 'excluded.shown_after')} ELSE excluded.shown_after END",
            (account, conversation, device, seq, shown[conversation].after),
        )


def _unsure(connection: Connection, account: int, device: str) -> Unsure:
    """What a device may have been shown beyond its marks."""
    found = connection.execute(
        "SELECT unsure FROM devices WHERE account = ? AND device = ?", (account, device)
    ).fetchone()
    shown = connection.execute(
        "SELECT conversation, shown_after, shown FROM received WHERE account = ? AND device = ? AND shown > seq",
        (account, device),
    )
    return Unsure(found[0] if found is not None else 0, {id: Shown(after, upto) for id, after, upto in shown})


def mark_read(transaction: Transaction, account: int, marks: Mapping[int, int]) -> None:
    """See `chat.server.interfaces.IStore.mark_read`."""
    for conversation, seq in _within_the_log(transaction, marks):
        transaction.execute(
            "INSERT INTO read (account, conversation, seq) VALUES (?, ?, ?)"
            " ON CONFLICT (account, conversation) DO UPDATE SET seq = excluded.seq WHERE excluded.seq > read.seq",
            (account, conversation, seq),
        )


def _within_the_log(transaction: Transaction, marks: Mapping[int, int]) -> Iterator[tuple[int, int]]:
    """The marks, none of them past the last seq: a mark in the future would hide what is yet to come."""
    for conversation, seq in marks.items():
        try:
            seq = min(seq, transaction.last(conversation))
        except NoSuchConversation:
            continue
        if seq > 0:
            yield conversation, seq
