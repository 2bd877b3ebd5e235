"""Whether what was written privately has arrived, and what its author is told of that.

A device provably has what its marks say. Until a mark passes a message that was shown live, the session it was shown
to *owes* a proof; a session that ends for good and still owes one was perhaps gone already, and its
partners are told so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from twisted.internet.defer import Deferred

from chat.protocol.events import Delivered, Kept
from chat.protocol.values import Pair, Shown
from chat.server.core.mark_cache import MarkCache
from chat.server.core.node import Node, unattended
from chat.server.core.row_events import private_conversation
from chat.server.core.user import ChatUser, PendingReceipt, Session
from chat.server.interfaces import Ephemeral, IBus

ARRIVED, LEFT_BEHIND = "delivered", "kept"
"""The names of what the bus carries to the author's account."""


_EVENTS: dict[str, type[Delivered] | type[Kept]] = {ARRIVED: Delivered, LEFT_BEHIND: Kept}


@dataclass(frozen=True, slots=True)
class DeliveryMarks:
    """What one login proves, even after it has ended: ``account`` and ``device`` are those of the login."""

    delivery: DeliveryReceipts
    session: Session
    account: int
    device: str

    def proven(self, marks: Mapping[int, int], read: Mapping[int, int]) -> None:
        """The device provably has everything up to these marks.

        :param read: those of them that the person asked to see.
        """
        self.delivery.settle(self.session, marks)
        unattended(Deferred.fromCoroutine(self.delivery.prove(self.account, self.device, marks)))
        if read:
            unattended(Deferred.fromCoroutine(self.delivery.marks.read(self.account, read)))

    def unproven(self, shown: Mapping[int, Shown]) -> None:
        """The login is over, and these rows, which were sent, may not have arrived."""
        unattended(Deferred.fromCoroutine(self.delivery.marks.shown(self.account, self.device, shown)))


class DeliveryReceipts:
    def __init__(self, node: Node, bus: IBus) -> None:
        self.node = node
        self._bus = bus
        self.marks = MarkCache(node.store)

    def of(self, session: Session, account: int) -> DeliveryMarks:
        """What the login of a session proves."""
        return DeliveryMarks(self, session, account, session.device)

    def owe(self, session: Session, conversation: int, owed: PendingReceipt) -> None:
        """A session is shown a private message."""
        if session.owed is None:
            session.owed = {}
        session.owed[conversation] = owed

    def settle(self, session: Session, marks: Mapping[int, int]) -> None:
        """What a session was shown has arrived up to these marks."""
        if session.owed:
            session.owed = {id: owed for id, owed in session.owed.items() if owed.seq > marks.get(id, 0)} or None

    async def mark(self, account: int, device: str, marks: Mapping[int, int]) -> None:
        """Write the marks that a program has sent, and tell the authors of private messages.

        :raises StoreUnavailable: when the disk takes nothing; nobody is told.
        """
        await self._tell_authors(account, await self.node.store.mark_received(account, device, marks))

    async def prove(self, account: int, device: str, marks: Mapping[int, int]) -> None:
        """The same with marks that a text session has proven: they count at once, although nobody waits for them."""
        await self._tell_authors(account, await self.marks.received(account, device, marks))

    async def _tell_authors(self, account: int, raised: Mapping[int, int]) -> None:
        node = self.node
        private = raised.keys() - node.rooms.keys()
        if not private:
            return
        for other, conversation in (await node.store.pairs_of(account)).items():
            if conversation in private and other != account:
                self._tell(ARRIVED, account, other, conversation, raised[conversation])

    def ended(self, session: Session) -> None:
        """The connection of a session is gone, and nothing can be proven any more."""
        left, session.owed = session.owed or {}, None
        for conversation, owed in left.items():
            user = self.node.users.get(owed.reader)
            if user is None or not user.live:
                self._tell(LEFT_BEHIND, owed.reader, owed.author, conversation, owed.seq)

    def _tell(self, what: str, account: int, author: int, conversation: int, seq: int) -> None:
        if self.node.directory.blocks(account, author):
            return  # it would show that the reader is here, or has left
        fields: dict[str, str | int | bool | None] = {"conversation": conversation, "by": account, "seq": seq}
        self._bus.publish([("account", author)], Ephemeral(what, fields))

    def follow(self, user: ChatUser, published: Ephemeral) -> None:
        """Something became of what this user wrote."""
        kind = _EVENTS.get(published.name)
        if kind is None:
            return
        id, by, seq = (published.fields[name] for name in ("conversation", "by", "seq"))
        assert isinstance(id, int) and isinstance(by, int) and isinstance(seq, int), "made by _tell()"
        author = user.account.id
        conversation = private_conversation(id, Pair.of(author, by), author, self.node.directory)
        for mind in self.node.minds_of(author):
            if mind.features.receipts or kind is Kept:
                mind.deliver(kind(conversation, seq))
