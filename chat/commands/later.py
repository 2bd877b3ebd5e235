"""Verbs that belong to the program's promise but need its own client at both ends."""

from __future__ import annotations

from chat.commands.registry import command
from chat.core.service import ChatService
from chat.core.user import Session
from chat.errors import NotYet
from chat.events import Done
from chat.grammar.parameters import User, Words

GROUP = "From client to client"


@command(group=GROUP, private=True)
async def getaddress(chat: ChatService, session: Session, user: User) -> Done:
    """ask somebody for a direct address (not yet)

    It comes with the console client.
    """
    raise NotYet("getaddress is not there yet; it comes with the console client. Until then: message NAME TEXT")


@command(group=GROUP, private=True)
async def consent(chat: ChatService, session: Session, user: User) -> Done:
    """agree to such a request (not yet)

    It comes with the console client.
    """
    raise NotYet("consent is not there yet; it comes with the console client, and nobody can ask for it before.")


@command(group=GROUP, private=True)
async def private(chat: ChatService, session: Session, user: User, text: Words) -> Done:
    """write from client to client (not yet)

    It comes with the console client.
    """
    raise NotYet("private is not there yet; nothing was sent. By way of the server: message NAME TEXT")
