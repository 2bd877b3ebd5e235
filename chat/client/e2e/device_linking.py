"""Links a second device to an account: a linked device shows a code, which is typed on the new one.

The code is a key of its own (100 random bits), and the letters between the two are under it: what the second device
asks for, and what the first one answers, the account key among it. So the server can neither read the answer nor put a
device of its own in the place of the second one.
"""

from __future__ import annotations

import json
import os
from base64 import b32encode
from collections.abc import Callable, Iterator, Mapping
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from chat.client.e2e.cross_signing import statement
from chat.client.e2e.key_codec import letter_args
from chat.client.e2e.key_export import NONCE, written
from chat.client.e2e.key_query import Ask, KeyQueries
from chat.client.e2e.key_store import KeyStore
from chat.client.e2e.to_device import AT_ONCE, LINK
from chat.client.e2e.trust_store import Change
from chat.client.model.failures import ClientFailure, NotGenuine
from chat.protocol.events import Letter, LettersKept
from chat.protocol.names import fold

LASTS: Final = 1_800.0
"""Seconds for which a code is good: where a server lets one device in at a time, the two take turns."""

_GROUPS, _GROUP = 4, 5
_REQUEST, _ANSWER = b"chat link request 1", b"chat link answer 1"

_MOST_BYTES: Final = 2_500
"""Of the content of one letter."""

_MOST_KEYS: Final = 800
"""Keys of conversations that are handed over, the latest: no more than an inbox takes."""


def new_code() -> str:
    """Twenty letters and digits, in groups of five."""
    code = b32encode(os.urandom(13)).decode()[: _GROUPS * _GROUP]
    return "-".join(code[start : start + _GROUP] for start in range(0, len(code), _GROUP))


class DeviceLinking:
    """Either side of it.

    :param linked: called when this device has become one of its owner's.
    """

    def __init__(
        self,
        ring: KeyStore,
        directory: KeyQueries,
        ask: Ask,
        seconds: Callable[[], float],
        found: Callable[[str], object],
        linked: Callable[[], object],
    ) -> None:
        self._ring = ring
        self._directory = directory
        self._ask = ask
        self._seconds = seconds
        self._found = found
        self._linked = linked

    def offer(self) -> str:
        """:returns: a code to be typed on the other device."""
        self._ring.set_link(new_code(), self._seconds() + LASTS)
        self._ring.save()
        return self._ring.link[0]

    async def ask_for(self, code: str) -> None:
        """Ask the other devices of the same person, one of which shows this code.

        :raises ClientFailure: when there is none.
        """
        if len(_plain(code)) != _GROUPS * _GROUP:
            raise ClientFailure(f"Invalid code. A code has {_GROUPS} groups of {_GROUP} letters and digits.")
        self._ring.set_link(code, self._seconds() + LASTS)
        own = self._ring.own
        content = {"device": own.name, "identity": written(own.keys.identity), "signing": written(own.keys.signing)}
        body = self._seal(content, _REQUEST)
        others = await self._others()
        if not others:
            raise ClientFailure("You have no other device with keys. To make a new key, type: link new")
        self._ring.save()
        await self._send([letter_args(own.user, device, body) for device in others])

    async def _others(self) -> list[str]:
        me = self._ring.own.user
        await self._directory.look([me], again=True)
        pinned = self._ring.pins.offered_devices(me)
        without = {each.device for each in self._directory.doubts(me) if each.change is not Change.NEW_DEVICE}
        return [device for device in pinned if device != self._ring.own.name and device not in without]

    async def take(self, letter: Letter) -> None:
        """A letter of that kind has come; who has no code that opens it does not mind it."""
        own = self._ring.own
        code, until = self._ring.link
        if fold(letter.author) != own.user or not code or self._seconds() > until:
            return
        if own.account_key is not None and (content := self._open(letter.body, _REQUEST)) is not None:
            await self._answer(str(content.get("device")), letter.device)
        elif own.account_key is None and (content := self._open(letter.body, _ANSWER)) is not None:
            self._take_answer(content)

    async def _answer(self, device: str, author: str) -> None:
        if device != author:
            raise NotGenuine("A device asked to be linked under the name of another device. It was refused.")
        letters = [
            letter_args(self._ring.own.user, device, self._seal(part, _ANSWER)) for part in _parts(self._ring.bundle())
        ]
        await self._send(letters)
        self._ring.set_link("", 0.0)
        self._found(f"{device} is now linked to your account.")

    def _take_answer(self, content: Mapping[str, Any]) -> None:
        self._ring.take_bundle(content)
        if content.get("last"):
            self._ring.set_link("", 0.0)
            self._linked()

    async def _send(self, letters: list[dict[str, str]]) -> None:
        for start in range(0, len(letters), AT_ONCE):
            reply = await self._ask("inbox.send", {"letters": letters[start : start + AT_ONCE]})
            if not isinstance(reply, LettersKept) or len(reply.refused) == len(letters[start : start + AT_ONCE]):
                raise ClientFailure("The server did not deliver the link request. Try again later.")

    def _cipher(self) -> AESGCM:
        key = sha256(statement("chat link 1", self._ring.own.user, _plain(self._ring.link[0])))
        return AESGCM(key.digest())

    def _seal(self, content: Mapping[str, Any], purpose: bytes) -> bytes:
        nonce = os.urandom(NONCE)
        return bytes([LINK]) + nonce + self._cipher().encrypt(nonce, json.dumps(content).encode(), purpose)

    def _open(self, body: bytes, purpose: bytes) -> dict[str, Any] | None:
        try:
            content = json.loads(self._cipher().decrypt(body[1 : 1 + NONCE], body[1 + NONCE :], purpose))
        except (InvalidTag, ValueError, RecursionError):
            return None
        return content if isinstance(content, dict) else None


def _plain(code: str) -> str:
    return "".join(each for each in code.upper() if each.isalnum())


def _parts(bundle: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A bundle in pieces, each of which is one itself; the last says that it is."""
    empty = bundle | {"pinned": {}, "sealed": [], "keys": []}
    part = {**empty, "pinned": {}, "sealed": [], "keys": []}
    pieces: list[tuple[str, Any]] = [("pinned", each) for each in bundle["pinned"].items()]
    pieces += [("sealed", each) for each in bundle["sealed"]]
    pieces += [("keys", each) for each in bundle["keys"][-_MOST_KEYS:]]
    for kind, piece in pieces:
        if len(json.dumps(part)) + len(json.dumps(piece)) > _MOST_BYTES:
            yield part
            part = {**empty, "pinned": {}, "sealed": [], "keys": []}
        if kind == "pinned":
            part["pinned"][piece[0]] = piece[1]
        else:
            part[kind].append(piece)
    yield part | {"last": True}
