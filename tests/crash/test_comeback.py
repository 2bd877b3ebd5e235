"""The small form of `tests.comeback`."""

from __future__ import annotations

from unittest import TestCase

from tests import comeback
from tests.hostile.spoiled import SpoiledStage

SECONDS = 60.0


class Everybody(TestCase):
    def comes_back(self, plain: int, tls: int, delay: float) -> None:
        crowd = comeback.play(plain, tls, SECONDS, delay)
        away = [client for client in crowd.clients if client.back is None]
        self.assertEqual(away, [], "\n".join(crowd.lines()))

    def test_after_a_kill(self) -> None:
        self.comes_back(150, 100, 0.0)

    def test_through_a_slow_link(self) -> None:
        """Slower than the moment after which the server takes the silent for people."""
        self.comes_back(10, 10, 0.7)


class Noticed(TestCase):
    def test_a_server_that_lets_nobody_come_back(self) -> None:
        crowd = comeback.play(3, 3, 3.0, 0.0, SpoiledStage("forgetting"))
        self.assertEqual([client.back for client in crowd.clients], [None] * 6)
