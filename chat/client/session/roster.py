"""The names of people and rooms: complete lists every minute, and single names on demand."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from functools import partial
from typing import Any

from twisted.internet.defer import Deferred, DeferredList, TimeoutError
from twisted.internet.task import LoopingCall

from chat.client.model.state import State
from chat.client.session.protocol import ChatClient
from chat.client.session.tasks import unattended
from chat.protocol.errors import NotAMember
from chat.protocol.events import People, Person, Profile, Refused, Reply, Rooms, RoomSettings
from chat.protocol.names import fold

EVERY = 60.0
"""Seconds between two reads of the lists: a return within moments is not announced."""

LOOKUP_TIMEOUT = 2.0
"""Seconds that a typed line waits for the server to look up its names."""

MOST_PAGES = 10
"""The most pages of the list of people that are read."""


class Roster:
    """The names that a server knows.

    :param clock: tells the time and schedules calls (``IReactorTime``).
    """

    def __init__(self, state: State, clock: Any) -> None:
        self._state = state
        self._clock = clock
        self._client: ChatClient | None = None
        self._loop = LoopingCall(self._refresh)
        self._loop.clock = clock

    async def begin(self, client: ChatClient) -> None:
        """Read the lists now, and then every `EVERY` seconds.

        :raises ClientFailure: when the connection is lost.
        """
        self._client = client
        await self._read(client)
        if self._client is client:
            self._loop.start(EVERY, now=False)

    def end(self) -> None:
        """The connection has ended."""
        self._client = None
        if self._loop.running:
            self._loop.stop()

    def _refresh(self) -> None:
        if self._client is not None:
            unattended(self._read(self._client))

    async def _read(self, client: ChatClient) -> None:
        state, listed = self._state, list[Person]()
        for _ in range(MOST_PAGES):
            people = await client.ask("roster", {"after": fold(listed[-1].name) if listed else ""})
            if not isinstance(people, People):
                break
            state.list_people(people)
            listed += people.people
            if not people.more or not people.people:
                state.list_all(listed)
                break
        rooms = await client.ask("list", {"what": "channels"})
        if isinstance(rooms, Rooms):
            state.list_rooms(rooms)

    async def look_up(self, names: Iterable[tuple[bool, str]]) -> bool:
        """Ask the server for unknown names: new ones, and those beyond the pages that were read.

        :param names: the unknown names of one line: whether as a room, and the word.
        :returns: whether any of them exists, as far as the server has answered within `LOOKUP_TIMEOUT`.
        """
        client, found = self._client, [False]
        if client is None:
            return False

        def answered(room: bool, word: str, reply: Reply) -> None:
            found.append(self._learn(room, word, reply))

        asked: list[Deferred[None]] = [
            client.request("room" if room else "whois", {"room" if room else "user": word}).addCallback(
                partial(answered, room, word)
            )
            for room, word in names
        ]
        with suppress(TimeoutError):  # go on with the names that are known
            await DeferredList(asked, consumeErrors=True).addTimeout(LOOKUP_TIMEOUT, self._clock)
        return any(found)

    def _learn(self, room: bool, word: str, reply: Reply) -> bool:
        """:returns: whether a person or room of that name exists."""
        state = self._state
        if isinstance(reply, Profile):
            state.meet(reply.name, reply.state)
        elif isinstance(reply, RoomSettings):
            state.rooms[fold(reply.conversation.room)] = reply.conversation.room
        elif room and isinstance(reply, Refused) and reply.code == NotAMember.code:
            state.rooms[fold(word)] = word  # a private room to which this account is invited
        else:
            return False
        return True
