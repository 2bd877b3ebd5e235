"""The types of a command's parameters: how each is written, checked and read.

A command annotates its parameters with the aliases at the end of this file, of `amounts` and of `frames`. Each carries
a `ParameterType`, which reads a word of a line and a JSON value alike and says whether a word can be nothing
else (`certain`): only then is a bare verb in a room taken for a command.

Each type has a bound in bytes. It is checked before anything else is done with a value, since to normalize, to fold or
to match a long text may cost much more than to send it.
"""

from __future__ import annotations

import binascii
from base64 import b64decode
from collections.abc import Collection, Mapping
from typing import Annotated, Any, ClassVar, Protocol

from chat.protocol.errors import BadUsage, NameTaken
from chat.protocol.names import NAME_BYTES, read_name
from chat.protocol.preferences import QUIET, Style
from chat.protocol.values import (
    BODY_BYTES,
    BODY_LINES,
    Body,
    Sealed,
    Text,
    device_name,
    is_msgid,
)

WORD_BYTES = 256
"""The most UTF-8 bytes of a value, where its type says nothing else."""

PATH_BYTES = 4_096
"""As Linux has it (PATH_MAX)."""

SECRET_BYTES = 3_072
"""A little more than a password may have as it is typed (`chat.protocol.passwords`)."""

_REALNAME_BYTES = 800
"""No real name of 60 characters takes more, even typed decomposed."""

_TOPIC_BYTES = 512
"""A list of 500 rooms with such topics is as long as a page of history may be."""

_SCHEME_BYTES, _KEY_BYTES = 64, 128


def is_longer(text: str, most: int) -> bool:
    """Whether a text has more than so many bytes in UTF-8; what is much longer costs nothing to find out."""
    if len(text) * 4 <= most:
        return False
    return len(text) > most or (not text.isascii() and len(text.encode("utf-8", "surrogatepass")) > most)


def base64_length(size: int) -> int:
    """The characters that so many bytes take in base 64."""
    return (size + 2) // 3 * 4


