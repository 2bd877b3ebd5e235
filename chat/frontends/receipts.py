"""What a person on netcat provably has.

A write to a socket proves nothing. Bytes that the peer's kernel has acknowledged were at least delivered to its
machine; when a line comes from there after that, or an orderly end, somebody was reading. A reset or a time-out
proves nothing: what was shown since the last proof is shown again.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping

from chat.core.user import Session
from chat.frontends.outbox import Outbox


class Receipts:
    """The marks of one login of one text session.

    :param behind: rooms of which earlier lines still wait unseen: their marks stand still until `caught_up`.
        The marks of quiet rooms stand still as well; of these it is kept up to which seq everything was shown.
    :param account: who is logged in; the session forgets it before the last proof may come.
    :param write: called with the account, its device and the marks that are proven, conversation to seq;
        fires when they are written.
    """

    __slots__ = (
        "_account",
        "_behind",
        "_device",
        "_final",
        "_outbox",
        "_private",
        "_proven",
        "_quiet",
        "_session",
        "_write",
        "_writing",
    )

    def __init__(
        self,
        session: Session,
        account: int,
        outbox: Outbox,
        behind: Iterable[int],
        write: Callable[[int, str, Mapping[int, int]], Awaitable[None]],
    ) -> None:
        self._session = session
        self._account = account
        self._device = session.device
        self._behind = tuple(behind)  # mostly empty, which costs a tuple nothing
        self._quiet: dict[int, int] | None = None
        self._outbox = outbox
        self._write = write
        self._writing: Awaitable[None] | None = None
        self._private: dict[int, int] | None = None
        self._final: dict[int, int] | None = None
        self._proven: dict[int, int] = {id: room.last for id, room in session.rooms.items()}

    def shown(self, conversation: int, seq: int) -> None:
        """A private message was handed to the outbox."""
        private = self._private
        if private is None:
            private = self._private = {}
        private[conversation] = max(seq, private.get(conversation, 0))

    def caught_up(self, room: int | None) -> None:
        """Nothing waits unseen any more in a room, or anywhere."""
        if room is None:
            self._behind = ()
        else:
            self._behind = tuple(id for id in self._behind if id != room)
        if self._quiet is not None:
            rooms = self._session.rooms
            self._quiet |= {id: rooms[id].last for id in self._quiet if room in (None, id) and id in rooms}

    def quiet(self, rooms: Collection[int]) -> None:
        """Not everything that is said in these rooms is shown from now on, and in all others it is.

        Where something was said that was not shown, the marks stand still until `caught_up`.
        """
        last = {id: room.last for id, room in self._session.rooms.items()}
        before = self._quiet or {}
        self._quiet = {id: before.get(id, last[id]) for id in rooms} or None
        unseen = [id for id, seq in before.items() if id not in rooms and last.get(id, 0) > seq]
        self._behind = (*self._behind, *unseen)

    def handed(self) -> dict[int, int]:
        """How far each conversation was handed to the outbox.

        Batches of rooms leave at the end of each turn, so a room counts up to its newest row.
        """
        if self._final is not None:
            return self._final
        still = (*self._behind, *(self._quiet or ()))
        marks = {id: room.last for id, room in self._session.rooms.items() if id not in still}
        marks.update(self._private or ())
        return marks

    def prove(self) -> None:
        """The peer has shown that it reads, after everything that was handed over so far."""
        if not self._outbox.acknowledged():
            return
        proven = {id: seq for id, seq in self.handed().items() if seq > self._proven.get(id, 0)}
        if proven:
            self._proven.update(proven)
            self._writing = self._write(self._account, self._device, proven)

    async def settled(self) -> None:
        """Prove what can be proven and wait until it is written: what is counted as waiting depends on it."""
        self.prove()
        if self._writing is not None:
            await self._writing

    def close(self) -> None:
        """The login is over: nothing more is handed over, but what was may still be proven."""
        self._final = self.handed()
