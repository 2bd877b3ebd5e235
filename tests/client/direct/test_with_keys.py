"""Two whole clients with keys of their own, a server, and a recorder on every wire."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from chat.client.direct.desk import Choices, Desk
from chat.client.direct.keyring import LinkKeys
from chat.client.sealing.sealing import Sealing
from chat.client.transfer.transfers import Stage
from chat.events import Address, Refused
from tests.client import engines
from tests.client.direct.net import Host, Net
from tests.client.link import at_once
from tests.client.sealing.people import SealedCase

WORDS = "the launch code is on the fridge"
ADDRESSES = ("129.35.26.1", "198.51.100.9", "203.0.113.3")


class WithKeys(SealedCase):
    def setUp(self) -> None:
        super().setUp()
        self.net = Net(self.server.clock.clock)
        self.addresses = iter(ADDRESSES)
        self.ann, self.bob = self.enters("Ann"), self.enters("bob")

    def desk(self, *args: Any, **more: Any) -> engines.Desk:
        desk = super().desk(*args, **more)
        desk.address = next(self.addresses)
        seals = desk.engine.seals
        desk.engine.direct = Desk(
            Host(self.net, desk.address),
            desk.state,
            desk.screen,
            lambda: LinkKeys.of(seals) if isinstance(seals, Sealing) else None,
            desk.engine.ask,
            Choices(0, self.folder / desk.address),
            at_once,
            tuple,
        )
        return desk

    def settle(self) -> None:
        super().settle()
        while hasattr(self, "net") and self.net.settle():
            super().settle()

    def consents(self) -> None:
        self.bob.types("getaddress ann")
        self.ann.types("consent bob")
        self.settle()

    def every_wire(self) -> bytes:
        """Everything that was sent, to the server or to each other."""
        return self.recorded() + b"".join(bytes(each.recorded) for each in self.net.wires)

    def nobody_reads(self, words: str) -> None:
        seen = self.every_wire()
        self.assertGreater(len(seen), 10_000)
        # As it is, and in base 64 wherever it begins.
        for hidden in (words.encode(), *(b64encode(b"." * shift + words.encode())[4:-4] for shift in range(3))):
            self.assertNotIn(hidden, seen)

    def test_private_lines(self) -> None:
        self.consents()
        self.assertIsNone(self.bob.types(f"private ann {WORDS}"))
        self.assertIsNone(self.ann.types("private bob understood, out"))
        self.assertEqual(self.ann.screen.directs, [("bob", "bob", WORDS), ("bob", "Ann", "understood, out")])
        self.assertEqual(self.bob.screen.directs, [("Ann", "bob", WORDS), ("Ann", "Ann", "understood, out")])
        self.nobody_reads(WORDS)

    def test_a_file(self) -> None:
        path = self.folder / "secret plans.txt"
        path.write_bytes(WORDS.encode() * 3_000)
        self.consents()
        self.bob.types(f"sendfile ann {path}")
        self.ann.types("getfile bob")
        self.assertEqual([each.stage for each in self.bob.screen.transfers], [Stage.DONE])
        self.assertEqual((self.folder / self.ann.address / path.name).read_bytes(), path.read_bytes())
        self.nobody_reads(WORDS)
        self.nobody_reads("secret plans")

    def test_an_impostor_with_the_account_and_the_address(self) -> None:
        """Whoever runs the server can do that much: bob is shown another key, and nothing is sent."""
        self.consents()
        self.bob.types("private ann hi")
        self.ann.engine.close()
        self.addresses = iter((self.ann.address,))
        impostor = self.logged_in("Ann", device="desk", keys=self.folder / "elsewhere")
        self.desks.append(impostor)
        impostor.types("link new")
        (address,) = [each for each in self.bob.screen.events if isinstance(each, Address)]
        direct: Any = impostor.engine.direct
        direct._peers.listen("bob", address.port)
        refused = self.bob.types(f"private ann {WORDS}")
        self.assertIsInstance(refused, Refused)
        self.assertEqual(impostor.screen.directs, [])
        self.assertEqual([each for each in self.net.wires if WORDS.encode() in each.recorded], [])

    def test_the_keys_stay_when_the_server_is_gone(self) -> None:
        self.consents()
        self.bob.types("private ann one")
        for desk in (self.ann, self.bob):
            desk.reachable = False
            desk.cut()
        self.bob.types("private ann two")
        self.assertEqual([text for _, _, text in self.ann.screen.directs], ["one", "two"])
        self.net.wires[-1].cut()
        self.bob.types("private ann three")
        self.assertEqual([text for _, _, text in self.ann.screen.directs], ["one", "two", "three"])
