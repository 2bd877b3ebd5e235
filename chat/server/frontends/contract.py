"""The contract of every front end: it decodes frames and renders events.

It stands on a `chat.server.frontends.line_session.LineSession`, which has a connection below it. A new front end is a
subclass of `FrontEnd` and one line in `chat.server.frontends.connection.FRONT_ENDS`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Hashable, Iterator
from typing import NamedTuple, Protocol

from chat.protocol.events import Event, Missed, Refused, Reply, Resumed
from chat.protocol.grammar.context import Call
from chat.protocol.values import Peer
from chat.server.core.service import ChatService
from chat.server.core.user import Session
from chat.server.frontends.outbox import Outbox
from chat.server.frontends.telnet import Telnet
from chat.server.interfaces import Features, IAudience, IDelayed, ITurn


class Link(Protocol):
    """The connection below a `chat.server.frontends.line_session.LineSession`: framing, TLS, and its end.

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


class NoCall(NamedTuple):
    """What a front end makes of a frame that is no command.

    :ivar answer: is shown at once; may be empty.
    :ivar refused: whether the frame was refused, which costs more than an empty line or one that a
        prompt answers.
    :ivar unknown: whether it meant nothing at all, as no line of a person or a client does.
    """

    answer: bytes = b""
    refused: bool = False
    unknown: bool = False


class Line(Protocol):
    """What a front end may ask of its session."""

    link: Link
    outbox: Outbox
    peer: Peer

    @property
    def service(self) -> ChatService: ...

    @property
    def session(self) -> Session: ...

    @property
    def turn(self) -> ITurn: ...

    @property
    def lines_wait(self) -> bool:
        """Whether lines wait for their turn."""

    def drop_lines(self) -> int:
        """Forget the lines that wait.

        :returns: how many there were.
        """


class FrontEnd(ABC):
    """What one format is made of, for one session.

    :cvar features: what it can do.
    :cvar most_bytes: the longest frame.
    :ivar line: the session.
    """

    __slots__ = ("line",)

    features: Features
    most_bytes: int

    def __init__(self, line: Line) -> None:
        self.line = line

    @abstractmethod
    def decode(self, frame: object) -> Call | NoCall:
        """What a frame means now.

        :param frame: bytes without their line end, or `chat.server.frontends.line_decoder.TOO_LONG`.
        """

    @abstractmethod
    def render(self, shown: Event | Reply, call: Call | None = None) -> bytes | Iterator[bytes]:
        """What an event or a reply looks like in this session; piece by piece where it may be long.

        :param call: what a reply answers; an event answers none, and is never long.
        """

    @abstractmethod
    def audience_key(self, conversation: int) -> Hashable:
        """Equal for all sessions that see the same bytes of this conversation."""

    @abstractmethod
    def new_audience(self, conversation: int) -> IAudience:
        """An empty audience for sessions of this key."""

    # what only some formats have

    def greeting(self) -> bytes:
        """What a peer is shown that connects and says nothing."""
        return b""

    def follow(self, change: Event | Reply) -> None:  # noqa: B027  # a format without a state has nothing to follow
        """Somebody has logged in or out, has moved, or is disconnected: this comes before it is rendered."""

    def refused(self, call: Call, reply: Refused) -> bytes:
        """What a refused command looks like."""
        return whole(self.render(reply, call))

    def arrival(self, resumed: Resumed, missed: Missed | None) -> Iterator[bytes]:
        """What is shown after login where `Features.acknowledges` is not set.

        :param missed: the private messages that waited; nothing where they could not be read.
        """
        for page in missed.pages if missed is not None else ():
            for entry in page.entries:
                yield whole(self.render(entry))

    def partly_shown(self) -> Collection[int]:
        """The rooms of which not everything that is said is shown."""
        return ()

    @property
    def asking(self) -> bool:
        """Whether an answer that does not end its line is a prompt."""
        return False


def whole(rendered: bytes | Iterator[bytes]) -> bytes:
    """All pieces of something rendered."""
    return rendered if isinstance(rendered, bytes) else b"".join(rendered)
