"""The types of a command's parameters: how each is written, checked and read.

A command annotates its parameters with the aliases at the end of this file. Each alias carries a
`ParameterType`, which reads a word of a line and a JSON value alike and says whether a word can be nothing
else (`certain`): only then is a bare verb in a room taken for a command.
"""

from __future__ import annotations

import binascii
import re
from base64 import b64decode
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Protocol

from chat.errors import BadUsage, NameTaken
from chat.names import read_name
from chat.preferences import QUIET, Style
from chat.values import (
    BODY_BYTES,
    BODY_LINES,
    Body,
    Sealed,
    Text,
    Verifier,
    device_name,
    is_msgid,
    parse_reference,
)

SCRAM_LENGTH = 512
"""The most characters of a message of SCRAM: preparing a longer name would cost more than the proof."""

_DURATION = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


class Names(Protocol):
    """Which names exist now, and which are near to a mistyped one."""

    def is_account(self, word: str) -> bool: ...

    def is_room(self, word: str) -> bool: ...

    def near_account(self, word: str) -> str | None:
        """A name that is one edit away."""

    def near_room(self, word: str) -> str | None: ...


class ParameterType:
    """What a word of a line, or a value of a frame, is read as.

    :ivar form: how help writes it.
    :ivar rest: whether it takes the rest of the line.
    :ivar free: whether it takes whatever comes.
    :ivar secret: whether it may not be shown or logged.
    :ivar opens: words after which whatever follows is no speech, as nobody says them by themselves.
    :ivar json: how a program writes it, for people who read the documents.
    """

    form: ClassVar[str] = "WORD"
    rest: ClassVar[bool] = False
    free: ClassVar[bool] = False
    secret: ClassVar[bool] = False
    opens: ClassVar[frozenset[str]] = frozenset()
    json: ClassVar[str] = "string"

    def certain(self, word: str, names: Names) -> bool:
        """Whether the word can be nothing but such an argument."""
        return False

    def read(self, word: str) -> Any:
        """Read a word of a line.

        :raises BadUsage: with what would fit.
        """
        return word

    def check(self, value: Any, names: Names, verbs: Collection[str]) -> None:
        """Refuse at once what is known to be refused later, before anything else is asked for.

        :param verbs: every word that is a command.
        :raises ChatError: with what to write instead.
        """

    def from_json(self, value: object) -> Any:
        """Read a JSON value.

        :raises BadUsage: with what would fit.
        """
        if not isinstance(value, str):
            raise BadUsage("a string is needed")
        return self.read(value)

    def to_json(self, value: Any) -> Any:
        """Write what `read` has read, so that `from_json` reads the same."""
        return value

    def details(self) -> dict[str, Any]:
        """What this type is made with, as plain values for clients."""
        return {}


class NameType(ParameterType):
    """A name of a person; `@` before it is understood."""

    form = "NAME"

    def certain(self, word: str, names: Names) -> bool:
        return names.is_account(word)

    def read(self, word: str) -> str:
        name = word[1:] if word[:1] == "@" else word
        if not name or len(name) > 200:
            raise BadUsage("a name is needed")
        return name


class NewNameType(NameType):
    """A name that does not exist yet."""

    def certain(self, word: str, names: Names) -> bool:
        return False

    def check(self, value: Any, names: Names, verbs: Collection[str]) -> None:
        name = read_name(value, verbs=verbs)
        if names.is_account(name.shown):
            raise NameTaken(f"The name {name.shown} is taken. If it is yours: login {name.shown}")


class LoginType(NameType):
    """A name, and after ``@`` the device that logs in."""

    form = "NAME[@DEVICE]"

    def certain(self, word: str, names: Names) -> bool:
        return False


class RoomType(ParameterType):
    """A name of a room; `#` before it is understood."""

    form = "ROOM"

    def certain(self, word: str, names: Names) -> bool:
        return names.is_room(word)

    def read(self, word: str) -> str:
        name = word[1:] if word[:1] == "#" else word
        if not name or len(name) > 200:
            raise BadUsage("a room is needed")
        return name


