"""Reading the log: pages of one conversation, and which conversations there are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from chat.protocol.values import Kind, Page, Pair, Row, Sealed, Text
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import LAST_SEQ, SEQ_BITS, last_seq

COLUMNS: Final = "id, kind, author, device, time, ref, target, scheme, key, body"
"""What `read_row` reads, in this order."""

PAGE_BYTES: Final = 256 * 1024
"""Where a page ends, however few rows it has: as much as the reactor renders and sends in a few milliseconds."""

_ROW_BYTES: Final = 128
"""What a row takes beside its body: names, ids, times."""

_LINE_BYTES: Final = 64
"""What each further line of a body takes: the name that stands before it."""

_ESCAPE_BYTES: Final = 5
"""What a control character takes in JSON beside the one byte that it has in the log."""

_CONTROL: Final = re.compile(r"[\x00-\x1f]")

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


class PageBound:
    """Counts the bytes of a page, row by row."""

    __slots__ = ("_left",)

    def __init__(self) -> None:
        self._left = PAGE_BYTES

    def fits(self, row: Row) -> bool:
        """Whether a row still belongs to the page. The first one always does, as no body comes near `PAGE_BYTES`."""
        self._left -= _size(row)
        return self._left >= 0


def _size(row: Row) -> int:
    """About how many bytes a row has, as a line for people or as JSON."""
    body = row.body
    if isinstance(body, Sealed):
        return _ROW_BYTES + len(body.ciphertext) * 4 // 3
    if body is None:
        return _ROW_BYTES
    text = body.text
    size = _ROW_BYTES + (len(text) if text.isascii() else len(text.encode()))
    if not text.isprintable():
        size += _ESCAPE_BYTES * len(_CONTROL.findall(text)) + _LINE_BYTES * text.count("\n")
    return size


def history(
    connection: Connection,
    conversation: int,
    *,
    after: int | None = None,
    before: int | None = None,
    since: int | None = None,
    limit: int,
) -> Page:
    """See `chat.server.interfaces.IStore.history`."""
    first, last = last_seq(connection, conversation)
    forward = after is not None or since is not None
    lower = max(first - 1, after or 0)
    upper = last + 1 if before is None else min(before, last + 1)
    if since is not None:
        lower = max(lower, last_before(connection, conversation, since, first, last))
    if upper <= lower + 1:
        return Page((), first, last, False)
    base = conversation << SEQ_BITS
    rows: list[Row] = []
    page = PageBound()
    more = False
    for columns in connection.execute(_OLDEST if forward else _NEWEST, (base | lower, base | upper, limit + 1)):
        row = read_row(columns)
        if len(rows) == limit or not page.fits(row):
            more = True
            break
        rows.append(row)
    if not forward:
        rows.reverse()
    return Page(tuple(rows), first, last, more)


def last_before(connection: Connection, conversation: int, time: int, first: int, last: int) -> int:
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


def pair(connection: Connection, pair: Pair) -> int | None:
    """The conversation of a pair, if they have one."""
    found = connection.execute("SELECT conversation FROM pairs WHERE low = ? AND high = ?", pair).fetchone()
    return None if found is None else found[0]


def pairs_of(connection: Connection, account: int) -> dict[int, int]:
    """Everybody an account has talked to privately: account to conversation."""
    found = connection.execute(
        "SELECT high, conversation FROM pairs WHERE low = :account"
        " UNION SELECT low, conversation FROM pairs WHERE high = :account ORDER BY 2",
        {"account": account},
    )
    return dict(found.fetchall())


def ends(connection: Connection) -> dict[int, int]:
    """The newest seq of every conversation that is not empty."""
    found = connection.execute(
        "SELECT id, coalesce((SELECT max(log.id) FROM log WHERE log.id BETWEEN conversations.id << :bits"
        " AND conversations.id << :bits | :most) & :most, first_seq - 1) FROM conversations",
        {"bits": SEQ_BITS, "most": LAST_SEQ},
    )
    return {conversation: last for conversation, last in found if last}
