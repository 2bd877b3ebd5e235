"""Two whole clients with keys of their own, a server, and a recorder on every wire."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from pathlib import Path
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

    def file(self, size: int = 200_000) -> Path:
        """Something to send, and nobody has ann's address."""
        path = self.folder / "secret plans.txt"
        path.write_bytes((WORDS.encode() * (size // len(WORDS) + 1))[:size])
        return path

    def landed(self, desk: engines.Desk) -> dict[str, bytes]:
        folder = self.folder / desk.address
        return {each.name: each.read_bytes() for each in folder.iterdir()} if folder.exists() else {}

    def test_a_file_for_somebody_who_is_away(self) -> None:
        path = self.file()
        self.run_link(self.ann.engine.leave())
        self.assertIsNone(self.bob.types(f"sendfile ann {path}"))
        self.pass_time(60)
        self.assertEqual([each.stage for each in self.bob.screen.transfers], [Stage.LEFT])
        self.addresses = iter(("203.0.113.77",))
        ann = self.enters("Ann")
        (offered,) = ann.screen.transfers
        self.assertEqual((offered.stage, offered.offer.name), (Stage.OFFERED, path.name))
        self.assertIsNone(ann.types("getfile bob"))
        self.pass_time(60)
        self.assertEqual(self.landed(ann), {path.name: path.read_bytes()})
        self.assertEqual(ann.engine.direct.offers(), [])
        self.nobody_reads(WORDS)
        self.nobody_reads("secret plans")
        assert self.server.store._connection is not None
        kept = "".join(self.server.store._connection.iterdump())
        self.assertNotIn(WORDS, kept)
        self.assertNotIn("secret plans", kept)
        self.assertEqual(self.kept(), 0)

    def wait(self) -> None:
        """A minute, in which connections are made again."""
        for _ in range(30):
            self.pass_time(2)

    def kept(self) -> int:
        """How many pieces lie at the server."""
        self.pass_time(60)
        assert self.server.store._connection is not None
        (count,) = self.server.store._connection.execute("SELECT count(*) FROM pieces").fetchone()
        return int(count)

    def test_an_offer_outlives_the_program(self) -> None:
        self.bob.types(f"sendfile ann {self.file()}")
        self.pass_time(60)
        self.assertEqual(len(self.ann.engine.direct.offers()), 1)
        self.run_link(self.ann.engine.leave())
        self.addresses = iter(("203.0.113.77",))
        ann = self.enters("Ann")
        ann.types("refusefile bob")
        self.settle()
        self.assertEqual((self.landed(ann), self.kept()), ({}, 0))
        self.run_link(ann.engine.leave())
        self.addresses = iter(("203.0.113.78",))
        self.assertEqual(self.enters("Ann").engine.direct.offers(), [])

    def test_cuts_on_the_way_to_the_server_and_back(self) -> None:
        path = self.file(20 * 32 * 1024)
        self.begin(self.bob.keyboard.typed(f"sendfile ann {path}", None))
        for _ in range(8):
            self.bob.links[-1].pump()
        self.bob.cut()
        (transfer,) = self.bob.screen.transfers
        self.assertEqual(transfer.stage, Stage.CUT)
        self.assertGreater(transfer.done, 0)
        self.wait()
        self.assertEqual(transfer.stage, Stage.LEFT)
        self.begin(self.ann.keyboard.typed("getfile bob", None))
        for _ in range(8):
            self.ann.links[-1].pump()
        self.ann.cut()
        self.wait()
        self.assertEqual(self.landed(self.ann), {path.name: path.read_bytes()})

    def test_a_file_is_taken_back_on_its_way_to_the_server(self) -> None:
        self.begin(self.bob.keyboard.typed(f"sendfile ann {self.file(20 * 32 * 1024)}", None))
        for _ in range(8):
            self.bob.links[-1].pump()
        (transfer,) = self.bob.screen.transfers
        self.assertEqual(transfer.stage, Stage.MOVING)
        self.bob.types("refusefile ann")
        self.assertEqual(transfer.stage, Stage.OVER)
        self.assertEqual((self.kept(), self.ann.screen.transfers), (0, []))

    def test_more_than_the_server_keeps(self) -> None:
        self.server.chat.apply(replace(self.server.settings, file_quota=1))
        refused = self.bob.types(f"sendfile ann {self.file(2 << 20)}")
        assert isinstance(refused, Refused)
        self.assertEqual(refused.text, "This server keeps at most 1 MiB of one person.")

    def test_by_way_of_the_server_when_nobody_answers(self) -> None:
        self.consents()
        self.run_link(self.ann.engine.leave())
        self.bob.types(f"sendfile ann {self.file()}")
        self.pass_time(60)
        self.assertEqual([each.stage for each in self.bob.screen.transfers], [Stage.LEFT])

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
