"""Reading the log: pages of one conversation, and which conversations there are."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any, Final

from chat.storage.transaction import LAST_SEQ, SEQ_BITS, last_seq
from chat.values import Kind, Page, Pair, Row, Sealed, Text

COLUMNS: Final = "id, kind, author, device, time, ref, target, scheme, key, body"
"""What `read_row` reads, in this order."""

_KINDS: Final[Mapping[str, Kind]] = {kind.value: kind for kind in Kind}

_OLDEST: Final = f"SELECT {COLUMNS} FROM log WHERE id > ? AND id < ? ORDER BY id LIMIT ?"
_NEWEST: Final = f"SELECT {COLUMNS} FROM log WHERE id > ? AND id < ? ORDER BY id DESC LIMIT ?"


def read_row(columns: tuple[Any, ...]) -> Row:
    """Make a row of what a query for `COLUMNS` returned."""
    id, kind, author, device, time, ref, target, scheme, key, content = columns
    body: Text | Sealed | None = None
    if scheme is not None:
        body = Sealed(scheme, key, content)
    elif content is not None:
        body = Text(content)
    return Row(id >> SEQ_BITS, id & LAST_SEQ, _KINDS[kind], author, device, time, body, ref, target)


def history(
    connection: sqlite3.Connection,
    conversation: int,
    *,
    after: int | None = None,
    before: int | None = None,
    since: int | None = None,
    limit: int,
) -> Page:
    """Read a page of one conversation; see `chat.interfaces.IStore.history`.

    The bounds are exclusive and may be combined. With ``after`` or ``since`` the page holds the oldest
    rows within them, else the newest.

    :param since: milliseconds since the epoch: rows of that time and later.
    :param limit: the most rows of the page.
    :raises NoSuchConversation: when there is none of that id.
    """
    first, last = last_seq(connection, conversation)
    forward = after is not None or since is not None
    lower = max(first - 1, after or 0)
    upper = last + 1 if before is None else min(before, last + 1)
    if since is not None:
        lower = max(lower, last_before(connection, conversation, since, first, last))
    if upper <= lower + 1:
        return Page((), first, last, False)
    base = conversation << SEQ_BITS
    found = connection.execute(_OLDEST if forward else _NEWEST, (base | lower, base | upper, limit + 1)).fetchall()
    more = len(found) > limit
    rows = [read_row(columns) for columns in found[:limit]]
    if not forward:
        rows.reverse()
    return Page(tuple(rows), first, last, more)


def last_before(connection: sqlite3.Connection, conversation: int, time: int, first: int, last: int) -> int:
    """The last seq that was said before a time; one less than the first when there is none.

    A bisection over the ids: a log of ten million rows answers after 24 of them, and needs no index
    by time. Where the clock was set back, the result is one of the places that fit.
    """
    base = conversation << SEQ_BITS
    low, high = first - 1, last
    while low < high:
        middle = (low + high + 1) // 2
        found = connection.execute("SELECT time FROM log WHERE id = ?", (base | middle,)).fetchone()
        if found is not None and found[0] >= time:
            high = middle - 1
        else:
            low = middle
    return low


def pair(connection: sqlite3.Connection, pair: Pair) -> int | None:
    """The conversation of a pair, if they have one."""
    found = connection.execute("SELECT conversation FROM pairs WHERE low = ? AND high = ?", pair).fetchone()
    return None if found is None else found[0]


def pairs_of(connection: sqlite3.Connection, account: int) -> dict[int, int]:
    """Everybody an account has talked to privately: account to conversation."""
    found = connection.execute(
        "SELECT high, conversation FROM pairs WHERE low = :account"
        " UNION SELECT low, conversation FROM pairs WHERE high = :account ORDER BY 2",
        {"account": account},
    )
    return dict(found.fetchall())


def ends(connection: sqlite3.Connection) -> dict[int, int]:
    """The newest seq of every conversation that is not empty."""
    found = connection.execute(
        "SELECT id, coalesce((SELECT max(log.id) FROM log WHERE log.id BETWEEN conversations.id << :bits"
        " AND conversations.id << :bits | :most) & :most, first_seq - 1) FROM conversations",
        {"bits": SEQ_BITS, "most": LAST_SEQ},
    )
    return {conversation: last for conversation, last in found if last}
