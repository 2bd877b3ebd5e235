"""A file of secrets under a passphrase; exported keys travel to another machine in the same format.

The key is scrypt's (RFC 7914) of the passphrase, the file AES-256-GCM (NIST SP 800-38D) of JSON. Every save has a new
random nonce and takes the place of the file before at once: a kill at any moment leaves the one or the other.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from chat.client.model.failures import BadKeyFile
from chat.client.session.private_folder import replace_private

COST: Final = 2**16
"""scrypt's N, with r = 8 and p = 1: 64 MiB and some tenths of a second for each guess."""

MOST_COST: Final = 2**20
"""A file that asks for more is damaged, or meant to stop the machine."""

_MAGIC: Final = b"chat keys 1\n"
SALT, NONCE = 16, 12
WRONG: Final = "Wrong passphrase, or the key file is damaged."


class KeyFile:
    """An open file of secrets.

    :param path: where it is, or is to be; made with mode 0600.
    """

    def __init__(self, path: Path, salt: bytes, cost: int, key: bytes) -> None:
        self._path = path
        self._head = _MAGIC + cost.to_bytes(4) + salt
        self._cipher = AESGCM(key)

    @classmethod
    def make(cls, path: Path, passphrase: str, cost: int = COST) -> KeyFile:
        """A file that is written with the first `save`. Slow.

        :raises BadKeyFile: when the passphrase is empty.
        """
        if not passphrase:
            raise BadKeyFile("The passphrase must not be empty.")
        salt = os.urandom(SALT)
        return cls(path, salt, cost, stretch(passphrase, salt, cost))

    @classmethod
    def open(cls, path: Path, passphrase: str) -> tuple[KeyFile, Any]:
        """Read a file. Slow.

        :returns: the file, and what was saved in it.
        :raises BadKeyFile: when the passphrase is wrong or the file damaged; which of both cannot be told.
        :raises OSError: when it cannot be read.
        """
        content = path.read_bytes()
        head = len(_MAGIC) + 4 + SALT
        cost = int.from_bytes(content[len(_MAGIC) : head - SALT])
        # A power of two, as scrypt wants it.
        if not content.startswith(_MAGIC) or not 1 < cost <= MOST_COST or cost & (cost - 1):
            raise BadKeyFile("This is not a key file.")
        salt = content[head - SALT : head]
        file = cls(path, salt, cost, stretch(passphrase, salt, cost))
        nonce, sealed = content[head : head + NONCE], content[head + NONCE :]
        try:
            return file, json.loads(file._cipher.decrypt(nonce, sealed, file._head))
        except (InvalidTag, ValueError, RecursionError):
            raise BadKeyFile(WRONG) from None

    def save(self, secrets: Any) -> None:
        """Write in place of what was there, and return when it is on disk.

        :param secrets: plain JSON values.
        :raises OSError: when it cannot be written; the file before is still there.
        """
        nonce = os.urandom(NONCE)
        sealed = self._cipher.encrypt(nonce, json.dumps(secrets).encode(), self._head)
        replace_private(self._path, self._head + nonce + sealed, durable=True)


def stretch(passphrase: str, salt: bytes, cost: int) -> bytes:
    """The key of a passphrase. Slow, so that guessing is."""
    return Scrypt(salt=salt, length=32, n=cost, r=8, p=1).derive(passphrase.encode())


def written(secret: bytes) -> str:
    """Bytes as a JSON value."""
    return b64encode(secret).decode()


def read(value: str) -> bytes:
    """What `written` wrote."""
    return b64decode(value, validate=True)
