"""Front ends, as the core knows them."""

from __future__ import annotations

from collections.abc import Awaitable, Collection, Hashable, Mapping
from typing import Protocol

from chat.protocol.events import Event
from chat.protocol.values import (
    Peer,
)


class IAudience(Protocol):
    """Sessions that see the same bytes of a conversation: an event is rendered once for all of them."""

    program: bool
    """Whether programs read; people are spared the comings and goings of a crowded room."""

    def add(self, mind: IMind) -> None: ...

    def remove(self, mind: IMind) -> None:
        """Flush what waits to everybody, then forget this one."""

    def post(
        self, event: Event, omit: Collection[IMind], hidden: Collection[IMind] = (), instead: Event | None = None
    ) -> None:
        """Queue an event for everybody but ``omit`` and ``hidden``; it leaves at the end of the turn.

        :param omit: who is told nothing, such as the session that it came from.
        :param hidden: from whom it is hidden; programs among them are told ``instead``.
        """

    def __len__(self) -> int: ...


class IMind(Protocol):
    """The front end's end of a session."""

    peer: Peer

    program: bool
    """Whether a program reads: it gets tokens, and `chat.protocol.events.Skipped` where seqs have a gap."""

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
