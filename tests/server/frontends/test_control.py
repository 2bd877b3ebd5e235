"""The operator's socket where no real one is needed; the rest stands in ``tests/e2e/test_chatctl.py``."""

from __future__ import annotations

import json

from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Traffic
from chat.server.frontends.control import ControlProtocol
from tests.server.core.stage import Stage


class ASlowReader(SynchronousTestCase):
    def test_is_told_how_much_was_left_out_and_nothing_piles_up(self) -> None:
        stage = Stage()
        protocol = ControlProtocol(stage.chat, stage.dispatcher)
        protocol.transport = wire = StringTransport()
        protocol.deliver(Traffic(1, "connected"))
        wire.clear()
        protocol.pauseProducing()
        for _ in range(3):
            protocol.deliver(Traffic(1, "connected"))
        self.assertEqual(wire.value(), b"")
        protocol.resumeProducing()
        self.assertEqual(json.loads(wire.value())["text"], "3 events were skipped: too many at once.")
        wire.clear()
        protocol.deliver(Traffic(1, "connected"))
        self.assertEqual(json.loads(wire.value())["kind"], "connected")
