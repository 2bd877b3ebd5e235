"""Calls a client at all of its addresses, and keeps the first connection that proves its identity."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import TCP4ClientEndpoint, TCP6ClientEndpoint
from twisted.internet.protocol import Factory
from twisted.python.failure import Failure

from chat.client.model.failures import ClientFailure, NotThePeer, PeerUnreachable
from chat.client.p2p.connection import Identity, PeerLink
from chat.client.p2p.tls import CallerTls, TlsLinkFactory

STAGGER: Final = 0.3
"""Seconds until the next address is tried as well (in the manner of RFC 8305)."""

CONNECT_TIME: Final = 5.0
"""Seconds in which a connection is made; a firewall that drops never answers."""


@dataclass(frozen=True, slots=True)
class PeerAddress:
    """Where somebody listens.

    :param addresses: the one that the server sees first.
    """

    addresses: tuple[str, ...]
    port: int


class PeerConnector:
    """One call to somebody.

    :ivar reached: fires with the link that was proven; fails with why nobody could be reached.
    """

    def __init__(self, reactor: Any, identity: Identity, whom: str, place: PeerAddress) -> None:
        self.reached: Deferred[PeerLink] = Deferred(lambda _: self._stop())
        self._reactor = reactor
        self._identity = identity
        self._whom = whom
        self._port = place.port
        self._addresses = list(dict.fromkeys(place.addresses))
        self._under_way: dict[PeerLink, Deferred[Any]] = {}
        self._failures: list[ClientFailure] = []
        self._next: Any = None
        self._try_next()

    def _try_next(self) -> None:
        if not self._addresses:
            return
        address = self._addresses.pop(0)
        if self._addresses:
            self._next = self._reactor.callLater(STAGGER, self._try_next)
        link = PeerLink(self._identity, self._reactor, self._whom)
        link.proven.addCallbacks(self._proven, self._failed, errbackArgs=(link,))
        kind = TCP6ClientEndpoint if ip_address(address).version == 6 else TCP4ClientEndpoint
        secured = TlsLinkFactory(CallerTls(), Factory.forProtocol(lambda: link), self._reactor)
        dialed: Any = kind(self._reactor, address, self._port, timeout=CONNECT_TIME).connect(secured)
        self._under_way[link] = dialed
        dialed.addErrback(self._not_connected, link)

    def _not_connected(self, failure: Failure, link: PeerLink) -> None:
        words = " ".join(str(failure.value).split()).rstrip(".")
        self._failed(Failure(PeerUnreachable(f"No answer: {words[:150]}.")), link)

    def _failed(self, failure: Failure, link: PeerLink) -> None:
        if self._under_way.pop(link, None) is None or self.reached.called:
            return
        error = failure.value
        self._failures.append(error if isinstance(error, ClientFailure) else PeerUnreachable(str(error)))
        if self._addresses:
            self._stop_waiting()
            self._try_next()
        elif not self._under_way:
            # That somebody else answered is worth more than that nobody did.
            self._failures.sort(key=lambda each: isinstance(each, NotThePeer), reverse=True)
            self.reached.errback(Failure(self._failures[0]))

    def _proven(self, link: PeerLink) -> None:
        del self._under_way[link]
        self._stop()
        if self.reached.called:
            link.close()
        else:
            self.reached.callback(link)

    def _stop(self) -> None:
        self._addresses.clear()
        self._stop_waiting()
        under_way, self._under_way = self._under_way, {}
        for link, dialed in under_way.items():
            dialed.cancel()
            if link.connected:
                link.close()

    def _stop_waiting(self) -> None:
        if self._next is not None and self._next.active():
            self._next.cancel()
