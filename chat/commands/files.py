"""Files, which clients send each other; here it is explained what that takes."""

from __future__ import annotations

from chat.commands.registry import command
from chat.core.service import ChatService
from chat.core.user import Session
from chat.errors import NeedsClient
from chat.events import Done
from chat.grammar.parameters import LocalPath, User

GROUP = "From client to client"


@command(group=GROUP, private=True, examples=("sendfile ann notes.txt",))
async def sendfile(chat: ChatService, session: Session, user: User, path: LocalPath) -> Done:
    """offer somebody a file

    It is sealed for that person, who sees its name and size and says yes or no. It takes the console client at both
    ends.
    """
    other = chat.directory.named(user)
    raise NeedsClient(f"sendfile takes the console client, here and at {other.name.shown}'s; nothing was sent.")


@command(group=GROUP, private=True, examples=("getfile ann",))
async def getfile(chat: ChatService, session: Session, user: User) -> Done:
    """take the file that somebody offers

    The oldest one that was not answered for. It goes into your folder for downloads, under a name that is free.
    """
    chat.directory.named(user)
    raise NeedsClient("getfile takes the console client: files are offered to it alone.")


@command(group=GROUP, private=True, examples=("refusefile ann",))
async def refusefile(chat: ChatService, session: Session, user: User) -> Done:
    """do not take the file that somebody offers"""
    chat.directory.named(user)
    raise NeedsClient("refusefile takes the console client: files are offered to it alone.")
