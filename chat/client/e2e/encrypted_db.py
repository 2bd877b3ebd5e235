"""An encrypted SQLite file of many small secrets, saved together or not at all.

A random key encrypts the records (AES-256-GCM, NIST SP 800-38D); it lies in the file itself, encrypted under scrypt
(RFC 7914) of a passphrase. Names of records are hashed with it, so the file shows how much is kept and nothing of what.
One program at a time has it open: two that turned the same ratchet would use a key twice.
"""

from __future__ import annotations

import hmac
import json
import os
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chat.client.e2e.key_export import COST, MOST_COST, NONCE, SALT, WRONG, stretch
from chat.client.model.failures import BadKeyFile, KeysInUse
from chat.client.session.private_folder import create_private

BUSY_TIMEOUT: Final = 3.0
"""Seconds to wait for another program to close the file: one that is being signed out elsewhere does so."""

_TABLES: Final = """
    CREATE TABLE head (version INTEGER NOT NULL, cost INTEGER NOT NULL, salt BLOB NOT NULL, locked BLOB NOT NULL);
    CREATE TABLE kept (name BLOB PRIMARY KEY, content BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE said (
        place   BLOB    NOT NULL,
        seq     INTEGER NOT NULL,
        content BLOB    NOT NULL,
        PRIMARY KEY (place, seq)
    ) WITHOUT ROWID;
"""

_VERSION: Final = 1

Message = tuple[str, int, Mapping[str, Any]]
"""Where something was said, at which seq, and what is kept of it."""


class EncryptedDatabase:
    """An open file of secrets; see `open_database` and `make_database`."""

    def __init__(self, connection: sqlite3.Connection, key: bytes) -> None:
        self.key = key
        self._connection = connection
        self._cipher = AESGCM(key)

    def close(self) -> None:
        """Let another program have it."""
        self._connection.close()

    def write(
        self, records: Mapping[str, Any], said: Iterable[Message] = (), gone: Iterable[tuple[str, int]] = ()
    ) -> None:
        """Keep records, all of them or none, and return when they are on disk.

        :param records: by name; plain JSON values. They take the place of those of the same name.
        :param said: messages to be found again.
        :param gone: where and at which seq a message was taken back.
        :raises sqlite3.Error: when that is not possible; what was kept before is still there.
        """
        kept = [(self._hidden(name), self._seal(name, value)) for name, value in records.items()]
        found = [(self._hidden(place), seq, self._seal(f"{place} {seq}", [place, value])) for place, seq, value in said]
        lost = [(self._hidden(place), seq) for place, seq in gone]
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            connection.executemany("INSERT OR REPLACE INTO kept VALUES (?, ?)", kept)
            connection.executemany("INSERT OR REPLACE INTO said VALUES (?, ?, ?)", found)
            connection.executemany("DELETE FROM said WHERE place = ? AND seq = ?", lost)

    def read(self) -> dict[str, Any]:
        """All records.

        :raises BadKeyFile: when one was changed.
        """
        return dict(self._open(content) for _, content in self._connection.execute("SELECT name, content FROM kept"))

    def pages(self, place: str, size: int) -> Iterator[list[bytes]]:
        """What was said, a page at a time and as it is kept; `opened` reads it.

        :param place: only there, or empty for all places.
        """
        where, values = ("WHERE place = ?", (self._hidden(place),)) if place else ("", ())
        cursor = self._connection.execute(f"SELECT content FROM said {where} ORDER BY place, seq DESC", values)
        while rows := cursor.fetchmany(size):
            yield [content for (content,) in rows]

    def opened(self, rows: Iterable[bytes]) -> list[Message]:
        """Messages of `pages`; in any thread.

        :raises BadKeyFile: when one was changed.
        """
        messages = []
        for content in rows:
            name, (place, words) = self._open(content)
            messages.append((place, int(name.rpartition(" ")[2]), words))
        return messages

    def relock(self, passphrase: str, cost: int = COST) -> None:
        """Put the file under another passphrase. Slow."""
        salt = os.urandom(SALT)
        locked = _encrypt(AESGCM(stretch(passphrase, salt, cost)), self.key)
        with self._connection as connection:
            connection.execute("UPDATE head SET cost = ?, salt = ?, locked = ?", (cost, salt, locked))

    def _hidden(self, name: str) -> bytes:
        return hmac.digest(self.key, name.encode(), sha256)[:16]

    def _seal(self, name: str, value: Any) -> bytes:
        return _encrypt(self._cipher, json.dumps([name, value], separators=(",", ":")).encode())

    def _open(self, content: bytes) -> tuple[str, Any]:
        name, value = json.loads(_decrypt(self._cipher, content))
        return name, value


