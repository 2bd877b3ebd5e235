"""The same over real sockets."""

from __future__ import annotations

from typing import Any

from twisted.internet import reactor as installed
from twisted.internet.defer import Deferred
from twisted.trial.unittest import TestCase

from chat.client.model.failures import CannotListen
from chat.client.p2p.addresses import own_addresses
from chat.client.p2p.connection import Identity, PeerLink
from chat.client.p2p.connector import PeerAddress, PeerConnector
from chat.client.p2p.frames import FrameKind
from chat.client.p2p.listener import PeerListener
from tests.client.e2e.crypto_people import Person, meet

reactor: Any = installed


class OverSockets(TestCase):
    timeout = 20

    async def test_by_each_kind_of_address(self) -> None:
        ann, bob = Person("ann", "desk"), Person("bob", "phone")
        meet(ann, bob)
        came: list[PeerLink] = []
        listening = PeerListener(reactor, Identity(ann.own, ann.pins), lambda user: user == "bob", came.append)
        port = listening.open()
        self.addCleanup(listening.close)
        with self.assertRaisesRegex(CannotListen, "another program uses it"):
            PeerListener(reactor, Identity(bob.own, bob.pins), bool, came.append).open(port)
        for address in ("127.0.0.1", "::1"):
            link = await PeerConnector(
                reactor, Identity(bob.own, bob.pins), "ann", PeerAddress((address,), port)
            ).reached
            there = came.pop()
            got: Deferred[bytes] = Deferred()
            there.taken = lambda kind, body, got=got: got.callback(body)  # type: ignore[misc]
            link.send(FrameKind.LETTER, b"hello")
            self.assertEqual(await got, b"hello")
            link.close()
            await there.ended

    def test_the_addresses_of_this_machine_are_of_its_own_networks(self) -> None:
        for address in own_addresses():
            self.assertNotIn(address, ("127.0.0.1", "::1", "0.0.0.0"))
