"""The nouns of the program: immutable values that are legal by construction.

Nothing here does I/O, imports Twisted, or knows how a value is stored, sent or shown. Times are whole
milliseconds since the Unix epoch, UTC; sequence numbers count from 1 in each conversation. They stand in the files of
this package, and are imported from here.
"""

from __future__ import annotations

from chat.protocol.values.addresses import Reach, reach_of
from chat.protocol.values.bodies import BODY_BYTES, BODY_LINES, Body, Sealed, Text
from chat.protocol.values.chunks import MOST_PIECES, PIECE_BYTES
from chat.protocol.values.conversations import (
    Conversation,
    Invitation,
    Member,
    Pair,
    Restriction,
    RoomRecord,
    is_msgid,
    parse_msgid,
    parse_reference,
    room_setting,
    write_reference,
)
from chat.protocol.values.kinds import SPOKEN, Kind
from chat.protocol.values.log import Draft, Origin, Page, Row, Shown, Stored, Unsure, Waiting, join_shown
from chat.protocol.values.people import (
    DEFAULT_DEVICE,
    SERVER,
    Account,
    Device,
    Name,
    Peer,
    Rank,
    Role,
    Sanction,
    Verifier,
    VerifierCost,
    device_name,
)
from chat.protocol.values.times import read_time, write_time
from chat.protocol.values.value import value

__all__ = [
    "BODY_BYTES",
    "BODY_LINES",
    "DEFAULT_DEVICE",
    "MOST_PIECES",
    "PIECE_BYTES",
    "SERVER",
    "SPOKEN",
    "Account",
    "Body",
    "Conversation",
    "Device",
    "Draft",
    "Invitation",
    "Kind",
    "Member",
    "Name",
    "Origin",
    "Page",
    "Pair",
    "Peer",
    "Rank",
    "Reach",
    "Restriction",
    "Role",
    "RoomRecord",
    "Row",
    "Sanction",
    "Sealed",
    "Shown",
    "Stored",
    "Text",
    "Unsure",
    "Verifier",
    "VerifierCost",
    "Waiting",
    "device_name",
    "is_msgid",
    "join_shown",
    "parse_msgid",
    "parse_reference",
    "reach_of",
    "read_time",
    "room_setting",
    "value",
    "write_reference",
    "write_time",
]
