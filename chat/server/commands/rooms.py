"""Rooms: making, entering, leaving and listing them."""

from __future__ import annotations

from itertools import islice
from typing import Annotated

from chat.protocol.events import Done, RoomEntered, RoomLeft, RoomLine, Rooms
from chat.protocol.grammar.parameters import ChoiceType, Here, NewRoom, Room
from chat.server.commands.registry import command
from chat.server.core.room import Room as RoomState
from chat.server.core.rooms import account_of, actor_of
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Rooms"

MOST = 500
"""The most rooms that one list shows, and the most people in a room who are listed when somebody enters it."""


@command("join", group=GROUP, barrier=True, guarded={"connect": (1, 1)}, examples=("connect lobby", "join #ops"))
async def connect(
    chat: ChatService, session: Session, room: Room, knowing: Annotated[str, ChoiceType("sealed")] | None = None
) -> RoomEntered:
    """enter a room; what you type is said there

    You become a member and stay one until you disconnect: whenever you log in, you are in your rooms again. list
    channels shows all rooms; create makes one. To enter an encrypted room, which only encrypting clients can read, type
    connect ROOM sealed.
    """
    entered = chat.rooms.named(session, room)
    joined = await chat.rooms.connect(session, entered, knowing is not None)
    return await _entered(chat, session, entered, joined=joined)


@command("leave", "part", group=GROUP, barrier=True, examples=("disconnect", "disconnect ops"))
async def disconnect(chat: ChatService, session: Session, room: Here) -> RoomLeft:
    """leave the current room, or another one, for good

    You stay logged in.
    """
    left = chat.rooms.named(session, room)
    await chat.rooms.disconnect(actor_of(session), left)
    return RoomLeft(left.conversation)


@command(group=GROUP, barrier=True, guarded={"create": (1, 2)}, examples=("create ops", "create board private"))
async def create(
    chat: ChatService, session: Session, room: NewRoom, visibility: Annotated[str, ChoiceType("private")] | None = None
) -> RoomEntered:
    """create a room and enter it as its owner

    A private room can be entered by invitation only (invite NAME).
    """
    made = await chat.rooms.create(session, room, private=visibility is not None)
    return await _entered(chat, session, made, created=True, joined=True)


@command(group=GROUP)
async def rooms(chat: ChatService, session: Session) -> Rooms:
    """show your rooms with their unread lines, and your invitations"""
    account = account_of(session)
    unread = {each.conversation.id: each.unread for each in await chat.history.standings(session)}
    mine = [*chat.rooms.of(account), *chat.rooms.inviting(account)]
    return Rooms(
        tuple(room_line(chat, room, account, unread.get(room.id, 0)) for room in mine[:MOST]), True, len(mine[MOST:])
    )


def room_line(chat: ChatService, room: RoomState, account: int, unread: int = 0) -> RoomLine:
    """A room as a line of a list."""
    invitation = room.invited.get(account)
    hidden = room.occupants.keys() & chat.directory.blockers_of(account)
    return RoomLine(
        room.conversation,
        room.topic,
        len(room.occupants) - len(hidden),
        len(room.members),
        account in room.members,
        unread,
        room.record.private,
        chat.directory.name_of(invitation.by) if invitation is not None else "",
        room.record.sealed,
    )


@command(group=GROUP, barrier=True, examples=("decline board",))
async def decline(chat: ChatService, session: Session, room: Room) -> Done:
    """decline an invitation

    connect accepts one; rooms shows your invitations.
    """
    declined = chat.rooms.named(session, room)
    await chat.moderation.decline(actor_of(session), declined)
    return Done(f"You have declined the invitation to {declined.name}.")


async def _entered(
    chat: ChatService, session: Session, room: RoomState, *, created: bool = False, joined: bool = False
) -> RoomEntered:
    standings = () if joined else await chat.history.standings(session)
    unread = next((each.unread for each in standings if each.conversation.id == room.id), 0)
    blockers = chat.directory.blockers_of(account_of(session))
    here = islice((account for account in room.occupants if account not in blockers), MOST)
    names = tuple(sorted(map(chat.directory.name_of, here), key=str.casefold))
    others = len(room.occupants) - sum(account in room.occupants for account in blockers) - len(names)
    return RoomEntered(room.conversation, room.topic, names, unread, created, joined, room.record.sealed, others)
