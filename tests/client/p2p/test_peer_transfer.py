"""Files from client to client, whatever becomes of the link."""

from __future__ import annotations

import os
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from twisted.internet.defer import Deferred, fail

from chat.client.model.failures import BadFile, ClientFailure
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.chunk_cipher import PIECE
from chat.client.p2p.file_receiver import FileReceiver
from chat.client.p2p.frames import FrameKind
from chat.client.p2p.partial_files import part_name
from chat.client.p2p.peer_transfer import MOST_OFFERED, STALLED, PeerTransfers
from chat.client.p2p.peers import NoAddress
from chat.client.p2p.reconnect import PAUSES
from chat.client.p2p.transfer import Transfer
from chat.protocol.events import Address
from tests.client.e2e.crypto_people import meet
from tests.client.link import at_once
from tests.client.p2p.clients import ELSEWHERE, Client, ClientCase

CONTENT = os.urandom(40 * PIECE + 5)
SIZE = 50 * 1024 * 1024


class Case(ClientCase):
    def file(self, content: bytes = CONTENT, name: str = "notes.txt") -> Path:
        path = self.home / name
        path.write_bytes(content)
        return path

    def offers(self, path: Path | None = None) -> Transfer:
        """Bob offers a file to ann."""
        self.run_now(self.bob.carrier.send("ann", path or self.file()))
        return self.ann.carrier.open_offers("bob")[-1]


class Sending(Case):
    def test_name_and_size_are_shown_before_anything_is_taken(self) -> None:
        transfer = self.offers()
        self.assertEqual(
            transfer.line(),
            "bob offers you a file: notes.txt (1.3 MiB). To accept: getfile bob. To decline: refusefile bob",
        )
        self.assertEqual(self.ann.files(), {})
        self.assertLess(len(self.net.wires[0].recorded), 10_000)

    def test_it_lands_whole_and_both_ends_know(self) -> None:
        transfer = self.offers()
        self.run_now(self.ann.carrier.take(transfer))
        self.assertEqual(self.ann.files(), {"notes.txt": CONTENT})
        for each in (self.ann, self.bob):
            self.assertEqual(each.stages, [Stage.OFFERED, Stage.MOVING, Stage.DONE])
            self.assertEqual(each.told[-1], ("notes.txt", Stage.DONE, 100))
            self.assertEqual(each.carrier.transfers, [])

    def test_progress_is_told(self) -> None:
        self.run_now(self.ann.carrier.take(self.offers()))
        for each in (self.ann, self.bob):
            percents = [percent for _, _, percent in each.told]
            self.assertEqual(percents, sorted(percents))
            self.assertGreater(len(set(percents)), 4)

    def test_an_empty_file(self) -> None:
        self.run_now(self.ann.carrier.take(self.offers(self.file(b""))))
        self.assertEqual(self.ann.files(), {"notes.txt": b""})
        self.assertEqual(self.bob.stages[-1], Stage.DONE)

    def test_nothing_of_it_can_be_read_on_the_way(self) -> None:
        content = b"the launch code is on the fridge" * 10_000
        self.run_now(self.ann.carrier.take(self.offers(self.file(content, "secret plans.txt"))))
        (wire,) = self.net.wires
        self.assertGreater(len(wire.recorded), len(content))
        for words in (b"launch code", b"secret plans"):
            self.assertNotIn(words, wire.recorded)

    def test_who_is_not_reached_is_offered_nothing(self) -> None:
        self.fails(self.ann.carrier.send("bob", self.file()), NoAddress)
        self.fails(self.bob.carrier.send("ann", self.home / "nothing"), BadFile)
        self.assertEqual(self.bob.carrier.transfers, [])

    def test_back_the_other_way_over_the_same_line(self) -> None:
        self.line()
        self.run_now(self.ann.carrier.send("bob", self.file()))
        self.run_now(self.bob.carrier.take(self.bob.carrier.open_offers("ann")[0]))
        self.assertEqual(self.bob.files(), {"notes.txt": CONTENT})


