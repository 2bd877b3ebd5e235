"""From client to client: asking for an address, and giving it."""

from __future__ import annotations

from chat.protocol.errors import NeedsClient
from chat.protocol.events import Done
from chat.protocol.grammar.parameters import User, Words
from chat.protocol.grammar.program_parameters import Addresses, Port
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Peer to peer"


@command(group=GROUP, private=True, examples=("getaddress ann",))
async def getaddress(chat: ChatService, session: Session, user: User) -> Done:
    """ask somebody for the address of their client

    With it, your client can talk to theirs without the server. They must give consent first.
    """
    owner = chat.directory.named(user)
    chat.sign_in.consent.ask(session, owner)
    return Done(f"consent asked from User {owner.name.shown}.")


@command(group=GROUP, private=True, examples=("consent bob",))
async def consent(
    chat: ChatService, session: Session, user: User, *, port: Port | None = None, addresses: Addresses = ()
) -> Done:
    """give your address to somebody who asked for it

    A request expires after 10 minutes. You need a client that listens for connections, such as the console client.
    """
    asker = chat.directory.named(user)
    chat.sign_in.consent.give(session, asker, port, addresses)
    return Done(f"User {asker.name.shown} now has your address.")


@command(group=GROUP, private=True, examples=("refuse bob",))
async def refuse(chat: ChatService, session: Session, user: User) -> Done:
    """refuse to give your address to somebody who asked for it

    A request that you do not answer expires after 10 minutes.
    """
    asker = chat.directory.named(user)
    chat.sign_in.consent.refuse(session, asker)
    return Done(f"You refused to give your address to User {asker.name.shown}.")


@command(group=GROUP, private=True, examples=("private ann got a minute?",))
async def private(chat: ChatService, session: Session, user: User, text: Words) -> Done:
    """send a message from client to client, without the server

    Both of you need the console client, and you need the other one's address (getaddress). Typed here it would go
    through the server, so it is not sent.
    """
    other = chat.directory.named(user)
    needs = "Both of you need the console client for private; nothing was sent."
    if not chat.sign_in.consent.holds(session, other):
        needs = f"Please request user address first (getaddress <user>). {needs}"  # as wish 001 has it
    raise NeedsClient(f"{needs} To send it through the server: message {other.name.shown} TEXT")
