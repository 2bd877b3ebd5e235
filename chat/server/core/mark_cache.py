"""Write-behind cache of delivery marks: what a read has to know although its write is not on disk yet.

Nobody waits for a mark to be written, and reads have a thread of their own, so that a read overtakes the writes before
it: somebody who is cut off and is back at once would be shown lines as if they were new. So each mark stays here until
it is on disk, and readers join what is here with what they find there. A mark that the disk has refused stays as well,
and is written with the next one of the same device.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from chat.protocol.values import Shown, Unsure, join_shown
from chat.server.interfaces import IStore

DeviceKey = tuple[int, str]
"""An account and the name of one of its devices."""

K = TypeVar("K")
V = TypeVar("V")


class MarkCache:
    """The marks of text sessions on their way to the disk.

    Bounded by what the disk holds of them: one mark for each device and conversation.
    """

    def __init__(self, store: IStore) -> None:
        self._store = store
        self._received: dict[DeviceKey, dict[int, int]] = {}
        self._shown: dict[DeviceKey, dict[int, Shown]] = {}
        self._read: dict[int, dict[int, int]] = {}
        self._cut_off: frozenset[DeviceKey] = frozenset()
        self._started = 0

    # what readers ask for

    def seen(self, account: int, device: str) -> dict[int, int]:
        """Up to where a conversation is received by a device, or read by its person, as far as the disk lacks that."""
        received, read = self._received.get((account, device)), self._read.get(account)
        if received is None and read is None:
            return {}
        return raised(received or {}, read or {})

    def unsure(self, account: int, device: str) -> Unsure:
        """What a device may have been shown, as far as the disk lacks that."""
        key = account, device
        return Unsure(self._started if key in self._cut_off else 0, dict(self._shown.get(key, {})))

    # what is written; each fails with `chat.protocol.errors.ChatError` when the disk takes nothing

    async def note_crash(self, cut_off: frozenset[DeviceKey], when: int) -> None:
        """At a start: these devices may have been shown anything before now, milliseconds since the epoch."""
        if cut_off:
            self._cut_off, self._started = cut_off, when
            await self._store.note_crash(when)
            self._cut_off = frozenset()

    async def received(self, account: int, device: str, marks: Mapping[int, int]) -> Mapping[int, int]:
        """A device provably has everything up to these marks.

        :returns: those that were raised.
        """
        key = account, device
        written = self._received[key] = raised(self._received.get(key, {}), marks)
        result = await self._store.mark_received(account, device, written)
        _forget(self._received, key, written)
        return result

    async def read(self, account: int, marks: Mapping[int, int]) -> None:
        """A person has asked for everything up to these marks, and provably got it."""
        written = self._read[account] = raised(self._read.get(account, {}), marks)
        await self._store.mark_read(account, written)
        _forget(self._read, account, written)

    async def shown(self, account: int, device: str, shown: Mapping[int, Shown]) -> None:
        """A session has ended, and these rows were sent to its device without a proof that they arrived."""
        key = account, device
        written = self._shown[key] = join_shown(self._shown.get(key, {}), shown)
        await self._store.mark_shown(account, device, written)
        _forget(self._shown, key, written)


def raised(marks: Mapping[int, int], more: Mapping[int, int]) -> dict[int, int]:
    """The later of two marks, for each conversation."""
    both = dict(marks)
    for conversation, seq in more.items():
        if seq > both.get(conversation, 0):
            both[conversation] = seq
    return both


def _forget(kept: dict[K, dict[int, V]], key: K, written: Mapping[int, V]) -> None:
    """Drop what is on disk now, unless a newer value has taken its place meanwhile."""
    left = {id: value for id, value in kept.get(key, {}).items() if written.get(id) != value}
    if left:
        kept[key] = left
    else:
        kept.pop(key, None)
