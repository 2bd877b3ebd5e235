"""Which addresses are worth a call."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from chat.client.p2p.addresses import worth_dialing
from chat.client.session.endpoint import ServerAddress


class WorthDialing(SynchronousTestCase):
    def test_loopback_only_where_the_server_is_on_this_machine(self) -> None:
        addresses = ("127.0.0.1", "10.0.0.7", "fe80::1", "203.0.113.5")
        self.assertEqual(worth_dialing(addresses, same_machine=False), ("10.0.0.7", "203.0.113.5"))
        self.assertEqual(worth_dialing(addresses, same_machine=True), ("127.0.0.1", "10.0.0.7", "203.0.113.5"))

    def test_a_server_on_this_machine(self) -> None:
        for host, here in {
            "localhost": True,
            "127.0.0.1": True,
            "::1": True,
            "10.0.0.7": False,
            "a.example": False,
        }.items():
            self.assertIs(ServerAddress(host).on_this_machine, here, host)
