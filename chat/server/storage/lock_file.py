"""One server for each database: a lock beside the file, which no kill leaves behind."""

from __future__ import annotations

import fcntl
import os

from chat.protocol.errors import Misconfigured
from chat.server.storage.migrations import OTHER_FILE, check_place


class DatabaseLock:
    """A database file that this server alone uses, until `release` or the end of the process.

    It is a lock on ``PATH.lock`` (``flock``), which belongs to the open file and not to the process: it
    survives the fork by which ``twistd`` becomes a daemon, and no kill leaves it behind. Keep the object.

    :param file: the open, locked file.
    :param made: whether it was not there before.
    :ivar path: its name, absolute.
    """

    def __init__(self, file: int, path: str, made: bool) -> None:
        self._file = file
        self.path = path
        self._made = made
        self.sign()

    def sign(self) -> None:
        """Write the number of this process into the file, for whoever finds it locked.

        Once more after a fork: the process that took the lock has ended then.
        """
        os.ftruncate(self._file, 0)
        os.pwrite(self._file, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let another server have the database. The file stays for it."""
        os.close(self._file)

    def withdraw(self) -> None:
        """Release, and leave nothing behind that was not there; for a start that has failed."""
        if self._made:
            os.unlink(self.path)
        self.release()


def hold(path: str) -> DatabaseLock:
    """Take a database file for this server alone.

    :param path: the database file, which need not exist yet; another name of the same file (a symbolic
        link) is the same file.
    :raises Misconfigured: when another server has it, or the lock cannot be made.
    """
    place = os.path.realpath(path)
    check_place(path, place)
    lock = f"{place}.lock"
    while True:
        made = not os.path.exists(lock)
        file = _lock(path, lock)
        if _is_still(file, lock):
            return DatabaseLock(file, lock, made)
        os.close(file)


def _lock(path: str, lock: str) -> int:
    try:
        file = os.open(lock, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Misconfigured(
            f"{path}.lock cannot be created ({error.strerror}). Change its mode, or {OTHER_FILE}."
        ) from error
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.fchmod(file, 0o600)
    except OSError as error:
        process = os.pread(file, 20, 0).decode("ascii", "replace").strip()
        os.close(file)
        raise Misconfigured(
            f"{path} is in use by another chat server (process {process or 'unknown'}). Stop it first, or {OTHER_FILE}."
        ) from error
    return file


def _is_still(file: int, name: str) -> bool:
    """Whether an open file was not removed (`DatabaseLock.withdraw`) between opening and locking it."""
    try:
        there = os.stat(name)
    except FileNotFoundError:
        return False
    return os.path.samestat(os.fstat(file), there)
