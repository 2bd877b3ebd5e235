"""From client to client: asking for an address, and giving it."""

from __future__ import annotations

from chat.protocol.errors import NeedsClient
from chat.protocol.events import Done
from chat.protocol.grammar.parameters import User, Words
from chat.protocol.grammar.program_parameters import Addresses, Port
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "From client to client"


@command(group=GROUP, private=True, examples=("getaddress ann",))
async def getaddress(chat: ChatService, session: Session, user: User) -> Done:
    """ask somebody for the address of that person's client

    With it your client can talk to the other one without the server. It is passed on only with that person's consent.
    """
    owner = chat.directory.named(user)
    chat.sign_in.consent.ask(session, owner)
    return Done(f"consent asked from User {owner.name.shown}.")


@command(group=GROUP, private=True, examples=("consent bob",))
async def consent(
    chat: ChatService, session: Session, user: User, *, port: Port | None = None, addresses: Addresses = ()
) -> Done:
    """give your address to somebody who has asked for it

    A request counts for 10 minutes. It takes a client that listens.
    """
    asker = chat.directory.named(user)
    chat.sign_in.consent.give(session, asker, port, addresses)
    return Done(f"User {asker.name.shown} has your address now.")


@command(group=GROUP, private=True, examples=("refuse bob",))
async def refuse(chat: ChatService, session: Session, user: User) -> Done:
    """do not give your address to somebody who has asked for it

    Who is not answered is refused after 10 minutes.
    """
    asker = chat.directory.named(user)
    chat.sign_in.consent.refuse(session, asker)
    return Done(f"User {asker.name.shown} is told that you do not give your address.")


@command(group=GROUP, private=True, examples=("private ann got a minute?",))
async def private(chat: ChatService, session: Session, user: User, text: Words) -> Done:
    """write from client to client, without the server

    It takes the console client at both ends, and the other one's address (getaddress). What you type here would go
    through the server, so it is not sent.
    """
    other = chat.directory.named(user)
    needs = "private takes the console client at both ends; nothing was sent."
    if not chat.sign_in.consent.holds(session, other):
        needs = f"Please request user address first (getaddress <user>). {needs}"  # as wish 001 has it
    raise NeedsClient(f"{needs} By way of the server: message {other.name.shown} TEXT")
