"""The traffic log: one JSON object a line for everything that happens, never what was said.

A file that its owner alone can read, rotated by size. It is no part of the promise: it is not synced, and a disk that
refuses it stops nobody from talking.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from json.encoder import encode_basestring
from threading import Lock
from typing import Any, Final

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.python.logfile import LogFile

from chat.protocol.errors import Misconfigured
from chat.protocol.events import Traffic
from chat.server.logs import Logger

ROTATE: Final = 16 * 1024 * 1024
"""Bytes after which a file is put aside and another one begun."""

KEPT: Final = 10
"""Files that are put aside before the oldest one goes."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


MOST_WAITING: Final = 100_000
"""Lines that may wait for a slow disk; what comes beyond is counted and not kept."""


class TrafficFile:
    """:param soon: calls after a moment, when all that has come meanwhile is written in one piece; without it
        everything is written at once.
    :param in_thread: calls a function where it may wait for the disk.
    :raises Misconfigured: when the file cannot be written.
    """

    _log = Logger()

    def __init__(
        self,
        path: str,
        rotate: int = ROTATE,
        kept: int = KEPT,
        soon: Callable[[Callable[[], object]], object] | None = None,
        in_thread: Callable[[Callable[[], Any]], Deferred[Any]] = maybeDeferred,
    ) -> None:
        self._path = os.path.abspath(path)
        self._soon = soon
        self._in_thread = in_thread
        self._lines: list[str] = []
        self._left_out = 0
        self._handed_over = ""
        self._lock = Lock()
        self._writing = False
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
        """Write what one commit, or one act, has brought; nothing after the end."""
        if self._closed:
            return
        if len(self._lines) >= MOST_WAITING:
            self._left_out += len(events)
            return
        if not self._lines and self._soon is not None:
            self._soon(self._flush)
        self._lines += map(line, events)
        if self._soon is None:
            self._flush()

    def _flush(self) -> None:
        if self._writing or self._closed or not self._lines:
            return
        self._writing = True
        self._handed_over, self._lines = "".join(self._lines), []
        self._in_thread(self._put).addCallback(self._written)

    def _put(self) -> Exception | None:
        """Write what was handed over, wherever this runs.

        :returns: why that was not possible.
        """
        with self._lock:
            text, self._handed_over = self._handed_over, ""
            try:
                if text:
                    self._file.write(text)
            except (OSError, ValueError) as error:
                return error
        return None

    def _written(self, error: Exception | None) -> None:
        self._writing = False
        if error is not None and not self._failing:
            self._log.error("The traffic log {path} cannot be written: {error}", path=self._path, error=error)
        self._failing = error is not None
        if self._left_out:
            self._log.error(
                "{left_out} lines of the traffic log {path} were dropped: the disk is too slow.",
                left_out=self._left_out,
                path=self._path,
            )
            self._left_out = 0
        self._flush()

    def close(self) -> None:
        """Write what waits, and wait for it; what is being written elsewhere comes before."""
        if self._closed:
            return
        self._closed = True
        self._put()
        self._handed_over = "".join(self._lines)
        self._put()
        self._file.close()


def line(event: Traffic) -> str:
    """One event as a line; what has nothing to say is left out.

    Every message pays for this, so what comes again and again is kept as it was written: who, and where. An encoder
    takes ten times as long.
    """
    second, thousandths = divmod(event.time, 1000)
    who = _who(event.kind, event.account, event.session, event.network)
    where = _where(event.conversation, event.room, event.partner)
    size = f',"size":{event.size}' if event.size else ""
    count = f',"count":{event.count}' if event.count else ""
    return f'{{"time":"{_second(second)}.{thousandths:03}Z"{who}{where}{size}{count}}}\n'


@lru_cache(maxsize=4_096)
def _who(kind: str, account: str, session: int, network: str) -> str:
    return _members(kind=kind, account=account, session=session, network=network)


@lru_cache(maxsize=4_096)
def _where(conversation: str, room: str, partner: str) -> str:
    return _members(conversation=conversation, room=room, **{"with": partner})


def _members(**members: str | int) -> str:
    return "".join(
        f',"{name}":{encode_basestring(value) if isinstance(value, str) else value}'
        for name, value in members.items()
        if value
    )


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    """Seconds since the epoch as date and time; many lines are of the same one."""
    return (_EPOCH + timedelta(seconds=seconds)).replace(tzinfo=None).isoformat()
