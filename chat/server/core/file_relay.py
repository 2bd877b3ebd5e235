"""Files by way of the server: sealed pieces that lie here until their reader has them, or their time is over.

The server knows from whom, for whom and how many pieces, and nothing else: what a file is called, how large it is and
how it is opened stands in a letter from one device to the other.
"""

from __future__ import annotations

from typing import Final

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chat.protocol.errors import BlockedByRecipient, ChatError, NoSuchFile, QuotaUsed
from chat.protocol.events import FileKept, FilePiece
from chat.protocol.values import PIECE_BYTES, Account
from chat.server.core.node import House
from chat.server.core.rooms import account_of
from chat.server.core.user import Session
from chat.server.interfaces import IDelayed
from chat.server.logs import Logger

EVERY: Final = 3_600.0
"""Seconds between two looks for files whose time is over."""

PAUSE: Final = 0.05
"""Seconds between two steps, in which others write."""

_DAY: Final = 86_400_000
_MIB: Final = 1024 * 1024

log = Logger()


class KeptFiles:
    """All files that lie here."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._timer: IDelayed | None = None
        self._sweeping = False

    def start(self) -> None:
        """Look for what is over, from now on."""
        self._sweep()

    def stop(self) -> None:
        """Take no further step; the next start goes on."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    async def begin(self, session: Session, reader: Account, pieces: int) -> FileKept:
        """Make room for a file.

        :raises BlockedByRecipient: when the reader blocks the sender.
        :raises QuotaUsed: when too much of the sender lies here, or of everybody.
        """
        house, sender = self._house, account_of(session)
        house.may_say(sender, now := house.now())
        if house.directory.blocks(reader.id, sender):
            raise BlockedByRecipient()
        if not house.settings.file_quota:
            raise QuotaUsed("This server keeps no files. Both of you have to be here: getaddress NAME, then sendfile.")
        quota = house.settings.file_quota * _MIB // PIECE_BYTES
        if pieces > quota:
            raise QuotaUsed(f"This server keeps at most {house.settings.file_quota:,} MiB of one person.")
        total = house.settings.file_total * _MIB // PIECE_BYTES
        return FileKept(await house.store.begin_file(sender, reader.id, pieces, quota, total, now), 0)

    async def put(self, session: Session, file: int, number: int, body: bytes) -> FileKept:
        """Take a piece; said again, it does no harm.

        :returns: with how many are there: the next one to send.
        :raises NoSuchFile: when the session's account has begun no such file, or it is over.
        """
        self._house.may_say(account_of(session), self._house.now())
        return FileKept(file, await self._house.store.put_piece(file, account_of(session), number, body))

    async def get(self, session: Session, file: int, number: int) -> FilePiece:
        """A piece, for its reader.

        :raises NoSuchFile: when there is none, or none yet.
        """
        body = await self._house.store.piece(file, account_of(session), number)
        if body is None:
            raise NoSuchFile()
        return FilePiece(file, number, body)

    async def end(self, session: Session, file: int) -> None:
        """The reader has it, or does not want it, or the sender takes it back."""
        await self._house.store.end_file(file, account_of(session))
        self._sweep()

    def _sweep(self) -> None:
        if self._house.stopping:
            return
        self.stop()
        self._timer = self._house.clock.call_later(EVERY, self._sweep)
        if not self._sweeping:
            self._sweeping = True
            Deferred.fromCoroutine(self._forget()).addErrback(self._failed)

    async def _forget(self) -> None:
        house = self._house
        try:
            while await house.store.forget_files(house.now() - house.settings.file_days * _DAY) and not house.stopping:
                await house.clock.sleep(PAUSE)
        finally:
            self._sweeping = False

    def _failed(self, failure: Failure) -> None:
        """The store has said so in the log; the next look tries again."""
        if not failure.check(ChatError):
            log.failure("files whose time is over could not be removed", failure)
