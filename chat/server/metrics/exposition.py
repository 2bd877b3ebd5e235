"""Figures as Prometheus reads them, and the page on which it does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import ip_address
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector
from twisted.web import http
from twisted.web.resource import IResource, Resource
from twisted.web.server import Request, Site

from chat.server.metrics.snapshot import MetricsSnapshot
from chat.server.storage.histogram import BOUNDS


class ServerCollector(Collector):
    """:param look: the figures of this moment."""

    def __init__(self, look: Callable[[], MetricsSnapshot]) -> None:
        self._look = look

    def collect(self) -> Iterator[Metric]:
        now = self._look()
        yield _gauge("chat_connections", "Current connections.", now.connections)
        yield _gauge("chat_people", "Accounts online.", now.people)
        yield _gauge("chat_accounts", "Accounts.", now.accounts)
        yield _gauge("chat_rooms", "Rooms.", now.rooms)
        yield _gauge("chat_start_time_seconds", "Start time of the server, in seconds since the epoch.", now.started)
        yield _counter("chat_logins", "Logins.", {(): now.logins})
        yield _counter("chat_rows", "Rows stored, by kind.", {(kind,): n for kind, n in now.rows.items()}, "kind")
        yield _counter("chat_deliveries", "Messages delivered to sessions.", {(): now.deliveries})
        yield _counter("chat_commands", "Commands, by outcome.", now.outcomes, "verb", "outcome")
        queues = GaugeMetricFamily("chat_queue_length", "Queue lengths, by queue.", labels=["queue"])
        for queue, length in now.queues.items():
            queues.add_metric([queue], length)
        yield queues
        yield _commits(now)
        yield _gauge("chat_database_bytes", "Size of the database.", now.disk_used)
        if now.disk_free is not None:
            yield _gauge("chat_disk_free_bytes", "Free disk space.", now.disk_free)
        yield _gauge("chat_reactor_lag_seconds", "Longest event loop delay in the last 30 seconds.", now.lag)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, values: Mapping[Any, int], *labels: str) -> Metric:
    family = CounterMetricFamily(name, text, labels=list(labels))
    for key, value in values.items():
        family.add_metric(list(key), value)
    return family


def _commits(now: MetricsSnapshot) -> Metric:
    counts, total = now.commits
    buckets: list[tuple[str, float]] = []
    so_far = 0
    for bound, count in zip((*map(str, BOUNDS), "+Inf"), counts, strict=True):
        so_far += count
        buckets.append((bound, so_far))
    return HistogramMetricFamily("chat_commit_seconds", "Duration of commits.", buckets=buckets, sum_value=total)


class MetricsPage(Resource):
    """``/metrics``, and nothing else."""

    def __init__(self, collectors: Iterable[Collector]) -> None:
        super().__init__()
        self._registry = CollectorRegistry()
        for collector in collectors:
            self._registry.register(collector)
        self.putChild(b"metrics", _Leaf(self._registry))


class _Leaf(Resource):
    isLeaf = True

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._registry = registry

    def render_GET(self, request: Request) -> bytes:
        request.setHeader(b"Content-Type", CONTENT_TYPE_LATEST.encode())
        page: bytes = generate_latest(self._registry)
        return page


class _NotHere(Resource):
    """Misdirected Request (RFC 9110, section 15.5.20): the name in ``Host`` is not one of this machine's own."""

    isLeaf = True

    def render(self, request: Request) -> bytes:
        request.setResponseCode(421)
        request.setHeader(b"Content-Type", b"text/plain; charset=utf-8")
        return b"Metrics are served to this machine only: ask for localhost or 127.0.0.1.\n"


class LoopbackSite(Site):
    """Answers requests for loopback names only.

    The port listens on loopback, but a browser on this machine connects there for any web page whose name resolves to
    127.0.0.1 (DNS rebinding), and says in ``Host`` under which name.
    """

    noisy = False
    displayTracebacks = False

    def getResourceFor(self, request: Request) -> IResource:
        hosts = request.requestHeaders.getRawHeaders("host", [])
        if len(hosts) != 1 or not is_loopback(hosts[0]):
            return _NotHere()
        found: IResource = super().getResourceFor(request)
        return found

    def log(self, request: http.Request) -> None:
        """No access log."""


def is_loopback(host: str) -> bool:
    """Whether the value of a ``Host`` header names the loopback interface, with or without a port."""
    name, _, port = host.rpartition(":") if host[-1:] != "]" and ":" in host else (host, "", "")
    if port and not (port.isascii() and port.isdigit()):
        return False
    if name.lower() == "localhost":
        return True
    bracketed = name[:1] == "[" and name[-1:] == "]"
    try:
        ip = ip_address(name[1:-1] if bracketed else name)
    except ValueError:
        return False
    return ip.is_loopback and bracketed == (ip.version == 6)


def site(look: Callable[[], MetricsSnapshot]) -> Site:
    """What listens for Prometheus; it writes no access log."""
    return LoopbackSite(MetricsPage([ServerCollector(look)]))
