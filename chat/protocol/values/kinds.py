"""What a row of the log is."""

from __future__ import annotations

from enum import StrEnum


class Kind(StrEnum):
    """What a row of the log is."""

    TEXT = "text"
    ACTION = "action"
    SEALED = "sealed"
    REDACTION = "redaction"
    EDIT = "edit"
    TOPIC = "topic"
    SETTING = "setting"
    CREATED = "created"
    JOINED = "joined"
    LEFT = "left"
    INVITED = "invited"
    DECLINED = "declined"
    KICKED = "kicked"
    BANNED = "banned"
    UNBANNED = "unbanned"
    MUTED = "muted"
    UNMUTED = "unmuted"
    ROLE = "role"
    CLOSED = "closed"


SPOKEN = frozenset({Kind.TEXT, Kind.ACTION, Kind.SEALED, Kind.EDIT})
"""The kinds that count as unread and that somebody who blocks the author does not see."""
