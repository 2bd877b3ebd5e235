"""Front ends, as the core knows them."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Hashable, Mapping
from dataclasses import dataclass
from typing import Protocol

from chat.protocol.events import Event
from chat.protocol.values import Peer


@dataclass(frozen=True, slots=True, kw_only=True)
class Features:
    """What a front end can do and wants to be told; one flag for each thing.

    :ivar acknowledges: its peer says what it has received, so that nothing is concluded from its socket, and asks for
        what it missed.
    :ivar tokens: its peer can keep a session token, and gets one at each login.
    :ivar gaps: it is told `chat.protocol.events.Skipped` where seqs have a gap, so that none is taken for a loss.
    :ivar opens_sealed: its peer may have keys: it reads and writes sealed messages, has a device inbox, and is told
        when keys change or run short.
    :ivar receipts: it is told each step of the delivery of the private messages that its account sent.
    :ivar crowd_presence: it is told who joins and leaves a crowded room.
    :ivar every_occupancy: it keeps a list of who is online: it is told every name, never *and 12 others*.
    :ivar typed_by_people: a person types its lines: a login without a device name means the default one.
    """

    acknowledges: bool = False
    tokens: bool = False
    gaps: bool = False
    opens_sealed: bool = False
    receipts: bool = False
    crowd_presence: bool = False
    every_occupancy: bool = False
    typed_by_people: bool = False


class IAudience(Protocol):
    """Sessions that see the same bytes of a conversation: an event is rendered once for all of them."""

    features: Features
    """Of all its members."""

    def add(self, mind: IMind) -> None: ...

    def remove(self, mind: IMind) -> None:
        """Flush what waits to everybody, then forget this one."""

    def post(
        self, event: Event, omit: Collection[IMind], hidden: Collection[IMind] = (), instead: Event | None = None
    ) -> None:
        """Queue an event for everybody but ``omit`` and ``hidden``; it leaves at the end of the turn.

        :param omit: who is told nothing, such as the session that it came from.
        :param hidden: from whom it is hidden; those that want `Features.gaps` are told ``instead``.
        """

    def __len__(self) -> int: ...


class IMind(Protocol):
    """The front end's end of a session."""

    peer: Peer

    @property
    def features(self) -> Features: ...

    def audience_key(self, conversation: int) -> Hashable:
        """Equal for all minds that render events of this conversation to the same bytes."""

    def new_audience(self, conversation: int) -> IAudience:
        """An empty audience for minds of this key."""

    def deliver(self, event: Event) -> None:
        """Show an event to this session alone; never blocks."""

    def shown(self) -> Mapping[int, int] | None:
        """How far each conversation was shown in this login, proven or not; nothing where the peer itself says so."""

    def flush(self) -> None:
        """The session is being signed out: whatever comes from now on was not shown."""

    def probe(self) -> Awaitable[bool]:
        """Find out within 3 seconds whether the peer still shows any life."""

    def slow_down(self, seconds: float) -> None:
        """Read nothing more from the peer for so many seconds: it is in debt."""

    def close(self, reason: str) -> None:
        """Say why, send what waits, and end the connection."""
