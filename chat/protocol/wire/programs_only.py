"""What only programs are told: people compute with none of it, or take it for granted."""

from __future__ import annotations

from chat.protocol import events
from chat.protocol.wire.view import View, renders


def _nothing(shown: object, view: View) -> str:
    return ""


for each in (
    *(events.Letter, events.KeysChanged, events.KeysLeft, events.Keys, events.ClaimedKeys),
    *(events.LettersKept, events.Inbox, events.FileKept, events.FilePiece),
    *(events.Challenge, events.Resumed, events.Delivered, events.Skipped),
):
    renders(each)(_nothing)
