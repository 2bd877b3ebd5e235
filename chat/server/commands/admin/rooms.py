"""The rooms of the server, and which rule refuses somebody there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from chat.protocol.events import Column, Done, Listing, Refused
from chat.protocol.grammar.parameters import Room, User, Words
from chat.protocol.values import Text
from chat.server.commands.admin.registry import PAGE, AfterType, PrefixType, command, page, person, place
from chat.server.core.dispatcher import attempt
from chat.server.core.room import Room as RoomState
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Rooms"

_ROOMS = (
    Column("name"),
    Column("id"),
    Column("private"),
    Column("members"),
    Column("here"),
    Column("lines"),
    Column("made", "time"),
    Column("topic"),
)
_RULES = (Column("rule"), Column("allowed"), Column("why"))
_PLAIN = Text("hello")


@command(group=GROUP, examples=("rooms", "rooms op"))
async def rooms(
    chat: ChatService,
    session: Session,
    beginning: Annotated[str, PrefixType()] = "",
    *,
    after: Annotated[str, AfterType()] = "",
) -> Listing:
    """list all rooms, or those whose names begin with BEGINNING"""
    found, more = chat.node.room_names.page(after, PAGE, beginning)
    return page("rooms", _ROOMS, found, lambda each: each.record.name.folded, _room, more)


def _room(room: RoomState) -> tuple[object, ...]:
    record = room.record
    reference = room.conversation.reference
    return (
        *(room.name, reference, record.private, len(room.members), len(room.occupants)),
        *(room.last, record.created, room.topic),
    )


@command(group=GROUP, barrier=True, name="close-room", examples=("close-room ops", "close-room ops moved to dev"))
async def close_room(chat: ChatService, session: Session, room: Room, reason: Words = "") -> Done:
    """close a room for good; its name becomes free

    Its messages stay in the database, but nobody can read them.
    """
    closed = place(chat, session, room)
    await chat.administration.close_room(session, closed, reason)
    return Done(f"Room {closed.name} has been closed.")


@command(group=GROUP, examples=("why bob ops",))
async def why(chat: ChatService, session: Session, user: User, room: Room) -> Listing:
    """show which rule stops a user from entering a room, or reading or talking there"""
    account, where = person(chat, session, user), place(chat, session, room)
    id, now, sanctions = account.id, chat.node.now(), chat.node.sanctions

    def talk() -> None:
        chat.node.may_say(id, now)
        where.may_speak(id, now)
        where.may_take(_PLAIN)
        where.check_pace(id, chat.clock.monotonic())

    rules: tuple[tuple[str, Callable[[], object]], ...] = (
        ("log in", lambda: None),
        ("talk on the server", lambda: chat.node.may_say(id, now)),
        (f"enter {where.name}", lambda: where.may_enter(id, now)),
        (f"read {where.name}", lambda: where.may_read(id)),
        (f"talk in {where.name}", talk),
    )
    # Who cannot come in can do nothing of all that.
    shut = attempt(sanctions.may_enter, id, now)
    return Listing(
        f"rules for {account.name.shown}", _RULES, tuple(_rule(name, shut or attempt(rule)) for name, rule in rules)
    )


def _rule(name: str, outcome: object) -> tuple[object, ...]:
    """:param outcome: what that person is told, where it is refused."""
    if isinstance(outcome, Refused):
        return name, False, f"{outcome.code}: {outcome.text}"
    return name, True, None
