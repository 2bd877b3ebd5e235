"""What a running server has counted, read at the moment when Prometheus asks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort

from chat.protocol.errors import Misconfigured
from chat.server.core.dispatcher import Dispatcher
from chat.server.core.service import ChatService
from chat.server.metrics.lag import ReactorLag
from chat.server.metrics.snapshot import MetricsSnapshot


class MetricsCollector:
    """The page of metrics, on loopback alone.

    :param commits: how often a commit took how long, as `MetricsSnapshot` has it.
    """

    def __init__(
        self, chat: ChatService, dispatcher: Dispatcher, commits: Callable[[], tuple[tuple[int, ...], float]]
    ) -> None:
        self._chat = chat
        self._dispatcher = dispatcher
        self._commits = commits
        self._lag = ReactorLag(chat.clock.call_later, chat.clock.monotonic)
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
                "metrics-port needs prometheus-client. In the checkout, run: pip install -e '.[metrics]'"
            ) from None
        try:
            self._port = reactor.listenTCP(number, site(self.snapshot), interface="127.0.0.1")
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

    def snapshot(self) -> MetricsSnapshot:
        """One moment of the server."""
        chat = self._chat
        node, disk = chat.node, chat.store.disk()
        return MetricsSnapshot(
            connections=sum(not each.operator for each in node.sessions.values()),
            people=len(node.users),
            accounts=len(chat.directory),
            rooms=len(node.rooms),
            logins=node.counters.logins,
            rows=dict(node.counters.rows),
            deliveries=node.counters.deliveries,
            outcomes=dict(self._dispatcher.performed),
            queues=chat.host.queues(),
            commits=self._commits(),
            disk_used=disk.used,
            disk_free=disk.free,
            lag=self._lag.longest,
            started=node.started / 1000,
        )
