"""File transfers over a direct connection.

How it works: a letter offers a file. Who takes it says from which piece on; pieces follow, a window ahead of what the
other end says to have. The last confirmation says that the file is whole, checked, and has its name. The rules:

* When a link is lost, both ends look for the way to each other, and who wants the file says again from which piece on.
* Where nothing moves for `STALLED`, the link is closed, which is a cut like any other.
* What was lost with a link is said again on the next one: that a file has landed, or that nobody sends it any more.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred

from chat.client.model.failures import BadOffer, BadPeerFrame, ClientFailure, Damaged
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.chunk_cipher import ID_BYTES
from chat.client.p2p.file_receiver import FileReceiver
from chat.client.p2p.file_sender import FileSender
from chat.client.p2p.frames import FrameKind
from chat.client.p2p.message_channel import MessageChannel
from chat.client.p2p.offer import Offer
from chat.client.p2p.peers import Peers
from chat.client.p2p.reconnect import PeerReconnector
from chat.client.p2p.transfer import Transfer
from chat.client.p2p.transfer_base import TransferBase
from chat.protocol.names import fold

CONFIRM_EVERY: Final = 8
"""Pieces after which the receiver says what it has."""

MOST_OFFERED: Final = 10
"""Files that one person may have offered here and not been answered for."""

STALLED: Final = 60.0
"""Seconds in which something has to move."""

_NUMBER = 4


class PeerTransfers(TransferBase):
    """All files that go from client to client."""

    def __init__(
        self,
        peers: Peers,
        folder: Path,
        in_thread: Callable[..., Deferred[Any]],
        clock: Any,
        told: Callable[[Transfer], object],
    ) -> None:
        super().__init__(folder, in_thread, clock, told)
        self._peers = peers
        self._landed: deque[Transfer] = deque(maxlen=MOST_OFFERED)
        self._seeker = PeerReconnector(peers, clock, lambda user: bool(self._cut_with(user)), self._given_up)
        self._watch: Any = None

    # from here

    async def send(self, user: str, path: Path) -> None:
        """Offer a file; what becomes of it is told.

        :raises ClientFailure: when it cannot be read, or nobody is reached.
        """
        line = await self._peers.channel_to(user)
        sender = FileSender(path)
        try:
            offer: Offer = await self._in_thread(sender.offer)
            transfer = Transfer(offer, line.link.user, line.link.device, False, sender=sender)
            self.transfers.append(transfer)
            await line.tell(offer.content())
        except BaseException:
            sender.close()
            self.transfers = [each for each in self.transfers if each.sender is not sender]
            raise
        self._told(transfer)

    def _wanted(self, line: MessageChannel, transfer: Transfer, first: int) -> None:
        assert transfer.sender is not None, "it is closed when nothing becomes of it any more"
        transfer.sender.go_to(first)
        transfer.stage = Stage.MOVING
        self._watch_over()
        self._had(line, transfer, first)

    def _had(self, line: MessageChannel, transfer: Transfer, upto: int) -> None:
        assert transfer.sender is not None, "it is closed when nothing becomes of it any more"
        try:
            for number, piece in transfer.sender.due(upto):
                line.link.send(FrameKind.PIECE, transfer.offer.id + number.to_bytes(_NUMBER) + piece)
        except ClientFailure as error:
            self._stop(line, transfer, error)
        else:
            self._moved(transfer, upto)

    # to here

    def offered(self, line: MessageChannel, content: Mapping[str, Any]) -> None:
        """A letter that offers a file.

        :raises ClientFailure: when it is none, or one too many.
        """
        offer = Offer.from_content(content)
        if offer.kept or any(each.offer.id == offer.id for each in self.transfers):
            raise BadOffer("The file offer is not valid.")
        if len(self.open_offers(line.link.user)) >= MOST_OFFERED:
            raise BadOffer("Too many files wait to be accepted.")
        transfer = Transfer(offer, line.link.user, line.link.device, True)
        self.transfers.append(transfer)
        self._told(transfer)

    async def _fetch(self, transfer: Transfer, receiver: FileReceiver) -> None:
        if lines := self._lines(transfer):
            await self._go_on(lines[0], transfer)
        else:
            self._cut(transfer)

    async def _go_on(self, line: MessageChannel, transfer: Transfer) -> None:
        receiver = transfer.receiver
        assert receiver is not None, "take has opened it"
        transfer.stage = Stage.MOVING
        if receiver.whole:
            await self._finish(line, transfer, receiver)
        else:
            self._watch_over()
            self._say(line, FrameKind.WANT, transfer, receiver.next)
            self._moved(transfer, receiver.next)

    def _piece(self, line: MessageChannel, transfer: Transfer, number: int, sealed: bytes) -> None:
        receiver = transfer.receiver
        if receiver is None or receiver.whole or transfer.stage is not Stage.MOVING:
            return
        try:
            receiver.add(number, sealed)
        except ClientFailure as error:
            self._stop(line, transfer, error)
            return
        if receiver.whole:
            Deferred.fromCoroutine(self._finish(line, transfer, receiver))
        elif receiver.next % CONFIRM_EVERY == 0:
            self._say(line, FrameKind.HAVE, transfer, receiver.next)
            self._moved(transfer, receiver.next)

    async def _finish(self, line: MessageChannel, transfer: Transfer, receiver: FileReceiver) -> None:
        try:
            transfer.path = await self._in_thread(receiver.finish)
        except ClientFailure as error:
            self._stop(line, transfer, error)
            return
        self._landed.append(transfer)
        self._say(line, FrameKind.HAVE, transfer, transfer.offer.pieces)
        self._end(transfer, Stage.DONE)

    # either way

    def _refused(self, transfer: Transfer) -> None:
        for line in self._lines(transfer):
            self._say(line, FrameKind.STOP, transfer)

    def taken(self, line: MessageChannel, kind: FrameKind, body: bytes) -> None:
        """A frame that is of no letter.

        :raises BadPeerFrame: when it is none that such a client sends.
        """
        id, number, rest = body[:ID_BYTES], body[ID_BYTES : ID_BYTES + _NUMBER], body[ID_BYTES + _NUMBER :]
        if len(number) != _NUMBER:
            raise BadPeerFrame("A file frame has a number.")
        upto = int.from_bytes(number)
        transfer = next((each for each in self._with(line) if each.offer.id == id), None)
        if transfer is None:
            if kind is FrameKind.WANT:
                line.link.send(FrameKind.STOP, body)
        elif kind is FrameKind.STOP:
            self._give_up(transfer, f"{transfer.user} {'canceled it' if transfer.incoming else 'declined it'}.")
        elif transfer.incoming:
            if kind is FrameKind.PIECE:
                self._piece(line, transfer, upto, rest)
        elif kind is FrameKind.HAVE and upto == transfer.offer.pieces:
            self._end(transfer, Stage.DONE)
        elif kind is FrameKind.WANT:
            self._wanted(line, transfer, upto)
        elif kind is FrameKind.HAVE and transfer.stage is Stage.MOVING:
            self._had(line, transfer, upto)

    def _say(self, line: MessageChannel, kind: FrameKind, transfer: Transfer, number: int = 0) -> None:
        line.link.send(kind, transfer.offer.id + number.to_bytes(_NUMBER))

    def _stop(self, line: MessageChannel, transfer: Transfer, why: ClientFailure) -> None:
        self._say(line, FrameKind.STOP, transfer)
        if isinstance(why, Damaged):
            self._give_up(transfer, str(why))
        else:
            transfer.why = str(why)
            self._end(transfer, Stage.OVER)

    # cuts

    def joined(self, line: MessageChannel) -> None:
        """A line stands: what was cut goes on."""
        line.link.ended.addCallback(lambda reason: self._lost(line, reason))
        self._seeker.found(line.link.user)
        for transfer in self._landed:
            if _whose(transfer) == (fold(line.link.user), line.link.device):
                self._say(line, FrameKind.HAVE, transfer, transfer.offer.pieces)
        for transfer in self._with(line):
            if transfer.stage is Stage.CUT and transfer.incoming:
                Deferred.fromCoroutine(self._go_on(line, transfer))
            elif transfer.stage is Stage.CUT:
                transfer.stage = Stage.OFFERED  # until the other end says from where on

    def _lost(self, line: MessageChannel, reason: ClientFailure) -> ClientFailure:
        for transfer in self._with(line):
            waits = transfer.stage is Stage.OFFERED and not transfer.incoming
            if (waits or transfer.stage is Stage.MOVING) and not self._lines(transfer):
                self._cut(transfer)
        return reason

    def _cut(self, transfer: Transfer) -> None:
        transfer.stage, transfer.why = Stage.CUT, "The connection was lost; the transfer continues when it is back."
        self._told(transfer)
        self._seeker.seek(transfer.user)

    def _given_up(self, user: str) -> None:
        for transfer in self._cut_with(user):
            transfer.why = "The connection was lost. Send the file again to continue where it stopped."
            self._end(transfer, Stage.OVER)

    def _watch_over(self) -> None:
        """Look now and then whether anything moves, while something should."""
        if self._watch is None:
            self._watch = self._clock.callLater(STALLED / 4, self._look)

    def _look(self) -> None:
        self._watch = None
        for transfer in [each for each in self.transfers if each.stage is Stage.MOVING]:
            self._watch_over()
            if self._clock.seconds() - transfer.moved >= STALLED:
                for line in self._lines(transfer):
                    line.link.close("The transfer stalled.")

    def shut_out(self, user: str) -> None:
        """Nothing goes to somebody, or comes from there, any more."""
        for transfer in self.of(user):
            self.refuse(transfer)

    def close(self) -> None:
        self._seeker.close()
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
        super().close()

    def _with(self, line: MessageChannel) -> list[Transfer]:
        return [each for each in self.transfers if _whose(each) == (fold(line.link.user), line.link.device)]

    def _cut_with(self, user: str) -> list[Transfer]:
        return [each for each in self.of(user) if each.stage is Stage.CUT]

    def _lines(self, transfer: Transfer) -> list[MessageChannel]:
        return [each for each in self._peers.channels_to(transfer.user) if each.link.device == transfer.device]


def _whose(transfer: Transfer) -> tuple[str, str]:
    return fold(transfer.user), transfer.device
