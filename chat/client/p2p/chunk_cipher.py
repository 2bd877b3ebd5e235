"""Encrypts the chunks of a file one by one (AES-256-GCM, NIST SP 800-38D). Pure.

The number of a piece and the file that it belongs to are bound to it, so none fits in another place. Each is sealed
under a random nonce: one that is sent again, even of a file that has changed meanwhile, never uses one twice. (A key
seals 2 ** 32 pieces at most by section 8.3 there; `MOST_PIECES` lets every one be sent again 2,000 times.)
"""

from __future__ import annotations

import os
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chat.client.model.failures import Damaged

PIECE: Final = 32 * 1024
"""Bytes of a piece in the clear; sealed and in base 64 it fits in a frame to the server."""

MOST_PIECES: Final = 2**21
"""64 GiB."""

ID_BYTES: Final = 16
KEY_BYTES: Final = 32
_NONCE: Final = 12
SEALED_BYTES: Final = PIECE + _NONCE + 16
"""Bytes of the largest piece as it is sent."""


def count(size: int) -> int:
    """How many pieces a file of so many bytes has."""
    return -(-size // PIECE)


class ChunkCipher:
    """Encrypts and decrypts the chunks of one file.

    :param id: of the file, random.
    :param key: random, for this file alone.
    """

    def __init__(self, id: bytes, key: bytes) -> None:
        self._id = id
        self._cipher = AESGCM(key)

    def seal(self, number: int, plain: bytes) -> bytes:
        """A piece as it is sent."""
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, plain, self._bound(number))

    def open(self, number: int, sealed: bytes) -> bytes:
        """What was sealed.

        :raises Damaged: when it was changed, or belongs somewhere else.
        """
        try:
            return self._cipher.decrypt(sealed[:_NONCE], sealed[_NONCE:], self._bound(number))
        except (InvalidTag, ValueError):
            raise Damaged("The file was altered on its way. The transfer was stopped.") from None

    def _bound(self, number: int) -> bytes:
        return b"chat piece 1" + self._id + number.to_bytes(4)