class SayingNo(Case):
    def test_the_sender_is_told(self) -> None:
        self.ann.carrier.refuse(self.offers())
        self.net.settle()
        self.assertEqual([self.ann.stages[-1], self.bob.stages[-1]], [Stage.OVER, Stage.OVER])
        self.assertEqual(self.bob.carrier.transfers, [])

    def test_no_more_are_offered_than_can_be_looked_at(self) -> None:
        path = self.file()
        for _ in range(MOST_OFFERED):
            self.offers(path)
        self.fails(self.bob.carrier.send("ann", path), ClientFailure)
        self.assertEqual(len(self.ann.carrier.open_offers("bob")), MOST_OFFERED)

    def test_who_is_shut_out_gets_no_more(self) -> None:
        self.run_now(self.bob.carrier.send("ann", self.file()))
        self.ann.carrier.shut_out("Bob")
        self.assertEqual(self.ann.carrier.transfers, [])

    def test_pieces_that_nobody_wants_are_left_out(self) -> None:
        transfer = self.offers()
        (line,) = self.bob.peers.channels_to("ann")
        line.link.send(FrameKind.PIECE, transfer.offer.id + bytes(4) + bytes(100))
        self.net.settle()
        self.assertEqual(transfer.stage, Stage.OFFERED)

    def test_a_piece_that_was_changed_ends_it(self) -> None:
        transfer = self.offers()
        (line,) = self.bob.peers.channels_to("ann")
        line.link.send(FrameKind.PIECE, transfer.offer.id + bytes(4) + bytes(100))
        self.run_now(self.ann.carrier.take(transfer))
        self.assertEqual([self.ann.stages[-1], self.bob.stages[-1]], [Stage.OVER, Stage.OVER])
        self.assertIn("altered on its way", transfer.why)
        self.assertEqual(self.ann.files(), {})

    def test_what_has_come_stays_where_there_is_no_room_for_more(self) -> None:
        transfer = self.offers()

        def add(receiver: FileReceiver, number: int, sealed: bytes) -> None:
            raise BadFile("There is no room.")

        self.patch(FileReceiver, "add", add)
        self.run_now(self.ann.carrier.take(transfer))
        self.assertEqual((transfer.stage, transfer.why), (Stage.OVER, "There is no room."))
        self.assertEqual(list(self.ann.files()), [part_name(transfer.offer.digest)])

    def test_a_file_that_changes_meanwhile_is_not_kept(self) -> None:
        path = self.file()
        transfer = self.offers(path)
        path.write_bytes(os.urandom(len(CONTENT)))
        self.run_now(self.ann.carrier.take(transfer))
        self.assertEqual(self.ann.files(), {})
        self.assertEqual([self.ann.stages[-1], self.bob.stages[-1]], [Stage.OVER, Stage.OVER])
        self.assertIn("not the file that was offered", transfer.why)

    def test_a_file_that_shrinks_meanwhile_ends_it(self) -> None:
        path = self.file()
        transfer = self.offers(path)
        path.write_bytes(b"")
        self.run_now(self.ann.carrier.take(transfer))
        self.assertEqual([self.ann.stages[-1], self.bob.stages[-1]], [Stage.OVER, Stage.OVER])


