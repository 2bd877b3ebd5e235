"""The keys of this client, as links need them: those that `chat.client.sealing` keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chat.client.crypto.failures import KeyMissing
from chat.client.crypto.ring import KeyRing
from chat.client.direct.link import Badge
from chat.client.sealing.sealing import Sealing


class LinkKeys:
    """Implements `chat.client.direct.desk.Keys`, and `chat.client.direct.line.Post` for its letters."""

    def __init__(self, sealing: Sealing, ring: KeyRing) -> None:
        self.badge = Badge(ring.own, ring.pins)
        self.post = self
        self._sealing = sealing
        self._ring = ring

    @classmethod
    def of(cls, sealing: Sealing) -> LinkKeys | None:
        """Nothing while they are locked."""
        return None if sealing.ring is None else cls(sealing, sealing.ring)

    async def look(self, user: str) -> None:
        """See which keys somebody has now.

        :raises ClientFailure: when the server does not say.
        """
        await self._sealing.directory.look([user], again=True)
        self._ring.save()

    async def seal(self, user: str, device: str, content: Mapping[str, Any]) -> bytes:
        """See `chat.client.direct.line.Post.seal`; what comes back may be sent at once."""
        keys = self._ring.pins.device(user, device)
        if keys is None:
            raise KeyMissing(f"{user}@{device} has no keys that are known here.")
        await self._sealing.post.meet({(user, device): keys})
        if not self._ring.letters.knows(keys):
            raise KeyMissing(f"The server hands out no key of {user}@{device}.")
        body = self._ring.letters.seal(user, device, keys, content)
        self._ring.save()
        return body

    def open(self, user: str, device: str, body: bytes) -> Any:
        """See `chat.client.direct.line.Post.open`; it may be confirmed at once."""
        keys = self._ring.pins.device_to_read(user, device)
        if keys is None:
            raise KeyMissing(f"{user}@{device} has no keys that are known here.")
        content = self._ring.letters.open(user, device, keys, body)
        self._ring.save()
        return content
