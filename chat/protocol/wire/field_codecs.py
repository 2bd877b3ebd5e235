"""Values as plain JSON values and back, derived from the types of dataclass fields.

A `Codec` is a pair of functions; `codec` finds the one of a type annotation. What is read is checked: a
value of the wrong kind raises one of `UNREADABLE`, and nothing else.

The rules, for a field of a dataclass:

1. It is written under its own name, or the one that `NAMES` gives it.
2. It is left out where it equals its default; what nobody asked for is not read.
3. Milliseconds since the epoch (an int under a name of `TIMES`, or what is a time by its unit) are written as RFC 3339
   time, UTC.
4. The ``seq`` of a row is written as its ``msgid``.
5. In a line of a list (a type of `INLINE`) the fields of the conversation stand among the others.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, replace
from enum import StrEnum
from types import NoneType, UnionType
from typing import Any, NamedTuple, Union, get_args, get_origin, get_type_hints

from chat.protocol.events import Fact, Listing, RoomLine, Standing
from chat.protocol.values import Body, Conversation, Sealed, Text, parse_msgid, parse_reference, read_time, write_time

NAMES = {"author": "from", "target": "user", "entries": "messages", "commands": "table", "partner": "with"}
TIMES = frozenset({"time", "until", "created", "since", "seen", "up_since"})
INLINE = frozenset({Standing, RoomLine})
UNREADABLE = (ValueError, TypeError, KeyError, OverflowError)


class Codec(NamedTuple):
    """How values of one type are written and read."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


# --- single values --------------------------------------------------------------------------------


def _same(value: Any) -> Any:
    return value


def _plain(kind: type) -> Codec:
    def read(value: Any) -> Any:
        if type(value) is not kind:
            raise TypeError(f"{kind.__name__} expected")
        return value

    return Codec(_same, read)


def _read_number(value: Any) -> float:
    if type(value) not in (int, float):
        raise TypeError("a number expected")
    return float(value)


def write_body(body: Body) -> dict[str, Any]:
    """As `read_body` reads it."""
    if isinstance(body, Text):
        return {"text": body.text}
    return {"sealed": {"scheme": body.scheme, "key": body.key, "ciphertext": _write_bytes(body.ciphertext)}}


def read_body(value: Any) -> Body:
    """Read a body: ``{"text": ...}`` or ``{"sealed": {"scheme", "key", "ciphertext"}}``."""
    if "text" in value:
        return Text(_STR.read(value["text"]))
    sealed = value["sealed"]
    return Sealed(_STR.read(sealed["scheme"]), _STR.read(sealed["key"]), _read_bytes(sealed["ciphertext"]))


def _write_conversation(conversation: Conversation) -> dict[str, str]:
    kind, name = ("room", conversation.room) if conversation.room else ("with", conversation.partner)
    return {"id": conversation.reference, kind: name}


def _read_conversation(value: Any) -> Conversation:
    letter, id = parse_reference(value["id"])
    if letter == "r":
        return Conversation(id, room=_STR.read(value["room"]))
    return Conversation(id, partner=_STR.read(value["with"]))


def _write_bytes(value: bytes) -> str:
    return b64encode(value).decode()


def _read_bytes(value: Any) -> bytes:
    return b64decode(_STR.read(value), validate=True)


_STR = _plain(str)
_TIME = Codec(write_time, read_time)
CODECS: dict[Any, Codec] = {
    str: _STR,
    int: _plain(int),
    bool: _plain(bool),
    float: Codec(_same, _read_number),
    bytes: Codec(_write_bytes, _read_bytes),
    Any: Codec(_same, _same),
    Body: Codec(write_body, read_body),
    Conversation: Codec(_write_conversation, _read_conversation),
}


# --- values made of others ------------------------------------------------------------------------


def codec(hint: Any) -> Codec:
    """The codec of a type annotation, as it stands at a field of a dataclass."""
    if hint in CODECS:
        return CODECS[hint]
    composed = _COMPOSED.get(get_origin(hint))
    if composed is not None:
        return composed(get_args(hint))
    return Codec(str, hint) if issubclass(hint, StrEnum) else record(hint)


def _optional(members: tuple[Any, ...]) -> Codec:
    return _or_nothing(codec(Union[tuple(member for member in members if member is not NoneType)]))  # noqa: UP007


def _or_nothing(each: Codec) -> Codec:
    return Codec(
        lambda value: None if value is None else each.write(value),
        lambda value: None if value is None else each.read(value),
    )


