"""Two whole clients with keys of their own, a server, and a recorder on every wire."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from pathlib import Path
from typing import Any

from twisted.internet.defer import CancelledError, Deferred, fail

from chat.client.e2e.encryption import Encryption
from chat.client.model.failures import ClientFailure, RequestRefused
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.commands import PeerCommands, PeerSettings
from chat.client.p2p.key_adapter import KeyAdapter
from chat.client.p2p.offer import ANSWER, Answer
from chat.client.p2p.partial_files import part_name
from chat.client.p2p.relay_transfer import MOST_OFFERED
from chat.client.p2p.transfer import Transfer
from chat.protocol.events import Address, Refused
from tests.client import engines
from tests.client.e2e.people import SealedCase
from tests.client.link import at_once
from tests.client.p2p.net import Host, Net

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
        desk.engine.direct = PeerCommands(
            Host(self.net, desk.address),
            desk.state,
            desk.screen,
            lambda: KeyAdapter.of(seals) if isinstance(seals, Encryption) else None,
            desk.engine.ask,
            PeerSettings(0, self.folder / desk.address),
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

    def again(self, desk: engines.Desk, name: str) -> engines.Desk:
        """The program is ended, and started once more on the same machine."""
        self.run_link(desk.engine.leave())
        self.addresses = iter((desk.address,))
        return self.enters(name)

    def leaves(self) -> Transfer:
        """Bob leaves a file for ann."""
        self.bob.types(f"sendfile ann {self.file()}")
        self.quiet_link()
        (transfer,) = self.bob.screen.transfers
        self.assertEqual(transfer.stage, Stage.LEFT)
        return transfer

    def test_who_has_left_a_file_is_told_when_it_was_taken(self) -> None:
        transfer = self.leaves()
        self.ann.types("getfile bob")
        self.quiet_link()
        self.assertEqual(transfer.stage, Stage.DONE)
        self.assertEqual(transfer.line(), "Ann has received secret plans.txt (195.3 KiB).")
        self.assertEqual(self.again(self.bob, "bob").screen.transfers, [])

    def test_who_has_left_a_file_is_told_that_it_is_not_wanted(self) -> None:
        transfer = self.leaves()
        self.ann.types("refusefile bob")
        self.assertEqual((transfer.stage, transfer.why), (Stage.OVER, "Ann declined it."))

    def test_who_has_left_a_file_and_is_away_is_told_at_the_next_login(self) -> None:
        self.leaves()
        self.run_link(self.bob.engine.leave())
        self.ann.types("getfile bob")
        self.quiet_link()
        bob = self.again(self.bob, "bob")
        (transfer,) = bob.screen.transfers
        self.assertEqual((transfer.stage, transfer.offer.name), (Stage.DONE, "secret plans.txt"))
        self.assertEqual(self.again(bob, "bob").screen.transfers, [])

    def test_an_answer_that_was_lost_is_given_when_there_is_a_connection_again(self) -> None:
        for ends in (False, True):
            transfer = self.leaves()
            self.ann.reachable = False
            self.begin(self.ann.keyboard.typed("getfile bob", None))
            while self.ann.screen.transfers[-1].stage is not Stage.DONE:
                self.server.clock.clock.advance(0)
                self.ann.links[-1].pump()
            self.assertFalse(self.settles(self.ann))
            self.ann.cut()
            self.pass_time(1)
            self.assertTrue(self.settles(self.ann))
            self.assertEqual(transfer.stage, Stage.LEFT)
            self.ann.reachable = True
            if ends:
                self.ann = self.again(self.ann, "Ann")
            else:
                self.wait()
            self.quiet_link()
            self.assertEqual(transfer.stage, Stage.DONE)
            self.bob.screen.transfers.clear()
        self.assertEqual(self.kept(), 0)

    def settles(self, desk: engines.Desk) -> bool:
        """Whether nothing is on its way that the end of the program would cut off."""
        settled = self.begin(desk.engine.direct.settled())
        if not settled.called:
            settled.addErrback(lambda failure: failure.trap(CancelledError)).cancel()
            return False
        return True

    def test_nobody_else_answers_for_a_file(self) -> None:
        transfer = self.leaves()
        carol = self.enters("carol")
        answer = Answer(transfer.offer.id, transfer.offer.kept, True).content()
        self.run_link(self.relay(carol)._letters.look("bob"))
        self.run_link(self.relay(carol)._letters.leave("bob", answer))
        self.assertEqual(transfer.stage, Stage.LEFT)
        relay = self.relay(self.bob)
        relay.answered("Ann", "desk", answer | {"taken": "yes"})
        relay.answered("Ann", "desk", answer | {"id": "?"})
        self.assertEqual(transfer.stage, Stage.LEFT)
        relay.answered("ann", "desk", answer)
        self.assertEqual(transfer.stage, Stage.DONE)

    def test_what_has_come_of_a_file_stays_over_a_restart_and_goes_when_it_is_refused(self) -> None:
        self.bob.types(f"sendfile ann {self.file(20 * 32 * 1024)}")
        self.quiet_link()
        self.begin(self.ann.keyboard.typed("getfile bob", None))
        while not self.ann.screen.transfers[-1].done:
            self.ann.links[-1].pump()
        ann = self.again(self.ann, "Ann")
        self.assertEqual(list(self.landed(ann)), [part_name(ann.screen.transfers[-1].offer.digest)])
        ann.types("refusefile bob")
        self.assertEqual(self.landed(ann), {})

    def test_what_has_come_of_a_file_goes_when_the_server_does_not_have_the_rest(self) -> None:
        self.bob.types(f"sendfile ann {self.file(20 * 32 * 1024)}")
        self.quiet_link()
        self.begin(self.ann.keyboard.typed("getfile bob", None))
        while not self.ann.screen.transfers[-1].done:
            self.ann.links[-1].pump()
        self.bob.types("refusefile ann")
        self.quiet_link()
        self.assertEqual((self.ann.screen.transfers[-1].stage, self.landed(self.ann)), (Stage.OVER, {}))

    def test_the_device_that_has_left_a_file_is_told_and_no_other(self) -> None:
        self.addresses = iter(("203.0.113.77",))
        phone, told = self.enters("bob", machine="pocket", device="phone"), []
        phone.types(f"/link {self.bob.types('/link').text.rpartition(' ')[2]}")
        self.sealing(phone).post.takers[ANSWER] = lambda *letter: told.append(letter)
        transfer = self.leaves()
        self.run_link(self.relay(self.ann)._letters.look("bob"))
        self.ann.types("refusefile bob")
        self.assertEqual((transfer.stage, told), (Stage.OVER, []))

    def test_an_answer_that_the_server_does_not_take_just_now_is_given_later(self) -> None:
        transfer, relay = self.leaves(), self.relay(self.ann)
        leave = relay._letters.leave
        relay._letters.leave = lambda *letter: fail(RequestRefused(Refused("too-fast", "Not so fast.")))
        self.ann.types("refusefile bob")
        relay._letters.leave = leave
        self.assertEqual(transfer.stage, Stage.LEFT)
        self.ann.cut()
        self.quiet_link()
        self.assertEqual(transfer.stage, Stage.OVER)

    def test_where_nobody_can_be_told_the_file_is_at_its_end_all_the_same(self) -> None:
        self.leaves()
        self.relay(self.ann)._letters.leave = lambda *letter: fail(ClientFailure("There is nobody."))
        self.ann.types("refusefile bob")
        self.assertEqual(self.kept(), 0)
        self.assertEqual(self.sealing(self.ann).ring.offers, [])  # type: ignore[union-attr]

    def test_what_ends_after_the_end_changes_nothing_that_is_kept(self) -> None:
        self.leaves()
        relay, checked = self.relay(self.ann), Deferred[Path]()
        relay._in_thread = lambda work: checked if work.__name__ == "finish" else at_once(work)
        self.begin(self.ann.keyboard.typed("getfile bob", None))
        self.quiet_link()
        relay.close()
        checked.callback(self.folder)
        self.settle()
        self.assertEqual(len(self.sealing(self.ann).ring.offers), 1)  # type: ignore[union-attr]

    def relay(self, desk: engines.Desk) -> Any:
        direct: Any = desk.engine.direct
        return direct._relay_transfers

    def test_a_file_that_was_left_is_taken_back(self) -> None:
        self.leaves()
        bob = self.again(self.bob, "bob")
        self.assertIsNone(bob.types("refusefile ann"))
        self.assertEqual([each.why for each in bob.screen.transfers], ["You canceled it."])
        self.assertIn("There is no file from", bob.types("refusefile ann").text)
        self.ann.types("getfile bob")
        self.assertEqual([each.stage for each in self.ann.screen.transfers], [Stage.OVER])
        self.assertEqual(self.kept(), 0)

    def test_of_many_files_that_were_left_the_oldest_are_let_go(self) -> None:
        for _ in range(MOST_OFFERED + 2):
            self.bob.types(f"sendfile ann {self.file(10)}")
            self.quiet_link()
        self.assertEqual(len(self.relay(self.bob).transfers), MOST_OFFERED)
        self.assertEqual(len(self.ann.engine.direct.offers()), MOST_OFFERED)

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
        self.assertEqual(refused.text, "The file quota is 1 MiB per person.")

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
