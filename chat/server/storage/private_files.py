"""Files that are there whole or not at all, and that only their owner can read."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from chat.server.storage.connection import Connection


def empty_file(name: str) -> str:
    """Make an empty file that only its owner can read, whatever the umask, in place of an older one."""
    remove(*with_companions(name))
    file = os.open(name, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    os.fchmod(file, 0o600)
    os.close(file)
    return name


def reason(error: Exception) -> str:
    """Why a file could not be written, for the operator."""
    words = getattr(error, "strerror", None) or str(error)
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        # The operator, who runs chatctl, may write there; the server that does it may not.
        return f"{words} for the server; under systemd, ReadWritePaths in its unit names the folders where it may write"
    return words


def with_companions(name: str) -> tuple[str, ...]:
    """A database, and the files that SQLite keeps beside it."""
    return name, f"{name}-wal", f"{name}-shm", f"{name}-journal"


def remove(*names: str) -> None:
    for name in names:
        Path(name).unlink(missing_ok=True)


def put(draft: str, place: str) -> None:
    """Rename a finished file to where it belongs, durably."""
    sync(draft)
    os.replace(draft, place)
    sync(os.path.dirname(place))


def sync(name: str) -> None:
    file = os.open(name, os.O_RDONLY)
    try:
        os.fsync(file)
    finally:
        os.close(file)


def copy(connection: Connection, place: str) -> None:
    """Write what is committed, as of one moment, into a database of its own; writers go on meanwhile.

    :raises Exception: when that fails, as the connection or the disk says; nothing is left then.
    """
    draft = empty_file(f"{place}.new")
    try:
        connection.execute("VACUUM INTO ?", (draft,))
        put(draft, place)
    except BaseException:
        remove(draft, f"{draft}-journal")
        raise
