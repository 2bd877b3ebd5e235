"""What a front end needs of its connection."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Protocol

from chat.protocol.events import Event, PrivateEntry
from chat.protocol.values import Peer
from chat.server.core.service import ChatService
from chat.server.core.user import Session
from chat.server.frontends.line_decoder import Lines
from chat.server.frontends.outbox import Outbox
from chat.server.frontends.telnet import Telnet
from chat.server.interfaces import IDelayed, ITurn


class Link(Protocol):
    """The connection of one front end.

    :ivar session: made by the connection when its front end is known.
    :ivar tls_at: the address and port at which TLS is spoken as well, or nothing.
    :ivar telnet: what was negotiated, where the peer speaks telnet.
    """

    service: ChatService
    session: Session
    outbox: Outbox
    peer: Peer
    turn: ITurn
    tls_at: tuple[str, int] | None
    telnet: Telnet | None

    def pause(self, paused: bool) -> None:
        """Stop or go on reading."""

    def hang_up(self, asked: bool = False) -> None:
        """Send what waits and end the connection, in order: wait a moment for the peer to end it as well.

        :param asked: whether the peer has said that this is the end.
        """

    def watch_login(self) -> None:
        """End the connection if nobody is logged in after the login time-out."""

    def logged_in(self) -> None:
        """Somebody is logged in, so that nothing has to be watched any more."""

    async def shows_life(self) -> bool:
        """Whether the peer's machine still answers."""

    def deadline(self, seconds: float, call: Callable[[], object]) -> IDelayed:
        """Call when the peer's time is over; see `chat.server.frontends.deadline.Deadline`."""

    def unread(self) -> bool:
        """Whether something that the peer has sent waits in the kernel."""


class IFrontEnd(Protocol):
    """What a connection needs of its front end, which is a mind as well."""

    most_bytes: int
    """The longest line."""

    def lines(self, lines: Lines) -> None:
        """Take lines."""

    def silent(self) -> None:
        """The peer has waited for a moment: a person expects to be greeted."""

    def input_ended(self) -> None:
        """The peer sends no more, but may still read."""

    def finished(self) -> None:
        """The peer has ended the connection in order, or has acknowledged everything that was sent."""

    def lost(self) -> None:
        """The connection is gone."""


def newer(events: Iterable[Event], shown: Callable[[int], int]) -> list[Event]:
    """The events that were held back and not shown as part of the past.

    :param shown: the last seq that was shown of a conversation.
    """
    return [
        event for event in events if not (isinstance(event, PrivateEntry) and event.seq <= shown(event.conversation.id))
    ]
