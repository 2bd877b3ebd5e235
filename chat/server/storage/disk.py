"""How much of the disk is used and left."""

from __future__ import annotations

import os
from contextlib import suppress

from chat.server.interfaces import Disk


def look(path: str) -> Disk:
    """What a database takes, with the files beside it, and what its file system has left for this user."""
    used = 0
    for name in (path, f"{path}-wal"):
        with suppress(OSError):
            used += os.path.getsize(name)
    try:
        system = os.statvfs(os.path.dirname(path) or ".")
    except OSError:
        return Disk(used, None)
    return Disk(used, system.f_bavail * system.f_frsize)
