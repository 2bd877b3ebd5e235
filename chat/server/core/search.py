"""Searching what one may read, and letting the index follow the log while nobody waits."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.python.failure import Failure

from chat.protocol.errors import Busy, StoreUnavailable
from chat.protocol.events import Found
from chat.protocol.values import Account, Conversation, Pair
from chat.protocol.values.terms import Terms
from chat.server.core.background_task import BackgroundTask
from chat.server.core.node import Node
from chat.server.core.rooms import RoomService, account_of
from chat.server.core.row_events import entry, private_conversation
from chat.server.core.user import Session

PAUSE = 10.0
"""Seconds between two steps of the index; what a search finds missing it adds at once."""

BUSY_PAUSE = 0.1
"""Seconds between two steps while there is more to do, in which others write."""

MOST_STEPS = 20
"""Steps that one search takes at most to close the index: 10,000 rows, where 10 seconds of talk are missing."""

_ONE_AT_A_TIME = "Your last search is still running. Wait for its results."


class Search:
    def __init__(self, node: Node, rooms: RoomService) -> None:
        self._node = node
        self._rooms = rooms
        self._behind: set[int] = set()
        self._indexing: frozenset[int] = frozenset()
        self._searching: set[int] = set()
        self.indexing = BackgroundTask(node.clock, self._index, PAUSE)
        self.rebuilding = BackgroundTask(node.clock, self._rebuild, None)
        """What an upgrade left to do. What fails is tried again at the next start."""

    async def start(self) -> None:
        """Find out where the index is behind."""
        self.rebuilding.start(PAUSE)
        for conversation in await self._node.store.behind():
            self.note(conversation)

    def note(self, conversation: int) -> None:
        """Something was said there."""
        self._behind.add(conversation)
        if self.indexing.resting:
            self.indexing.start(PAUSE)

    async def _index(self) -> float | None:
        self._indexing, self._behind = frozenset(self._behind), set()
        done = False
        try:
            done = not await self._node.store.index(self._indexing)
        finally:
            if not done:
                self._behind |= self._indexing
            self._indexing = frozenset()
        if not done:
            return BUSY_PAUSE
        return PAUSE if self._behind else None

    async def _rebuild(self) -> float | None:
        return BUSY_PAUSE if await self._node.store.rebuild() else None

    async def search(
        self,
        session: Session,
        terms: Terms,
        *,
        place: Conversation | None,
        author: Account | None,
        since: int,
        limit: int,
    ) -> Found:
        """Find what was said, the newest first; one search at a time for each account.

        :param place: where, or nothing for everywhere.
        :param author: by whom, or nothing for anybody.
        :param since: milliseconds since the epoch.
        :raises Busy: while another search of this account runs.
        :raises SearchTooBroad: when it takes too long.
        """
        account = account_of(session)
        if account in self._searching:
            raise Busy(_ONE_AT_A_TIME)
        self._searching.add(account)
        try:
            shown = {id: each for id, each in await self._readable(account) if place in (None, each)}
            await self._close_index(shown)
            hits = await self._node.store.search(
                terms,
                {id: self._after(account, id) for id in shown},
                author=author.id if author is not None else None,
                since=since,
                blocked=self._node.directory.blocked_by(account),
                limit=limit,
            )
        finally:
            self._searching.discard(account)
        entries = tuple(entry(row, shown[row.conversation], self._node.directory) for row in hits.rows)
        return Found(entries, hits.more, not hits.complete)

    async def _close_index(self, shown: Mapping[int, Conversation]) -> None:
        """Index what was said a moment ago."""
        for _ in range(MOST_STEPS):
            behind = (self._behind | self._indexing).intersection(shown)
            if not behind or not await self._node.store.index(behind).addErrback(_as_it_is):
                break

    async def _readable(self, account: int) -> list[tuple[int, Conversation]]:
        """Every conversation that an account may read."""
        readable = [(room.id, room.conversation) for room in self._rooms.of(account)]
        for other, id in (await self._node.store.pairs_of(account)).items():
            pair = Pair.of(account, other)
            readable.append((id, private_conversation(id, pair, account, self._node.directory)))
        return readable

    def _after(self, account: int, conversation: int) -> int:
        room = self._node.rooms.get(conversation)
        return room.may_read(account) if room is not None else 0


def _as_it_is(failure: Failure) -> int:
    """Nothing can be written just now: what is not in the index yet is not found, and the rest is."""
    failure.trap(StoreUnavailable, Busy)
    return 0
