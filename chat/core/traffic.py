"""Who did what kind of thing, when, from where, and how much of it; never what was said.

What happens is handed to whoever listens: the traffic log, and administrators who watch. Where nobody does, it costs
one look at an empty list.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chat.core.directory import Directory
from chat.core.room import Room
from chat.core.user import Session
from chat.events import Traffic as TrafficEvent
from chat.interfaces import Committed
from chat.values import Body, Pair, Sealed

Sink = Callable[[Sequence[TrafficEvent]], object]
"""Gets what one commit, or one act, has brought."""


class Traffic:
    """:param sessions: every connection, by the number of its session.
    :param rooms: every room, by the id of its conversation.
    :param now: milliseconds since the epoch.
    """

    def __init__(
        self, directory: Directory, sessions: dict[int, Session], rooms: dict[int, Room], now: Callable[[], int]
    ) -> None:
        self._directory = directory
        self._sessions = sessions
        self._rooms = rooms
        self._now = now
        self._sinks: list[Sink] = []
        self._watchers: list[Session] = []

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
        name = session.user.name if session.user is not None else ""
        self._tell([TrafficEvent(self._now(), kind, name, session.id, session.mind.peer.network, size=size)])

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
