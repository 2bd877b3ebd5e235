"""What is known of an account, and all that it wrote, as JSON lines in a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any, Final

from chat.protocol.errors import NotWritten
from chat.protocol.values import write_time
from chat.server.storage.connection import Connection
from chat.server.storage.private_files import empty_file, put, reason, remove
from chat.server.storage.transaction import LAST_SEQ, SEQ_BITS

_WHOLE: Final = (
    ("account", "SELECT shown AS name, realname, rank, created, seen, settings FROM accounts WHERE id = ?"),
    ("device", "SELECT device, seen FROM devices WHERE account = ? ORDER BY device"),
    ("network", "SELECT network, seen FROM networks WHERE account = ? ORDER BY seen"),
    (
        "room",
        "SELECT rooms.shown AS room, members.role, members.joined, members.notify"
        " FROM members JOIN rooms USING (conversation) WHERE account = ? ORDER BY conversation",
    ),
    (
        "block",
        "SELECT accounts.shown AS name FROM blocks JOIN accounts ON accounts.id = other WHERE account = ?"
        " ORDER BY other",
    ),
    ("sanction", "SELECT kind, until, reason, by, created FROM sanctions WHERE account = ? ORDER BY created"),
)
"""What is asked for, by the type of its lines."""

_TIMES: Final = frozenset({"created", "seen", "joined", "until"})

_WRITTEN: Final = (
    f"SELECT log.id >> {SEQ_BITS} AS conversation, log.id & {LAST_SEQ} AS seq, log.kind, log.device, log.time, log.ref,"
    " rooms.shown AS room, partners.shown AS partner, log.scheme, log.body FROM log"
    f" LEFT JOIN rooms ON rooms.conversation = log.id >> {SEQ_BITS}"
    f" LEFT JOIN pairs ON pairs.conversation = log.id >> {SEQ_BITS}"
    " LEFT JOIN accounts AS partners"
    " ON partners.id = CASE WHEN pairs.low = log.author THEN pairs.high ELSE pairs.low END"
    " WHERE log.author = ? ORDER BY log.id"
)


def export(connection: Connection, account: int, file: str) -> int:
    """See `chat.server.interfaces.IStore.export`."""
    if os.path.lexists(file):
        raise NotWritten(f"{file} already exists. Use another name, or move it away.")
    lines = 0
    try:
        draft = empty_file(f"{file}.new")
        try:
            with open(draft, "w", encoding="utf-8") as out:
                for line in _lines(connection, account):
                    out.write(json.dumps(line, ensure_ascii=False) + "\n")
                    lines += 1
            put(draft, file)
        except BaseException:
            remove(draft)
            raise
    except OSError as error:
        raise NotWritten(f"{file} cannot be written ({reason(error)}).") from None
    return lines


def _lines(connection: Connection, account: int) -> Iterator[dict[str, Any]]:
    """Every line, as programs read them elsewhere: times of RFC 3339, ids of messages, names of rooms and people."""
    for kind, sql in _WHOLE:
        for found in _objects(connection, sql, account):
            for name in _TIMES & found.keys():
                found[name] = write_time(found[name]) if found[name] is not None else None
            if "settings" in found:
                found["settings"] = json.loads(found["settings"])
            yield {"type": kind, **found}
    for found in _objects(connection, _WRITTEN, account):
        yield _message(found)


def _message(row: dict[str, Any]) -> dict[str, Any]:
    letter, where = ("r", {"room": row["room"]}) if row["room"] is not None else ("k", {"with": row["partner"]})
    conversation = f"{letter}{row['conversation']}"
    written = {"type": "message", "msgid": f"{conversation}.{row['seq']}", **where, "kind": row["kind"]}
    written |= {"time": write_time(row["time"]), "device": row["device"]}
    if row["ref"] is not None:
        written["ref"] = f"{conversation}.{row['ref']}"
    if isinstance(row["body"], bytes):
        written["sealed"] = row["scheme"]  # only its readers have the key
    elif row["body"] is not None:
        written["text"] = row["body"]
    return written


def _objects(connection: Connection, sql: str, account: int) -> Iterator[dict[str, Any]]:
    found = connection.execute(sql, (account,))
    names = [column[0] for column in found.description]
    for row in found:
        yield dict(zip(names, row, strict=True))
