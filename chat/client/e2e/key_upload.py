"""Uploads the public keys of this device, so that others can write to it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from chat.client.e2e.cross_signing import AccountKey
from chat.client.e2e.device import KEPT_READY
from chat.client.e2e.key_codec import publication_args
from chat.client.e2e.key_query import Ask, KeyQueries
from chat.client.e2e.key_store import KeyStore
from chat.protocol.device_keys import Publication
from chat.protocol.events import Keys, KeysLeft, PublishedKeys

LOW: Final = KEPT_READY // 2
"""One-time keys at the server below which new ones are published."""

_NOTHING: Final = KeysLeft(0, True)

_ANOTHER = (
    "THE SERVER SHOWS ANOTHER KEY FOR YOUR ACCOUNT. If you made a new key on another device, link this device to it:"
    " link. If you did not, do not trust this server."
)
_NOT_YET = (
    "This device is not linked yet, so it cannot read or write encrypted messages. Type link on a linked device. If you"
    " have none, make a new key: link new"
)
_SAME_NAME = (
    "You already had a device called {}, with other keys; this device replaces it. If you still use the other one, give"
    " this one another name in its config.ini: device = NAME"
)


class KeyUploader:
    """Sees to it that the server has what others need.

    :param found: told, in one line, what stands in the way.
    """

    def __init__(self, ring: KeyStore, directory: KeyQueries, ask: Ask, found: Callable[[str], object]) -> None:
        self._ring = ring
        self._directory = directory
        self._ask = ask
        self._found = found

    async def publish(self, account: str, reset: bool = False) -> None:
        """Publish what is missing; the first device of a person makes the key of the account.

        :param reset: whether that key takes the place of another one.
        :raises ClientFailure: when the server does not take it.
        """
        ring, own = self._ring, self._ring.own
        shown = None if reset else await self._shown(account)
        theirs = shown.account_key if shown is not None else None
        if own.account_key is None and theirs is None:
            own.hold(AccountKey())
        if own.account_key is not None:
            ring.pins.pin(own.user, own.account_key.public, {own.name: own.keys})
        if theirs is not None and (own.account_key is None or own.account_key.public != theirs):
            self._found(_NOT_YET if own.account_key is None else _ANOTHER)
        here = next((each.keys for each in shown.devices if each.device == own.name), None) if shown else None
        left = _NOTHING
        if here is not None and here.identity != own.keys.identity:
            self._found(_SAME_NAME.format(own.name))
        elif here is not None:
            reply = await self._ask("keys.publish", {})
            left = reply if isinstance(reply, KeysLeft) else _NOTHING
            if here == own.keys:
                await self.replenish(left)
                return
        whole = own.publication(left.one_time, left.fallback_used)
        account_key = whole.account_key if theirs is None else None
        await self._send(Publication(account_key, reset, whole.device, whole.one_time, whole.fallback))
        if own.account_key is not None:
            # Which other devices one has is new to a new device, and no news.
            await self._directory.look([account], again=True)
            ring.pins.accept(own.user)
            ring.save()

    async def _shown(self, account: str) -> PublishedKeys | None:
        mine = await self._ask("keys.of", {"users": [account]})
        return next(iter(mine.people), None) if isinstance(mine, Keys) else None

    async def replenish(self, left: KeysLeft) -> None:
        """Others have taken some of the keys that can be taken once; nobody else need know of new ones."""
        if left.one_time < LOW or left.fallback_used:
            whole = self._ring.own.publication(left.one_time, left.fallback_used)
            await self._send(Publication(one_time=whole.one_time, fallback=whole.fallback))

    async def _send(self, publication: Publication) -> None:
        """The private halves are on disk before the public ones are sent."""
        self._ring.save()
        await self._ask("keys.publish", publication_args(publication))
        self._ring.own.published()
        self._ring.save()
