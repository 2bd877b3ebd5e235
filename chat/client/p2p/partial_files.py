"""Partial files: where an incomplete file waits, and when it is removed.

The rules:

* A part lies hidden in the folder in which the file is to land. It is called after the digest of the whole, so that the
  same file, offered again, goes on where it was.
* It stays when the link is cut, when there is no room, and when the program ends.
* It is removed at once when nothing becomes of the file any more: when it was refused, taken back, or damaged, and when
  the server does not have it any more.
* One that has not grown for `STAYS` is removed when somebody logs in.
* Nothing else is ever removed: nothing under another name, or of another owner, and nothing that a client has open.
"""

from __future__ import annotations

import fcntl
import os
import re
import stat
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

STAYS: Final = 7 * 86_400.0
"""Seconds: as long as servers keep what was left there, unless they are set up otherwise."""

_NAME = re.compile(r"\.chat-[0-9a-f]{32}\.part")


def part_name(digest: bytes) -> str:
    """What the part of a file is called.

    :param digest: SHA-256 of the whole.
    """
    return f".chat-{digest.hex()[:32]}.part"


def is_part(status: os.stat_result) -> bool:
    """Whether a file by such a name may be one of ours."""
    return stat.S_ISREG(status.st_mode) and status.st_nlink == 1 and status.st_uid == os.getuid()


def remove_part(folder: Path, digest: bytes) -> None:
    """Remove what has come of a file that is not on its way, if anything has."""
    _remove(folder / part_name(digest))


def remove_old_parts(folder: Path) -> None:
    """Remove those that have not grown for too long; looks at every name in the folder, so it is slow."""
    with suppress(OSError):  # there is no such folder, or it cannot be read
        for each in os.scandir(folder):
            if _NAME.fullmatch(each.name):
                _remove(Path(each.path), time.time() - STAYS)


def _remove(path: Path, before: float = float("inf")) -> None:
    """:param before: seconds since the epoch, when it has grown last at the latest."""
    with suppress(OSError), open(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)) as part:
        fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
        status = os.fstat(part.fileno())
        if is_part(status) and status.st_mtime < before:
            path.unlink()
