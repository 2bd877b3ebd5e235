"""What owners and moderators do in their rooms."""

from __future__ import annotations

from typing import Annotated

from chat.protocol.errors import BadUsage
from chat.protocol.events import Done, RoomSettings
from chat.protocol.grammar.durations import Duration, DurationType
from chat.protocol.grammar.parameters import ChoiceType, Here, Topic, User, Word, Words
from chat.protocol.grammar.verbs import Bare
from chat.protocol.names import fold
from chat.protocol.values import Kind, Role
from chat.server.commands.registry import command
from chat.server.core.room import Room as RoomState
from chat.server.core.rooms import account_of
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Owners and moderators"

MOST_SLOW = 3_600
"""The most seconds between two lines of one person."""

_VALUES = {"private": ("on", "off"), "history": ("start", "joining"), "sealed": ("on",)}
"""What may be written for a setting, beside the time of slow mode."""


@command(group=GROUP, bare=Bare.NEVER, barrier=True, examples=("/topic", "/topic release on friday", "/topic none"))
async def topic(chat: ChatService, session: Session, text: Topic | None = None, *, room: Here) -> Done:
    """show or set the topic of the room

    none removes it.
    """
    found = chat.rooms.named(session, room)
    if text is None:
        _check_view(found, session)
        return Done(f"The topic of {found.name}: {found.topic}" if found.topic else f"{found.name} has no topic.")
    await chat.moderation.set_topic(session, found, "" if text.strip().lower() == "none" else text)
    return Done()


def _check_view(room: RoomState, session: Session) -> None:
    """:raises NotAMember: of a private room, what it is like is for its members."""
    if room.record.private:
        room.may_read(account_of(session))


@command(group=GROUP, barrier=True, weight=2, guarded={"invite": (1, 1)}, examples=("invite bob",))
async def invite(chat: ChatService, session: Session, user: User, *, room: Here) -> Done:
    """invite somebody to the room

    Any member can invite. A private room can be entered by invitation only.
    """
    await chat.moderation.invite(session, chat.rooms.named(session, room), chat.directory.named(user))
    return Done()


@command(
    group=GROUP,
    bare=Bare.NEVER,
    barrier=True,
    examples=(
        "/room",
        "/room private on",
        "/room history joining",
        "/room slow 30s",
        "/room slow off",
        "/room close ops",
    ),
    name="room",
)
async def room_(
    chat: ChatService,
    session: Session,
    setting: Annotated[str, ChoiceType("private", "history", "slow", "sealed", "close")] | None = None,
    value: Word | None = None,
    *,
    room: Here,
) -> RoomSettings | Done:
    """show or change the settings of the room

    private on: the room can be entered by invitation only. history joining: new members can read only what is said
    after they join. slow 30s: each member can send one line every 30 seconds; moderators are exempt.

    sealed on: from now on only clients that encrypt can read and write there. This cannot be undone.

    close ROOM: closes the room for good. The people in it see a notice, and its name becomes free. Its messages stay in
    the database, but nobody can read them. To confirm, type the name of the room.
    """
    found = chat.rooms.named(session, room)
    if setting == "close":
        return await _close(chat, session, found, value)
    if setting is not None:
        await chat.moderation.change(session, found, _setting(setting, value))
        return Done()
    _check_view(found, session)
    record = found.record
    return RoomSettings(
        found.conversation,
        found.topic,
        record.created,
        record.private,
        "start" if record.from_start else "joining",
        record.slow,
        len(found.members),
        _having(chat, found, Role.OWNER),
        _having(chat, found, Role.MODERATOR),
        record.sealed,
    )


async def _close(chat: ChatService, session: Session, room: RoomState, confirmed: str | None) -> Done:
    """:param confirmed: the name of the room, written once more."""
    chat.moderation.check_close(session, room)
    if confirmed is None or fold(confirmed.removeprefix("#")) != room.record.name.folded:
        raise BadUsage(
            f"This closes {room.name} for good; nobody can read its messages afterwards."
            f" To confirm: /room close {room.name}"
        )
    await chat.moderation.close(session, room)
    return Done(f"{room.name} has been closed.")


