"""What ``chatctl`` does by itself where no server runs: looking, and putting a backup in place."""

from __future__ import annotations

import os
from contextlib import closing

from chat.protocol.errors import Misconfigured, NotWritten
from chat.protocol.events import Column, Facts, Listing, Refused, Reply
from chat.server.commands.admin import ADMIN
from chat.server.commands.admin.server import shown_help
from chat.server.commands.admin.storage import described, putting_in_place
from chat.server.core.dispatcher import attempt
from chat.server.process.diagnostics import check
from chat.server.settings.loading import placed
from chat.server.settings.schema import Settings
from chat.server.storage.backup import back_up, rehearse_beside, restore
from chat.server.storage.disk import look
from chat.server.storage.lock_file import hold
from chat.server.storage.migrations import connect

OFFLINE = frozenset({"help", "?", "check", "backup", "restore"})
"""Commands that need no server."""


def offline(settings: Settings, words: list[str], now: bool = False) -> Reply | None:
    """Run a command that needs no server.

    :param now: whether ``restore`` is to change something.
    :returns: nothing where it needs one.
    :raises Misconfigured: when it cannot be done, with why.
    """
    match words:
        case ["check"]:
            settings = placed(settings, os.getcwd())
            found = check(settings, look(settings.db), None)
            rows = tuple((each.subject, each.state, each.text) for each in found)
            return Listing("findings", (Column("what"), Column("state"), Column("and now")), rows)
        case ["backup", *file] if file:
            return _back_up(settings, os.path.abspath(" ".join(file)))
        case ["restore", *file] if file:
            return _restore(settings, os.path.abspath(" ".join(file)), now)
        case ["help" | "?"] | ["help" | "?", _]:
            reply: Reply = attempt(shown_help, ADMIN, "chatctl", words[1] if len(words) > 1 else None)
            return reply
    return None


def _back_up(settings: Settings, file: str) -> Reply:
    held = hold(settings.db)
    try:
        with closing(connect(settings.db, 0)) as connection:
            return described(f"Backup written: {file}", back_up(connection, file))
    except NotWritten as error:
        return Refused(error.code, error.line)
    finally:
        held.release()


def _restore(settings: Settings, file: str, now: bool) -> Facts:
    if not now:
        found = rehearse_beside(os.path.abspath(settings.db), file)
        return described(f"{file} can be restored. Type: {putting_in_place(file)}", found)
    if os.path.realpath(file) == os.path.realpath(settings.db):
        raise Misconfigured(f"{file} is the live database. Name a backup instead.")
    held = hold(settings.db)
    try:
        found, kept = restore(settings.db, file)
    finally:
        held.release()
    before = f"; the previous database is {kept}" if kept else ""
    return described(f"{file} has been restored{before}. Start the server.", found)
