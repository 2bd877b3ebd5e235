"""What a running server has counted, read at the moment when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from chat.protocol.errors import Misconfigured
from chat.server.core.dispatcher import Performer
from chat.server.core.service import ChatService
from chat.server.metrics.lag import Lag
from chat.server.metrics.snapshot import Figures


class Meters:
    """The page of metrics, on loopback alone.

    :param commits: how often a commit took how long, as `Figures` has it.
    """

    def __init__(
        self, chat: ChatService, performer: Performer, commits: Callable[[], tuple[tuple[int, ...], float]]
    ) -> None:
        self._chat = chat
        self._performer = performer
        self._commits = commits
        self._lag = Lag(chat.clock.call_later, chat.clock.monotonic)
        self._port: IListeningPort | None = None

    def listen(self, reactor: Any, number: int) -> None:
        """Open the port, unless its number is 0.

        :raises Misconfigured: when it cannot be opened, or ``prometheus-client`` is not installed.
        """
        if not number:
            return
        try:
            from chat.server.metrics.exposition import site
        except ImportError:
            raise Misconfigured(
                "metrics-port needs prometheus-client. Run, in the checkout: pip install -e '.[metrics]'"
            ) from None
        try:
            self._port = reactor.listenTCP(number, site(self.figures), interface="127.0.0.1")
        except CannotListenError as error:
            why = getattr(error.socketError, "strerror", None) or error.socketError
            raise Misconfigured(f"metrics-port {number}: {why}. Choose another one, or 0 for none.") from None

    def start(self) -> None:
        """Measure from now on what has to be measured, if anybody reads it."""
        if self._port is not None:
            self._lag.start()

    def close(self) -> Deferred[Any] | None:
        """Measure no longer, and close the port; fires when that is done."""
        self._lag.stop()
        return None if self._port is None else self._port.stopListening()

    def figures(self) -> Figures:
        """One moment of the server."""
        chat = self._chat
        house, disk = chat.house, chat.store.disk()
        performed = self._performer.performed.items()
        return Figures(
            connections=sum(not each.operator for each in house.sessions.values()),
            people=len(house.users),
            accounts=len(chat.directory),
            rooms=len(house.rooms),
            logins=house.counts.logins,
            rows=dict(house.counts.rows),
            deliveries=house.counts.deliveries,
            outcomes={(verb or "unknown", outcome): number for (verb, outcome), number in performed},
            queues=chat.host.queues(),
            commits=self._commits(),
            disk_used=disk.used,
            disk_free=disk.free,
            lag=self._lag.longest,
            started=house.started / 1000,
        )
