"""What a database remembers of the backups that were put in its place: up to where the log is what clients saw."""

from __future__ import annotations

from collections.abc import Sequence

from chat.server.storage.connection import Connection
from chat.server.storage.log import ends


def note_restored(connection: Connection, before: Sequence[tuple[int, int, int]], when: int) -> None:
    """Note that a database is going to be put in the place of another one.

    Clients go by the one of before. It may have been a backup itself, of an earlier time than this one: then all that
    was said since is another past than the one that clients have seen, although both have it.

    :param connection: the database that comes, in a transaction.
    :param before: what the one of before says (`all_restored`), as far as it can be read.
    :param when: milliseconds since the epoch.
    """
    known = {time for (time,) in connection.execute("SELECT DISTINCT time FROM restored")}
    kept = ends(connection)
    latest = last_restored(connection)
    for time, conversation, last in before:
        latest = max(latest, time)
        if time not in known and conversation in kept:
            kept[conversation] = min(kept[conversation], last)
    time = max(when, latest + 1)  # the clock may have been set back
    connection.executemany(
        "INSERT INTO restored (time, conversation, last) VALUES (?, ?, ?)",
        [(time, conversation, last) for conversation, last in kept.items()],
    )


def all_restored(connection: Connection) -> list[tuple[int, int, int]]:
    """When backups were put in place, and the last seq of each conversation that is still what clients had seen."""
    return connection.execute("SELECT time, conversation, last FROM restored").fetchall()


def last_restored(connection: Connection) -> int:
    """When a backup was put in place last, milliseconds since the epoch; 0 when that never was."""
    last: int = connection.execute("SELECT coalesce(max(time), 0) FROM restored").fetchone()[0]
    return last


def restored_since(connection: Connection, account: int, since: int) -> dict[int, int]:
    """Up to where the conversations of an account are still what they were at a time."""
    found = connection.execute(
        "SELECT conversation, min(last) FROM restored WHERE time > :since AND conversation IN"
        " (SELECT conversation FROM members WHERE account = :account"
        " UNION SELECT conversation FROM pairs WHERE low = :account"
        " UNION SELECT conversation FROM pairs WHERE high = :account) GROUP BY conversation",
        {"account": account, "since": since},
    )
    return dict(found.fetchall())
