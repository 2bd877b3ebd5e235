"""Reconnects to somebody after a direct connection was lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater

from chat.client.model.failures import ClientFailure
from chat.client.p2p.peers import Peers
from chat.protocol.names import fold

PAUSES: Final = (0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0)
"""Seconds before each try; after the last one it is given up."""


class PeerReconnector:
    """Calls those whose address one has, and waits to be called by the others.

    :param wanted: whether there is still something to do with somebody.
    :param given_up: told of who was not found.
    """

    def __init__(
        self, peers: Peers, clock: Any, wanted: Callable[[str], bool], given_up: Callable[[str], object]
    ) -> None:
        self._peers = peers
        self._clock = clock
        self._wanted = wanted
        self._given_up = given_up
        self._seeking: dict[str, Deferred[None]] = {}
        self._tries: Counter[str] = Counter()

    def seek(self, user: str) -> None:
        """Begin, where that is not being done."""
        if fold(user) not in self._seeking:
            self._seeking[fold(user)] = Deferred.fromCoroutine(self._seek(user)).addErrback(_canceled)

    def found(self, user: str) -> None:
        """There is a line again: should it be lost at once, the pauses begin anew."""
        del self._tries[fold(user)]

    def close(self) -> None:
        """Look for nobody any more."""
        for seeking in tuple(self._seeking.values()):
            seeking.cancel()

    async def _seek(self, user: str) -> None:
        try:
            while (tries := self._tries[fold(user)]) < len(PAUSES):
                self._tries[fold(user)] += 1
                await deferLater(self._clock, PAUSES[tries])
                if not self._wanted(user):
                    return
                try:
                    await self._peers.channel_to(user)
                except ClientFailure:
                    continue  # one has no address, or nobody is there yet
        finally:
            self._seeking.pop(fold(user), None)
            del self._tries[fold(user)]
        self._given_up(user)


def _canceled(failure: Any) -> None:
    failure.trap(CancelledError)
