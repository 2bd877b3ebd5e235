"""Who did what kind of thing, when, from where, and how much of it; never what was said.

What happens is handed to whoever listens: the traffic log, and administrators who watch. Where nobody does, it costs
one look at an empty list.

What anybody can do without an account (connecting, being refused) is bounded in lines a minute by network, so that
nobody pushes out of the log what was noted before.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

from chat.protocol.events import Traffic as TrafficEvent
from chat.protocol.values import Body, Pair, Sealed
from chat.server.core.directory import Directory
from chat.server.core.room import Room
from chat.server.core.user import Session
from chat.server.interfaces import Committed, IClock, IDelayed

NOTED_EACH: Final = 10
"""Refusals of one kind, from one network within a minute, that are noted one by one; the rest is counted."""

MOST_COUNTED: Final = 1_000
"""Kinds and networks that are counted apart within a minute; what comes from further ones is counted together."""

Sink = Callable[[Sequence[TrafficEvent]], object]
"""Gets what one commit, or one act, has brought."""


class TrafficLog:
    """:param sessions: every connection, by the number of its session.
    :param rooms: every room, by the id of its conversation.
    """

    def __init__(
        self, directory: Directory, sessions: dict[int, Session], rooms: dict[int, Room], clock: IClock
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._rooms = rooms
        self._clock = clock
        self._sinks: list[Sink] = []
        self._watchers: list[Session] = []
        self._silent: dict[int, int] = {}
        """When the sessions connected of which nothing was noted yet, milliseconds since the epoch."""
        self._minute: Counter[tuple[str, str]] = Counter()
        """How often what anybody can do without an account was done in this minute, by kind and network."""
        self._timer: IDelayed | None = None
        self._ended = False

    def add_sink(self, sink: Sink) -> None:
        """Tell somebody from now on."""
        self._sinks.append(sink)

    def watch(self, session: Session) -> bool:
        """Show a session what happens from now on, or no longer.

        :returns: whether it watches now.
        """
        if session in self._watchers:
            self._watchers.remove(session)
            return False
        self._watchers.append(session)
        return True

    def note(self, kind: str, session: Session, size: int = 0) -> None:
        """Somebody did something that no log holds.

        :param size: bytes that were said.
        """
        if not (self._sinks or self._watchers) or session.operator:
            return
        events = [self._event(kind, session, self._now(), size)]
        connected = self._silent.pop(session.id, None)
        if connected is not None:
            events.insert(0, replace(events[0], time=connected, kind="connected", account="", size=0))
        self._tell(events)

    def connected(self, session: Session) -> None:
        """A connection was made; it is noted with the first thing that is done there."""
        if (self._sinks or self._watchers) and not session.operator:
            self._silent[session.id] = self._now()

    def disconnected(self, session: Session) -> None:
        """A connection has ended; where nothing of it was noted, it is counted."""
        if self._silent.pop(session.id, None) is None:
            self.note("disconnected", session)
        else:
            self._count("silent", session)

    def refused(self, verb: str, session: Session) -> None:
        """Somebody who is not logged in was refused; beyond a few times a minute it is counted."""
        if self._count(f"{verb}-refused", session) <= NOTED_EACH:
            self.note(f"{verb}-refused", session)

    def _count(self, kind: str, session: Session) -> int:
        """Anybody can do this as often as the network takes it, so a minute of it is one line for each network.

        :returns: how often it was done within the minute, this time included.
        """
        if not (self._sinks or self._watchers) or session.operator or self._ended:
            return 0
        key = kind, session.mind.peer.network
        if len(self._minute) >= MOST_COUNTED and key not in self._minute:
            key = kind, ""
        self._minute[key] += 1
        if self._timer is None:
            self._timer = self._clock.call_later(60.0, self._close_minute)
        return self._minute[key]

    def _close_minute(self) -> None:
        self._timer = None
        minute, self._minute, now = self._minute, Counter(), self._now()
        events = []
        for (kind, network), times in minute.items():
            more = times if kind == "silent" else times - NOTED_EACH
            if more > 0:
                events.append(TrafficEvent(now, kind, network=network, count=more))
        if events:
            self._tell(events)

    def end(self) -> None:
        """Tell what was counted; nothing is counted any more."""
        self._ended = True
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._close_minute()

    def _now(self) -> int:
        """Milliseconds since the epoch."""
        return int(self._clock.seconds() * 1000)

    def _event(self, kind: str, session: Session, time: int, size: int) -> TrafficEvent:
        name = session.user.name if session.user is not None else ""
        return TrafficEvent(time, kind, name, session.id, session.mind.peer.network, size=size)

    def stored(self, rows: Sequence[Committed]) -> None:
        """A commit has stored these rows."""
        if self._sinks or self._watchers:
            self._tell([self._of_row(each) for each in rows])

    def _of_row(self, committed: Committed) -> TrafficEvent:
        row, origin = committed.row, committed.origin
        session = self._sessions.get(origin.session) if origin is not None else None
        to, room, partner = committed.draft.conversation, "", ""
        if isinstance(to, Pair):
            letter, partner = "k", self._directory.name_of(to.beside(row.author))
        else:
            letter, found = "r", self._rooms.get(row.conversation)
            room = found.name if found is not None else ""
        return TrafficEvent(
            row.time,
            row.kind,
            self._directory.name_of(row.author),
            origin.session if origin is not None else 0,
            session.mind.peer.network if session is not None else "",
            f"{letter}{row.conversation}",
            room,
            partner,
            size_of(row.body),
        )

    def _tell(self, events: Sequence[TrafficEvent]) -> None:
        for sink in self._sinks:
            sink(events)
        for watcher in tuple(self._watchers):
            if watcher.gone or not watcher.administers:
                self._watchers.remove(watcher)
                continue
            for event in events:
                watcher.mind.deliver(event)


def size_of(body: Body | None) -> int:
    """The bytes of a body."""
    if body is None:
        return 0
    if isinstance(body, Sealed):
        return len(body.ciphertext)
    text = body.text
    return len(text) if text.isascii() else len(text.encode())
