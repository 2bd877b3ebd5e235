"""What Prometheus reads: right, without a name in it, and known to the files that are shipped."""

from __future__ import annotations

import json
import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from twisted.internet.address import IPv4Address
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase
from twisted.web.test.requesthelper import DummyRequest

from chat.server.metrics.collector import MetricsCollector
from chat.server.metrics.exposition import MetricsPage, ServerCollector, is_loopback, site
from chat.server.metrics.lag import ReactorLag
from chat.server.storage.histogram import BOUNDS, Histogram
from tests.server.core.stage import MANY, Stage

DEPLOY = Path(__file__).parents[3] / "deploy"


def page(stage: Stage, durations: Histogram) -> str:
    meters = MetricsCollector(stage.chat, stage.dispatcher, lambda: (tuple(durations.counts), durations.total))
    collector = ServerCollector(meters.snapshot)
    resource = MetricsPage([collector]).getChildWithDefault(b"metrics", DummyRequest([b"metrics"]))
    body: bytes = resource.render(DummyRequest([b""]))
    return body.decode()


class ThePage(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.durations = Histogram()

    def samples(self) -> dict[tuple[str, ...], float]:
        """Every sample: its name and the values of its labels."""
        families = text_string_to_metric_families(page(self.stage, self.durations))
        return {
            (sample.name, *(sample.labels[label] for label in sorted(sample.labels))): sample.value
            for family in families
            for sample in family.samples
        }

    def test_people_and_what_they_say(self) -> None:
        ann, bob = self.stage.enter("ann", "ops"), self.stage.enter("bob", "ops")
        self.stage.enter("eve", "ops")
        ann.says("ops", "hello")
        bob.writes("ann", "hi")
        bob.code("connect", room="nowhere")
        found = self.samples()
        for name, value in (
            (("chat_connections",), 3),
            (("chat_people",), 3),
            (("chat_rooms",), 2),
            (("chat_logins_total",), 3),
            (("chat_rows_total", "text"), 2),
            (("chat_deliveries_total",), 3),
            (("chat_commands_total", "no-such-room", "connect"), 1),
            (("chat_queue_length", "writing"), 0),
            (("chat_reactor_lag_seconds",), 0),
        ):
            self.assertEqual(found[name], value, name)

    def test_how_long_commits_take(self) -> None:
        for seconds in (0.0001, 0.0005, 0.003, 9.0):
            self.durations.observe(seconds)
        found = self.samples()
        self.assertEqual(found["chat_commit_seconds_bucket", "0.0005"], 2)
        self.assertEqual(found["chat_commit_seconds_bucket", "0.005"], 3)
        self.assertEqual(found["chat_commit_seconds_bucket", str(BOUNDS[-1])], 3)
        self.assertEqual(found["chat_commit_seconds_bucket", "+Inf"], 4)
        self.assertAlmostEqual(found["chat_commit_seconds_sum",], 9.0036)

    def test_no_name_is_in_it(self) -> None:
        """Neither of people nor of rooms, nor what somebody typed as a command."""
        ann = self.stage.enter("xyzzyann", "xyzzyops")
        ann.says("xyzzyops", "xyzzy")
        ann.code("help", verb="xyzzy")
        self.assertNotIn("xyzzy", page(self.stage, self.durations))

    def test_the_disk(self) -> None:
        self.assertNotIn(("chat_disk_free_bytes",), self.samples())
        self.stage.store.free = 4_096
        self.assertEqual(self.samples()["chat_disk_free_bytes",], 4_096)


class TheNameInHost(SynchronousTestCase):
    """A page on the web may make a browser of this machine connect to a port on loopback (DNS rebinding)."""

    def answer(self, *headers: bytes) -> bytes:
        stage = Stage(MANY)
        meters = MetricsCollector(stage.chat, stage.dispatcher, lambda: ((0,) * (len(BOUNDS) + 1), 0.0))
        transport = StringTransport()
        protocol = site(meters.snapshot).buildProtocol(IPv4Address("TCP", "127.0.0.1", 1))
        protocol.makeConnection(transport)
        protocol.dataReceived(b"\r\n".join((b"GET /metrics HTTP/1.1", *headers, b"Connection: close", b"", b"")))
        answer: bytes = transport.value()
        return answer

    def test_of_this_machine_is_answered(self) -> None:
        for host in (b"localhost:9100", b"127.0.0.1", b"127.3.2.1:80", b"[::1]:9100"):
            self.assertIn(b"chat_people", self.answer(b"Host: " + host), host)

    def test_of_anywhere_else_is_refused_in_one_line(self) -> None:
        for headers in ((b"Host: evil.example:9100",), (), (b"Host: localhost", b"Host: evil.example")):
            answer = self.answer(*headers)
            self.assertTrue(answer.startswith(b"HTTP/1.1 421 " if headers else b"HTTP/1.1 4"), answer)
            self.assertNotIn(b"chat_people", answer)

    def test_is_read_as_a_name_and_a_port(self) -> None:
        for host in ("LOCALHOST", "localhost:1", "127.0.0.1:65535", "127.255.0.1", "[::1]"):
            self.assertTrue(is_loopback(host), host)
        refused = "|:80|localhost.evil.example|localhost:x|localhost:80:80|128.0.0.1|127.0.0.1.evil.example|::1"
        for host in f"{refused}|[127.0.0.1]|[::2]|[::1|0.0.0.0|2130706433|127.1".split("|"):
            self.assertFalse(is_loopback(host), host)


class TheFiles(SynchronousTestCase):
    """The dashboard and the alert rules ask for what there is."""

    def known(self) -> set[str]:
        stage = Stage(MANY)
        stage.store.free = 1
        stage.enter("ann", "ops").code("connect", room="nowhere")
        return {
            sample.name
            for family in text_string_to_metric_families(page(stage, Histogram()))
            for sample in family.samples
        }

    def test_dashboard(self) -> None:
        dashboard = json.loads((DEPLOY / "grafana" / "chatserver.json").read_text(encoding="utf-8"))
        asked = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
        self.assertGreater(len(asked), 10)
        for expression in asked:
            self.assertEqual(set(re.findall(r"\bchat_\w+", expression)) - self.known(), set(), expression)

    def test_three_alerts(self) -> None:
        rules = (DEPLOY / "prometheus" / "alerts.yml").read_text(encoding="utf-8")
        self.assertEqual(rules.count("- alert: "), 3)
        self.assertEqual(set(re.findall(r"\bchat_\w+", rules)) - self.known(), set())


class TheLag(SynchronousTestCase):
    def test_is_the_longest_of_late(self) -> None:
        clock = Clock()
        slow = [0.0]
        lag = ReactorLag(clock.callLater, lambda: clock.seconds() + slow[0])
        lag.start()
        clock.advance(1)
        self.assertAlmostEqual(lag.longest, 0.0)
        slow[0] = 0.75
        clock.advance(1)
        self.assertAlmostEqual(lag.longest, 0.75)
        for _ in range(31):
            clock.advance(1)
        self.assertAlmostEqual(lag.longest, 0.0)
        lag.stop()
        self.assertEqual(clock.getDelayedCalls(), [])
