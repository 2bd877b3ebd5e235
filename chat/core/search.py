"""Searching what one may read, and letting the index follow the log while nobody waits."""

from __future__ import annotations

from twisted.python.failure import Failure

from chat.core.entries import entry, private_conversation
from chat.core.house import House
from chat.core.rooms import Rooms, account_of
from chat.core.user import Session
from chat.errors import Busy, ChatError, StoreUnavailable
from chat.events import Found
from chat.interfaces import IDelayed
from chat.values import Account, Conversation, Pair

PAUSE = 10.0
"""Seconds between two steps of the index; what a search finds missing it adds at once."""

MOST_STEPS = 100
"""Steps that one search takes at most to close the index: 200,000 rows."""


class Search:
    def __init__(self, house: House, rooms: Rooms) -> None:
        self._house = house
        self._rooms = rooms
        self._behind: set[int] = set()
        self._timer: IDelayed | None = None

    async def start(self) -> None:
        """Find out where the index is behind."""
        for conversation in await self._house.store.unindexed():
            self.note(conversation)

    def stop(self) -> None:
        """Take no further step."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        self._timer = None

    def note(self, conversation: int) -> None:
        """Something was said there."""
        self._behind.add(conversation)
        if self._timer is None and not self._house.stopping:
            self._timer = self._house.clock.call_later(PAUSE, self._step)

    def _step(self) -> None:
        behind, self._behind = self._behind, set()
        self._timer = None
        self._house.store.index(behind).addCallbacks(
            self._stepped, lambda failure: failure.trap(ChatError) and None, callbackArgs=(behind,)
        )

    def _stepped(self, seqs: int, behind: set[int]) -> None:
        for conversation in behind if seqs else ():
            self.note(conversation)

    async def search(
        self,
        session: Session,
        words: str,
        *,
        place: Conversation | None,
        author: Account | None,
        since: int,
        limit: int,
    ) -> Found:
        """Find what was said, the newest first.

        :param words: as they were typed.
        :param place: where, or nothing for everywhere.
        :param author: by whom, or nothing for anybody.
        :param since: milliseconds since the epoch.
        """
        account = account_of(session)
        store, directory = self._house.store, self._house.directory
        shown = {
            id: conversation for id, conversation in await self._readable(account) if place in (None, conversation)
        }
        readable = {id: self._after(account, id) for id in shown}
        for _ in range(MOST_STEPS):
            if not await store.index(readable).addErrback(_as_it_is):
                break
        rows = await store.search(
            words,
            readable,
            author=author.id if author is not None else None,
            since=since,
            blocked=directory.blocked_by(account),
            limit=limit + 1,
        )
        entries = tuple(entry(row, shown[row.conversation], directory) for row in rows[:limit])
        return Found(entries, len(rows) > limit)

    async def _readable(self, account: int) -> list[tuple[int, Conversation]]:
        """Every conversation that an account may read."""
        readable = [(room.id, room.conversation) for room in self._rooms.of(account)]
        for other, id in (await self._house.store.pairs_of(account)).items():
            pair = Pair.of(account, other)
            readable.append((id, private_conversation(id, pair, account, self._house.directory)))
        return readable

    def _after(self, account: int, conversation: int) -> int:
        room = self._house.rooms.get(conversation)
        return room.may_read(account) if room is not None else 0


def _as_it_is(failure: Failure) -> int:
    """Nothing can be written just now: what is not in the index yet is not found, and the rest is."""
    failure.trap(StoreUnavailable, Busy)
    return 0
