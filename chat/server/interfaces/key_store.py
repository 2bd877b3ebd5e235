"""What is kept for those who seal: keys, letters and pieces of files."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Protocol

from twisted.internet.defer import Deferred

from chat.protocol.device_keys import AccountKeys, HandedOut, InboxMessage, Publication, StoredLetter, Supply, Wanted


class IKeyStore(Protocol):
    """The published keys and the inboxes, on disk; see `IStore` for what its Deferreds promise."""

    def publish_keys(self, account: int, device: str, publication: Publication, when: int) -> Deferred[Supply]:
        """Keep what a device publishes, all of it or nothing.

        Numbered keys that are not newer than every one before are passed over: they may have been handed out. Other
        keys of a device take its numbered ones with them, another account key takes the keys of all devices.

        Fails with `chat.protocol.errors.AccountKeyExists` where another account key is there and nothing was said of a
        reset, `chat.protocol.errors.NoSuchDevice`, `chat.protocol.errors.NoDeviceKeys` or
        `chat.protocol.errors.TooManyKeys`.
        """

    def keys_of(self, accounts: Collection[int], since: int) -> Deferred[tuple[AccountKeys, ...]]:
        """What these accounts have published, in their order.

        :param since: devices without keys are named where they were seen since then, milliseconds since the epoch.
        """

    def claim_keys(self, wanted: Sequence[Wanted]) -> Deferred[tuple[HandedOut, ...]]:
        """Hand out a key of each of these devices: a one-time key, which nobody else ever gets, else the fallback key.

        Devices that have none, or for which no account key vouches, are left out.
        """

    def put_into_inboxes(
        self, author: int, device: str, letters: Sequence[InboxMessage], when: int
    ) -> Deferred[tuple[int | None, ...]]:
        """Put messages into the inboxes of devices.

        :param device: of the author.
        :returns: fires with their numbers; nothing for a device without keys, or whose inbox is full: strangers, and
            people who merely are in the same rooms, may fill a part of it.
        """

    def inbox(self, account: int, device: str, after: int, limit: int) -> Deferred[tuple[StoredLetter, ...]]:
        """What lies in the inbox of a device after a number, the oldest first."""

    def empty_inbox(self, account: int, device: str, upto: int) -> Deferred[None]:
        """A device has everything up to this number."""


class IFileStore(Protocol):
    """Files that lie there for their readers, on disk; see `IStore` for what its Deferreds promise."""

    def begin_file(self, sender: int, reader: int, count: int, quota: int, total: int, when: int) -> Deferred[int]:
        """Make room for a file.

        :param count: of its pieces.
        :param quota: how many pieces of one sender may lie there.
        :param total: how many of all senders together.
        :returns: fires with its id; fails with `chat.protocol.errors.QuotaUsed`.
        """

    def put_piece(self, file: int, sender: int, number: int, body: bytes) -> Deferred[int]:
        """Keep a piece; one that is not the next is left out, so it may be sent again.

        :returns: fires with how many are there; fails with `chat.protocol.errors.NoSuchFile`, also where the reader
            blocks the sender by now, who learns no more of what the reader does with the file.
        """

    def piece(self, file: int, reader: int, number: int) -> Deferred[bytes | None]:
        """A piece of a file that lies there for a reader; nothing where it is not there, or not yet."""

    def end_file(self, file: int, account: int) -> Deferred[None]:
        """Its sender or its reader has no use for it any more."""

    def forget_files(self, before: int) -> Deferred[bool]:
        """Remove some of what has ended, or is older than a time (ms since the epoch), in one small step.

        :returns: fires with whether there may be more.
        """
