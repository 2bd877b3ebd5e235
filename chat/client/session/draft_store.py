"""Stores unsent lines and the input history on disk: implements `chat.client.model.send_queue.DraftStore`.

If the account has keys on this device, drafts are encrypted with them, as the messages are; while the keys are locked
nothing is stored. Without keys they are stored in private files. Once there are keys, the content of those files is
encrypted and the files are removed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from twisted.logger import Logger

from chat.client.model.conversation import Key
from chat.client.model.failures import ClientFailure
from chat.client.model.send_queue import Fate, Outgoing
from chat.client.session.encryption_api import NullEncryption
from chat.client.session.endpoint import ServerAddress
from chat.client.session.profiles import MOST_TYPED, Files
from chat.protocol.values import Sealed
from chat.protocol.wire.field_codecs import read_body, write_body

WRITE_EVERY = 0.5
"""Seconds between two writes: a burst of lines is written once."""

MOST_DAYS = 6
"""Days after which an unsent line is no longer sent automatically: a server remembers retry ids for seven."""

TYPED: Final = "typed"
UNSENT: Final = "unsent"

log = Logger()


class DiskDraftStore:
    """The drafts of one device on one server.

    :param clock: schedules the writes (``IReactorTime``).
    :param now: returns seconds since the epoch.
    :ivar seals: encrypts the drafts, if there are keys.
    """

    def __init__(self, files: Files, address: ServerAddress, device: str, clock: Any, now: Callable[[], float]) -> None:
        self.seals = NullEncryption()
        self._files = files
        self._address = address
        self._device = device
        self._clock = clock
        self._now = now
        self._changed: dict[tuple[str, str], list[Any]] = {}
        self._sealed = False
        self._timer: Any = None

    def ready(self, account: str) -> bool:
        """See `chat.client.model.send_queue.DraftStore.ready`."""
        return not self.seals.locked(account)

    def lines(self, account: str) -> list[Outgoing]:
        """See `chat.client.model.send_queue.DraftStore.lines`; lines that cannot be read are left out."""
        found = {line.retry: line for each in self._read(account, UNSENT) if (line := _load(each)) is not None}
        oldest = (self._now() - MOST_DAYS * 86_400) * 1000
        for line in found.values():
            if line.time < oldest:
                line.fate = Fate.REFUSED
                line.why = f"Not sent: it waited for more than {MOST_DAYS} days. Type it again if it still matters."
        return list(found.values())

    def keep(self, account: str, lines: Sequence[Outgoing]) -> None:
        """See `chat.client.model.send_queue.DraftStore.keep`."""
        self._write(account, UNSENT, [_dump(each) for each in lines])

    def typed(self, account: str) -> list[str]:
        """See `chat.client.model.send_queue.DraftStore.typed`."""
        return [each for each in self._read(account, TYPED) if isinstance(each, str)][-MOST_TYPED:]

    def keep_typed(self, account: str, lines: Sequence[str]) -> None:
        """See `chat.client.model.send_queue.DraftStore.keep_typed`."""
        self._write(account, TYPED, list(lines[-MOST_TYPED:]))

    def flush(self) -> None:
        """Write now. What cannot be written is tried again by the next call."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        for which, lines in tuple(self._changed.items()):
            if _works(partial(self._write_plain, *which, lines)):
                del self._changed[which]
        if self._sealed and _works(self.seals.save):
            self._sealed = False

    def _read(self, account: str, name: str) -> list[Any]:
        self.flush()
        plain = self._read_plain(account, name)
        kept = self.seals.recall(account, name)
        if kept is None:
            return plain
        if plain:
            kept = plain + kept
            self.seals.keep(account, name, kept)
            try:
                self.seals.save()
                self._changed.pop((account, name), None)
                self._write_plain(account, name, [])
            except ClientFailure as error:
                log.warn("drafts stay unencrypted: {error}", error=error)
        return kept

    def _write(self, account: str, name: str, lines: list[Any]) -> None:
        """Write within `WRITE_EVERY` seconds; encrypted drafts at the latest when the keys are locked."""
        if not self.ready(account):
            return
        if self.seals.keep(account, name, lines):
            self._sealed = True
            self._changed.pop((account, name), None)
        else:
            self._changed[account, name] = lines
        if self._timer is None or not self._timer.active():
            self._timer = self._clock.callLater(WRITE_EVERY, self.flush)

    def _read_plain(self, account: str, name: str) -> list[Any]:
        if (account, name) in self._changed:
            return self._changed[account, name]  # the last write has failed
        if name == TYPED:
            return list(self._files.typed())
        return self._files.unsent(self._address, account, self._device)

    def _write_plain(self, account: str, name: str, lines: list[Any]) -> None:
        """:raises ClientFailure: when that is not possible."""
        if name == TYPED:
            self._files.keep_typed(lines)
        else:
            self._files.keep_unsent(self._address, account, self._device, lines)


def _works(write: Callable[[], object]) -> bool:
    try:
        write()
    except ClientFailure as error:
        log.warn("drafts could not be stored: {error}", error=error)
        return False
    return True


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
