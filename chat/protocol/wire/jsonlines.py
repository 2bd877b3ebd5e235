"""Requests, events and replies as JSON lines for programs: one UTF-8 object a line, both ways.

`FRAMES` names the type of frame for everything that is sent; these names are stable. The fields follow
from the dataclasses (``chat.protocol.wire.field_codecs``). Unknown fields are ignored on both sides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from math import isfinite
from typing import Any, NoReturn

from chat.protocol import events
from chat.protocol.errors import BadFrame
from chat.protocol.events import CommandTable, Entry, Event, Found, Help, History, MembershipChanged, Reply
from chat.protocol.values import Kind, value
from chat.protocol.wire.field_codecs import CODECS, UNREADABLE, Codec, codec
from chat.protocol.wire.identity_cache import IdentityCache

DEPTH = 32
"""How deep a frame may be nested."""

CONTAINERS = 2_000
"""The most arrays and objects in one request: more make reading the longest one dear, and no command takes so many."""

ID_LENGTH = 64
"""The most characters of a request's id; a number has at most 53 bits, as in JavaScript."""

COMMAND_LENGTH = 64
RETRY_LENGTH = range(11, 65)
"""Characters of a retry id: 11 of base 64 hold 64 random bits."""

_LONE = re.compile("[\ud800-\udfff]")
_STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"')


# --- the frames -----------------------------------------------------------------------------------

FRAMES: dict[str, type] = {
    "said": events.Said,
    "edited": events.Edited,
    "deleted": events.Deleted,
    "topic": events.TopicChanged,
    "room-changed": events.RoomChanged,
    "moderated": events.MembershipChanged,
    "skipped": events.Skipped,
    "broadcast": events.Broadcasted,
    "presence": events.Presence,
    "invited": events.Invited,
    "asked-consent": events.AskedConsent,
    "address": events.Address,
    "consent-refused": events.ConsentRefused,
    "address-changed": events.AddressChanged,
    "block-changed": events.BlockChanged,
    "removed": events.Removed,
    "signed-out": events.SignedOut,
    "closing": events.Closing,
    "notice": events.Notice,
    "delivered": events.Delivered,
    "kept": events.Kept,
    "traffic": events.Traffic,
    "letter": events.Letter,
    "keys-changed": events.KeysChanged,
    "keys-left": events.KeysLeft,
    "refused": events.Refused,
    "done": events.Done,
    "stored": events.StoredAs,
    "welcome": events.Welcome,
    "challenge": events.Challenge,
    "logged-in": events.LoggedIn,
    "logged-out": events.LoggedOut,
    "restored": events.Restored,
    "resumed": events.Resumed,
    "room-entered": events.RoomEntered,
    "room-left": events.RoomLeft,
    "room": events.RoomSettings,
    "people": events.People,
    "rooms": events.Rooms,
    "history": events.History,
    "found": events.Found,
    "missed": events.Missed,
    "profile": events.Profile,
    "devices": events.Devices,
    "settings": events.OwnSettings,
    "help": events.Help,
    "commands": events.CommandTable,
    "keys": events.Keys,
    "claimed": events.ClaimedKeys,
    "letters-kept": events.LettersKept,
    "inbox": events.Inbox,
    "file-kept": events.FileKept,
    "file-piece": events.FilePiece,
    "pong": events.Pong,
    "time": events.TimeNow,
    "listing": events.Listing,
    "facts": events.Facts,
    "code": events.OneTimeCode,
    "invitation-codes": events.InvitationCodes,
    "password-changed": events.PasswordChanged,
}
"""What each type of frame says."""

OWN_NAMES = {Kind.JOINED: "entered", Kind.LEFT: "left"}
"""Kinds of `MembershipChanged` that everybody may bring about; the frame has a name of its own."""


def _write(shown: Any) -> dict[str, Any]:
    name, each = _BY_TYPE[type(shown)]
    if type(shown) is MembershipChanged:
        name = OWN_NAMES.get(shown.kind, name)
    return {"type": name, **each.write(shown)}


def _read(value: Any) -> Any:
    return _BY_NAME[value["type"]].read(value)


def _read_entry(value: Any) -> Any:
    entry = _read(value)
    if not isinstance(entry, Entry):
        raise TypeError("a row expected")
    return entry


CODECS[Entry] = Codec(_write, _read_entry)
_BY_TYPE = {kind: (name, codec(kind)) for name, kind in FRAMES.items()}
_BY_NAME = dict(_BY_TYPE.values())
_BY_NAME |= dict.fromkeys(OWN_NAMES.values(), _BY_NAME["moderated"])


# --- what the server sends ------------------------------------------------------------------------

_dump = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":")).encode


def encode(shown: Event | Reply, id: str | int | None = None) -> bytes:
    """One frame, with its line end.

    :param id: of the request that this answers.
    """
    if type(shown) is CommandTable or (type(shown) is Help and shown.groups):
        return _large.of(shown) if id is None else _with_id(_large.of(shown), id)
    frame = _write(shown)
    if id is not None:
        frame = {"type": frame["type"], "id": id} | frame
    return _utf8(_dump(frame) + "\n")


def encode_parts(shown: Event | Reply, id: str | int | None = None) -> Iterator[bytes] | None:
    """The same frame piece by piece, each made when it is asked for; None for what is never long."""
    return _page(shown, id) if isinstance(shown, (History, Found)) else None


