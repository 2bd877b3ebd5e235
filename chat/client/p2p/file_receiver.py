"""Receives a file: it grows under a hidden name, and gets its own name once it is complete and checked.

The rules:

* Nothing is written outside of the one folder: it is opened once, and every name in it is one component.
* No file that is there is touched: a name that is taken gets a number.
* Under its own name a file is never half: it gets that at once, when its digest is the one that was offered.
* What has come waits as `chat.client.p2p.partial_files` says.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from threading import RLock
from typing import Final

from chat.client.model.failures import BadFile, Damaged
from chat.client.p2p.chunk_cipher import PIECE, ChunkCipher
from chat.client.p2p.offer import Offer, human
from chat.client.p2p.partial_files import is_part, part_name

MOST_NUMBERED: Final = 1_000
"""Files of one name."""


def free_bytes(folder: int) -> int:
    """What a person may still write where an open folder lies."""
    space = os.statvfs(folder)
    return space.f_bavail * space.f_frsize


class FileReceiver:
    """One file on its way into a folder.

    :param free: how many bytes there are left where an open folder lies.
    :raises BadFile: when it cannot be written there, or is on its way already.
    """

    def __init__(self, folder: Path, offer: Offer, free: Callable[[int], int] = free_bytes) -> None:
        self.offer = offer
        self._free = free
        self._lock = RLock()
        self._ended = False
        self._pieces = ChunkCipher(offer.id, offer.key)
        self._digest = sha256()
        self._next = 0
        self._part = part_name(offer.digest)
        self._path = folder
        self._file = self._folder = -1
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._folder = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            self._open()
        except BadFile:
            self.close()
            raise
        except BlockingIOError:
            self.close()
            raise BadFile(f"{offer.name} is already being transferred.") from None
        except OSError as error:
            self.close()
            raise BadFile(f"Cannot write to {folder}: {error.strerror}.") from None

    def _open(self) -> None:
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self._file = os.open(self._part, flags, 0o600, dir_fd=self._folder)
        fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.fstat(self._file)
        if not is_part(status):
            raise BadFile(f"{self._path / self._part} is in the way. Remove it, then try again.")
        missing = self.offer.size - status.st_size
        if missing > self._free(self._folder):
            raise BadFile(f"Not enough space in {self._path}: {human(missing)} more are needed.")

    @property
    def next(self) -> int:
        """The number of the piece that is missing first."""
        return self._next

    @property
    def whole(self) -> bool:
        """Whether none is missing."""
        return self._next == self.offer.pieces

    @property
    def have(self) -> int:
        """Bytes that have come."""
        return min(self._next * PIECE, self.offer.size)

    def resume(self) -> None:
        """See what has come before, in whole pieces; reads it, so it is slow.

        :raises BadFile: when it cannot be read.
        """
        with self._lock:
            while not (self._ended or self.whole):
                data = self._read(self._next)
                if len(data) != self._length(self._next):
                    return
                self._digest.update(data)
                self._next += 1

    def add(self, number: int, sealed: bytes) -> None:
        """A piece has come; one that is not the next is left out.

        :raises Damaged: when it does not belong there.
        :raises BadFile: when it cannot be written.
        """
        if number != self._next or self.whole:
            return
        plain = self._pieces.open(number, sealed)
        if len(plain) != self._length(number):
            raise Damaged("The file was altered on its way. The transfer was stopped.")
        try:
            os.pwrite(self._file, plain, number * PIECE)
        except OSError as error:
            raise BadFile(f"Cannot write to {self._path}: {error.strerror}.") from None
        self._digest.update(plain)
        self._next += 1

    def finish(self) -> Path:
        """Check the whole, and give it its name; returns when it is on disk, so it is slow.

        :raises Damaged: when it is not what was offered; nothing of it is kept.
        :raises BadFile: when it cannot get a name.
        """
        with self._lock:
            return self._finish()

    def _finish(self) -> Path:
        try:
            os.ftruncate(self._file, self.offer.size)
            if self._digest.digest() != self.offer.digest:
                os.unlink(self._part, dir_fd=self._folder)
                raise Damaged(f"{self.offer.name} is not the file that was offered. It was deleted.")
            os.fsync(self._file)
            name = self._name()
            os.unlink(self._part, dir_fd=self._folder)
            os.fsync(self._folder)
        except OSError as error:
            raise BadFile(f"Cannot write to {self._path}: {error.strerror}.") from None
        finally:
            self.close()
        return self._path / name

    def _name(self) -> str:
        """Link the file under the first name that is free."""
        stem, dot, ending = self.offer.name.rpartition(".")
        if not stem:
            stem, dot, ending = self.offer.name, "", ""
        for number in range(1, MOST_NUMBERED + 1):
            name = f"{stem} ({number}){dot}{ending}" if number > 1 else self.offer.name
            try:
                os.link(self._part, name, src_dir_fd=self._folder, dst_dir_fd=self._folder, follow_symlinks=False)
                return name
            except FileExistsError:
                continue
        raise BadFile(f"{self._path} already has {MOST_NUMBERED:,} files called {self.offer.name}.")

    def close(self) -> None:
        """Let go of it; what has come stays. A thread that reads it stops, one that checks it is waited for."""
        self._ended = True
        with self._lock:
            for each in (self._file, self._folder):
                if each >= 0:
                    os.close(each)
            self._file = self._folder = -1

    def discard(self) -> None:
        """Let go of it, and of what has come."""
        self._ended = True
        with self._lock:
            if self._folder >= 0:
                with suppress(OSError):
                    os.unlink(self._part, dir_fd=self._folder)
            self.close()

    def _length(self, number: int) -> int:
        return min(PIECE, self.offer.size - number * PIECE)

    def _read(self, number: int) -> bytes:
        try:
            return os.pread(self._file, self._length(number), number * PIECE)
        except OSError as error:
            raise BadFile(f"Cannot read {self._path / self._part}: {error.strerror}.") from None
