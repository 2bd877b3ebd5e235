"""The traffic log: one JSON object a line for everything that happens, never what was said.

A file that its owner alone can read, rotated by size. It is no part of the promise: it is not synced, and a disk that
refuses it stops nobody from talking.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import fields
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring
from typing import Any, Final

from twisted.python.logfile import LogFile

from chat.errors import Misconfigured
from chat.events import Traffic
from chat.journal import Logger

ROTATE: Final = 16 * 1024 * 1024
"""Bytes after which a file is put aside and another one begun."""

KEPT: Final = 10
"""Files that are put aside before the oldest one goes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAMES: Final = tuple(
    (each.name, "with" if each.name == "partner" else each.name) for each in fields(Traffic) if each.name != "time"
)
"""Each field, and what it is called in a line."""


class TrafficFile:
    """:raises Misconfigured: when the file cannot be written."""

    _log = Logger()

    def __init__(self, path: str, rotate: int = ROTATE, kept: int = KEPT) -> None:
        self._path = os.path.abspath(path)
        self._failing = False
        self._closed = False
        try:
            folder, name = os.path.split(self._path)
            self._file: Any = LogFile(name, folder, rotateLength=rotate, defaultMode=0o600, maxRotatedFiles=kept)
            os.chmod(self._path, 0o600)
        except OSError as error:
            raise Misconfigured(
                f"traffic-log: {path} cannot be written ({error.strerror}). Choose another file, or none."
            ) from None

    def write(self, events: Sequence[Traffic]) -> None:
        """Write what one commit, or one act, has brought, in one piece; nothing after the end."""
        if self._closed:
            return
        try:
            self._file.write("".join(map(line, events)))
        except (OSError, ValueError) as error:
            if not self._failing:
                self._log.error("The traffic log {path} cannot be written: {error}", path=self._path, error=error)
            self._failing = True
        else:
            self._failing = False

    def close(self) -> None:
        self._closed = True
        self._file.close()


def line(event: Traffic) -> str:
    """One event as a line; what has nothing to say is left out.

    Every message pays for this, so its few strings and numbers are put together here: an encoder takes three times
    as long.
    """
    written = [f'{{"time":"{_second(event.time // 1000)}.{event.time % 1000:03}Z"']
    for field, name in _NAMES:
        if value := getattr(event, field):
            written.append(f',"{name}":{encode_basestring(value) if isinstance(value, str) else value}')
    return "".join(written) + "}\n"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    """Seconds since the epoch as date and time; many lines are of the same one."""
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
