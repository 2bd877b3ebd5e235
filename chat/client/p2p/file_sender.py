"""Sends a file: opens it once, measures it, and reads it chunk by chunk."""

from __future__ import annotations

import os
import shlex
import stat
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Final

from chat.client.model.failures import BadFile, BadOffer
from chat.client.p2p.chunk_cipher import ID_BYTES, KEY_BYTES, PIECE, ChunkCipher, count
from chat.client.p2p.offer import MOST_SIZE, Offer, human

WINDOW: Final = 32
"""Chunks in flight: 1 MiB, which is what a slow reader makes the sender hold."""


def typed_path(words: str) -> Path:
    """A path as people type it, or as terminals paste one: in quotes, or with its blanks escaped.

    ``~`` in it is one's own folder.
    """
    path = Path(os.path.expanduser(words))
    if not path.exists():
        with suppress(ValueError):
            parts = shlex.split(words)
            if len(parts) == 1:
                return Path(os.path.expanduser(parts[0]))
    return path


class FileSender:
    """An open file, the offer that is made of it, and its pieces.

    :raises BadFile: when it cannot be read, or is no ordinary file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pieces = ChunkCipher(b"", bytes(KEY_BYTES))
        self._sent = 0
        try:
            # A pipe would otherwise wait for somebody to write into it.
            self._file = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise BadFile(f"Cannot read {path}: {error.strerror}.") from None
        status = os.fstat(self._file)
        self._size = status.st_size
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise BadFile(
                f"{path} is not a regular file. To send a folder, pack it first: tar czf FOLDER.tar.gz FOLDER"
            )
        if self._size > MOST_SIZE:
            self.close()
            raise BadFile(f"{path} is too large: {human(self._size)}, at most {human(MOST_SIZE)}.")

    def close(self) -> None:
        """Let go of it."""
        file, self._file = self._file, -1
        if file >= 0:
            os.close(file)

    def offer(self) -> Offer:
        """What to say of it, under a new id and key; reads it whole, so it is slow.

        :raises BadFile: when it changes meanwhile, or cannot be read.
        """
        digest = sha256()
        for number in range(count(self._size)):
            digest.update(self._read(number))
        offer = Offer(os.urandom(ID_BYTES), self._path.name, self._size, digest.digest(), os.urandom(KEY_BYTES))
        self._pieces = ChunkCipher(offer.id, offer.key)
        return offer

    def piece(self, number: int) -> bytes:
        """A piece, sealed.

        :raises BadFile: when the file is shorter than it was.
        """
        return self._pieces.seal(number, self._read(number))

    def go_to(self, first: int) -> None:
        """The other end wants pieces from there on."""
        self._sent = first

    def due(self, upto: int) -> Iterator[tuple[int, bytes]]:
        """The pieces to send now, with their numbers.

        :param upto: the other end has all pieces before this one.
        :raises BadOffer: when it says to have what was not sent.
        :raises BadFile: as `piece`.
        """
        if upto > self._sent:
            raise BadOffer("The other end confirmed data that was not sent.")
        while self._sent < min(upto + WINDOW, count(self._size)):
            yield self._sent, self.piece(self._sent)
            self._sent += 1

    def _read(self, number: int) -> bytes:
        size = min(PIECE, self._size - number * PIECE)
        try:
            data = os.pread(self._file, size, number * PIECE)
        except OSError as error:
            raise BadFile(f"Cannot read {self._path}: {error.strerror}.") from None
        if len(data) != size:
            raise BadFile(f"{self._path} changed while it was being sent. Send it again.")
        return data
