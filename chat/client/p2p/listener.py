"""Listens for other clients while somebody may call, and limits what unknown callers cost.

The rules: at most `MOST_STRANGERS` connections that have proven nothing, at most `MOST_FROM_ONE` of one address, and
`MOST_A_MINUTE` in all; one more is closed before a byte of it is read. Somebody who is let in has one link for each
device: another one takes the place of the first, whose other end may long be gone.
"""

from __future__ import annotations

import errno
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory

from chat.client.model.failures import CannotListen
from chat.client.p2p.connection import Identity, PeerLink
from chat.client.p2p.tls import ListenerTls, TlsLinkFactory

MOST_STRANGERS: Final = 8
MOST_FROM_ONE: Final = 2
MOST_A_MINUTE: Final = 60

_NO_SUCH_FAMILY = (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)
"""What a machine without IPv6 says to it."""


class PeerListener(Factory):
    """Makes links for those who call here.

    :param admits: whether a person may call.
    :param came: gets each link that is proven.
    """

    noisy = False

    def __init__(
        self, reactor: Any, identity: Identity, admits: Callable[[str], bool], came: Callable[[PeerLink], object]
    ) -> None:
        self._reactor = reactor
        self._identity = identity
        self._admits = admits
        self._came = came
        self._strangers: Counter[str] = Counter()
        self._minute = 0.0
        self._this_minute = 0
        self._port: Any = None

    @property
    def port(self) -> int:
        """The open port, 0 while there is none."""
        return 0 if self._port is None else int(self._port.getHost().port)

    def open(self, port: int = 0) -> int:
        """Listen on all addresses, those of IPv6 as well where there are any.

        :param port: 0 takes any that is free.
        :returns: the port.
        :raises CannotListen: when it is taken, or not for everybody.
        """
        if self._port is None:
            secured = TlsLinkFactory(ListenerTls(), self, self._reactor)
            try:
                self._port = self._listen(port, secured)
            except CannotListenError as error:
                why = getattr(error.socketError, "strerror", None) or str(error.socketError)
                if getattr(error.socketError, "errno", None) == errno.EADDRINUSE:
                    why = "another program uses it"
                raise CannotListen(
                    f"Cannot listen on port {port}: {why}. Set another direct-port in config.ini, or 0 for any."
                ) from None
        return self.port

    def _listen(self, port: int, secured: TlsLinkFactory) -> Any:
        try:
            return self._reactor.listenTCP(port, secured, interface="::")
        except CannotListenError as error:
            if getattr(error.socketError, "errno", None) not in _NO_SUCH_FAMILY:
                raise
            return self._reactor.listenTCP(port, secured)

    def close(self) -> None:
        """Listen no more; the links stay."""
        port, self._port = self._port, None
        if port is not None:
            port.stopListening()

    def buildProtocol(self, addr: Any) -> PeerLink | None:
        """See ``twisted.internet.interfaces.IProtocolFactory``; without a protocol the connection is closed."""
        now = self._reactor.seconds()
        if now - self._minute >= 60:
            self._minute, self._this_minute = now, 0
        strangers = self._strangers
        if (
            self._this_minute >= MOST_A_MINUTE
            or strangers.total() >= MOST_STRANGERS
            or strangers[addr.host] >= MOST_FROM_ONE
        ):
            return None
        self._this_minute += 1
        strangers[addr.host] += 1
        link = PeerLink(self._identity, self._reactor, admits=self._admits)

        def known(outcome: Any) -> Any:
            strangers[addr.host] -= 1
            if not strangers[addr.host]:
                del strangers[addr.host]
            return outcome

        # Why a stranger was not let in interests nobody: the port is open to everybody who finds it.
        link.proven.addBoth(known).addCallbacks(self._came, lambda failure: None)
        return link
