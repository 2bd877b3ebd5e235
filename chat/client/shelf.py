"""Keeps unsent lines on disk, so that they outlive the program: `chat.client.sending.Shelf` on a person's files."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twisted.logger import Logger

from chat.client.failures import ClientFailure
from chat.client.sending import Fate, Outgoing
from chat.client.talks import Key
from chat.values import Sealed
from chat.wire.codecs import read_body, write_body

WRITE_EVERY = 0.5
"""Seconds between two writes: a burst of lines is written once."""

MOST_DAYS = 6
"""Days after which a line is not sent by itself any more: a server remembers retry ids for seven."""

log = Logger()


class DiskShelf:
    """The shelf of one device on one server.

    :param read: gives what is kept of an account, as JSON values.
    :param write: replaces it.
    :param clock: a reactor, as far as it knows the time.
    :param now: seconds since the epoch.
    """

    def __init__(
        self,
        read: Callable[[str], list[Any]],
        write: Callable[[str, list[Any]], object],
        clock: Any,
        now: Callable[[], float],
    ) -> None:
        self._read = read
        self._write = write
        self._clock = clock
        self._now = now
        self._changed: dict[str, list[Any]] = {}
        self._timer: Any = None

    def lines(self, account: str) -> list[Outgoing]:
        """See `chat.client.sending.Shelf.lines`; one that cannot be read is left out."""
        self.flush()
        lines = [line for each in self._read(account) if (line := _load(each)) is not None]
        oldest = (self._now() - MOST_DAYS * 86_400) * 1000
        for line in lines:
            if line.time < oldest:
                line.fate = Fate.REFUSED
                line.why = f"It has waited for more than {MOST_DAYS} days. Say it again if it still holds."
        return lines

    def keep(self, account: str, lines: Sequence[Outgoing]) -> None:
        """See `chat.client.sending.Shelf.keep`."""
        self._changed[account] = [_dump(each) for each in lines]
        if self._timer is None or not self._timer.active():
            self._timer = self._clock.callLater(WRITE_EVERY, self.flush)

    def flush(self) -> None:
        """Write now."""
        changed, self._changed = self._changed, {}
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        for account, lines in changed.items():
            try:
                self._write(account, lines)
            except ClientFailure as error:
                log.warn("unsent lines are not kept: {error}", error=error)


def _dump(line: Outgoing) -> dict[str, Any]:
    return {
        "room": line.where.room,
        "name": line.where.name,
        "cmd": line.cmd,
        "args": line.args,
        "text": line.text,
        "time": line.time,
        "retry": line.retry,
        "sealed": None if line.sealed is None else write_body(line.sealed),
    }


def _load(record: Any) -> Outgoing | None:
    try:
        where = Key(bool(record["room"]), str(record["name"]))
        text, time = str(record["text"]), int(record["time"])
        line = Outgoing(where, str(record["cmd"]), dict(record["args"]), text, time, str(record["retry"]))
        if (body := record.get("sealed")) is not None and isinstance(sealed := read_body(body), Sealed):
            line.sealed = sealed  # the same bytes under the same retry id
        return line
    except (KeyError, TypeError, ValueError):
        return None
