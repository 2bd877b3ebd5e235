"""The types of what programs say about keys and inboxes: bytes in base 64, lists of people and of devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, TypeVar

from chat.protocol.device_keys import INBOX_BYTES, MOST_ONE_TIME, SIGNATURE_BYTES, DeviceKeys, NumberedKey
from chat.protocol.errors import BadUsage
from chat.protocol.grammar.parameters import NameType, ParameterType, base64_length, read_base64
from chat.protocol.values import device_name

T = TypeVar("T")

MOST_AT_ONCE = 100
"""The most people, devices or letters in one request."""

_LONGEST = base64_length(INBOX_BYTES)
"""Characters of the longest string of base 64."""

_SHORT = SIGNATURE_BYTES * 2
"""The same of a key or a signature."""


def _key(value: object) -> bytes:
    return read_base64(value, _SHORT)


def _object(value: object) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise BadUsage("expected an object")
    return value


def _list(value: object, each: Callable[[object], T], most: int) -> tuple[T, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise BadUsage(f"expected a list of at most {most}")
    return tuple(each(one) for one in value)


def _checked(make: Callable[..., T], *arguments: object) -> T:
    try:
        return make(*arguments)
    except ValueError as error:
        raise BadUsage(f"{error}") from None


class KeyType(ParameterType):
    """A public key."""

    json = "base64 string"
    most_bytes = _SHORT

    def from_json(self, value: object) -> bytes:
        return _key(value)


class DeviceKeysType(ParameterType):
    """The keys of a device."""

    json = "object: identity, signing, signature?"

    def from_json(self, value: object) -> DeviceKeys:
        given = _object(value)
        keys = (given.get("identity"), given.get("signing"), given.get("signature", ""))
        return _checked(DeviceKeys, *map(_key, keys))


def _numbered(value: object) -> NumberedKey:
    given = _object(value)
    number = given.get("number")
    if type(number) is not int:
        raise BadUsage("a key needs a number")
    return _checked(NumberedKey, number, _key(given.get("key")), _key(given.get("signature")))


class NumberedKeyType(ParameterType):
    """A fallback key."""

    json = "object: number, key, signature"

    def from_json(self, value: object) -> NumberedKey:
        return _numbered(value)


class NumberedKeysType(ParameterType):
    """One-time keys."""

    json = f"list of at most {MOST_ONE_TIME} objects: number, key, signature"

    def from_json(self, value: object) -> tuple[NumberedKey, ...]:
        return _list(value, _numbered, MOST_ONE_TIME)


def _name(value: object) -> str:
    if not isinstance(value, str):
        raise BadUsage("expected a name")
    names = NameType()
    names.bound(value)
    return names.read(value)


class UsersType(ParameterType):
    """Names of people."""

    json = f"list of at most {MOST_AT_ONCE} strings"

    def from_json(self, value: object) -> tuple[str, ...]:
        return _list(value, _name, MOST_AT_ONCE)


def _device(value: object) -> tuple[str, str]:
    given = _object(value)
    device = given.get("device")
    if not isinstance(device, str):
        raise BadUsage("expected a device")
    return _name(given.get("user")), _checked(device_name, device)


class DevicesType(ParameterType):
    """Devices of people."""

    json = f"list of at most {MOST_AT_ONCE} objects: user, device"

    def from_json(self, value: object) -> tuple[tuple[str, str], ...]:
        return _list(value, _device, MOST_AT_ONCE)


def _letter(value: object) -> tuple[str, str, bytes]:
    body = read_base64(_object(value).get("body"), _LONGEST)
    if not 0 < len(body) <= INBOX_BYTES:
        raise BadUsage(f"a letter must have 1 to {INBOX_BYTES:,} bytes")
    return (*_device(value), body)


class LettersType(ParameterType):
    """Messages to devices."""

    json = f"list of at most {MOST_AT_ONCE} objects: user, device, body"

    def from_json(self, value: object) -> tuple[tuple[str, str, bytes], ...]:
        return _list(value, _letter, MOST_AT_ONCE)


PublicKey = Annotated[bytes, KeyType()]
KeysOfDevice = Annotated[DeviceKeys, DeviceKeysType()]
Numbered = Annotated[NumberedKey, NumberedKeyType()]
OneTimeKeys = Annotated[tuple[NumberedKey, ...], NumberedKeysType()]
Users = Annotated[tuple[str, ...], UsersType()]
DevicesOf = Annotated[tuple[tuple[str, str], ...], DevicesType()]
Letters = Annotated[tuple[tuple[str, str, bytes], ...], LettersType()]
