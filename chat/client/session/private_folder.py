"""A folder of files that nobody else may read, which several programs of one person use at the same time."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from chat.client.model.failures import ClientFailure


class Folder:
    """One folder, made where it is missing."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self, path: Path) -> dict[str, Any]:
        """A file as a JSON object; an empty one where there is none."""
        try:
            records = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        return records if isinstance(records, dict) else {}

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other clients of this person from writing meanwhile.

        :raises ClientFailure: when nothing can be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            with open(os.open(self.path / "lock", os.O_CREAT | os.O_RDWR, 0o600)) as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        except OSError as error:
            raise ClientFailure(f"{self.path} cannot be written ({error.strerror}).") from None

    def write(self, path: Path, text: str) -> None:
        """Replace a file whole, readable by nobody else."""
        draft = path.with_suffix(".new")
        with self.open(draft) as file:
            file.write(text)
        os.replace(draft, path)

    def open(self, path: Path) -> IO[str]:
        """Begin a file that nobody else may read."""
        descriptor = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600)
        os.fchmod(descriptor, 0o600)
        return os.fdopen(descriptor, "w", encoding="utf-8")