def make_database(path: Path, passphrase: str, cost: int = COST) -> EncryptedDatabase:
    """Make a file, readable by nobody else. Slow.

    :raises BadKeyFile: when the passphrase is empty, or there is such a file.
    """
    if not passphrase:
        raise BadKeyFile("The passphrase must not be empty.")
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f"{path.name}.new")
    create_private(draft).close()
    key, salt = os.urandom(32), os.urandom(SALT)
    connection = _connect(draft)
    connection.executescript(_TABLES)
    head = _VERSION, cost, salt, _encrypt(AESGCM(stretch(passphrase, salt, cost)), key)
    connection.execute("INSERT INTO head VALUES (?, ?, ?, ?)", head)
    connection.close()
    try:
        os.link(draft, path)
    except FileExistsError:
        raise BadKeyFile(f"{path} already exists.") from None
    finally:
        draft.unlink()
    return open_with_key(path, key)


def open_database(path: Path, passphrase: str) -> EncryptedDatabase:
    """Open a file by its passphrase. Slow.

    :raises BadKeyFile: when the passphrase is wrong, or the file damaged.
    :raises KeysInUse: when another program has it open.
    """
    connection = _connect(path)
    cost, salt, locked = _head(connection)
    try:
        return EncryptedDatabase(connection, _decrypt(AESGCM(stretch(passphrase, salt, cost)), locked))
    except BadKeyFile:
        connection.close()
        raise


def open_with_key(path: Path, key: bytes) -> EncryptedDatabase:
    """Open a file by the key that `EncryptedDatabase.key` gave.

    :raises BadKeyFile, KeysInUse: as `open_database`; also when it is the key of another file.
    """
    connection = _connect(path)
    _head(connection)
    database = EncryptedDatabase(connection, key)
    try:
        database.read()
    except BadKeyFile:
        connection.close()
        raise
    return database


def _connect(path: Path) -> sqlite3.Connection:
    """The file, for this program alone."""
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw",
            uri=True,
            timeout=BUSY_TIMEOUT,
            isolation_level=None,
            check_same_thread=False,
        )
        # The log needs no file of shared memory where one program alone has it open (sqlite.org/wal.html, section 8).
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if "locked" in str(error):
            raise KeysInUse("Another chat client on this machine uses your keys. Close it first.") from None
        raise BadKeyFile(f"Cannot open {path}: {error}.") from None
    except sqlite3.DatabaseError:
        raise BadKeyFile(f"{path} is not a key file.") from None
    return connection


def _head(connection: sqlite3.Connection) -> tuple[int, bytes, bytes]:
    """The cost, the salt, and the key as it is locked away."""
    try:
        version, cost, salt, locked = connection.execute("SELECT version, cost, salt, locked FROM head").fetchone()
    except (sqlite3.DatabaseError, TypeError):
        connection.close()
        raise BadKeyFile("This is not a key file.") from None
    if version != _VERSION or not 1 < cost <= MOST_COST or cost & (cost - 1):
        connection.close()
        raise BadKeyFile("This key file is damaged, or a newer version of chat wrote it.")
    return cost, salt, locked


def _encrypt(cipher: AESGCM, plain: bytes) -> bytes:
    nonce = os.urandom(NONCE)
    return nonce + cipher.encrypt(nonce, plain, None)


def _decrypt(cipher: AESGCM, content: bytes) -> bytes:
    try:
        return cipher.decrypt(content[:NONCE], content[NONCE:], None)
    except (InvalidTag, ValueError):
        raise BadKeyFile(WRONG) from None