class NewRoomType(RoomType):
    def certain(self, word: str, names: Names) -> bool:
        return False


class HereType(RoomType):
    """A room; the current one of whoever types, where none is written."""


class PlaceType(ParameterType):
    """A room or a person whose conversation is meant."""

    form = "ROOM|NAME|ID"

    def certain(self, word: str, names: Names) -> bool:
        return names.is_room(word) or names.is_account(word) or is_msgid(word)

    def read(self, word: str) -> str:
        if not word or len(word) > 200:
            raise BadUsage("a room or a name is needed")
        return word


class MessageIdType(ParameterType):
    """The id of one message: ``r2.4712``."""

    form = "ID"

    def certain(self, word: str, names: Names) -> bool:
        return is_msgid(word)

    def read(self, word: str) -> str:
        if not is_msgid(word):
            raise BadUsage("an id such as r2.41 is needed; history shows them")
        return word


class WordsType(ParameterType):
    """Free text up to the end of the line."""

    form = "TEXT"
    rest = True
    free = True

    def read(self, word: str) -> str:
        if len(word.encode("utf-8", "replace")) > BODY_BYTES:
            raise BadUsage(f"at most {BODY_BYTES:,} bytes fit")
        return word


class BodyType(ParameterType):
    """What is said: text, or something sealed."""

    form = "TEXT"
    rest = True
    free = True
    json = "string, or {text}, or {sealed: {scheme, key, ciphertext}}"

    def read(self, word: str) -> Body:
        try:
            return Text(word)
        except ValueError as error:
            raise BadUsage(f"{error}") from None

    def to_json(self, value: Any) -> Any:
        assert isinstance(value, Text), "people type text"
        return value.text

    def from_json(self, value: object) -> Body:
        if isinstance(value, str):
            return self.read(value.replace("\r\n", "\n"))
        if isinstance(value, Mapping):
            if isinstance(text := value.get("text"), str):
                return self.read(text.replace("\r\n", "\n"))
            if isinstance(sealed := value.get("sealed"), Mapping):
                return self._sealed(sealed)
        raise BadUsage(f"a text of at most {BODY_BYTES:,} bytes and {BODY_LINES} lines is needed")

    def _sealed(self, sealed: Mapping[str, object]) -> Sealed:
        scheme, key, ciphertext = (sealed.get(field) for field in ("scheme", "key", "ciphertext"))
        if not (isinstance(scheme, str) and isinstance(key, str) and isinstance(ciphertext, str)):
            raise BadUsage("a sealed message has a scheme, a key and a ciphertext")
        try:
            return Sealed(scheme[:64], key[:128], b64decode(ciphertext, validate=True))
        except (ValueError, binascii.Error) as error:
            raise BadUsage(f"{error}") from None


class SecretType(ParameterType):
    """A password: never shown, never logged, taken to the end of the line as it is."""

    form = "PASSWORD"
    rest = True
    secret = True


class ScramType(ParameterType):
    """A message of SCRAM (RFC 5802)."""

    secret = True
    json = "string of at most 512 characters"

    def read(self, word: str) -> str:
        if not 0 < len(word) <= SCRAM_LENGTH:
            raise BadUsage(f"a message of SCRAM has 1 to {SCRAM_LENGTH} characters")
        return word


class VerifierType(ParameterType):
    """What is stored instead of a password, its bytes in base 64; whether it will do, `chat.stretch` says."""

    form = "VERIFIER"
    secret = True
    json = "object: salt, iterations, stored_key, server_key"

    def from_json(self, value: object) -> Verifier:
        if not isinstance(value, Mapping):
            raise BadUsage("an object with salt, iterations, stored_key and server_key is needed")
        iterations = value.get("iterations")
        if type(iterations) is not int:
            raise BadUsage("iterations are a number")
        salt, stored_key, server_key = (self._bytes(value, each) for each in ("salt", "stored_key", "server_key"))
        return Verifier(salt, iterations, stored_key, server_key)

    def _bytes(self, value: Mapping[str, object], field: str) -> bytes:
        text = value.get(field)
        if not isinstance(text, str) or len(text) > 128:
            raise BadUsage(f"{field} is a short string of base 64")
        try:
            return b64decode(text, validate=True)
        except ValueError:
            raise BadUsage(f"{field} is not base 64") from None


