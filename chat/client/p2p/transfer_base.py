"""What all file transfers share: the list, progress, accepting, refusing and the end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred

from chat.client.model.failures import ClientFailure
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.file_receiver import FileReceiver
from chat.client.p2p.partial_files import remove_part
from chat.client.p2p.transfer import Transfer
from chat.protocol.names import fold


class TransferBase(ABC):
    """Files from here, and to here.

    :param folder: where files land.
    :param in_thread: where files are read whole.
    :param told: gets a transfer whenever it has changed.
    :ivar transfers: those of which something may still become, the oldest first.
    """

    def __init__(
        self, folder: Path, in_thread: Callable[..., Deferred[Any]], clock: Any, told: Callable[[Transfer], object]
    ) -> None:
        self.transfers: list[Transfer] = []
        self._folder = folder
        self._in_thread = in_thread
        self._clock = clock
        self._told = told

    def of(self, user: str) -> list[Transfer]:
        """The files from and to somebody, the oldest first."""
        return [each for each in self.transfers if fold(each.user) == fold(user)]

    def open_offers(self, user: str) -> list[Transfer]:
        """The files that somebody has offered and that were not answered for, the oldest first."""
        return [each for each in self.of(user) if each.incoming and each.stage is Stage.OFFERED]

    async def take(self, transfer: Transfer) -> None:
        """Say yes to a file; what becomes of it is told.

        :raises ClientFailure: when it cannot be written.
        """
        transfer.receiver = receiver = FileReceiver(self._folder, transfer.offer)
        transfer.stage, transfer.moved = Stage.MOVING, self._clock.seconds()
        try:
            await self._in_thread(receiver.resume)
        except ClientFailure:
            transfer.stage = Stage.OFFERED
            transfer.let_go()
            raise
        if transfer.receiver is receiver:  # it may have been taken back meanwhile
            await self._fetch(transfer, receiver)

    @abstractmethod
    async def _fetch(self, transfer: Transfer, receiver: FileReceiver) -> None:
        """Get what is missing of a file, or begin to."""

    def refuse(self, transfer: Transfer) -> None:
        """Say no to a file, or no more; or take it back."""
        if transfer.incoming and transfer.receiver is None:
            remove_part(self._folder, transfer.offer.digest)  # of another try
        self._give_up(transfer, "You declined it." if transfer.incoming else "You canceled it.")
        self._refused(transfer)

    @abstractmethod
    def _refused(self, transfer: Transfer) -> None:
        """Let others know that nothing becomes of a file."""

    def close(self) -> None:
        """It is the end; what has come of files stays."""
        for transfer in self.transfers:
            transfer.let_go()
        self.transfers.clear()

    def _moved(self, transfer: Transfer, upto: int) -> None:
        transfer.moved = self._clock.seconds()
        transfer.done = upto * transfer.offer.size // max(1, transfer.offer.pieces)
        self._told(transfer)

    def _give_up(self, transfer: Transfer, why: str) -> None:
        """Nothing becomes of a file any more, nor of what has come of it."""
        transfer.give_up(why)
        self._end(transfer, Stage.OVER)

    def _end(self, transfer: Transfer, stage: Stage) -> None:
        transfer.stage = stage
        if stage is Stage.DONE:
            transfer.done = transfer.offer.size
        transfer.let_go()
        if transfer in self.transfers:
            self.transfers.remove(transfer)
            self._told(transfer)
