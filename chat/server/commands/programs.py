"""What only programs say: the frames of JSON lines beyond the verbs that people type."""

from __future__ import annotations

from typing import Annotated

from chat import __version__
from chat.protocol.events import CommandTable, Done, Missed, People, Person, Restored, Resumed, Welcome
from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.parameters import DeviceName, Room, Word
from chat.protocol.grammar.program_parameters import Flag, Marks, Moment
from chat.protocol.grammar.verbs import Access, Verb
from chat.protocol.passwords import ITERATIONS
from chat.protocol.values import BODY_BYTES, BODY_LINES
from chat.server.commands.people import members_of
from chat.server.commands.registry import command
from chat.server.core.rooms import account_of
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "For programs"

FRAME_BYTES = 64 * 1024
"""The most bytes that one frame may have."""


@command(group=GROUP, access=Access.ANYONE, programs=True, weight=0.2)
async def hello(
    chat: ChatService,
    session: Session,
    *,
    client: Word = "",
    device: DeviceName | None = None,
    heartbeat: Flag = False,
) -> Welcome:
    """the first frame: identifies the program; one that promises heartbeats is disconnected when it falls silent"""
    session.heartbeat = heartbeat
    if device is not None and session.user is None:
        session.device = device
    limits = {
        "frame": FRAME_BYTES,
        "body": BODY_BYTES,
        "lines": BODY_LINES,
        "cost": chat.settings.bcrypt_cost,
        "iterations": ITERATIONS,
    }
    features = ("history", "inbox", "keys", "marks", "retry", "resume", "sealed", "skipped")
    ways_in, database = chat.authenticator.ways_in(session), await chat.database()
    settings = chat.settings
    return Welcome(
        settings.name, __version__, limits, features, ways_in, database, chat.restored, settings.registration
    )


@command(group=GROUP, access=Access.ANYONE, programs=True, weight=2)
async def commands(chat: ChatService, session: Session) -> CommandTable:
    """the verb table as data, for grammar, help and completion"""
    return chat.table.derived(_described, None)


def _described(verbs: tuple[Verb, ...], _: None) -> CommandTable:
    return CommandTable(tuple(verb.as_json() for verb in verbs))


@command(group=GROUP, programs=True, barrier=True)
async def resume(chat: ChatService, session: Session) -> Resumed:
    """start live events from here; read what came before with history, page by page"""
    resumed = await chat.history.resume(session)
    chat.shutdown.remind(session)
    chat.administration.remind(session)
    chat.token_theft.remind(session)
    return resumed


@command(group=GROUP, programs=True)
async def restored(chat: ChatService, session: Session, *, since: Moment) -> Restored:
    """show up to where conversations are unchanged, after welcome reported a restored backup"""
    return await chat.history.restored(session, since)


@command(group=GROUP, programs=True)
async def missed(chat: ChatService, session: Session, *, limit: Annotated[int, NumberType(1, 500)] = 200) -> Missed:
    """the private messages of others after the marks, in order of time"""
    standings = await chat.history.standings(session)
    wanted = {each.conversation.id: each for each in standings if each.conversation.partner and each.unread}
    return await chat.history.missed(session, wanted, limit)


@command(group=GROUP, programs=True, weight=0.2)
async def received(chat: ChatService, session: Session, *, marks: Marks) -> Done:
    """confirm that this device has everything up to these marks"""
    await chat.history.mark(session, marks, read=False)
    return Done()


@command(group=GROUP, programs=True, weight=0.2)
async def read(chat: ChatService, session: Session, *, marks: Marks) -> Done:
    """confirm that the person has seen everything up to these marks"""
    await chat.history.mark(session, marks, read=True)
    return Done()


@command(group=GROUP, programs=True)
async def roster(
    chat: ChatService, session: Session, *, after: Word = "", limit: Annotated[int, NumberType(1, 500)] = 500
) -> People:
    """all users and their state, by name, a page at a time: those after a name"""
    reader = account_of(session)
    accounts, more = chat.directory.page(after.casefold(), limit)
    people = tuple(Person(each.name.shown, chat.sign_in.state_of(each.id, reader)) for each in accounts)
    return People("users", people, more=more)


@command(group=GROUP, programs=True)
async def members(chat: ChatService, session: Session, *, room: Room, after: Word = "") -> People:
    """the members of a room with their roles and states, by name, a page at a time: those after a name"""
    return members_of(chat, session, room, after.casefold())
