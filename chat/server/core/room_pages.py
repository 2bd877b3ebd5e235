"""Pages of lists: of the rooms that somebody may know of, and of the members of a room."""

from __future__ import annotations

from itertools import islice

from chat.protocol.values import Member
from chat.server.core.name_index import SortedNames
from chat.server.core.node import Node
from chat.server.core.room import Room
from chat.server.core.user import Session
from chat.server.core.visibility import is_known

LARGE = 500
"""From so many members on, a room keeps their names in order."""


class RoomPages:
    def __init__(self, node: Node) -> None:
        self._node = node

    def known_to(self, session: Session, most: int) -> tuple[list[Room], int]:
        """The first rooms that a session may know of, by name.

        :returns: at most so many, and how many more there are.
        """
        node = self._node
        found = list(islice((room for room in node.room_names.values() if is_known(room, session)), most))
        return found, len(node.rooms) - self._unknown_to(session) - len(found)

    def _unknown_to(self, session: Session) -> int:
        """How many rooms a session may not know of (`chat.server.core.visibility.is_known`)."""
        node = self._node
        if session.administers:
            return 0
        account = session.user.account.id if session.user is not None else 0
        mine = node.memberships.get(account, set()) | node.invitations.get(account, set())
        return len(node.private_rooms) - len(node.private_rooms & mine)

    def members(self, room: Room, most: int, after: str | None = None) -> tuple[list[Member], int]:
        """A page of the members of a room.

        :param after: a folded name: those after it, by name; nothing for the first of all, the highest roles before.
        :returns: at most so many, and how many follow.
        """
        names, directory = self.names_of(room), self._node.directory
        if after is not None:
            page, more = names.page(after, most)
            accounts = (directory.account(name) for name in page)
            return [room.members[each.id] for each in accounts if each is not None], more
        staff = sorted(
            (room.members[id] for id in room.staff),
            key=lambda member: (-member.role.height, directory.name_of(member.account).casefold()),
        )
        accounts = (directory.account(name) for name in names)
        others = (room.members[each.id] for each in accounts if each is not None and each.id not in room.staff)
        found = [*staff[:most], *islice(others, max(0, most - len(staff)))]
        return found, len(room.members) - len(found)

    def names_of(self, room: Room) -> SortedNames:
        """The folded names of the members; of a large room they are kept in order, which takes 8 bytes a member."""
        if room.names is not None:
            return room.names
        accounts = map(self._node.directory.account_by_id, room.members)
        names = SortedNames(each.name.folded for each in accounts if each is not None)
        if len(room.members) >= LARGE:
            room.names = names
        return names

    def joined(self, room: Room, account: int) -> None:
        """Note that somebody became a member, who was none before."""
        joined = self._node.directory.account_by_id(account)
        if room.names is not None and joined is not None:
            room.names.add(joined.name.folded)

    def left(self, room: Room, account: int) -> None:
        """Note that somebody is a member no longer."""
        left = self._node.directory.account_by_id(account)
        if room.names is not None and (left is None or not room.names.remove(left.name.folded)):
            room.names = None  # somebody whose name is gone already: they are put in order anew
