"""What programs are told of keys, inboxes and files: nothing of it is for people to read."""

from __future__ import annotations

from chat.protocol.events import (
    ClaimedKeys,
    FileKept,
    FilePiece,
    Inbox,
    Keys,
    KeysChanged,
    KeysLeft,
    Letter,
    LettersKept,
)
from chat.protocol.wire.view import View, renders


def _for_programs(shown: object, view: View) -> str:
    """Only programs compute with it."""
    return ""


for each in (Letter, KeysChanged, KeysLeft, Keys, ClaimedKeys, LettersKept, Inbox, FileKept, FilePiece):
    renders(each)(_for_programs)
