"""People: who is here, who is who, who is blocked, who is away."""

from __future__ import annotations

from typing import Annotated

from chat.protocol.events import Done, People, Person, Profile, Rooms
from chat.protocol.grammar.parameters import ChoiceType, Room, User, Words
from chat.protocol.grammar.verbs import Bare
from chat.protocol.values import Role
from chat.server.commands.registry import command
from chat.server.commands.rooms import MOST, room_line
from chat.server.core.rooms import account_of
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "People"


@command("who", group=GROUP)
async def online(chat: ChatService, session: Session) -> People:
    """show who is online

    Users that have blocked you are not listed.
    """
    users, more = chat.sign_in.online(account_of(session), MOST)
    return People("online", tuple(Person(user.name, user.state) for user in users), more=more)


@command(group=GROUP, examples=("list users", "list users ops", "list channels", "list blocked"), name="list")
async def list_(
    chat: ChatService,
    session: Session,
    what: Annotated[str, ChoiceType("users", "channels", "blocked")] = "users",
    room: Room | None = None,
) -> People | Rooms:
    """list users, rooms, or the users you have blocked

    list users shows everybody on the server, list users ROOM the members of a room with their roles.
    """
    account = account_of(session)
    if what == "channels":
        seen, more = chat.rooms.pages.known_to(session, MOST)
        return Rooms(tuple(room_line(chat, each, account) for each in seen), False, more)
    if what == "blocked":
        names = sorted(map(chat.directory.name_of, chat.directory.blocked_by(account)), key=str.casefold)
        blocked = tuple(Person(name, "offline") for name in names[:MOST])
        return People("blocked", blocked, more=len(names[MOST:]))
    if room is not None:
        return members_of(chat, session, room)
    accounts, more = chat.directory.page("", MOST)
    people = tuple(Person(each.name.shown, chat.sign_in.state_of(each.id, account)) for each in accounts)
    return People("users", people, more=more)


def members_of(chat: ChatService, session: Session, word: str, after: str | None = None) -> People:
    """The members of a room, the highest roles first.

    :param after: a folded name: those after it, by name; nothing for the order of the roles.
    :raises NotAMember: when the room is private and one is none.
    """
    room = chat.rooms.named(session, word)
    account = account_of(session)
    if room.record.private:
        room.may_read(account)
    members, more = chat.rooms.pages.members(room, MOST, after)
    people = tuple(
        Person(
            chat.directory.name_of(each.account),
            chat.sign_in.state_of(each.account, account),
            each.role if each.role is not Role.MEMBER else None,
        )
        for each in members
    )
    return People("members", people, room.name, more)


@command("whoami", group=GROUP, guarded={"whois": (1, 1)}, examples=("whois ann",))
async def whois(chat: ChatService, session: Session, user: User | None = None) -> Profile:
    """show information about a user

    It shows the real name, when the account was made, whether the user is away, and the rooms that you share.
    """
    reader = account_of(session)
    account = chat.directory.account_by_id(reader) if user is None else chat.directory.named(user)
    assert account is not None, "whoever is logged in has an account"
    state = chat.sign_in.state_of(account.id, reader)
    present = chat.node.users.get(account.id) if state != "offline" else None
    common = [room.name for room in chat.rooms.of(account.id) if reader in room.members]
    return Profile(
        name=account.name.shown,
        realname=account.realname,
        rank=account.rank,
        state=state,
        away=present.away or "" if present is not None else "",
        created=account.created,
        since=present.since if present is not None else chat.sign_in.seen(account, reader),
        rooms=tuple(common),
    )


@command("ignore", group=GROUP, barrier=True, private=True, examples=("block bob",))
async def block(chat: ChatService, session: Session, user: User) -> Done:
    """block a user: you no longer see their messages

    A block is one-way and permanent until you unblock. You can still write to that user, who cannot see whether you are
    online.
    """
    other = chat.directory.named(user)
    await chat.sign_in.block(session, other)
    return Done(f"User {other.name.shown} has been blocked.")


@command("unignore", group=GROUP, barrier=True, private=True, examples=("unblock bob",))
async def unblock(chat: ChatService, session: Session, user: User) -> Done:
    """unblock a user"""
    other = chat.directory.named(user)
    await chat.sign_in.unblock(session, other)
    return Done(f"User {other.name.shown} has been unblocked.")


@command(group=GROUP, bare=Bare.NEVER, examples=("/away lunch, back at one",))
async def away(chat: ChatService, session: Session, text: Words = "") -> Done:
    """mark yourself as away

    People who write to you see your note.
    """
    chat.sign_in.set_away(session, " ".join(text.split())[:200])
    return Done("You are marked as away. Type /back when you return.")


@command(group=GROUP, bare=Bare.NEVER)
async def back(chat: ChatService, session: Session) -> Done:
    """mark yourself as back"""
    chat.sign_in.set_away(session, None)
    return Done("Welcome back.")
