"""Files: those that lie here for their readers; and what it takes to send one, for who types it here."""

from __future__ import annotations

from chat.protocol.errors import NeedsClient
from chat.protocol.events import Done, FileKept, FilePiece
from chat.protocol.grammar.parameters import LocalPath, User
from chat.protocol.grammar.program_parameters import FileId, Piece, PieceCount, PieceNumber
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

GROUP = "Peer to peer"


@command(group=GROUP, private=True, examples=("sendfile ann notes.txt",))
async def sendfile(chat: ChatService, session: Session, user: User, path: LocalPath) -> Done:
    """offer somebody a file

    It is encrypted for that person, who sees its name and size and can accept or refuse. Both of you need the console
    client.
    """
    other = chat.directory.named(user)
    raise NeedsClient(f"You and {other.name.shown} need the console client for sendfile; nothing was sent.")


@command(group=GROUP, private=True, examples=("getfile ann",))
async def getfile(chat: ChatService, session: Session, user: User) -> Done:
    """accept a file that somebody offers

    It accepts the oldest offer. The file is saved in your downloads folder under a name that is free.
    """
    chat.directory.named(user)
    raise NeedsClient("getfile needs the console client, which receives all file offers.")


@command(group=GROUP, private=True, examples=("refusefile ann",))
async def refusefile(chat: ChatService, session: Session, user: User) -> Done:
    """refuse a file that somebody offers, stop receiving it, or withdraw your own"""
    chat.directory.named(user)
    raise NeedsClient("refusefile needs the console client, which receives all file offers.")


@command(group=GROUP, programs=True, name="files.begin")
async def begin(chat: ChatService, session: Session, *, user: User, pieces: PieceCount) -> FileKept:
    """reserve space for a file that the server keeps until the recipient has collected it, within the sender's quota"""
    return await chat.files.begin(session, chat.directory.named(user), pieces)


@command(group=GROUP, programs=True, weight=0.1, name="files.put")
async def put(chat: ChatService, session: Session, *, file: FileId, number: PieceNumber, piece: Piece) -> FileKept:
    """store the next piece of a file; any other piece is ignored, and the reply says which one is next"""
    return await chat.files.put(session, file, number, piece)


@command(group=GROUP, programs=True, weight=0.1, name="files.get")
async def get(chat: ChatService, session: Session, *, file: FileId, number: PieceNumber) -> FilePiece:
    """get a piece of a file that is waiting for you"""
    return await chat.files.get(session, file, number)


@command(group=GROUP, programs=True, name="files.end")
async def end(chat: ChatService, session: Session, *, file: FileId) -> Done:
    """remove a file: you have it, refuse it, or withdraw it"""
    await chat.files.end(session, file)
    return Done()
