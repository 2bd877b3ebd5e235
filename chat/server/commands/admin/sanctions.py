"""Who is put out, kept out, or silent on the whole server."""

from __future__ import annotations

from typing import Annotated

from chat.protocol.events import Column, Done, Listing
from chat.protocol.grammar.durations import Duration
from chat.protocol.grammar.parameters import User, Words
from chat.protocol.values import Account, Kind, Sanction
from chat.protocol.values.quantities import count
from chat.server.commands.admin.registry import AfterType, SubjectType, command, number_after, page, person
from chat.server.core.sanctions import Network, read_network
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Sanctions"

Subject = Annotated[str, SubjectType()]

_COLUMNS = (
    Column("who"),
    Column("what"),
    Column("since", "time"),
    Column("until", "time"),
    Column("by"),
    Column("reason"),
)


@command(group=GROUP, barrier=True, examples=("kick bob", "kick bob please cool down"))
async def kick(chat: ChatService, session: Session, user: User, reason: Words = "") -> Done:
    """disconnect a user, who can come back"""
    target = person(chat, session, user)
    ended = chat.administration.kick(session, target, reason)
    return Done(f"{target.name.shown} has been disconnected; {count(ended, 'session')} ended.")


@command(group=GROUP, barrier=True, examples=("ban bob", "ban bob 7d spam", "ban 192.0.2.0/24 2h"))
async def ban(
    chat: ChatService, session: Session, who: Subject, duration: Duration | None = None, reason: Words = ""
) -> Done:
    """ban an account or a network from the whole server

    Give a time (90s, 30m, 2h, 7d, 4w), or leave it out to ban for good. The user need not be online.
    """
    return await _sanction(chat, session, Kind.BANNED, _subject(chat, session, who), duration, reason)


@command(group=GROUP, barrier=True, examples=("mute bob 30m",))
async def mute(
    chat: ChatService, session: Session, user: User, duration: Duration | None = None, reason: Words = ""
) -> Done:
    """stop a user from sending anything, in rooms and privately

    Give a time (90s, 30m, 2h, 7d, 4w), or leave it out to mute for good.
    """
    return await _sanction(chat, session, Kind.MUTED, person(chat, session, user), duration, reason)


@command(group=GROUP, barrier=True, examples=("unban bob", "unban 192.0.2.0/24"))
async def unban(chat: ChatService, session: Session, who: Subject) -> Done:
    """lift the ban of an account or a network"""
    return await _lift(chat, session, Kind.BANNED, _subject(chat, session, who))


@command(group=GROUP, barrier=True, examples=("unmute bob",))
async def unmute(chat: ChatService, session: Session, user: User) -> Done:
    """lift a mute"""
    return await _lift(chat, session, Kind.MUTED, person(chat, session, user))


@command(group=GROUP)
async def bans(chat: ChatService, session: Session, *, after: Annotated[str, AfterType()] = "") -> Listing:
    """list banned and muted users and networks, until when and why"""
    first = number_after(after)
    found = list(enumerate(chat.node.sanctions.lasting(chat.node.now()), start=1))[first:]
    return page("bans and mutes", _COLUMNS, found, lambda each: str(each[0]), lambda each: _row(chat, each[1]))


def _row(chat: ChatService, sanction: Sanction) -> tuple[object, ...]:
    who = sanction.network or chat.directory.name_of(sanction.account)
    return who, sanction.kind.value, sanction.created, sanction.until, sanction.by, sanction.reason


def _subject(chat: ChatService, session: Session, word: str) -> Account | Network:
    """:raises NoSuchUser: or `BadUsage` where it looks like a network and is none."""
    if chat.directory.account(word) is None and ("." in word or ":" in word) and not word[0].isalpha():
        return read_network(word)
    return person(chat, session, word)


async def _sanction(
    chat: ChatService, session: Session, kind: Kind, target: Account | Network, seconds: int | None, reason: str
) -> Done:
    await chat.administration.sanction(session, kind, target, seconds, reason)
    return Done(f"{_shown(target)} is {kind.value}{' for good' if seconds is None else ''}.")


async def _lift(chat: ChatService, session: Session, kind: Kind, target: Account | Network) -> Done:
    await chat.administration.lift(session, kind, target)
    return Done(f"{_shown(target)} is no longer {kind.value}.")


def _shown(target: Account | Network) -> str:
    return target.name.shown if isinstance(target, Account) else str(target)