class DeviceType(ParameterType):
    form = "DEVICE"

    def read(self, word: str) -> str:
        try:
            return device_name(word)
        except ValueError as error:
            raise BadUsage(str(error)) from None


class DurationType(ParameterType):
    """A span of time: ``90s``, ``30m``, ``2h``, ``7d``, ``4w``; read as seconds."""

    form = "TIME"
    json = "seconds, or a string like 2h"

    def certain(self, word: str, names: Names) -> bool:
        return bool(_DURATION.fullmatch(word.lower()))

    def read(self, word: str) -> int:
        found = _DURATION.fullmatch(word.lower())
        if found is None or int(found[1]) == 0:
            raise BadUsage(f"{word[:40]!r} is no span of time; write 90s, 30m, 2h, 7d or 4w")
        return int(found[1]) * _SECONDS[found[2]]

    def from_json(self, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**9:
            return value
        return int(super().from_json(value))


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a history is meant: the last so many lines, or all since then.

    :param seconds: how long ago it begins, or nothing.
    :param clock: a time of day or a date it begins at, as it was written, or empty.
    """

    lines: int = 20
    seconds: int | None = None
    clock: str = ""


class SpanType(ParameterType):
    """``20``, ``2h``, ``since 09:00`` or ``since 2026-11-20``."""

    form = "N|2h|since TIME"
    rest = True

    def certain(self, word: str, names: Names) -> bool:
        first, _, rest = word.partition(" ")
        if first.lower() == "since":
            return bool(re.fullmatch(r"\d{1,2}:\d\d|\d{4}-\d\d-\d\d|\d{1,6}[smhdw]", rest.strip()))
        return not rest and ((first.isascii() and first.isdigit()) or bool(_DURATION.fullmatch(first.lower())))

    def read(self, word: str) -> Span:
        first, _, rest = word.partition(" ")
        if first.lower() == "since" and (when := rest.strip()):
            if _DURATION.fullmatch(when.lower()):
                return Span(200, seconds=DurationType().read(when))
            if re.fullmatch(r"\d{1,2}:\d\d|\d{4}-\d\d-\d\d", when):
                return Span(200, clock=when)
        elif not rest and first.isascii() and first.isdigit() and 1 <= int(first[:6]) <= 500:
            return Span(int(first[:6]))
        elif not rest and _DURATION.fullmatch(first.lower()):
            return Span(200, seconds=DurationType().read(first))
        raise BadUsage("write how many lines (1 to 500), a span like 2h, or: since 09:00")

    def to_json(self, value: Any) -> str:
        if value.clock:
            return f"since {value.clock}"
        if value.seconds is None:
            return str(value.lines)
        unit = next(unit for unit in "wdhms" if value.seconds % _SECONDS[unit] == 0)
        return f"{value.seconds // _SECONDS[unit]}{unit}"


class NumberType(ParameterType):
    """A whole number from ``low`` to ``high``."""

    form = "N"
    json = "number"

    def __init__(self, low: int, high: int) -> None:
        self.low = low
        self.high = high

    def certain(self, word: str, names: Names) -> bool:
        return word.isascii() and word.isdigit()

    def read(self, word: str) -> int:
        if word.isascii() and word.isdigit() and len(word) <= 12 and self.low <= int(word) <= self.high:
            return int(word)
        raise BadUsage(f"a number from {self.low:,} to {self.high:,} is needed")

    def from_json(self, value: object) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and self.low <= value <= self.high:
            return value
        raise BadUsage(f"a number from {self.low:,} to {self.high:,} is needed")

    def details(self) -> dict[str, Any]:
        return {"low": self.low, "high": self.high}


class RetryType(ParameterType):
    """What makes a repeated send the same message: 11 to 64 characters, so that 64 random bits fit."""

    form = "RETRY"
    json = "string of 11 to 64 characters"

    def read(self, word: str) -> str:
        if not 11 <= len(word) <= 64:
            raise BadUsage("a retry id has 11 to 64 characters")
        return word


class FlagType(ParameterType):
    json = "true or false"

    def from_json(self, value: object) -> bool:
        if not isinstance(value, bool):
            raise BadUsage("true or false is needed")
        return value


class ChoiceType(ParameterType):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.form = "|".join(words)  # type: ignore[misc]  # each choice has a form of its own

    def certain(self, word: str, names: Names) -> bool:
        return word.lower() in self.words

    def read(self, word: str) -> str:
        if word.lower() not in self.words:
            raise BadUsage(f"use one of: {', '.join(self.words)}")
        return word.lower()

    def details(self) -> dict[str, Any]:
        return {"words": list(self.words)}


class SettingType(ChoiceType):
    """The name of a setting."""

    opens = frozenset({"timezone", "realname"})

    def __init__(self, *words: str) -> None:
        super().__init__(*words)
        self.form = "SETTING"  # type: ignore[misc]


class SettingValueType(ParameterType):
    """What a setting is set to; which values fit is known to the command."""

    form = "VALUE"
    rest = True
    json = "string, or true or false"

    def certain(self, word: str, names: Names) -> bool:
        *before, last = word.casefold().split()
        if before:
            return last in QUIET and len(before) == 1 and names.is_room(before[0])
        return last in QUIET or last in tuple(Style)

    def from_json(self, value: object) -> str:
        if isinstance(value, bool):
            return "on" if value else "off"
        return str(super().from_json(value))


class ConversationType(ParameterType):
    """A conversation as programs name it: ``r2``, ``k4``; read as its id."""

    form = "CONVERSATION"

    def read(self, word: str) -> int:
        try:
            return parse_reference(word)[1]
        except ValueError as error:
            raise BadUsage(str(error)) from None


class AddressesType(ParameterType):
    """IP addresses."""

    form = "ADDRESSES"
    json = "array of strings"

    def from_json(self, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or len(value) > 20 or not all(isinstance(each, str) for each in value):
            raise BadUsage("an array of at most 20 strings is needed")
        return tuple(value)


class MarksType(ParameterType):
    """Sequence numbers by conversation: ``{"r2": 4712}``; at most 1,000 of them."""

    form = "MARKS"
    json = "object: conversation to seq"

    def from_json(self, value: object) -> dict[int, int]:
        if not isinstance(value, Mapping) or len(value) > 1_000:
            raise BadUsage("marks are an object of at most 1,000 conversations")
        marks: dict[int, int] = {}
        for reference, seq in value.items():
            if isinstance(seq, bool) or not isinstance(seq, int) or not 0 <= seq < 2**32:
                raise BadUsage(f"the mark of {str(reference)[:40]} is no seq")
            marks[ConversationType().from_json(reference)] = seq
        return marks


User = Annotated[str, NameType()]
NewUser = Annotated[str, NewNameType()]
LoginName = Annotated[str, LoginType()]
Room = Annotated[str, RoomType()]
NewRoom = Annotated[str, NewRoomType()]
Here = Annotated[str, HereType()]
Place = Annotated[str, PlaceType()]
MessageId = Annotated[str, MessageIdType()]
Words = Annotated[str, WordsType()]
Speech = Annotated[Body, BodyType()]
Secret = Annotated[str, SecretType()]
ScramMessage = Annotated[str, ScramType()]
NewVerifier = Annotated[Verifier, VerifierType()]
DeviceName = Annotated[str, DeviceType()]
Duration = Annotated[int, DurationType()]
Lines = Annotated[Span, SpanType()]
ConversationId = Annotated[int, ConversationType()]
Marks = Annotated[dict[int, int], MarksType()]
Word = Annotated[str, ParameterType()]
Retry = Annotated[str, RetryType()]
Flag = Annotated[bool, FlagType()]
Port = Annotated[int, NumberType(1, 65_535)]
Addresses = Annotated[tuple[str, ...], AddressesType()]
Seq = Annotated[int, NumberType(0, 2**32 - 1)]
