"""What owners and moderators do in their rooms."""

from __future__ import annotations

from typing import Annotated

from chat.commands.registry import command
from chat.core.service import ChatService
from chat.core.user import Session
from chat.events import Done
from chat.grammar.parameters import ChoiceType, Duration, Here, User, Words
from chat.grammar.verbs import Bare
from chat.values import Kind, Role

GROUP = "Owners and moderators"


@command(group=GROUP, bare=Bare.NEVER, barrier=True, examples=("/topic release on friday", "/topic"))
async def topic(chat: ChatService, session: Session, text: Words = "", *, room: Here) -> Done:
    """set the topic of the room

    Without text there is none.
    """
    await chat.moderation.set_topic(session, chat.rooms.named(room), text)
    return Done()


@command(group=GROUP, barrier=True, examples=("kick bob", "/kick bob please cool down"))
async def kick(chat: ChatService, session: Session, user: User, reason: Words = "", *, room: Here) -> Done:
    """put somebody out of the room

    That person may come back; ban keeps out.
    """
    target = chat.directory.named(user)
    await chat.moderation.remove(session, chat.rooms.named(room), Kind.KICKED, target, reason)
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
    """put somebody out and keep that person out

    For a time (90s, 30m, 2h, 7d, 4w), or for good.
    """
    target = chat.directory.named(user)
    found = chat.rooms.named(room)
    await chat.moderation.remove(session, found, Kind.BANNED, target, reason, duration)
    return Done()


@command(group=GROUP, barrier=True, examples=("unban bob",))
async def unban(chat: ChatService, session: Session, user: User, *, room: Here) -> Done:
    """let somebody in again"""
    await chat.moderation.lift(session, chat.rooms.named(room), Kind.UNBANNED, chat.directory.named(user))
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
    """keep somebody from talking in the room

    For a time (90s, 30m, 2h, 7d, 4w), or for good.
    """
    found = chat.rooms.named(room)
    await chat.moderation.mute(session, found, chat.directory.named(user), reason, duration)
    return Done()


@command(group=GROUP, barrier=True, examples=("unmute bob",))
async def unmute(chat: ChatService, session: Session, user: User, *, room: Here) -> Done:
    """let somebody talk again"""
    await chat.moderation.lift(session, chat.rooms.named(room), Kind.UNMUTED, chat.directory.named(user))
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
    """make a member a moderator, or an owner"""
    await chat.moderation.set_role(session, chat.rooms.named(room), chat.directory.named(user), Role(role))
    return Done()


@command(group=GROUP, barrier=True, examples=("deop bob",))
async def deop(chat: ChatService, session: Session, user: User, *, room: Here) -> Done:
    """make somebody an ordinary member again"""
    await chat.moderation.set_role(session, chat.rooms.named(room), chat.directory.named(user), Role.MEMBER)
    return Done()
