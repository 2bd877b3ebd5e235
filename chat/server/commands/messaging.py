"""Talking: in a room, privately, to everybody."""

from __future__ import annotations

from chat.protocol.errors import BadUsage
from chat.protocol.events import Done, StoredAs
from chat.protocol.grammar.parameters import Here, MessageId, Speech, User, Words
from chat.protocol.grammar.program_parameters import Retry
from chat.protocol.grammar.verbs import Bare
from chat.protocol.values import Kind, Text
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Talking"


@command("chat", group=GROUP, bare=Bare.ALWAYS, examples=("say hello all", "chat hello all"))
async def say(chat: ChatService, session: Session, text: Speech, *, room: Here, retry: Retry | None = None) -> StoredAs:
    """say something in the current room

    In a room you need not type say: any line that is not a command is said. 'text and //text are always said.
    """
    return await chat.messaging.say(session, room, text, Kind.TEXT, retry)


@command(group=GROUP, bare=Bare.NEVER, examples=("/me waves",))
async def me(chat: ChatService, session: Session, text: Speech, *, room: Here, retry: Retry | None = None) -> StoredAs:
    """show an action in the room: * bob waves"""
    return await chat.messaging.say(session, room, text, Kind.ACTION, retry)


@command(
    "send",
    "msg",
    "tell",
    group=GROUP,
    private=True,
    doubted={
        "message": ("as", "of", "to"),
        "send": (
            *("a", "an", "her", "his", "it", "my", "our", "some", "that", "the", "their", "them", "these", "this"),
            *("to", "your"),
        ),
        "tell": ("about", "that", "to"),
    },
    examples=("message ann got a minute?",),
)
async def message(
    chat: ChatService, session: Session, user: User, text: Speech, *, retry: Retry | None = None
) -> StoredAs:
    """send somebody a private message, even if they are offline

    If they are offline, the message is kept until their next login. A message to yourself is a note.
    """
    return await chat.messaging.message(session, chat.directory.named(user), text, retry)


@command("r", group=GROUP, bare=Bare.NEVER, examples=("/r yes, of course",))
async def reply(chat: ChatService, session: Session, text: Speech, *, retry: Retry | None = None) -> StoredAs:
    """reply to your latest private message"""
    return await chat.messaging.reply(session, text, retry)


@command(
    group=GROUP,
    bare=Bare.NEVER,
    barrier=True,
    needs=("text",),
    examples=("/edit I meant tomorrow", "/edit r2.41 at nine"),
)
async def edit(
    chat: ChatService,
    session: Session,
    id: MessageId | None = None,
    text: Speech | None = None,
    *,
    retry: Retry | None = None,
) -> StoredAs:
    """edit one of your messages

    Without an id, it edits the last message that you sent; history shows the ids. Others see that it was edited.
    """
    assert text is not None, "the table asks for it"
    return await chat.edits.edit(session, id, text, retry)


@command(group=GROUP, bare=Bare.NEVER, barrier=True, examples=("/delete", "/delete r2.41"))
async def delete(chat: ChatService, session: Session, id: MessageId | None = None) -> Done:
    """delete one of your messages

    Without an id, it deletes the last message that you sent; history shows the ids. The text is gone for good, and
    others see that it was deleted. Moderators can delete any message in their room.
    """
    await chat.edits.delete(session, id)
    return Done()


@command(group=GROUP, bare=Bare.HELD, examples=("broadcast lunch!",))
async def broadcast(chat: ChatService, session: Session, text: Words) -> Done:
    """send a message to everybody who is online

    It is not kept for people who are offline, and users who block you do not get it.
    """
    try:
        body = Text(text)
    except ValueError as error:
        raise BadUsage(f"{error} Usage: broadcast TEXT") from None
    everybody = chat.messaging.broadcast(session, body.text)
    return Done("" if everybody else "Your message could not be received by some recipients.")
