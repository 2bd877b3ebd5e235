"""Which rooms an account may know of: the one decision, and every way to a room that asks it.

A private room is known to its members, to those who are invited, and to those who run the server. To everybody else it
does not exist: whatever they write about it is answered as it would be for a name that nobody has given to a room. One
thing cannot be hidden: its name is taken, so no other room can have it.
"""

from __future__ import annotations

from chat.protocol.names import fold
from chat.server.core.directory import Directory
from chat.server.core.name_index import NameIndex
from chat.server.core.room import Room
from chat.server.core.user import Session


def is_known(room: Room, session: Session) -> bool:
    """Whether whoever acts through a session may know that a room exists."""
    if not room.record.private or session.administers:
        return True
    user = session.user
    return user is not None and (user.account.id in room.members or user.account.id in room.invited)


def find_room(names: NameIndex[Room], session: Session, word: str) -> Room | None:
    """The room of that name, if the session may know of it.

    :param names: every room, by folded name.
    """
    room = names.get(word) or names.get(fold(word))  # nearly always it comes folded
    if room is None or not room.record.private or is_known(room, session):
        return room
    return None


class KnownNames:
    """The names that one session may know of, for the grammar: it implements `chat.protocol.grammar.parameters.Names`.

    :param rooms: every room, by folded name.
    """

    __slots__ = ("_directory", "_rooms", "_session")

    def __init__(self, directory: Directory, rooms: NameIndex[Room], session: Session) -> None:
        self._directory = directory
        self._rooms = rooms
        self._session = session

    def is_account(self, word: str) -> bool:
        return self._directory.is_account(word)

    def near_account(self, word: str) -> str | None:
        return self._directory.near_account(word)

    def is_room(self, word: str) -> bool:
        return find_room(self._rooms, self._session, word) is not None

    def near_room(self, word: str) -> str | None:
        found = self._rooms.near(fold(word), lambda room: is_known(room, self._session))
        return found.name if found is not None else None