class Threads(Case):
    """What is read whole is read aside, and much may happen meanwhile."""

    def test_a_file_that_is_taken_back_while_the_beginning_of_it_is_read(self) -> None:
        transfer = self.offers()
        aside: Deferred[None] = Deferred()
        self.ann.carrier._in_thread = lambda call: aside
        taking = self.begin(self.ann.carrier.take(transfer))
        (sent,) = self.bob.carrier.transfers
        self.bob.carrier.refuse(sent)
        self.net.settle()
        aside.callback(None)
        self.successResultOf(taking)
        self.assertEqual((transfer.stage, self.ann.carrier.transfers), (Stage.OVER, []))

    def test_a_beginning_that_cannot_be_read_leaves_the_offer_as_it_was(self) -> None:
        transfer = self.offers()
        self.ann.carrier._in_thread = lambda call: fail(BadFile("It cannot be read."))
        self.fails(self.ann.carrier.take(transfer), BadFile)
        self.assertEqual(self.ann.carrier.open_offers("bob"), [transfer])
        self.ann.carrier._in_thread = at_once
        self.run_now(self.ann.carrier.take(transfer))
        self.assertEqual(self.ann.files(), {"notes.txt": CONTENT})


class Cuts(Case):
    def test_a_cut_at_every_tenth_of_50_mib(self) -> None:
        content = os.urandom(1 << 20) * 50
        path = self.file(content)
        transfer = self.offers(path)
        taking = self.begin_to_take(transfer)
        carried = 0
        for tenth in range(1, 10):
            wire = self.net.wires[-1]
            self.until(lambda tenth=tenth: self.progress(transfer) >= tenth)  # type: ignore[misc]
            self.assertEqual(self.progress(transfer), tenth)
            wire.cut()
            carried += len(wire.recorded)
            self.assertEqual(transfer.stage, Stage.CUT)
            before = len(self.net.wires)
            self.until(lambda before=before: len(self.net.wires) > before, 0.1)  # type: ignore[misc]
        self.net.settle()
        self.successResultOf(taking)
        landed = self.ann.files()
        self.assertEqual(list(landed), ["notes.txt"])
        self.assertEqual(sha256(landed["notes.txt"]).digest(), sha256(content).digest())
        self.assertEqual([self.ann.stages[-1], self.bob.stages[-1]], [Stage.DONE, Stage.DONE])
        # What was on its way is sent again, and not what had come.
        self.assertLess(carried + len(self.net.wires[-1].recorded), SIZE * 5 // 4)

    def begin_to_take(self, transfer: Transfer) -> Deferred[None]:
        """Nothing moves yet."""
        return Deferred.fromCoroutine(self.ann.carrier.take(transfer))

    def until(self, done: Callable[[], bool], step: float = 0.0) -> None:
        """Let as little come as it takes."""
        for _ in range(10_000):
            if done():
                return
            self.net.clock.advance(step)
            self.net.wires[-1].pump()
        self.fail("it never came")

    def progress(self, transfer: Transfer) -> int:
        assert transfer.receiver is not None
        return 10 * transfer.receiver.have // SIZE

    def test_both_look_for_each_other_at_the_same_moment(self) -> None:
        self.ann.peers.learn(Address("bob", ELSEWHERE, self.bob.peers.listen("ann", 51_792)))
        transfer = self.offers()
        taking = self.begin_to_take(transfer)
        for _ in range(3):
            before = transfer.done
            self.until(lambda before=before: transfer.done > before)  # type: ignore[misc]
            self.net.wires[-1].cut()
            self.net.clock.advance(PAUSES[0])
            self.until(lambda: transfer.stage is not Stage.CUT)
        self.net.settle()
        self.successResultOf(taking)
        self.assertEqual(self.ann.files(), {"notes.txt": CONTENT})

    def test_who_cannot_call_waits_to_be_called(self) -> None:
        """Only bob has an address; he looks for ann again, though she is the one who wants something."""
        transfer = self.offers()
        self.net.wires[0].silent = True
        self.run_now(self.ann.carrier.take(transfer))
        self.net.wires[0].cut()
        self.net.pass_time(PAUSES[0] + 0.2)
        self.assertEqual(self.ann.files(), {"notes.txt": CONTENT})

    def test_after_some_minutes_it_is_given_up_and_what_has_come_stays(self) -> None:
        transfer = self.offers()
        self.net.wires[0].silent = True
        self.run_now(self.ann.carrier.take(transfer))
        self.bob.peers.close()
        self.net.wires[0].cut()
        self.assertEqual([self.ann.stages[-1], self.bob.carrier.transfers], [Stage.CUT, self.bob.carrier.transfers])
        self.net.clock.advance(0)
        for _ in range(int(sum(PAUSES)) + 20):
            self.net.clock.advance(1)
        self.assertEqual(transfer.stage, Stage.OVER)
        self.assertIn("continue where it stopped", transfer.why)
        self.assertEqual(len(self.ann.files()), 1)
        self.assertEqual(self.net.clock.getDelayedCalls(), [])

    def test_offered_again_it_goes_on_where_it_was(self) -> None:
        """Also when the program was ended in between."""
        path = self.file()
        transfer = self.offers(path)
        taking = self.begin_to_take(transfer)
        wire = self.net.wires[0]
        self.until(lambda: transfer.done > 0)
        self.ann.carrier.close()
        self.bob.carrier.close()
        wire.cut()
        self.successResultOf(taking)
        for each in (self.ann, self.bob):
            each.carrier = PeerTransfers(each.peers, each.folder, at_once, each.host, each._changed)
            self.addCleanup(each.carrier.close)
        transfer = self.offers(path)
        before = len(self.net.wires[-1].recorded)
        self.run_now(self.ann.carrier.take(transfer))
        self.assertEqual(self.ann.files(), {"notes.txt": CONTENT})
        self.assertLess(len(self.net.wires[-1].recorded) - before, 25 * PIECE)

    def test_a_confirmation_that_was_lost_is_said_again(self) -> None:
        transfer = self.offers()
        wire = self.net.wires[0]
        taking = self.begin_to_take(transfer)
        self.until(lambda: transfer.stage is Stage.DONE)
        wire.cut()
        self.successResultOf(taking)
        self.assertEqual(self.bob.stages[-1], Stage.CUT)
        self.net.pass_time(PAUSES[0] + 0.2)
        self.assertEqual(self.bob.stages[-1], Stage.DONE)

    def test_a_file_that_was_taken_back_meanwhile_ends_at_the_other_end_too(self) -> None:
        transfer = self.offers()
        self.net.wires[0].silent = True
        self.run_now(self.ann.carrier.take(transfer))
        (sent,) = self.bob.carrier.transfers
        self.bob.carrier.refuse(sent)
        self.net.wires[0].cut()
        self.line()
        self.assertEqual(transfer.stage, Stage.OVER)

    def test_a_peer_that_stalls_is_hung_up_on(self) -> None:
        transfer = self.offers()
        self.net.wires[0].silent = True
        self.run_now(self.ann.carrier.take(transfer))
        self.net.pass_time(STALLED * 5 / 4)
        self.assertEqual(transfer.stage, Stage.CUT)
        self.assertEqual(self.ann.peers.channels_to("bob"), [])


class Confirming(Case):
    def test_who_confirms_what_was_not_sent_gets_no_more(self) -> None:
        transfer = self.offers()
        (line,) = self.ann.peers.channels_to("bob")
        line.link.send(FrameKind.WANT, transfer.offer.id + bytes(4))
        self.net.settle()
        line.link.send(FrameKind.HAVE, transfer.offer.id + (39).to_bytes(4))
        self.net.settle()
        self.assertEqual(self.bob.stages[-1], Stage.OVER)

    def test_files_of_one_person_are_none_of_another(self) -> None:
        carol = Client(self, "carol", "203.0.113.3", self.home / "carol")
        meet(self.ann.person, self.bob.person, carol.person)
        transfer = self.offers()
        carol.peers._places = dict(self.bob.peers._places)
        self.ann.peers.listen("carol")
        line = self.run_now(carol.peers.channel_to("ann"))
        line.link.send(FrameKind.STOP, transfer.offer.id + bytes(4))
        self.net.settle()
        self.assertEqual(transfer.stage, Stage.OFFERED)