def read_base64(value: object, most: int, what: str = "that") -> bytes:
    """Bytes as programs write them.

    :param most: the most characters.
    :param what: what is read, for the refusal.
    :raises BadUsage: when it is not base 64.
    """
    if not isinstance(value, str) or len(value) > most:
        raise BadUsage(f"{what} must be a base64 string of at most {most:,} characters")
    try:
        return b64decode(value, validate=True)
    except ValueError:
        raise BadUsage(f"{what} is not base64") from None


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
    :ivar most_bytes: the most UTF-8 bytes of a value, or of its base 64; each part of a value that is an object or a
        list has a bound of its own.
    :ivar opens: words after which whatever follows is no speech, as nobody says them by themselves.
    :ivar json: how a program writes it, for people who read the documents.
    """

    form: str = "WORD"
    rest: bool = False
    free: ClassVar[bool] = False
    secret: bool = False
    most_bytes: int = WORD_BYTES
    opens: ClassVar[frozenset[str]] = frozenset()
    json: ClassVar[str] = "string"

    def bound(self, value: object) -> None:
        """Refuse what is too long, before anything else is done with it.

        :raises BadUsage: with the bound.
        """
        if isinstance(value, str) and is_longer(value, self.most_bytes):
            raise BadUsage(f"the limit is {self.most_bytes:,} bytes")

    def certain(self, word: str, names: Names) -> bool:
        """Whether the word can be nothing but such an argument."""
        return False

    def mistyped(self, word: str) -> bool:
        """Whether a word that does not fit was surely meant for such an argument, so that it is read as no other."""
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
            raise BadUsage("expected a string")
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
    most_bytes = NAME_BYTES

    def certain(self, word: str, names: Names) -> bool:
        return names.is_account(word)

    def read(self, word: str) -> str:
        name = word[1:] if word[:1] == "@" else word
        if not name:
            raise BadUsage("expected a name")
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
    most_bytes = NAME_BYTES

    def certain(self, word: str, names: Names) -> bool:
        return names.is_room(word)

    def read(self, word: str) -> str:
        name = word[1:] if word[:1] == "#" else word
        if not name:
            raise BadUsage("expected a room")
        return name


class NewRoomType(RoomType):
    def certain(self, word: str, names: Names) -> bool:
        return False


class HereType(RoomType):
    """A room; the current one of whoever types, where none is written."""


class PlaceType(ParameterType):
    """A room or a person whose conversation is meant."""

    form = "ROOM|NAME|ID"
    most_bytes = NAME_BYTES

    def certain(self, word: str, names: Names) -> bool:
        return names.is_room(word) or names.is_account(word) or is_msgid(word)

    def read(self, word: str) -> str:
        if not word:
            raise BadUsage("expected a room or a name")
        return word


class MessageIdType(ParameterType):
    """The id of one message: ``r2.4712``."""

    form = "ID"

    def certain(self, word: str, names: Names) -> bool:
        return is_msgid(word)

    def read(self, word: str) -> str:
        if not is_msgid(word):
            raise BadUsage("expected a message id such as r2.41, as shown by history")
        return word


class WordsType(ParameterType):
    """Free text up to the end of the line."""

    form = "TEXT"
    rest = True
    free = True
    most_bytes = BODY_BYTES


class TopicType(WordsType):
    """What a room is about; a list shows up to 500 of them."""

    most_bytes = _TOPIC_BYTES


class RealnameType(WordsType):
    """What somebody is called; `chat.server.auth.registration` reads it."""

    most_bytes = _REALNAME_BYTES


class PathType(WordsType):
    """A file of whoever types."""

    form = "PATH"
    most_bytes = PATH_BYTES


class BodyType(ParameterType):
    """What is said: text, or something sealed."""

    form = "TEXT"
    rest = True
    free = True
    most_bytes = BODY_BYTES
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
                self.bound(text)
                return self.read(text.replace("\r\n", "\n"))
            if isinstance(sealed := value.get("sealed"), Mapping):
                return self._sealed(sealed)
        raise BadUsage(f"expected a text of at most {BODY_BYTES:,} bytes and {BODY_LINES} lines")

    def _sealed(self, sealed: Mapping[str, object]) -> Sealed:
        scheme, key, ciphertext = (sealed.get(field) for field in ("scheme", "key", "ciphertext"))
        if not (isinstance(scheme, str) and isinstance(key, str) and isinstance(ciphertext, str)):
            raise BadUsage("a sealed message needs a scheme, a key and a ciphertext")
        if is_longer(scheme, _SCHEME_BYTES) or is_longer(key, _KEY_BYTES):
            raise BadUsage(f"a scheme can have at most {_SCHEME_BYTES} bytes and a key at most {_KEY_BYTES}")
        if len(ciphertext) > base64_length(BODY_BYTES):
            raise BadUsage(f"a message can have at most {BODY_BYTES:,} bytes")
        try:
            return Sealed(scheme, key, b64decode(ciphertext, validate=True))
        except (ValueError, binascii.Error) as error:
            raise BadUsage(f"{error}") from None


class SecretType(ParameterType):
    """A password: never shown, never logged, taken to the end of the line as it is."""

    form = "PASSWORD"
    rest = True
    secret = True
    most_bytes = SECRET_BYTES


class DeviceType(ParameterType):
    form = "DEVICE"
    most_bytes = 64

    def read(self, word: str) -> str:
        try:
            return device_name(word)
        except ValueError as error:
            raise BadUsage(str(error)) from None


class ChoiceType(ParameterType):
    """One of a few words."""

    def __init__(self, *words: str) -> None:
        self.words = words
        self.form = "|".join(words)

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
        self.form = "SETTING"


class SettingValueType(ParameterType):
    """What a setting is set to; which values fit is known to the command."""

    form = "VALUE"
    rest = True
    most_bytes = _REALNAME_BYTES
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


User = Annotated[str, NameType()]
NewUser = Annotated[str, NewNameType()]
LoginName = Annotated[str, LoginType()]
Room = Annotated[str, RoomType()]
NewRoom = Annotated[str, NewRoomType()]
Here = Annotated[str, HereType()]
Place = Annotated[str, PlaceType()]
MessageId = Annotated[str, MessageIdType()]
Words = Annotated[str, WordsType()]
Topic = Annotated[str, TopicType()]
Realname = Annotated[str, RealnameType()]
LocalPath = Annotated[str, PathType()]
Speech = Annotated[Body, BodyType()]
Secret = Annotated[str, SecretType()]
DeviceName = Annotated[str, DeviceType()]
Word = Annotated[str, ParameterType()]