def _setting(setting: str, value: str | None) -> str:
    """A setting as the log has it (`chat.protocol.values.room_setting`)."""
    chosen = (value or "").lower()
    if setting == "slow":
        return f"slow {_slow(chosen)}"
    if (setting, chosen) == ("sealed", "off"):
        raise BadUsage("An encrypted room stays encrypted. Create another one: create ROOM")
    if chosen not in _VALUES[setting]:
        raise BadUsage(f"Usage: /room {setting} {' or '.join(_VALUES[setting])}")
    return f"{setting} {chosen}"


def _slow(value: str) -> int:
    """The seconds between two lines of one person, 0 where there need be none."""
    if value in ("off", "0", "0s"):
        return 0
    try:
        seconds = DurationType().read(value)
    except BadUsage:
        raise BadUsage("Usage: /room slow 30s, or: /room slow off") from None
    if seconds > MOST_SLOW:
        raise BadUsage(f"The maximum is {MOST_SLOW // 60} minutes. Usage: /room slow 30s")
    return seconds


def _having(chat: ChatService, room: RoomState, role: Role) -> tuple[str, ...]:
    """The names of the members with this role."""
    names = (chat.directory.name_of(each) for each in room.staff if room.members[each].role is role)
    return tuple(sorted(names, key=str.casefold))


@command(group=GROUP, barrier=True, examples=("kick bob", "/kick bob please cool down"))
async def kick(chat: ChatService, session: Session, user: User, reason: Words = "", *, room: Here) -> Done:
    """remove somebody from the room

    They can come back; ban keeps them out.
    """
    target = chat.directory.named(user)
    await chat.moderation.remove(session, chat.rooms.named(session, room), Kind.KICKED, target, reason)
    return Done()


@command(group=GROUP, barrier=True, examples=("ban bob", "/ban bob 2h spam"))
async def ban(
    chat: ChatService,
    session: Session,
    user: User,
    duration: Duration | None = None,
    reason: Words = "",
    *,
    room: Here,
) -> Done:
    """remove somebody from the room and keep them out

    Give a time (90s, 30m, 2h, 7d, 4w), or leave it out to ban for good.
    """
    target = chat.directory.named(user)
    found = chat.rooms.named(session, room)
    await chat.moderation.remove(session, found, Kind.BANNED, target, reason, duration)
    return Done()


@command(group=GROUP, barrier=True, examples=("unban bob",))
async def unban(chat: ChatService, session: Session, user: User, *, room: Here) -> Done:
    """lift a ban"""
    await chat.moderation.lift(session, chat.rooms.named(session, room), Kind.UNBANNED, chat.directory.named(user))
    return Done()


@command(group=GROUP, barrier=True, examples=("mute bob 30m",))
async def mute(
    chat: ChatService,
    session: Session,
    user: User,
    duration: Duration | None = None,
    reason: Words = "",
    *,
    room: Here,
) -> Done:
    """stop somebody from talking in the room

    Give a time (90s, 30m, 2h, 7d, 4w), or leave it out to mute for good.
    """
    found = chat.rooms.named(session, room)
    await chat.moderation.mute(session, found, chat.directory.named(user), reason, duration)
    return Done()


@command(group=GROUP, barrier=True, examples=("unmute bob",))
async def unmute(chat: ChatService, session: Session, user: User, *, room: Here) -> Done:
    """lift a mute"""
    await chat.moderation.lift(session, chat.rooms.named(session, room), Kind.UNMUTED, chat.directory.named(user))
    return Done()


@command(group=GROUP, barrier=True, examples=("op bob", "op bob owner"))
async def op(
    chat: ChatService,
    session: Session,
    user: User,
    role: Annotated[str, ChoiceType("moderator", "owner")] = "moderator",
    *,
    room: Here,
) -> Done:
    """make a member a moderator or an owner"""
    await chat.moderation.set_role(session, chat.rooms.named(session, room), chat.directory.named(user), Role(role))
    return Done()


@command(group=GROUP, barrier=True, examples=("deop bob",))
async def deop(chat: ChatService, session: Session, user: User, *, room: Here) -> Done:
    """make a moderator or owner an ordinary member"""
    await chat.moderation.set_role(session, chat.rooms.named(session, room), chat.directory.named(user), Role.MEMBER)
    return Done()
