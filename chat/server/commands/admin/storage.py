"""What is kept: copies of the database, exports, forgetting."""

from __future__ import annotations

import os
import re
from shlex import quote
from typing import Annotated

from chat.protocol.errors import BadUsage, NotWritten
from chat.protocol.events import Done, Fact, Facts
from chat.protocol.grammar.durations import SECONDS, DurationType
from chat.protocol.grammar.parameters import PATH_BYTES, ChoiceType, Names, ParameterType, Room, User, Word
from chat.protocol.names import fold
from chat.protocol.values.quantities import count
from chat.server.commands.admin.registry import command, person, place
from chat.server.core.retention import PAIRS
from chat.server.core.service import ChatService
from chat.server.core.user import Session
from chat.server.interfaces import Contents

GROUP = "Data"

FOLDER = "backups"
"""The folder beside the database in which administrators may make files; the operator may anywhere."""

PRIVATE = "private"
"""What stands for all private conversations; no room is called so, since it is a verb."""

_PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


class FileType(ParameterType):
    """A file of the machine that the server runs on."""

    form = "FILE"
    rest = True
    most_bytes = PATH_BYTES

    def read(self, word: str) -> str:
        if not word or "\0" in word:
            raise BadUsage("expected a file name")
        return word


class ForeverType(DurationType):
    """A span of time, or ``forever``; read as seconds, 0 for ever."""

    form = "TIME|forever"

    def certain(self, word: str, names: Names) -> bool:
        return word.lower() == "forever" or super().certain(word, names)

    def read(self, word: str) -> int:
        return 0 if word.lower() == "forever" else super().read(word)


File = Annotated[str, FileType()]


@command(group=GROUP, barrier=True, examples=("backup monday.db",))
async def backup(chat: ChatService, session: Session, file: File, *, folder: Word = "") -> Facts:
    """copy the whole database while the server runs

    The copy is a checked snapshot that only its owner can read. Administrators give a plain file name; the copy goes
    into the folder backups beside the database.
    """
    path = _path(chat, session, file, folder)
    return described(f"Backup written: {path}", await chat.store.back_up(path))


@command(group=GROUP, examples=("restore monday.db",))
async def restore(chat: ChatService, session: Session, file: File, *, folder: Word = "") -> Facts:
    """test a backup: copy it, check it and upgrade it

    Nothing changes. To restore it, stop the server and type: chatctl restore --now FILE
    """
    path = _path(chat, session, file, folder)
    found = await chat.store.rehearse(path)
    return described(f"{path} can be restored. Stop the server and type: {putting_in_place(path)}", found)


def putting_in_place(path: str) -> str:
    """What is typed to put a backup in place."""
    return f"chatctl restore --now {quote(path)}"


def described(title: str, found: Contents) -> Facts:
    """What a database holds, for those who decide about it."""
    return Facts(
        title,
        (
            Fact("schema", found.version),
            Fact("accounts", found.accounts),
            Fact("rooms", found.rooms),
            Fact("rows", found.rows),
            Fact("newest row", found.newest, "time"),
            Fact("size", found.size, "bytes"),
        ),
    )


@command(group=GROUP, barrier=True, examples=("export bob bob.jsonl",))
async def export(chat: ChatService, session: Session, user: User, file: File, *, folder: Word = "") -> Done:
    """write everything known about a user, and all their messages, as JSON lines"""
    account = person(chat, session, user)
    path = _path(chat, session, file, folder)
    lines = await chat.store.export(account.id, path)
    return Done(f"{count(lines, 'line')} of {account.name.shown} written to {path}.")


@command(group=GROUP, barrier=True, examples=("forget bob",))
async def forget(chat: ChatService, session: Session, user: User) -> Done:
    """delete a user's account and erase everything they wrote, for good

    Nobody else can take the name. Messages are erased in the background; copies of the database still contain them.
    """
    account = person(chat, session, user)
    await chat.administration.forget(session, account)
    return Done(f"The account {account.name.shown} has been deleted. Its messages are being erased in the background.")


@command(
    group=GROUP, barrier=True, examples=("retention lobby 90d", "retention private 52w", "retention lobby forever")
)
async def retention(
    chat: ChatService,
    session: Session,
    room: Room,
    duration: Annotated[int, ForeverType()] | None = None,
    sure: Annotated[str, ChoiceType("sure")] | None = None,
) -> Done:
    """show or set how long a room keeps its messages; private means all private conversations

    Older messages, read or not, are deleted in the background; if there are any, you must add sure. By default
    everything is kept for ever.
    """
    private = fold(room) == PRIVATE
    conversation = PAIRS if private else place(chat, session, room).id
    shown = "Private conversations keep" if private else f"{place(chat, session, room).name} keeps"
    if duration and not sure and (going := await chat.retention.count_expired(conversation, duration)):
        raise BadUsage(
            f"{count(going, 'line')} would go for good, at once. If you mean it:"
            f" {session.admin} retention {room} {_word(duration)} sure"
        )
    if duration is not None:
        await chat.retention.set(conversation, duration or None)
    kept = (await chat.store.retention()).get(conversation)
    return Done(f"{shown} what was said {'for ever' if kept is None else f'for {_span(kept // 1000)}'}.")


def _word(seconds: int) -> str:
    """A span of time as it is typed."""
    return next(f"{seconds // size}{unit}" for unit, size in reversed(SECONDS.items()) if seconds % size == 0)


def _span(seconds: int) -> str:
    for size, noun in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds % size == 0:
            return count(seconds // size, noun)
    return count(seconds, "second")


def _path(chat: ChatService, session: Session, file: str, folder: str) -> str:
    """Where a file is: for the operator, who has the machine, anywhere; for an administrator in one folder.

    :raises BadUsage: for an administrator who gives more than a plain name.
    """
    if session.operator:
        return os.path.abspath(os.path.join(folder, file))
    if not _PLAIN.fullmatch(file):
        raise BadUsage("Use a plain name of letters, digits, . _ and -; the file goes into the folder backups.")
    backups = os.path.join(os.path.dirname(os.path.abspath(chat.settings.db)), FOLDER)
    try:
        os.makedirs(backups, mode=0o700, exist_ok=True)
    except OSError as error:
        raise NotWritten(f"Cannot create {backups} ({error.strerror}).") from None
    return os.path.join(backups, file)
