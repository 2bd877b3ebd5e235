"""Files: those that lie here for their readers; and what it takes to send one, for who types it here."""

from __future__ import annotations

from chat.protocol.errors import NeedsClient
from chat.protocol.events import Done, FileKept, FilePiece
from chat.protocol.grammar.parameters import LocalPath, User
from chat.protocol.grammar.program_parameters import FileId, Piece, PieceCount, PieceNumber
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session

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
    """do not take the file that somebody offers, or no more of it; or take back your own"""
    chat.directory.named(user)
    raise NeedsClient("refusefile takes the console client: files are offered to it alone.")


@command(group=GROUP, programs=True, name="files.begin")
async def begin(chat: ChatService, session: Session, *, user: User, pieces: PieceCount) -> FileKept:
    """make room for a file that lies here until somebody has taken it, within the quota of who sends it"""
    return await chat.files.begin(session, chat.directory.named(user), pieces)


@command(group=GROUP, programs=True, weight=0.1, name="files.put")
async def put(chat: ChatService, session: Session, *, file: FileId, number: PieceNumber, piece: Piece) -> FileKept:
    """keep the next piece of a file; one that is not the next is left out, and the reply says which is"""
    return await chat.files.put(session, file, number, piece)


@command(group=GROUP, programs=True, weight=0.1, name="files.get")
async def get(chat: ChatService, session: Session, *, file: FileId, number: PieceNumber) -> FilePiece:
    """take a piece of a file that lies here for you"""
    return await chat.files.get(session, file, number)


@command(group=GROUP, programs=True, name="files.end")
async def end(chat: ChatService, session: Session, *, file: FileId) -> Done:
    """have a file removed: you have it, do not want it, or take it back"""
    await chat.files.end(session, file)
    return Done()