def _page(shown: History | Found, id: str | int | None) -> Iterator[bytes]:
    """No string of a frame looks like the empty list: its quotes would be escaped."""
    before, _, after = encode(replace(shown, entries=()), id).partition(b'"messages":[]')
    yield before + b'"messages":['
    for number, entry in enumerate(shown.entries):
        yield _utf8(f"{',' if number else ''}{_dump(_write(entry))}")
    yield b"]" + after


def _utf8(line: str) -> bytes:
    try:
        return line.encode()
    except UnicodeEncodeError:
        return _LONE.sub("\ufffd", line).encode()


_large = IdentityCache(lambda shown: _utf8(_dump(_write(shown)) + "\n"))
"""Frames that are the same for everybody but for the id, and take long to write."""


def _with_id(line: bytes, id: str | int) -> bytes:
    """A frame that was written without an id, with one after its type, which comes first."""
    kind, _, rest = line.partition(b",")
    return b"".join((kind, b',"id":', _utf8(_dump(id)), b",", rest))


class UnknownType(BadFrame):
    """A frame of a type that is not known here: the server is of a later version.

    :ivar id: of the request that it answers, or nothing for an event.
    """

    code = BadFrame.code

    def __init__(self, id: str | int | None) -> None:
        super().__init__("Unknown frame type.")
        self.id = id


def parse(line: bytes) -> tuple[Event | Reply, str | int | None]:
    """Read what `encode` wrote: the event or reply, and the id of the request that it answers.

    :raises UnknownType: when a later version sent it.
    :raises BadFrame: when it is no frame.
    """
    frame = _object(line)
    kind = frame.get("type")
    if isinstance(kind, str) and kind not in _BY_NAME:
        raise UnknownType(_id(frame))
    try:
        return _read(frame), _id(frame)
    except UNREADABLE as error:
        raise BadFrame(f"Invalid frame: {error!r:.200}") from error


# --- what programs send ---------------------------------------------------------------------------


@value
class Request:
    """A command of a program.

    :param id: the client's to choose; its reply carries it.
    :param retry: makes the same request again harmless.
    """

    id: str | int | None
    cmd: str
    args: Mapping[str, object] = field(default_factory=dict)
    retry: str | None = None


def decode(line: bytes) -> Request:
    """Read one request.

    :raises BadFrame: when it is none; the text says what is wrong.
    """
    _check_size(line)
    frame = _object(line)
    id, cmd, args, retry = _id(frame), frame.get("cmd"), frame.get("args", {}), frame.get("retry")
    if not isinstance(cmd, str) or not 0 < len(cmd) <= COMMAND_LENGTH:
        raise BadFrame(f"cmd must be a string of 1 to {COMMAND_LENGTH} characters.")
    if not isinstance(args, dict):
        raise BadFrame("args must be an object.")
    if retry is not None and not (isinstance(retry, str) and len(retry) in RETRY_LENGTH):
        raise BadFrame(f"retry must be a random string of {RETRY_LENGTH[0]} to {RETRY_LENGTH[-1]} characters.")
    return Request(id, cmd, args, retry)


def request_id(line: bytes) -> str | int | None:
    """The id of a line that `decode` refused, as far as it has one."""
    try:
        _check_size(line)
        return _id(_parsed(line))
    except BadFrame:
        return None


def _id(frame: Mapping[str, Any]) -> str | int | None:
    id = frame.get("id")
    if id is None or (type(id) is str and len(id) <= ID_LENGTH) or (type(id) is int and abs(id) < 1 << 53):
        return id
    raise BadFrame(f"id must be a string of at most {ID_LENGTH} characters or a number of at most 53 bits.")


# --- lines ----------------------------------------------------------------------------------------


def _finite(digits: str) -> float:
    number = float(digits)
    if not isfinite(number):
        raise ValueError("a number that is too large")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


_load = json.JSONDecoder(parse_float=_finite, parse_constant=_no_constant).decode


def _check_size(line: bytes) -> None:
    """:raises BadFrame: when a request has too many arrays and objects; what stands in strings is none."""
    if line.count(b"[") + line.count(b"{") <= CONTAINERS:
        return
    outside = _STRING.sub(b"", line)
    if outside.count(b"[") + outside.count(b"{") > CONTAINERS:
        raise BadFrame(f"A frame can have at most {CONTAINERS:,} arrays and objects.")


def _object(line: bytes) -> dict[str, Any]:
    """The JSON object of a line, which can be written as UTF-8 again and is not too deep.

    :raises BadFrame: when there is none.
    """
    frame = _parsed(line)
    if b"\\u" in line and _LONE.search(_dump(frame)):
        raise BadFrame("A frame cannot contain lone surrogates.")
    return frame


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        frame = _load(line.decode())
    except UnicodeDecodeError as error:
        raise BadFrame("The frame is not valid UTF-8.") from error
    except (ValueError, RecursionError) as error:
        raise BadFrame from error
    if type(frame) is not dict:
        raise BadFrame
    if line.count(b"[") + line.count(b"{") > DEPTH and _depth(frame) > DEPTH:
        raise BadFrame(f"A frame can be nested at most {DEPTH} deep.")
    return frame


def _depth(frame: dict[str, Any]) -> int:
    """How many arrays and objects stand in each other."""
    level: list[Any] = [frame]
    depth = 0
    while level:
        depth += 1
        inside = [one for outer in level for one in (outer.values() if isinstance(outer, dict) else outer)]
        level = [one for one in inside if isinstance(one, (dict, list))]
    return depth
