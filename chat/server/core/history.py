"""The past: history, what one missed, and the marks that say how far somebody is.

Offline messages, history, unread counts and catching up are one mechanism: reading the log after a mark.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from math import inf

from chat.protocol.errors import NoSuchConversation, NoSuchRoom, NoSuchUser
from chat.protocol.events import Entry, History, Invited, Missed, Restored, Resumed, Said, Skipped, Standing
from chat.protocol.values import SPOKEN, Account, Conversation, Page, Pair, Row, Unsure, Waiting, write_reference
from chat.server.core.delivery_receipts import DeliveryReceipts
from chat.server.core.mark_cache import raised
from chat.server.core.node import Node
from chat.server.core.room import Room
from chat.server.core.rooms import RoomService, account_of
from chat.server.core.row_events import entry, private_conversation
from chat.server.core.user import Session
from chat.server.interfaces import Backlog

MOST = 500
"""The most rows that one page holds."""


class HistoryReader:
    def __init__(self, node: Node, rooms: RoomService, delivery: DeliveryReceipts) -> None:
        self._node = node
        self._rooms = rooms
        self._delivery = delivery

    # finding a conversation

    async def place(self, session: Session, word: str) -> tuple[Conversation, int]:
        """The conversation of a room or with a person.

        :returns: it, and the seq after which the reader may read.
        :raises NoSuchConversation: when nothing was ever said between the two.
        """
        directory, account = self._node.directory, account_of(session)
        room = self._rooms.find(session, word) if word[:1] != "@" else None
        # Anybody can make a room of any name, which hides the person of that name from nobody else.
        if room is not None and (word[:1] == "#" or account in room.members or directory.account(word) is None):
            return room.conversation, room.may_read(account)
        if word[:1] == "#":
            raise NoSuchRoom(f"No room {word[1:40]}. list channels shows them all.")
        other = directory.account(word)
        if other is None:
            self._no_place(session, word)
        assert other is not None, "no_place raises"
        return await self._private(session, other), 0

    def _no_place(self, session: Session, word: str) -> None:
        if self._rooms.names_for(session).near_room(word) is not None:
            self._rooms.named(session, word)
        try:
            self._node.directory.named(word)
        except NoSuchUser as error:
            if error.suggest is None:
                shown = word if word.isprintable() and len(word) <= 40 else "of that name"
                raise NoSuchConversation(f"No room and no user {shown}. Type rooms or list users.") from None
            raise

    async def _private(self, session: Session, other: Account) -> Conversation:
        account = account_of(session)
        pair = Pair.of(account, other.id)
        id = await self._node.store.pair(pair)
        if id is None:
            raise NoSuchConversation(f"You and {other.name.shown} have not written to each other yet.")
        return private_conversation(id, pair, account, self._node.directory)

    async def by_id(self, session: Session, id: int) -> tuple[Conversation, int]:
        """The conversation of that id, if this session's account may read it.

        :raises NoSuchConversation: when there is none, or the account is not in it. Ids are numbers that anybody can
            guess, so both are answered alike: nobody learns what others talk about, or where.
        """
        account = account_of(session)
        room = self._node.rooms.get(id)
        if room is not None and account in room.members:
            return room.conversation, room.may_read(account)
        return private_conversation(id, await self.pair(account, id), account, self._node.directory), 0

    async def pair(self, account: int, id: int) -> Pair:
        """The two people of a private conversation of this account.

        :raises NoSuchConversation: when there is none of that id, or it is not this account's.
        """
        for other, conversation in (await self._node.store.pairs_of(account)).items():
            if conversation == id:
                return Pair.of(account, other)
        raise NoSuchConversation()

    # reading

    async def history(
        self,
        session: Session,
        conversation: Conversation,
        readable_after: int,
        *,
        after: int | None = None,
        before: int | None = None,
        since: int | None = None,
        limit: int,
    ) -> History:
        """A page of a conversation, without what blocked people said.

        :param since: milliseconds since the epoch.
        """
        forward = after is not None or since is not None
        if forward:
            after = max(after or 0, readable_after)
        page = await self._node.store.history(
            conversation.id, after=after, before=before, since=since, limit=min(limit, MOST)
        )
        return self._page(session, conversation, page, readable_after, forward)

    def _page(
        self, session: Session, conversation: Conversation, page: Page, readable_after: int, forward: bool
    ) -> History:
        blocked = self._node.directory.blocked_by(account_of(session))
        entries: list[Entry] = []
        for row in page.rows:
            if row.seq > readable_after:
                entries.append(self._entry(row, conversation, blocked))
        more = page.more and (forward or page.rows[0].seq > readable_after + 1)
        return History(conversation, tuple(entries), more, max(page.first, readable_after + 1), page.last, forward)

    def _entry(self, row: Row, conversation: Conversation, blocked: Collection[int]) -> Entry:
        if row.kind in SPOKEN and row.author in blocked:
            return Skipped(conversation, row.seq, row.seq)
        return entry(row, conversation, self._node.directory)

    # what waits

    async def resume(self, session: Session) -> Resumed:
        """Let events flow from now on, and tell where the reader stands.

        Both happen in one step: a row that is not told live from now on is already in the log.
        """
        await self._is_noted(session)
        account = account_of(session)
        self._rooms.resume(session)
        told = {id: room.last for id, room in session.rooms.items()}
        waiting, letters = await self._backlog(session)
        standings = tuple(
            replace(each, last=told[each.conversation.id]) if each.last > told.get(each.conversation.id, inf) else each
            for each in self._standings(account, waiting)
        )
        last = max(self._rooms.of(account), key=lambda room: (room.members[account].entered, room.id), default=None)
        return Resumed(standings, letters, last.name if last is not None else None, self._invitations(account))

    async def _is_noted(self, session: Session) -> None:
        """Wait until it is on disk that a session without acknowledgements has begun, if the disk takes anything.

        After a crash nobody would know that it was shown anything, and it would be shown all of it again as if new.
        """
        if session.noted is not None and not session.mind.features.acknowledges:
            await session.noted
        session.noted = None

    def _invitations(self, account: int) -> tuple[Invited, ...]:
        invited = ((room.conversation, room.invited[account]) for room in self._rooms.inviting(account))
        return tuple(Invited(place, self._node.directory.name_of(each.by), each.created) for place, each in invited)

    async def restored(self, session: Session, since: int) -> Restored:
        """What backups that were put in place since have left of a session's conversations.

        :param since: milliseconds since the epoch.
        """
        marks = await self._node.store.restored_since(account_of(session), since)
        return Restored({write_reference(id, id in self._node.rooms): seq for id, seq in marks.items()})

    async def standings(self, session: Session) -> tuple[Standing, ...]:
        """Where a session's account stands in each of its conversations."""
        account = account_of(session)
        return self._standings(account, (await self._backlog(session)).places)

    async def _backlog(self, session: Session) -> Backlog:
        account = account_of(session)
        blocked = self._node.directory.blocked_by(account)
        backlog = await self._node.store.waiting(account, session.device, blocked, self._shown(session))
        await self._node.store.published()  # what is in it comes live as well, while that is still held back
        return backlog

    def _shown(self, session: Session) -> Mapping[int, int]:
        """Up to where a session was shown each conversation, and what its device has that is not yet on disk."""
        return raised(self._delivery.marks.seen(account_of(session), session.device), session.mind.shown() or {})

    def _standings(self, account: int, waiting: Iterable[Waiting]) -> tuple[Standing, ...]:
        return tuple(
            Standing(
                *(conversation, each.first, each.last, each.received, each.read, each.unread),
                sealed=self._is_sealed(each.conversation),
                delivered=0 if self._hides(each.partner, account) else each.delivered,
            )
            for each in waiting
            if (conversation := self._conversation(account, each)) is not None
        )

    def _hides(self, partner: int | None, account: int) -> bool:
        """Whether a partner shows an account nothing of what that partner does, such as receiving."""
        return partner is not None and partner != account and self._node.directory.blocks(partner, account)

    def _is_sealed(self, id: int) -> bool:
        room = self._node.rooms.get(id)
        return room is not None and room.record.sealed

    def _conversation(self, account: int, waiting: Waiting) -> Conversation | None:
        if waiting.partner is not None:
            pair = Pair.of(account, waiting.partner)
            return private_conversation(waiting.conversation, pair, account, self._node.directory)
        room = self._node.rooms.get(waiting.conversation)
        return room.conversation if room is not None else None

    async def missed(self, session: Session, wanted: Mapping[int, Standing], limit: int) -> Missed:
        """What others said in these conversations after the marks, by time, as much as fits on a page.

        Consecutive rows of one conversation share a page. What a room was not told yet comes live, so it is
        left out.

        :returns: pages, and how many more lines wait behind them.
        """
        account = account_of(session)
        blocked = self._node.directory.blocked_by(account)
        told = {id: room.last for id, room in session.rooms.items()}
        perhaps = self._delivery.marks.unsure(account, session.device)
        found = await self._node.store.missed(
            account, session.device, blocked, tuple(wanted), limit, self._shown(session)
        )
        await self._node.store.published()  # likewise
        unsure = found.unsure.joined(perhaps)
        rows = tuple(row for row in found.rows if row.seq <= told.get(row.conversation, row.seq))
        pages: list[History] = []
        user = session.user
        for conversation, run in _runs(rows):
            shown = wanted[conversation].conversation
            entries = tuple(_again(entry(row, shown, self._node.directory), row, unsure) for row in run)
            pages.append(History(shown, entries, False, run[0].seq, run[-1].seq))
            if shown.partner and user is not None and run[-1].author != account:
                user.last_from = run[-1].author
        # Unread rows are counted up to a bound, so there may be more than they say.
        waiting = sum(each.unread for each in wanted.values())
        return Missed(tuple(pages), max(1, waiting - len(found.rows)) if found.more else 0)

    async def catch_up(self, session: Session, room: Room | None, limit: int) -> Missed:
        """What was missed in one room, or everywhere, marked as read.

        Whoever keeps track of what was shown marks it when it has provably arrived.

        :returns: pages, and how many more lines wait for the next call.
        """
        wanted = {
            each.conversation.id: each
            for each in await self.standings(session)
            if each.unread and (room is None or each.conversation.id == room.id)
        }
        missed = await self.missed(session, wanted, limit)
        marks = {page.conversation.id: page.last for page in missed.pages}
        if not missed.remaining:  # rows that came meanwhile come live
            for id, each in wanted.items():
                told = session.rooms[id].last if id in session.rooms else each.last
                marks[id] = max(marks.get(id, 0), min(each.last, told))
        if session.mind.shown() is None:
            await self._node.store.mark_read(account_of(session), marks)
        return missed

    # marks

    async def mark(self, session: Session, marks: Mapping[int, int], read: bool) -> None:
        """Raise marks because a program says so; conversations of others are left out.

        :param read: whether the person has seen it, or merely the device has it.
        """
        account = account_of(session)
        pairs = set((await self._node.store.pairs_of(account)).values())
        own = {id: seq for id, seq in marks.items() if id in pairs or id in self._node.memberships.get(account, ())}
        if read:
            await self._node.store.mark_read(account, own)
        else:
            self._delivery.settle(session, own)
            await self._delivery.mark(account, session.device, own)


def _again(shown: Entry, row: Row, unsure: Unsure) -> Entry:
    """Mark what the reader may have been shown before."""
    return replace(shown, again=True) if isinstance(shown, Said) and unsure.may_have_seen(row) else shown


def _runs(rows: Iterable[Row]) -> list[tuple[int, list[Row]]]:
    """Rows in order, grouped where neighbours are of one conversation."""
    runs: list[tuple[int, list[Row]]] = []
    for row in rows:
        if not runs or runs[-1][0] != row.conversation:
            runs.append((row.conversation, []))
        runs[-1][1].append(row)
    return runs
