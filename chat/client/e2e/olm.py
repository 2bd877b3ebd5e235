"""Olm sessions between devices, which hand over the keys of conversations through the inbox.

Inside each letter stands who wrote it to whom, with both identity keys: one that is handed to another device, or under
another name, does not open.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from vodozemac import AnyOlmMessage, Session

from chat.client.e2e.cross_signing import is_signed, key_statement
from chat.client.e2e.device import INSIDE, OwnDevice
from chat.client.e2e.key_export import written
from chat.client.model.failures import NotGenuine
from chat.protocol.device_keys import DeviceKeys
from chat.protocol.events import ClaimedKey
from chat.protocol.names import fold

MOST_SESSIONS: Final = 5
"""Sessions that are kept with one device: both may begin one at once, and a device may lose its own."""


class OlmSessions:
    """The sessions of this device with others."""

    def __init__(self, own: OwnDevice) -> None:
        self._own = own
        self._sessions: dict[bytes, list[Session]] = {}
        self._dirty: set[bytes] = set()

    def knows(self, keys: DeviceKeys) -> bool:
        """Whether something can be sealed for a device; else a key of it has to be claimed."""
        return bool(self._sessions.get(keys.identity))

    def begin(self, keys: DeviceKeys, claimed: ClaimedKey) -> None:
        """Take a key that was handed out for a device.

        :raises NotGenuine: when it is not that device's.
        """
        statement = key_statement(keys.identity, claimed.number, claimed.key, claimed.fallback)
        if not is_signed(keys.signing, statement, claimed.signature):
            raise NotGenuine(f"The server gave out a forged key for {claimed.user}@{claimed.device}.")
        self._keep(keys.identity, self._own.begin(keys.identity, claimed.key))

    def seal(self, user: str, device: str, keys: DeviceKeys, content: Mapping[str, Any]) -> bytes:
        """Seal something for one device that is known; save before it is sent.

        :param content: plain JSON values.
        """
        inside = self._names(user, device, keys) | {"content": dict(content)}
        self._dirty.add(keys.identity)
        kind, ciphertext = self._sessions[keys.identity][0].encrypt(json.dumps(inside).encode()).to_parts()
        return bytes([kind]) + ciphertext

    def open(self, author: str, device: str, keys: DeviceKeys, body: bytes) -> Any:
        """Open a letter; save before it is acknowledged.

        :param keys: of the device that the server names as its author, as they are pinned.
        :returns: what `seal` was given.
        :raises NotGenuine: when it is from another device, for another one, changed, or was opened before.
        """
        try:
            inside = json.loads(self._decrypt(keys.identity, body))
        except (ValueError, IndexError, RecursionError):
            raise NotGenuine(f"A message from the device {author}@{device} cannot be decrypted.") from None
        own = self._own
        expected = {
            "from": fold(author),
            "device": device,
            "identity": written(keys.identity),
            "to": fold(own.user),
            "to_device": own.name,
            "to_identity": written(own.keys.identity),
        }
        if not isinstance(inside, dict) or any(inside.get(name) != value for name, value in expected.items()):
            raise NotGenuine(
                f"A message that the server says is from {author}@{device} names another sender or recipient."
            )
        return inside.get("content")

    def _names(self, user: str, device: str, keys: DeviceKeys) -> dict[str, Any]:
        own = self._own
        return {
            "from": fold(own.user),
            "device": own.name,
            "identity": written(own.keys.identity),
            "to": fold(user),
            "to_device": device,
            "to_identity": written(keys.identity),
        }

    def _decrypt(self, identity: bytes, body: bytes) -> bytes:
        message = AnyOlmMessage.from_parts(body[0], body[1:])
        first = message.to_pre_key()
        for session in self._sessions.get(identity, ()):
            if first is not None and session.session_matches(first):
                self._dirty.add(identity)
                return session.decrypt(message)
            if first is None:
                try:
                    plain = session.decrypt(message)
                except ValueError:
                    continue
                self._keep(identity, session)
                return plain
        if first is None:
            raise ValueError("no session opens it")
        session, plain = self._own.answer(identity, first)
        self._keep(identity, session)
        return plain

    def _keep(self, identity: bytes, session: Session) -> None:
        """Keep a session, as the one that is used next."""
        self._dirty.add(identity)
        others = [each for each in self._sessions.get(identity, ()) if each is not session]
        self._sessions[identity] = [session, *others][:MOST_SESSIONS]

    # keeping

    def changed(self) -> dict[str, Any]:
        """See `chat.client.e2e.device.OwnDevice.changed`."""
        identities, self._dirty = self._dirty, set()
        return {f"letters {id.hex()}": [each.pickle(INSIDE) for each in self._sessions[id]] for id in identities}

    @classmethod
    def restore(cls, own: OwnDevice, records: Mapping[str, Any]) -> OlmSessions:
        """From the records that `changed` gave, the latest of each name."""
        letters = cls(own)
        for name, pickles in records.items():
            kind, _, id = name.partition(" ")
            if kind == "letters":
                letters._sessions[bytes.fromhex(id)] = [Session.from_pickle(each, INSIDE) for each in pickles]
        return letters
