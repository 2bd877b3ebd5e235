"""Who is told that somebody came or went, and when.

Told are those who share a room or a private conversation with the person, and everybody while few are
online; never those whom the person blocks. A lost connection is told nobody for a while, because people come
back; arrivals and departures in a burst become one line; and the first moments after a start are silent for
those who were known before, because everybody comes back at once.
"""

from __future__ import annotations

from collections.abc import Iterable

from chat.protocol.events import Presence as PresenceEvent
from chat.server.core.node import Node
from chat.server.core.room import CROWD
from chat.server.core.user import ChatUser
from chat.server.interfaces import IDelayed

FEW = 100
"""While at most so many people are online everybody is told of everybody."""

GRACE = 30.0
"""Seconds that a lost connection is not told, and that the start is silent."""

BURST = 2.0
"""Seconds after an announcement in which further ones are collected."""

AT_ONCE = 200
"""Names in one event for a program."""

_NAMED = 3


class PresenceService:
    def __init__(self, node: Node) -> None:
        self._node = node
        self._started = node.clock.monotonic()
        self._stopped = False
        self._missing: dict[int, IDelayed] = {}
        self._window: IDelayed | None = None
        self._waiting: dict[tuple[str, int], tuple[str, frozenset[int]]] = {}

    def stop(self) -> None:
        """Tell nothing more: that everybody goes at the end is no news."""
        self._stopped = True
        for delayed in (*self._missing.values(), self._window):
            if delayed is not None and delayed.active():
                delayed.cancel()
        self._missing.clear()

    def arrived(self, user: ChatUser) -> None:
        """The first session of a user has logged in."""
        if self._stopped:
            return
        missing = self._missing.pop(user.account.id, None)
        if missing is not None:
            missing.cancel()
            return
        if not self._silent(user):
            self._announce("online", user)

    def departed(self, user: ChatUser, lost: bool) -> None:
        """The last session of a user has ended.

        :param lost: its connection broke, so it may well be back.
        """
        if self._stopped:
            return
        if not lost:
            if not self._silent(user):
                self._announce("offline", user)
            return
        account = user.account.id
        self._missing[account] = self._node.clock.call_later(GRACE, lambda: self._give_up(user))

    def changed(self, user: ChatUser) -> None:
        """A user is away, or back."""
        state = "back" if user.away is None else "away"
        event = PresenceEvent((user.name,), state, text=user.away or "")
        for listener in self._listeners(user) - self._node.directory.blockers_of(user.account.id):
            self._deliver(listener, event)

    def _silent(self, user: ChatUser) -> bool:
        """Whether the server has just started, and this is somebody who was known before."""
        started = self._node.clock.monotonic() - self._started < GRACE
        return started and user.account.created < self._node.started

    def _give_up(self, user: ChatUser) -> None:
        del self._missing[user.account.id]
        if user.account.id not in self._node.users:
            self._announce("offline", user)

    def _listeners(self, user: ChatUser) -> frozenset[int]:
        node = self._node
        account = user.account.id
        if len(node.users) <= FEW:
            others = set(node.users)
        else:
            others = {each for each in user.contacts if each in node.users}
            for id in node.memberships.get(account, ()):
                occupants = node.rooms[id].occupants
                if len(occupants) <= CROWD:
                    others.update(occupants)
        others.discard(account)
        return frozenset(others - node.directory.blocked_by(account))

    def _announce(self, state: str, user: ChatUser) -> None:
        listeners = self._listeners(user)
        if self._window is not None:
            opposite = ("offline" if state == "online" else "online", user.account.id)
            if self._waiting.pop(opposite, None) is None:
                self._waiting[state, user.account.id] = (user.name, listeners)
            return
        self._window = self._node.clock.call_later(BURST, self._close_window)
        event = PresenceEvent((user.name,), state)
        for listener in listeners:
            self._deliver(listener, event)

    def _close_window(self) -> None:
        self._window = None
        if not self._waiting:
            return
        self._window = self._node.clock.call_later(BURST, self._close_window)
        told: dict[int, dict[str, list[str]]] = {}
        for (state, account), (name, listeners) in self._waiting.items():
            for listener in listeners - self._node.directory.blocked_by(account):  # a block may have come meanwhile
                told.setdefault(listener, {}).setdefault(state, []).append(name)
        self._waiting.clear()
        for listener, states in told.items():
            for state, names in states.items():
                shown = names if len(names) <= _NAMED + 1 else names[:_NAMED]
                summary = PresenceEvent(tuple(shown), state, others=len(names) - len(shown))
                groups = (names[start : start + AT_ONCE] for start in range(0, len(names), AT_ONCE))
                self._deliver(listener, summary, [PresenceEvent(tuple(group), state) for group in groups])

    def _deliver(self, listener: int, summary: PresenceEvent, names: Iterable[PresenceEvent] = ()) -> None:
        """:param names: what those are told instead that want `Features.every_occupancy`."""
        for mind in self._node.minds_of(listener):
            for event in (mind.features.every_occupancy and names) or (summary,):
                mind.deliver(event)
