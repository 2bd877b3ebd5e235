"""File transfers through the server, for people who are away or cannot be called.

The pieces lie at the server; what they are, and the key, is in a letter to each device of the reader. The device that
takes the file, or refuses it, says so in a letter to the one that has left it, which waits there if nobody is online.
What is not done with is kept with the keys of this client, also over a restart: what others offer, what was left and
not answered for, and what is to be answered. What is lost with a connection is said again: a piece that is there
already does no harm, nor does a second answer.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater

from chat.client.model.failures import ClientFailure, Damaged, Disconnected, RequestRefused
from chat.client.model.send_queue import TRY_AGAIN
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.file_receiver import FileReceiver
from chat.client.p2p.file_sender import FileSender
from chat.client.p2p.offer import ANSWER, Answer, Offer
from chat.client.p2p.transfer import Transfer
from chat.client.p2p.transfer_base import TransferBase
from chat.client.session.tasks import unattended
from chat.protocol.events import FileKept, FilePiece, Refused, Reply
from chat.protocol.names import fold

MOST_OFFERED: Final = 10
"""Files from one person, and to one, that are not answered for; of more, the oldest are let go."""

MOST_IN_ALL: Final = 100

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 60.0, 60.0)
"""Seconds after each try to say the same; after the last one it is given up."""


_WAITING = (Stage.OFFERED, Stage.LEFT)


class FileOfferMessages(Protocol):
    """What the keys of this client do for files that are left."""

    async def leave(self, user: str, content: Mapping[str, Any], device: str = "") -> None:
        """Put a letter into the inbox of each device of somebody.

        :param device: the one that gets it, where it is for no other.
        :raises ClientFailure: when none could be given any.
        """

    @property
    def offers(self) -> list[Any]:
        """What was kept last."""

    def keep_offers(self, offers: list[Any]) -> None:
        """Keep plain JSON values; they are on disk before the server forgets what they came from."""


class RelayTransfers(TransferBase):
    """All files that this client has left at the server, or may fetch there.

    :param ask: asks the server.
    :ivar answering: how many answers are on their way.
    """

    def __init__(
        self,
        letters: FileOfferMessages,
        ask: Callable[[str, Mapping[str, object]], Awaitable[Reply]],
        folder: Path,
        in_thread: Callable[..., Deferred[Any]],
        clock: Any,
        told: Callable[[Transfer], object],
    ) -> None:
        super().__init__(folder, in_thread, clock, told)
        self._letters = letters
        self._ask = ask
        self._answers: list[tuple[str, str, Answer]] = []
        self._over = False
        self.answering = 0
        for user, device, content in letters.offers:
            if content.get("type") == ANSWER:
                self._answers.append((user, device, Answer.from_content(content)))
            else:
                self._take_up(user, device, content)

    def begin(self) -> None:
        """There is a connection: say what could not be said before."""
        for each in self._answers:
            unattended(self._answer(*each))

    # from here

    async def send(self, user: str, path: Path) -> None:
        """Leave a file for somebody; what becomes of it is told.

        :raises ClientFailure: when it cannot be read, or the server does not keep it.
        """
        sender = FileSender(path)
        try:
            offer: Offer = await self._in_thread(sender.offer)
            kept = await self._ask("files.begin", {"user": user, "pieces": max(1, offer.pieces)})
            if isinstance(kept, Refused):
                raise RequestRefused(kept)
            if not isinstance(kept, FileKept):
                raise ClientFailure("This server does not store files.")
        except BaseException:
            sender.close()
            raise
        offer = replace(offer, kept=kept.file)
        transfer = Transfer(offer, user, "", False, stage=Stage.MOVING, sender=sender)
        self.transfers.append(transfer)
        self._told(transfer)
        unattended(self._carried(transfer, self._leave(transfer, sender)))

    async def _leave(self, transfer: Transfer, sender: FileSender) -> None:
        offer, number = transfer.offer, 0
        while number < offer.pieces:
            piece = b64encode(sender.piece(number)).decode()
            kept = await self._say(transfer, "files.put", {"file": offer.kept, "number": number, "piece": piece})
            if not isinstance(kept, FileKept) or not 0 <= kept.next <= offer.pieces:
                raise ClientFailure("The server did not confirm the upload.")
            number = kept.next
            self._moved(transfer, number)
        await self._letters.leave(transfer.user, offer.content())
        if transfer in self.transfers:  # it may have been answered for meanwhile
            transfer.stage, transfer.done = Stage.LEFT, offer.size
            transfer.let_go()
            self._bound(transfer)
            self._keep()
            self._told(transfer)

    def answered(self, user: str, device: str, content: Mapping[str, Any]) -> None:
        """A letter says what became of a file that was left; what is none is left out."""
        try:
            answer = Answer.from_content(content)
        except ClientFailure:
            return
        for transfer in self.of(user):
            if not transfer.incoming and transfer.offer.id == answer.id:
                transfer.why = f"{transfer.user} declined it."
                self._end(transfer, Stage.DONE if answer.taken else Stage.OVER)

    # to here

    def offered(self, user: str, device: str, content: Mapping[str, Any]) -> None:
        """A letter says that a file waits; what is none is left out."""
        if self._take_up(user, device, content):
            self._keep()

    def _take_up(self, user: str, device: str, content: Mapping[str, Any]) -> bool:
        try:
            offer = Offer.from_content(content)
        except ClientFailure:
            return False
        if not offer.kept or any(each.offer.id == offer.id for each in self.transfers):
            return False
        incoming = bool(device)
        transfer = Transfer(offer, user, device, incoming, Stage.OFFERED if incoming else Stage.LEFT)
        self.transfers.append(transfer)
        self._bound(transfer)
        if incoming:
            self._told(transfer)
        return True

    def _bound(self, newest: Transfer) -> None:
        """Let the oldest go where there are too many that go the same way."""
        alike = [each for each in self.transfers if each.incoming is newest.incoming and each.stage in _WAITING]
        theirs = [each for each in alike if fold(each.user) == fold(newest.user)]
        for old in {*theirs[:-MOST_OFFERED], *alike[:-MOST_IN_ALL]}:
            self.transfers.remove(old)

    def _keep(self) -> None:
        """Keep what is not done with; a file that was left from here has no device."""
        if self._over:
            return
        kept = [each for each in self.transfers if each.incoming or each.stage is Stage.LEFT]
        offers = [[each.user, each.device, each.offer.content()] for each in kept]
        self._letters.keep_offers(offers + [[user, device, each.content()] for user, device, each in self._answers])

    async def _fetch(self, transfer: Transfer, receiver: FileReceiver) -> None:
        unattended(self._carried(transfer, self._collect(transfer, receiver)))

    async def _collect(self, transfer: Transfer, receiver: FileReceiver) -> None:
        while not receiver.whole:
            self._moved(transfer, receiver.next)
            piece = await self._say(transfer, "files.get", {"file": transfer.offer.kept, "number": receiver.next})
            if not isinstance(piece, FilePiece) or piece.number != receiver.next:
                raise ClientFailure("The server did not return the file.")
            receiver.add(piece.number, piece.body)
        transfer.path = await self._in_thread(receiver.finish)
        self._end(transfer, Stage.DONE)
        self._finished(transfer)

    def _refused(self, transfer: Transfer) -> None:
        self._finished(transfer)

    def _finished(self, transfer: Transfer) -> None:
        """The server need not keep it any longer, and who has left it is told."""
        if transfer.incoming:
            answer = Answer(transfer.offer.id, transfer.offer.kept, transfer.stage is Stage.DONE)
            self._answers.append((transfer.user, transfer.device, answer))
            del self._answers[:-MOST_IN_ALL]
            self._keep()
            unattended(self._answer(*self._answers[-1]))
        else:
            unattended(self._forget(transfer.offer.kept))

    async def _forget(self, kept: int) -> None:
        await self._ask("files.end", {"file": kept})

    async def _answer(self, user: str, device: str, answer: Answer) -> None:
        """Tell somebody what became of a file; where that is not possible just now, it is tried at the next login."""
        self.answering += 1
        try:
            try:
                await self._letters.leave(user, answer.content(), device)
            except ClientFailure as error:
                if isinstance(error, Disconnected) or _passes(error):
                    return
                # Else there is nobody to be told.
            await self._forget(answer.kept)
        finally:
            self.answering -= 1
        self._answers = [each for each in self._answers if each[2] != answer]
        self._keep()

    # either way

    async def _carried(self, transfer: Transfer, work: Any) -> None:
        try:
            await work
        except ClientFailure as error:
            if transfer not in self.transfers:
                return  # it was stopped
            if transfer.incoming and not isinstance(error, RequestRefused | Damaged):
                # It still lies there, and may be taken later.
                transfer.let_go()
                transfer.stage, transfer.why = Stage.OFFERED, str(error)
                self._told(transfer)
                return
            self._give_up(transfer, str(error))
            if not (transfer.incoming and isinstance(error, RequestRefused)):  # then it is at its end there already
                self._finished(transfer)

    async def _say(self, transfer: Transfer, cmd: str, args: Mapping[str, object]) -> Reply:
        """Ask the server, again where it cannot answer just now.

        :raises ClientFailure: when it says no, or nothing for too long.
        """
        for pause in PAUSES:
            wait: float | None = None
            try:
                reply = await self._ask(cmd, args)
            except Disconnected:
                reply = None
            if transfer not in self.transfers:
                raise ClientFailure("The transfer was stopped.")
            if reply is None:
                transfer.stage, transfer.why = Stage.CUT, "The transfer continues when you are connected again."
                self._told(transfer)
            elif not isinstance(reply, Refused):
                transfer.stage = Stage.MOVING
                return reply
            elif reply.code in TRY_AGAIN:
                wait = reply.wait
            else:
                raise RequestRefused(reply)
            await deferLater(self._clock, wait or pause)
        raise ClientFailure("The transfer failed: the server does not answer or is too busy.")

    def _end(self, transfer: Transfer, stage: Stage) -> None:
        super()._end(transfer, stage)
        self._keep()

    def close(self) -> None:
        self._over = True
        super().close()

    def shut_out(self, user: str) -> None:
        """Nothing of somebody is wanted any more."""
        for transfer in self.open_offers(user):
            self.refuse(transfer)


def _passes(error: ClientFailure) -> bool:
    """Whether the server may say yes another time."""
    return isinstance(error, RequestRefused) and error.reply.code in TRY_AGAIN
