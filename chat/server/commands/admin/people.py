"""Who there is, who is here, who may do what, and how somebody gets in."""

from __future__ import annotations

from typing import Annotated

from chat.protocol.errors import NameTaken
from chat.protocol.events import Column, Done, Fact, Facts, Listing, OneTimeCode
from chat.protocol.grammar.parameters import ChoiceType, User, Words
from chat.protocol.values import SERVER, Account, Kind, Rank
from chat.protocol.values.quantities import count
from chat.server.commands.admin.registry import PAGE, AfterType, PrefixType, command, number_after, page, person
from chat.server.core.service import ChatService
from chat.server.core.user import ChatUser, Session

GROUP = "People"

_RANKS = ("member", "administrator")
_USERS = (Column("name"), Column("rank"), Column("state"), Column("made", "time"), Column("seen", "time"))
_SESSIONS = (
    Column("session"),
    Column("account"),
    Column("device"),
    Column("address"),
    Column("encrypted"),
    Column("since", "time"),
)


@command(group=GROUP, examples=("users", "users an"))
async def users(
    chat: ChatService,
    session: Session,
    beginning: Annotated[str, PrefixType()] = "",
    *,
    after: Annotated[str, AfterType()] = "",
) -> Listing:
    """list accounts, or those whose names begin with BEGINNING"""
    found, more = chat.directory.page(after, PAGE, beginning)
    return page("accounts", _USERS, found, lambda each: each.name.folded, lambda each: _user(chat, each), more)


def _user(chat: ChatService, account: Account) -> tuple[object, ...]:
    user = chat.node.users.get(account.id)
    state = user.state if user is not None else "offline"
    now = chat.node.now()
    if chat.node.sanctions.against(Kind.BANNED, account.id, now) is not None:
        state = "banned"
    elif chat.node.sanctions.against(Kind.MUTED, account.id, now) is not None:
        state += ", muted"
    return account.name.shown, account.rank.value, state, account.created, account.seen


@command(group=GROUP, examples=("sessions", "sessions bob"))
async def sessions(
    chat: ChatService, session: Session, user: User | None = None, *, after: Annotated[str, AfterType()] = ""
) -> Listing:
    """list connections, or those of one account"""
    only = person(chat, session, user).id if user is not None else None
    last = number_after(after)
    found = [
        each
        for each in chat.node.sessions.values()
        if each.id > last and not each.operator and (only is None or _account_id(each) == only)
    ]
    found.sort(key=lambda each: each.id)
    return page("connections", _SESSIONS, found, lambda each: str(each.id), _session)


def _account_id(session: Session) -> int:
    return session.user.account.id if session.user is not None else SERVER


def _session(session: Session) -> tuple[object, ...]:
    peer, user = session.mind.peer, session.user
    if user is None:
        return session.id, None, None, peer.address, peer.encrypted, None
    return session.id, user.name, session.device, peer.address, peer.encrypted, session.since


@command(group=GROUP, examples=("whois bob",))
async def whois(chat: ChatService, session: Session, user: User) -> Facts:
    """show what the server knows about a user"""
    account = person(chat, session, user)
    now = chat.node.now()
    present: ChatUser | None = chat.node.users.get(account.id)
    devices = await chat.store.devices(account.id)
    code = await chat.store.code(account.id)
    known = await chat.store.verifier(account.id) is not None
    facts = [
        Fact("account", account.id),
        Fact("real name", account.realname),
        Fact("rank", account.rank.value),
        Fact("made", account.created, "time"),
        Fact("seen", account.seen, "time"),
        Fact("state", present.state if present is not None else "offline"),
        Fact("sessions", len(present.sessions) if present is not None else 0),
        Fact("addresses", ", ".join(sorted({each.mind.peer.address for each in present.sessions} if present else ()))),
        Fact("devices", ", ".join(each.name for each in devices)),
        Fact("rooms", ", ".join(room.name for room in chat.rooms.of(account.id))),
        Fact("password", known),
        Fact("code until", code[1] if code is not None and code[1] > now else None, "time"),
    ]
    for kind in (Kind.BANNED, Kind.MUTED):
        sanction = chat.node.sanctions.against(kind, account.id, now)
        if sanction is not None:
            facts.append(Fact(f"{kind.value} by", sanction.by))
            facts.append(Fact(f"{kind.value} until", sanction.until or "lifted", "time"))
            facts.append(Fact(f"{kind.value} for", sanction.reason))
    return Facts(account.name.shown, tuple(facts))


@command(group=GROUP, barrier=True, name="create-user", examples=("create-user ann", "create-user ann administrator"))
async def create_user(
    chat: ChatService, session: Session, name: User, rank: Annotated[str, ChoiceType(*_RANKS)] = "member"
) -> OneTimeCode:
    """create an account whose owner chooses the password

    It prints a one-time code to hand over: claim NAME CODE asks the owner for a password.
    """
    chat.authenticator.check_shown(session)
    known = chat.directory.account(name)
    if known is not None:
        raise NameTaken(
            f"The name {known.name.shown} is taken. To reset its password:"
            f" {session.admin} reset-password {known.name.shown}"
        )
    account = await chat.authenticator.create_account(name, Rank(rank))
    return await _code(chat, account)


@command(group=GROUP, barrier=True, name="reset-password", examples=("reset-password bob",))
async def reset_password(chat: ChatService, session: Session, user: User) -> OneTimeCode:
    """invalidate a password and let the owner choose a new one

    All sessions and devices of the account are signed out. It prints a one-time code to hand over.
    """
    chat.authenticator.check_shown(session)
    return await _code(chat, person(chat, session, user))


async def _code(chat: ChatService, account: Account) -> OneTimeCode:
    code, until = await chat.authenticator.give_code(account)
    return OneTimeCode(account.name.shown, code, until)


@command(group=GROUP, barrier=True, examples=("grant ann", "grant ann administrator"))
async def grant(
    chat: ChatService,
    session: Session,
    user: User,
    rank: Annotated[str, ChoiceType("administrator")] = "administrator",
) -> Done:
    """make somebody an administrator"""
    account = person(chat, session, user)
    await chat.administration.set_rank(session, account, Rank(rank))
    return Done(f"{account.name.shown} is now an administrator.")


@command(group=GROUP, barrier=True, examples=("revoke ann",))
async def revoke(
    chat: ChatService, session: Session, user: User, sure: Annotated[str, ChoiceType("sure")] | None = None
) -> Done:
    """make an administrator an ordinary member again

    To revoke the last administrator, add sure: after that, only chatctl can administer the server.
    """
    account = person(chat, session, user)
    if not sure:
        chat.administration.check_others(session, account)
    await chat.administration.set_rank(session, account, Rank.MEMBER)
    return Done(f"{account.name.shown} is no longer an administrator.")


@command(group=GROUP, barrier=True, examples=("broadcast the network is down from 6 to 7",))
async def broadcast(chat: ChatService, session: Session, text: Words) -> Done:
    """send a notice to everybody who is logged in"""
    told = chat.administration.announce(f"From the administrators: {text}")
    return Done(f"{count(told, 'session')} notified.")
