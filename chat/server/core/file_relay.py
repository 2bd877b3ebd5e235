"""Files by way of the server: sealed pieces that lie here until their reader has them, or their time is over.

The server knows from whom, for whom and how many pieces, and nothing else: what a file is called, how large it is and
how it is opened stands in a letter from one device to the other.
"""

from __future__ import annotations

from typing import Final

from chat.protocol.errors import BlockedByRecipient, NoSuchFile, QuotaUsed
from chat.protocol.events import FileKept, FilePiece
from chat.protocol.values import PIECE_BYTES, Account
from chat.server.core.background_task import BackgroundTask
from chat.server.core.node import Node
from chat.server.core.rooms import account_of
from chat.server.core.user import Session

EVERY: Final = 3_600.0
"""Seconds between two looks for files whose time is over."""

PAUSE: Final = 0.05
"""Seconds between two steps, in which others write."""

_DAY: Final = 86_400_000
_MIB: Final = 1024 * 1024


class FileRelay:
    """All files that lie here."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self.sweep = BackgroundTask(node.clock, self._sweep, EVERY)

    async def begin(self, session: Session, reader: Account, pieces: int) -> FileKept:
        """Make room for a file.

        :raises BlockedByRecipient: when the reader blocks the sender.
        :raises QuotaUsed: when too much of the sender lies here, or of everybody.
        """
        node, sender = self._node, account_of(session)
        node.may_say(sender, now := node.now())
        if node.directory.blocks(reader.id, sender):
            raise BlockedByRecipient()
        if not node.settings.file_quota:
            raise QuotaUsed(
                "This server does not store files. When both of you are online: getaddress NAME, then sendfile."
            )
        quota = node.settings.file_quota * _MIB // PIECE_BYTES
        if pieces > quota:
            raise QuotaUsed(f"The file quota is {node.settings.file_quota:,} MiB per person.")
        total = node.settings.file_total * _MIB // PIECE_BYTES
        return FileKept(await node.store.begin_file(sender, reader.id, pieces, quota, total, now), 0)

    async def put(self, session: Session, file: int, number: int, body: bytes) -> FileKept:
        """Take a piece; said again, it does no harm.

        :returns: with how many are there: the next one to send.
        :raises NoSuchFile: when the session's account has begun no such file, or it is over.
        """
        self._node.may_say(account_of(session), self._node.now())
        return FileKept(file, await self._node.store.put_piece(file, account_of(session), number, body))

    async def get(self, session: Session, file: int, number: int) -> FilePiece:
        """A piece, for its reader.

        :raises NoSuchFile: when there is none, or none yet.
        """
        body = await self._node.store.piece(file, account_of(session), number)
        if body is None:
            raise NoSuchFile()
        return FilePiece(file, number, body)

    async def end(self, session: Session, file: int) -> None:
        """The reader has it, or does not want it, or the sender takes it back."""
        await self._node.store.end_file(file, account_of(session))
        self.sweep.run()

    async def _sweep(self) -> float:
        """Remove some of the files whose time is over."""
        node = self._node
        return PAUSE if await node.store.forget_files(node.now() - node.settings.file_days * _DAY) else EVERY
