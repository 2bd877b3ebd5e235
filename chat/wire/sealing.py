"""What programs are told of keys and inboxes: nothing of it is for people to read."""

from __future__ import annotations

from chat.events import ClaimedKeys, Inbox, Keys, KeysChanged, KeysLeft, Letter, LettersKept
from chat.wire.view import View, renders


def _for_programs(shown: object, view: View) -> str:
    """Only programs compute with it."""
    return ""


for each in (Letter, KeysChanged, KeysLeft, Keys, ClaimedKeys, LettersKept, Inbox):
    renders(each)(_for_programs)
