"""The rooms: making, entering and leaving them, and telling those who are there what the log says.

A change of membership is a row of the log first. When the row comes back committed, in order,
`RoomService._follow` applies it and tells the audiences, so nobody misses a row that precedes it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import NamedTuple

from chat.protocol.errors import NoSuchRoom, NotAMember, NotLoggedIn, RoomTaken, SealedRoom
from chat.protocol.events import Invited, Removed, Skipped
from chat.protocol.names import read_name
from chat.protocol.values import (
    DEFAULT_DEVICE,
    SERVER,
    SPOKEN,
    Body,
    Draft,
    Kind,
    Member,
    Name,
    Origin,
    Role,
    RoomRecord,
    Row,
    Text,
)
from chat.server.core.node import Node, unattended
from chat.server.core.room import CROWD, Room
from chat.server.core.room_pages import LARGE, RoomPages
from chat.server.core.row_events import entry
from chat.server.core.user import Session
from chat.server.core.visibility import KnownNames, find_room
from chat.server.interfaces import IBus, IMind, Logged, Published, StoredRoom

LOBBY = "lobby"
"""The room that always exists."""

_QUIET = frozenset({Kind.JOINED, Kind.LEFT, Kind.CREATED})
_REMOVALS = frozenset({Kind.LEFT, Kind.KICKED, Kind.BANNED})
_INVITATIONS = frozenset({Kind.INVITED, Kind.DECLINED, Kind.JOINED, Kind.BANNED})


class Actor(NamedTuple):
    """The author of a row.

    :param origin: the session that knows of it already, or nothing.
    """

    account: int
    device: str = DEFAULT_DEVICE
    origin: Origin | None = None


class RoomService:
    """Every room of this node.

    :param verbs: words that no room may be called.
    :ivar pages: the lists of rooms and of members.
    """

    def __init__(self, node: Node, bus: IBus, verbs: Iterable[str]) -> None:
        self._node = node
        self._bus = bus
        self._verbs = frozenset(verbs)
        self.pages = RoomPages(node)

    def load(self, rooms: Iterable[StoredRoom]) -> None:
        """Take over what is on disk."""
        for stored in rooms:
            self._add(stored)

    async def open_lobby(self) -> None:
        """Make the room that always exists, at the first start."""
        if LOBBY not in self._node.room_names:
            await self._create(Name(LOBBY, LOBBY), SERVER, "", None, False)

    def _add(self, stored: StoredRoom) -> Room:
        room = Room(stored)
        node = self._node
        node.rooms[room.id] = room
        node.room_names[room.record.name.folded] = room
        if room.record.private:
            node.private_rooms.add(room.id)
        if len(room.members) >= LARGE:
            self.pages.names_of(room)
        for account in room.members:
            node.memberships.setdefault(account, set()).add(room.id)
        for account in room.invited:
            node.invitations.setdefault(account, set()).add(room.id)
        room.unsubscribe = self._bus.subscribe(("room", room.id), lambda published: self._follow(room, published))
        return room

    # finding

    def find(self, session: Session, word: str) -> Room | None:
        """The room of that name, if the session may know of it."""
        return find_room(self._node.room_names, session, word)

    def names_for(self, session: Session) -> KnownNames:
        """The names that a session may know of."""
        return KnownNames(self._node.directory, self._node.room_names, session)

    def named(self, session: Session, word: str) -> Room:
        """The room of that name.

        :raises NoSuchRoom: also where the session may not know of it; with the name that was probably meant.
        """
        room = find_room(self._node.room_names, session, word)
        if room is None:
            shown = word if word.isprintable() and len(word) <= 40 else "of that name"
            meant = self.names_for(session).near_room(word)
            if meant is not None:
                raise NoSuchRoom(f"No room {shown}. Did you mean {meant}? list channels shows them all.", suggest=meant)
            raise NoSuchRoom(f"No room {shown}. list channels shows them all; create makes a new one.")
        return room

    def of_member(self, session: Session, word: str) -> Room:
        """The room of that name, for somebody who is a member of it.

        :raises NotAMember: when it is none.
        """
        room = self.named(session, word)
        room.may_read(account_of(session))
        return room

    def of(self, account: int) -> list[Room]:
        """The rooms that an account is a member of, by name."""
        rooms = (self._node.rooms[id] for id in self._node.memberships.get(account, ()))
        return sorted(rooms, key=lambda room: room.record.name.folded)

    def inviting(self, account: int) -> list[Room]:
        """The rooms that an account is invited to, by name."""
        rooms = (self._node.rooms[id] for id in self._node.invitations.get(account, ()))
        return sorted(rooms, key=lambda room: room.record.name.folded)

    # coming and going

    def resume(self, session: Session) -> None:
        """Events flow to this session from now on, those of its rooms among them."""
        session.live = True
        self._node.everyone.add(session.mind)
        for room in self.of(account_of(session)):
            self._enter(room, session)

    def leave_all(self, session: Session) -> None:
        """Events flow to this session no longer."""
        for room in tuple(session.rooms.values()):
            room.exit(account_of(session), session.mind)
        session.rooms.clear()
        session.live = False
        self._node.everyone.remove(session.mind)

    def reseat(self, session: Session, conversations: Iterable[int]) -> None:
        """What a session sees of these conversations has changed (its current room, its style)."""
        for id in conversations:
            room = session.rooms.get(id)
            if room is not None:
                room.audiences.add(session.mind)

    def _enter(self, room: Room, session: Session) -> None:
        session.rooms[room.id] = room
        room.enter(account_of(session), session.mind)

    async def create(self, session: Session, word: str, private: bool = False) -> Room:
        """Make a room, with its maker as owner.

        :param private: whether it is entered by invitation only.
        :raises BadName: or `RoomTaken`, which names no room that the session may not know of.
        :raises TooManyRooms: beyond the rooms a day that one person may make.
        :raises Muted: or `DiskFull`, as for what is said: everybody reads the name.
        """
        self._node.may_say(account_of(session), self._node.now())
        name = read_name(word, verbs=self._verbs)
        if find_room(self._node.room_names, session, name.folded) is not None:
            raise RoomTaken(f"The room {name.shown} already exists. To enter it: connect {name.shown}")
        most = None if session.administers else self._node.settings.rooms_a_day
        room = await self._create(name, account_of(session), session.device, session.origin, private, most)
        if session.live:
            self._enter(room, session)
        return room

    async def _create(
        self, name: Name, author: int, device: str, origin: Origin | None, private: bool, most: int | None = None
    ) -> Room:
        now = self._node.now()
        draft = Draft(0, Kind.CREATED, author, device, now)
        record = await self._node.store.create_room(RoomRecord(0, name, "", now, private), draft, origin, most)
        owner = () if author == SERVER else (Member(author, Role.OWNER, 0, now, now),)
        return self._add(StoredRoom(record, owner, (), 1))

    async def connect(self, session: Session, room: Room, knowing: bool = False) -> bool:
        """Become a member of a room, if need be, and be there.

        :param knowing: whether somebody who types knows that the room is sealed.
        :returns: whether the session's account became a member by this.
        :raises Banned: or `InviteOnly`.
        :raises SealedRoom: when somebody who can neither read nor speak there has to be told first.
        """
        account = account_of(session)
        room.may_enter(account, self._node.now())
        joined = account not in room.members
        if joined and room.sealing and not (knowing or session.mind.features.opens_sealed):
            raise SealedRoom(
                f"{room.name} is encrypted: you can neither read nor write there with this client."
                f" To enter anyway: connect {room.name} sealed"
            )
        if joined:
            await self.append(actor_of(session), room, Kind.JOINED)
            if room.abandoned_to(account) and room.record.name.folded != LOBBY:
                await self.append(actor_of(session), room, Kind.ROLE, target=account, body=Text(Role.OWNER.value))
        else:
            now = self._node.now()
            room.came_in(account, now)
            unattended(self._node.store.entered(account, room.id, now))
        if session.user is not None and session.live and account in room.members:
            self._enter(room, session)
        return joined

    async def disconnect(self, actor: Actor, room: Room) -> None:
        """Leave a room for good. An owner who was the only one hands it to the next in line.

        A private room that nobody is left in is closed: nobody could ever be invited again.

        :raises NotAMember: when one is none.
        """
        account = actor.account
        if account not in room.members or account in room.leaving:
            raise NotAMember(f"You are not a member of {room.name}. rooms shows your rooms.")
        room.leaving.add(account)
        heir = heir_of(room, account)
        try:
            if heir is not None:
                await self.append(actor, room, Kind.ROLE, target=heir, body=Text(Role.OWNER.value))
            await self.append(actor, room, Kind.LEFT)
        finally:
            room.leaving.discard(account)
        await self.keep_owned(room)
        if room.record.private and not room.members and not room.closed:
            await self.close(SERVER, room, "Its last member has left.", actor.origin)

    async def keep_owned(self, room: Room) -> None:
        """Give a room to the next in line if its owners have gone, or were made less, all at the same moment."""
        heir = None if room.closed or room.succeeding or room.record.name.folded == LOBBY else room.next_owner()
        if heir is None:
            return
        room.succeeding = True
        now, body = self._node.now(), Text(Role.OWNER.value)
        try:
            await self._node.store.append(Draft(room.id, Kind.ROLE, SERVER, DEFAULT_DEVICE, now, body, target=heir))
        finally:
            room.succeeding = False

    async def close(self, author: int, room: Room, reason: str, origin: Origin | None) -> None:
        """Close a room for good: nobody is a member of it any more, and its name is free.

        :param author: an account, or `chat.protocol.values.SERVER`.
        :param reason: empty for none.
        """
        if room.closed:
            raise NoSuchRoom(f"The room {room.name} is already being closed.")
        room.closed = True
        now = self._node.now()
        body = Text(reason) if reason else None
        try:
            await self._node.store.append(Draft(room.id, Kind.CLOSED, author, DEFAULT_DEVICE, now, body), origin)
        except BaseException:
            room.closed = False
            raise

    async def append(
        self,
        actor: Actor,
        room: Room,
        kind: Kind,
        *,
        target: int | None = None,
        body: Body | None = None,
        until: int | None = None,
    ) -> None:
        """Store a row about a room."""
        now = self._node.now()
        draft = Draft(room.id, kind, actor.account, actor.device, now, body, target=target, until=until)
        await self._node.store.append(draft, actor.origin)

    # what the log says

    def _follow(self, room: Room, published: Published) -> None:
        if not isinstance(published, Logged):
            return
        row = published.row
        if row.kind in SPOKEN:
            room.last = row.seq
            self._tell(room, row, published.origin)
            return
        until = published.draft.until if published.draft is not None else None
        room.apply(row, until)
        account = row.author if row.target is None else row.target
        if row.kind in _INVITATIONS:
            self._invite(room, row, account)
        if row.kind in _REMOVALS:
            self._remove(room, row, account, published.origin, until)
        elif row.kind is Kind.CLOSED:
            self._close(room, row)
            return
        elif row.kind is Kind.SETTING:
            (self._node.private_rooms.add if room.record.private else self._node.private_rooms.discard)(room.id)
        elif row.kind is Kind.JOINED:
            self._joined(room, account)
            for session in self._node.sessions_of(account):
                if session.live:
                    self._enter(room, session)
        event = entry(row, room.conversation, self._node.directory, until)
        quiet = row.kind in _QUIET
        omit = self._node.mind_of(published.origin) if quiet else ()
        room.audiences.post(event, omit, crowd=quiet and len(room.occupants) > CROWD)

    def _joined(self, room: Room, account: int) -> None:
        memberships = self._node.memberships.setdefault(account, set())
        if room.id not in memberships:
            memberships.add(room.id)
            self.pages.joined(room, account)

    def _tell(self, room: Room, row: Row, origin: Origin | None) -> None:
        """Tell what was said to all but the session that said it and those who block its author."""
        omit = self._node.mind_of(origin)
        hidden: Collection[IMind] = ()
        instead = None
        blockers = self._node.directory.blockers_of(row.author)
        if blockers and (minds := room.minds_of(blockers)):
            hidden, instead = minds, Skipped(room.conversation, row.seq, row.seq)
        self._node.counters.deliveries += len(room.audiences) - len(omit) - len(hidden)
        room.audiences.post(entry(row, room.conversation, self._node.directory), omit, hidden, instead)

    def _invite(self, room: Room, row: Row, account: int) -> None:
        """Follow what became of an invitation, and tell who is invited."""
        invitations = self._node.invitations.setdefault(account, set())
        invitations.discard(room.id)
        if account in room.invited:
            invitations.add(room.id)
        if not invitations:
            del self._node.invitations[account]
        if row.kind is Kind.INVITED:
            author = self._node.directory.name_of(row.author)
            self._node.tell(account, Invited(room.conversation, author, row.time))

    def _close(self, room: Room, row: Row) -> None:
        node = self._node
        room.closed = True
        room.unsubscribe()
        del node.rooms[room.id]
        del node.room_names[room.record.name.folded]
        node.private_rooms.discard(room.id)
        for account in tuple(room.members):
            self._remove(room, row, account, None)
        for account in room.invited:
            node.invitations.get(account, set()).discard(room.id)

    def _remove(self, room: Room, row: Row, account: int, origin: Origin | None, until: int | None = None) -> None:
        self._node.memberships.get(account, set()).discard(room.id)
        self.pages.left(room, account)
        sessions = self._node.sessions_of(account)
        if not sessions:
            return
        change = entry(row, room.conversation, self._node.directory)
        detail = getattr(change, "detail", "")
        author = self._node.directory.name_of(row.author)
        for session in sessions:
            if session.rooms.pop(room.id, None) is not None:
                room.exit(account, session.mind)
                if session.origin != origin:
                    session.mind.deliver(Removed(room.conversation, row.kind, author, detail, until))


def account_of(session: Session) -> int:
    """The account of a session that is logged in.

    :raises NotLoggedIn: when it was ended from elsewhere while its command waited for the store.
    """
    if session.user is None:
        raise NotLoggedIn("You are no longer logged in. Type: login NAME")
    return session.user.account.id


def actor_of(session: Session) -> Actor:
    """Whoever is logged in here, as the author of a row.

    :raises NotLoggedIn: when nobody is.
    """
    return Actor(account_of(session), session.device, session.origin)


def heir_of(room: Room, account: int) -> int | None:
    """Who owns a room after its only owner has left."""
    leaver = room.members.get(account)
    return room.next_owner(account) if leaver is not None and leaver.role is Role.OWNER else None
