"""Queries the server for people's keys, and knows how old each answer is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Any

from chat.client.e2e.key_store import KeyStore
from chat.client.e2e.trust_store import Change, Changed
from chat.protocol.events import Keys, Reply
from chat.protocol.names import fold

FRESH = 60.0
"""Seconds for which an answer holds: a device without keys is announced by nobody."""

AT_ONCE = 100
"""The most people in one request."""

Ask = Callable[[str, Mapping[str, Any]], Awaitable[Reply]]
"""Asks the server; raises `ClientFailure` when it refuses, or there is no connection."""


class KeyQueries:
    """What is known of the keys of others.

    :param seconds: tells the time.
    """

    def __init__(self, ring: KeyStore, ask: Ask, seconds: Callable[[], float]) -> None:
        self._ring = ring
        self._ask = ask
        self._seconds = seconds
        self._asked: dict[str, float] = {}
        self._doubts: dict[str, tuple[Changed, ...]] = {}

    def stale(self, user: str) -> None:
        """Somebody may have other keys, or another device, than a moment before."""
        self._asked.pop(fold(user), None)

    def all_stale(self) -> None:
        """There was no connection."""
        self._asked.clear()

    async def look(self, users: Iterable[str], again: bool = False) -> bool:
        """Look at the keys of these people.

        :param again: also where that was done a moment ago.
        :returns: whether the server was asked.
        :raises ClientFailure: when the server does not say.
        """
        now = self._seconds()
        wanted = [each for each in users if again or self._asked.get(fold(each), -FRESH) + FRESH <= now]
        for start in range(0, len(wanted), AT_ONCE):
            some = wanted[start : start + AT_ONCE]
            reply = await self._ask("keys.of", {"users": some})
            shown = {fold(each.user): each for each in reply.people} if isinstance(reply, Keys) else {}
            for user in map(fold, some):
                self._asked[user] = now
                self._doubts[user] = self._ring.pins.look(shown[user]) if user in shown else ()
        return bool(wanted)

    def doubts(self, user: str) -> tuple[Changed, ...]:
        """What is not as it was, or not as it should be, with the keys of somebody."""
        return self._doubts.get(fold(user), ())

    def without_keys(self, users: Iterable[str]) -> list[tuple[str, str]]:
        """The devices of these people at which nothing sealed can be read.

        This very device is left out, and the ghosts of others: whoever vouches for none has to be shown as such.
        """
        return [
            (each.user, each.device)
            for user in users
            for each in self.doubts(user)
            if each.change is Change.WITHOUT_KEYS or (each.change is Change.GHOST and self._own(user))
        ]

    def ghosts(self, users: Iterable[str]) -> list[Changed]:
        """Devices that nobody vouches for."""
        return [each for user in users for each in self.doubts(user) if each.change is Change.GHOST]

    def _own(self, user: str) -> bool:
        return fold(user) == self._ring.own.user
