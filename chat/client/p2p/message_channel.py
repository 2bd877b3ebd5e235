"""Encrypted messages over a direct connection, each confirmed by the other end.

They are sealed as those in the inbox of a device are, for the device at the other end. A message counts as delivered
when the other end says that it was opened and shown; what is not confirmed within `CONFIRM_TIME` ends the link.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chat.client.model.failures import BadPeerFrame, ClientFailure, PeerUnreachable
from chat.client.p2p.connection import PeerLink
from chat.client.p2p.frames import FrameKind

CONFIRM_TIME: Final = 15.0
"""Seconds in which a letter is confirmed."""

MOST_WAITING: Final = 100
"""Messages that may wait for that; one more is refused."""

_NUMBER = 4


class DeviceCipher(Protocol):
    """Encrypts messages for devices, and decrypts theirs."""

    async def seal(self, user: str, device: str, content: Mapping[str, Any]) -> bytes:
        """A letter for one device.

        :raises ClientFailure: when that is not possible now.
        """

    def open(self, user: str, device: str, body: bytes) -> Any:
        """What a letter says.

        :raises ClientFailure: when it is not from that device, or not for this one.
        """


class MessageChannel:
    """A proven link, letters and other frames on it.

    :ivar since: when it was made, by the clock.
    :ivar read: gets each letter; may raise `ClientFailure`, then the other end is told that it was refused.
    :ivar taken: gets each frame that is of no letter.
    """

    def __init__(self, link: PeerLink, post: DeviceCipher, clock: Any) -> None:
        self.link = link
        self.since = clock.seconds()
        self.read: Callable[[Any], object] = lambda content: None
        self.taken: Callable[[FrameKind, bytes], object] = lambda kind, body: None
        self._post = post
        self._clock = clock
        self._number = 0
        self._waiting: dict[int, tuple[Deferred[None], Any]] = {}
        link.taken = self._take
        link.ended.addCallback(self._ended)

    async def tell(self, content: Mapping[str, Any]) -> None:
        """Send a letter, and wait until it is delivered.

        :raises PeerUnreachable: when the link is lost before that.
        :raises ClientFailure: when it cannot be sealed, or the other end refuses it.
        """
        if len(self._waiting) >= MOST_WAITING:
            raise ClientFailure(f"Not sent: {MOST_WAITING} messages to {self.link.user} are not delivered yet.")
        body = await self._post.seal(self.link.user, self.link.device, content)
        if self.link.over:
            raise PeerUnreachable("The connection was lost.")
        self._number += 1
        number, delivered = self._number, Deferred[None]()
        timer = self._clock.callLater(CONFIRM_TIME, self.link.close, "The other end did not confirm a message.")
        self._waiting[number] = delivered, timer
        self.link.send(FrameKind.LETTER, number.to_bytes(_NUMBER) + body)
        await delivered

    def _take(self, kind: FrameKind, body: bytes) -> None:
        """:raises BadPeerFrame: when it is none."""
        if kind not in (FrameKind.LETTER, FrameKind.RECEIVED, FrameKind.REFUSED):
            self.taken(kind, body)
            return
        if len(body) < _NUMBER:
            raise BadPeerFrame("A message frame has a number.")
        head, rest = body[:_NUMBER], body[_NUMBER:]
        if kind is FrameKind.LETTER:
            try:
                self.read(self._post.open(self.link.user, self.link.device, rest))
            except ClientFailure:
                self.link.send(FrameKind.REFUSED, head)
            else:
                self.link.send(FrameKind.RECEIVED, head)
            return
        waiting = self._waiting.pop(int.from_bytes(head), None)
        if waiting is not None:
            delivered, timer = waiting
            timer.cancel()
            if kind is FrameKind.RECEIVED:
                delivered.callback(None)
            else:
                delivered.errback(Failure(ClientFailure(f"Not delivered: the client of {self.link.user} refused it.")))

    def _ended(self, reason: ClientFailure) -> ClientFailure:
        waiting, self._waiting = self._waiting, {}
        for delivered, timer in waiting.values():
            if timer.active():
                timer.cancel()
            delivered.errback(Failure(reason))
        return reason
