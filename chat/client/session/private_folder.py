"""Files that only their owner may read, in a folder that several programs of one person use at the same time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from chat.client.model.failures import ClientFailure


def create_private(path: Path) -> IO[bytes]:
    """Create a file with mode 0600, in place of any that has this name.

    :raises OSError: when that is not possible.
    """
    path.unlink(missing_ok=True)
    return open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def replace_private(path: Path, content: bytes, *, durable: bool = False) -> None:
    """Write a file with mode 0600 atomically: readers see the old content or the new, never a part.

    :param durable: return only when the content is on disk.
    :raises OSError: when it cannot be written; the old file is then still there.
    """
    draft = path.with_name(f"{path.name}.new")
    with create_private(draft) as file:
        file.write(content)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    draft.replace(path)
    if durable:
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class Folder:
    """One folder; `locked` creates it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, path: Path) -> dict[str, Any]:
        """Read a file as a JSON object; an empty one if there is none."""
        try:
            records = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return records if isinstance(records, dict) else {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep this person's other clients from writing at the same time.

        :raises ClientFailure: when nothing can be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(self.path / "lock", os.O_CREAT | os.O_RDWR, 0o600)) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise ClientFailure(f"Cannot write to {self.path}: {error.strerror}.") from None
