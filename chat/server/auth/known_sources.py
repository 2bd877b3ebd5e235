"""The networks and devices that an account has logged in from: where its owner is likely to be.

Wrong passwords of others are not counted against these (`chat.server.auth.lockout`).
"""

from __future__ import annotations

from collections import OrderedDict

from chat.protocol.values import Account, Peer
from chat.server.core.node import unattended
from chat.server.interfaces import IClock, IStore

_NO_ACCOUNT = 0
"""Ids count from 1."""

_NOTED_AGAIN = 24 * 3600.0
"""Seconds after which another login from the same network is written down again."""

_MOST_REMEMBERED = 50_000


class KnownSources:
    """Knows them from the store, and what was noted of late from memory: a full disk changes nothing for those.

    Names that no account has are looked up as well, so that finding out takes as long for them.
    """

    def __init__(self, store: IStore, clock: IClock) -> None:
        self._store = store
        self._clock = clock
        self._noted: OrderedDict[tuple[int, str], float] = OrderedDict()

    def note(self, account: int, network: str) -> None:
        """An account has logged in from a network."""
        key, now = (account, network), self._clock.monotonic()
        before = self._noted.get(key)
        if before is not None and now - before < _NOTED_AGAIN:
            return
        self._noted[key] = now
        self._noted.move_to_end(key)
        if len(self._noted) > _MOST_REMEMBERED:
            self._noted.popitem(last=False)
        unattended(self._store.note_network(account, network, int(self._clock.seconds() * 1000)))

    async def has_network(self, account: Account | None, network: str) -> bool:
        """Whether an account has logged in from a network."""
        id = account.id if account is not None else _NO_ACCOUNT
        stored = await self._store.has_network(id, network)
        return stored or (id, network) in self._noted

    async def own_source(self, account: Account | None, peer: Peer) -> str | None:
        """What the tries of somebody count under who is known by more than a network, or nothing."""
        if peer.account and account is not None and peer.account == account.id:
            return f"account {account.id}"
        if peer.token is None:
            return None
        id = account.id if account is not None else _NO_ACCOUNT
        return f"device {peer.token.hex()}" if await self._store.has_had_token(id, peer.token) else None
