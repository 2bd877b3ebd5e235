"""Searching what one may read, and letting the index follow the log while nobody waits."""

from __future__ import annotations

from collections.abc import Mapping

from twisted.python.failure import Failure

from chat.protocol.errors import Busy, ChatError, StoreUnavailable
from chat.protocol.events import Found
from chat.protocol.values import Account, Conversation, Pair
from chat.protocol.values.terms import Terms
from chat.server.core.node import Node
from chat.server.core.rooms import RoomService, account_of
from chat.server.core.row_events import entry, private_conversation
from chat.server.core.user import Session
from chat.server.interfaces import IDelayed

PAUSE = 10.0
"""Seconds between two steps of the index; what a search finds missing it adds at once."""

BUSY_PAUSE = 0.1
"""Seconds between two steps while there is more to do, in which others write."""

MOST_STEPS = 20
"""Steps that one search takes at most to close the index: 10,000 rows, where 10 seconds of talk are missing."""

_ONE_AT_A_TIME = "Your last search is still running. Search again when you have its answer."


class Search:
    def __init__(self, node: Node, rooms: RoomService) -> None:
        self._node = node
        self._rooms = rooms
        self._behind: set[int] = set()
        self._indexing: frozenset[int] = frozenset()
        self._searching: set[int] = set()
        self._timer: IDelayed | None = None
        self._rebuild_timer: IDelayed | None = None

    async def start(self) -> None:
        """Find out where the index is behind, and go on with what an upgrade left to do."""
        self._rebuild_timer = self._node.clock.call_later(PAUSE, self._rebuild)
        for conversation in await self._node.store.behind():
            self.note(conversation)

    def stop(self) -> None:
        """Take no further step; the next start goes on."""
        for timer in (self._timer, self._rebuild_timer):
            if timer is not None and timer.active():
                timer.cancel()
        self._timer = self._rebuild_timer = None

    def note(self, conversation: int) -> None:
        """Something was said there."""
        self._behind.add(conversation)
        if self._timer is None and not self._node.stopping:
            self._timer = self._node.clock.call_later(PAUSE, self._step)

    def _step(self) -> None:
        self._timer = None
        self._indexing, self._behind = frozenset(self._behind), set()
        self._node.store.index(self._indexing).addCallbacks(self._stepped, self._not_stepped)

    def _stepped(self, seqs: int) -> None:
        if seqs:
            self._step_again(BUSY_PAUSE)
        self._indexing = frozenset()

    def _not_stepped(self, failure: Failure) -> None:
        """The store has said so in the log; the next step tries again."""
        failure.trap(ChatError)
        self._step_again(PAUSE)
        self._indexing = frozenset()

    def _step_again(self, pause: float) -> None:
        self._behind |= self._indexing
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self._node.stopping:
            self._timer = self._node.clock.call_later(pause, self._step)

    def _rebuild(self) -> None:
        self._rebuild_timer = None
        self._node.store.rebuild().addCallbacks(self._rebuilt, _not_rebuilt)

    def _rebuilt(self, more: bool) -> None:
        if more and not self._node.stopping:
            self._rebuild_timer = self._node.clock.call_later(BUSY_PAUSE, self._rebuild)

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


def _not_rebuilt(failure: Failure) -> None:
    """The store has said so in the log; the next start tries again."""
    failure.trap(ChatError)


def _as_it_is(failure: Failure) -> int:
    """Nothing can be written just now: what is not in the index yet is not found, and the rest is."""
    failure.trap(StoreUnavailable, Busy)
    return 0
