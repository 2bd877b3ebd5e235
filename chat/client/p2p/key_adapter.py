"""Gives direct connections the keys that `chat.client.e2e` stores."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from chat.client.e2e.encryption import Encryption
from chat.client.e2e.key_codec import letter_args
from chat.client.e2e.key_store import KeyStore
from chat.client.model.failures import ClientFailure, KeyMissing
from chat.client.p2p.connection import Identity
from chat.protocol.events import LettersKept


class KeyAdapter:
    """Implements `chat.client.p2p.commands.UnlockedKeys`; its letters are those of
    `chat.client.p2p.message_channel.DeviceCipher`, and of `chat.client.p2p.relay_transfer.FileOfferMessages`."""

    def __init__(self, sealing: Encryption, ring: KeyStore) -> None:
        self.identity = Identity(ring.own, ring.pins)
        self.post = self
        self._sealing = sealing
        self._ring = ring

    @classmethod
    def of(cls, sealing: Encryption) -> KeyAdapter | None:
        """Nothing while they are locked."""
        return None if sealing.ring is None else cls(sealing, sealing.ring)

    async def look(self, user: str) -> None:
        """See which keys somebody has now.

        :raises ClientFailure: when the server does not say.
        """
        await self._sealing.directory.look([user], again=True)
        self._ring.save()

    async def seal(self, user: str, device: str, content: Mapping[str, Any]) -> bytes:
        """See `chat.client.p2p.message_channel.DeviceCipher.seal`; what comes back may be sent at once."""
        keys = self._ring.pins.device(user, device)
        if keys is None:
            raise KeyMissing(f"{user}@{device} has no known keys.")
        await self._sealing.post.meet({(user, device): keys})
        if not self._ring.letters.knows(keys):
            raise KeyMissing(f"The server has no key for {user}@{device}.")
        body = self._ring.letters.seal(user, device, keys, content)
        self._ring.save()
        return body

    async def leave(self, user: str, content: Mapping[str, Any], device: str = "") -> None:
        """See `chat.client.p2p.relay_transfer.FileOfferMessages.leave`."""
        letters = []
        for each in [device] if device else self._ring.pins.devices_to_seal_for(user):
            with suppress(KeyMissing):  # the others may still have some
                letters.append(letter_args(user, each, await self.seal(user, each, content)))
        kept = await self._sealing.ask("inbox.send", {"letters": letters}) if letters else None
        if not isinstance(kept, LettersKept) or len(kept.refused) == len(letters):
            raise ClientFailure(f"The server could not notify {user}.")

    @property
    def offers(self) -> list[Any]:
        """See `chat.client.p2p.relay_transfer.FileOfferMessages`."""
        return self._ring.offers

    def keep_offers(self, offers: list[Any]) -> None:
        """See `chat.client.p2p.relay_transfer.FileOfferMessages`."""
        self._ring.keep_offers(offers)
        self._ring.save()

    def listen(self, kind: str, take: Callable[[str, str, Mapping[str, Any]], object]) -> None:
        """Hand over the letters of one type that come by way of the server."""
        self._sealing.post.takers[kind] = take

    def open(self, user: str, device: str, body: bytes) -> Any:
        """See `chat.client.p2p.message_channel.DeviceCipher.open`; it may be confirmed at once."""
        keys = self._ring.pins.device_to_read(user, device)
        if keys is None:
            raise KeyMissing(f"{user}@{device} has no known keys.")
        content = self._ring.letters.open(user, device, keys, body)
        self._ring.save()
        return content