def _tuple(members: tuple[Any, ...]) -> Codec:
    if members[-1] is not Ellipsis:
        return _places([codec(member) for member in members])
    each = codec(members[0])
    return Codec(
        lambda value: [each.write(one) for one in value],
        lambda value: tuple(each.read(one) for one in _ARRAY.read(value)),
    )


def _places(places: list[Codec]) -> Codec:
    """An array in which each place has its own type."""
    return Codec(
        lambda value: [place.write(one) for place, one in zip(places, value, strict=True)],
        lambda value: tuple(place.read(one) for place, one in zip(places, _ARRAY.read(value), strict=True)),
    )


def _mapping(members: tuple[Any, ...]) -> Codec:
    each = codec(members[1])
    return Codec(
        lambda value: {name: each.write(one) for name, one in value.items()},
        lambda value: {name: each.read(one) for name, one in _OBJECT.read(value).items()},
    )


_MOMENTS: dict[Any, Codec] = {int: _TIME, int | None: _or_nothing(_TIME)}
_ARRAY = _plain(list)
_OBJECT = _plain(dict)
_COMPOSED: dict[Any, Callable[[tuple[Any, ...]], Codec]] = {
    UnionType: _optional,
    Union: _optional,
    tuple: _tuple,
    Mapping: _mapping,
}


# --- dataclasses ----------------------------------------------------------------------------------


class _Member(NamedTuple):
    """A field and how it is spelled in JSON."""

    attribute: str
    name: str
    codec: Codec
    default: Any


def record(kind: type) -> Codec:
    """The codec of a dataclass: a JSON object by the rules at the top of this file."""
    hints = get_type_hints(kind)
    if kind in INLINE:
        members = _members(kind, hints, "conversation")
        return Codec(
            lambda value: _write_conversation(value.conversation) | members.write(value),
            lambda value: kind(conversation=_read_conversation(value), **members.read(value)),
        )
    if {"conversation", "seq"} <= hints.keys():
        members = _members(kind, hints, "seq")
        return Codec(
            lambda value: {"msgid": value.conversation.msgid(value.seq)} | members.write(value),
            lambda value: _row(kind, members.read(value), value["msgid"]),
        )
    members = _members(kind, hints)
    return Codec(members.write, lambda value: kind(**members.read(value)))


def _members(kind: type, hints: Mapping[str, Any], apart: str = "") -> Codec:
    """A dataclass as a JSON object without one field; it is read as keyword arguments."""
    members = [
        _Member(field.name, NAMES.get(field.name, field.name), _field(field.name, hints[field.name]), field.default)
        for field in fields(kind)
        if field.name != apart
    ]

    def write(value: Any) -> dict[str, Any]:
        written = {}
        for attribute, name, each, default in members:
            held = getattr(value, attribute)
            if held != default:
                written[name] = each.write(held)
        return written

    def read(value: Any) -> dict[str, Any]:
        _OBJECT.read(value)
        return {
            attribute: each.read(value[name])
            for attribute, name, each, default in members
            if default is MISSING or name in value
        }

    return Codec(write, read)


def _field(name: str, hint: Any) -> Codec:
    return _MOMENTS[hint] if name in TIMES and hint in _MOMENTS else codec(hint)


def _row(kind: type, arguments: dict[str, Any], msgid: str) -> Any:
    reference, seq = parse_msgid(msgid)
    if reference != arguments["conversation"].reference:
        raise ValueError("the msgid is of another conversation")
    return kind(seq=seq, **arguments)


# --- what is a time by its unit -------------------------------------------------------------------


def _by_unit(unit: str) -> Codec:
    return _or_nothing(_TIME) if unit == "time" else CODECS[Any]


def _fact() -> Codec:
    plain = record(Fact)

    def write(fact: Fact) -> dict[str, Any]:
        written: dict[str, Any] = plain.write(fact)
        return written | {"value": _by_unit(fact.unit).write(fact.value)}

    def read(value: Any) -> Fact:
        fact: Fact = plain.read(value)
        return replace(fact, value=_by_unit(fact.unit).read(fact.value))

    return Codec(write, read)


def _listing() -> Codec:
    plain = record(Listing)

    def cells(listing: Listing) -> Codec:
        return _places([_by_unit(column.unit) for column in listing.columns])

    def write(listing: Listing) -> dict[str, Any]:
        written: dict[str, Any] = plain.write(listing)
        row = cells(listing)
        return written | {"rows": [row.write(each) for each in listing.rows]}

    def read(value: Any) -> Listing:
        listing: Listing = plain.read(value)
        row = cells(listing)
        return replace(listing, rows=tuple(row.read(list(each)) for each in listing.rows))

    return Codec(write, read)


CODECS[Fact] = _fact()
CODECS[Listing] = _listing()
