"""A file is cut, sealed, carried in any way, and lands whole or not at all."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.client.model.failures import BadFile, BadOffer, Damaged
from chat.client.p2p.chunk_cipher import PIECE, SEALED_BYTES, ChunkCipher
from chat.client.p2p.file_receiver import FileReceiver
from chat.client.p2p.file_sender import WINDOW, FileSender, typed_path
from chat.client.p2p.offer import MOST_NAME, MOST_SIZE, Offer, human, landing_name

CONTENT = os.urandom(3 * PIECE + 100)


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.home = Path(folder.name)
        self.there = self.home / "downloads"

    def sender(self, content: bytes = CONTENT, name: str = "notes.tar.gz") -> tuple[FileSender, Offer]:
        path = self.home / name
        path.write_bytes(content)
        sender = FileSender(path)
        self.addCleanup(sender.close)
        return sender, sender.offer()

    def receiver(self, offer: Offer) -> FileReceiver:
        receiver = FileReceiver(self.there, offer)
        self.addCleanup(receiver.close)
        receiver.resume()
        return receiver

    def carry(self, sender: FileSender, receiver: FileReceiver, upto: int = 1 << 20) -> None:
        while not receiver.whole and receiver.next < upto:
            receiver.add(receiver.next, sender.piece(receiver.next))

    def names(self) -> list[str]:
        return sorted(each.name for each in self.there.iterdir())


class Paths(Case):
    def test_are_read_as_they_are_typed_or_pasted(self) -> None:
        path = self.home / "my notes.txt"
        path.write_text("notes")
        spelled = (str(path), f"'{path}'", f'"{path}"', str(path).replace(" ", "\\ "))
        self.assertEqual([typed_path(words) for words in spelled], [path] * 4)
        odd = self.home / "'quoted'"
        odd.write_text("a name with quotes in it")
        self.assertEqual(typed_path(str(odd)), odd)
        self.assertEqual(typed_path("~/x"), Path.home() / "x")
        self.assertEqual(typed_path("it's not there"), Path("it's not there"))


class Landings(Case):
    def test_a_file_lands_under_its_name(self) -> None:
        for size in (0, 1, PIECE, PIECE + 1, 3 * PIECE):
            sender, offer = self.sender(CONTENT[:size], f"{size}.txt")
            receiver = self.receiver(offer)
            self.carry(sender, receiver)
            path = receiver.finish()
            self.assertEqual((path, path.read_bytes()), (self.there / f"{size}.txt", CONTENT[:size]))
        self.assertEqual(len(self.names()), 5)

    def test_never_over_a_file_that_is_there(self) -> None:
        self.there.mkdir()
        (self.there / "notes.tar.gz").write_text("mine")
        (self.there / "notes.tar (2).gz").symlink_to(self.home / "elsewhere")
        sender, offer = self.sender()
        receiver = self.receiver(offer)
        self.carry(sender, receiver)
        self.assertEqual(receiver.finish(), self.there / "notes.tar (3).gz")
        self.assertEqual((self.there / "notes.tar.gz").read_text(), "mine")
        self.assertFalse((self.home / "elsewhere").exists())

    def test_never_outside_of_the_folder(self) -> None:
        for name in ("../evil", "/etc/passwd", "a/b/../../evil", "..\\evil", ".bashrc", "..", "", "\0", "a\nb"):
            sender, offer = self.sender()
            read = Offer.from_content(offer.content() | {"name": name})
            self.assertNotIn("/", read.name)
            self.assertFalse(read.name.startswith("."), name)
            receiver = self.receiver(read)
            self.carry(sender, receiver)
            self.assertEqual(receiver.finish().parent, self.there)
        self.assertEqual(sorted(each.name for each in self.home.iterdir()), ["downloads", "notes.tar.gz"])

    def test_what_has_come_stays_when_the_program_ends(self) -> None:
        sender, offer = self.sender()
        receiver = self.receiver(offer)
        self.carry(sender, receiver, 2)
        receiver.close()
        again = Offer(os.urandom(16), "other name", offer.size, offer.digest, os.urandom(32))
        self.assertEqual(self.receiver(again).next, 2)

    def test_half_a_piece_counts_for_nothing(self) -> None:
        _, offer = self.sender()
        self.receiver(offer).close()
        (part,) = self.there.iterdir()
        part.write_bytes(CONTENT[: PIECE + 7])
        self.assertEqual(self.receiver(offer).next, 1)

    def test_a_file_that_is_not_what_was_offered_is_not_kept(self) -> None:
        sender, offer = self.sender()
        receiver = self.receiver(replace(offer, digest=bytes(32)))
        self.carry(sender, receiver)
        self.assertRaises(Damaged, receiver.finish)
        self.assertEqual(self.names(), [])

    def test_what_another_wrote_into_the_half_is_noticed(self) -> None:
        sender, offer = self.sender()
        receiver = self.receiver(offer)
        self.carry(sender, receiver, 2)
        receiver.close()
        (part,) = self.there.iterdir()
        part.write_bytes(bytes(2 * PIECE))
        receiver = self.receiver(offer)
        self.carry(sender, receiver)
        self.assertRaises(Damaged, receiver.finish)

    def test_a_piece_fits_in_its_own_place_alone(self) -> None:
        sender, offer = self.sender()
        other = ChunkCipher(os.urandom(16), offer.key)
        receiver = self.receiver(offer)
        sealed = sender.piece(0)
        wrong = (sender.piece(1), sealed[:-1] + bytes([sealed[-1] ^ 1]), other.seal(0, CONTENT[:PIECE]), b"", bytes(40))
        for each in wrong:
            self.assertRaises(Damaged, receiver.add, 0, each)
        self.assertRaises(Damaged, receiver.add, 0, ChunkCipher(offer.id, offer.key).seal(0, b"short"))
        receiver.add(1, sender.piece(1))
        self.assertEqual(receiver.next, 0)

    def test_one_landing_at_a_time(self) -> None:
        _, offer = self.sender()
        self.receiver(offer)
        with self.assertRaisesRegex(BadFile, "already being transferred"):
            FileReceiver(self.there, offer)

    def test_what_lies_in_the_way_is_not_written_to(self) -> None:
        _, offer = self.sender()
        self.receiver(offer).close()
        (part,) = self.there.iterdir()
        part.unlink()
        part.symlink_to(self.home / "elsewhere")
        self.assertRaises(BadFile, FileReceiver, self.there, offer)
        part.unlink()
        os.link(self.home / "notes.tar.gz", part)
        self.assertRaises(BadFile, FileReceiver, self.there, offer)
        self.assertEqual((self.home / "notes.tar.gz").read_bytes(), CONTENT)

    def test_no_room(self) -> None:
        _, offer = self.sender()
        with self.assertRaisesRegex(BadFile, "Not enough space"):
            FileReceiver(self.there, offer, lambda folder: offer.size - 1)

    def test_a_folder_that_cannot_be_written(self) -> None:
        _, offer = self.sender()
        self.there.write_text("a file")
        with self.assertRaisesRegex(BadFile, "Cannot write to"):
            FileReceiver(self.there, offer)


class Sources(Case):
    def test_only_ordinary_files(self) -> None:
        os.mkfifo(self.home / "pipe")
        for path in (self.home, self.home / "pipe", self.home / "nothing", Path("/dev/null")):
            self.assertRaises(BadFile, FileSender, path)

    def test_a_file_that_shrinks_is_noticed(self) -> None:
        sender, _ = self.sender()
        (self.home / "notes.tar.gz").write_bytes(b"")
        self.assertRaises(BadFile, sender.piece, 0)

    def test_the_same_piece_twice_is_sealed_differently(self) -> None:
        sender, _ = self.sender()
        one, other = sender.piece(0), sender.piece(0)
        self.assertNotEqual(one[:12], other[:12])
        self.assertEqual(len(one), SEALED_BYTES)

    def test_no_more_than_a_window_is_on_its_way(self) -> None:
        sender, _ = self.sender(bytes((WINDOW + 3) * PIECE))
        self.assertEqual([number for number, _ in sender.due(0)], list(range(WINDOW)))
        self.assertEqual([number for number, _ in sender.due(2)], [WINDOW, WINDOW + 1])
        self.assertRaises(BadOffer, list, sender.due(WINDOW + 3))
        sender.go_to(1)
        self.assertEqual([number for number, _ in sender.due(1)], list(range(1, WINDOW + 1)))


class Offers(Case):
    def test_an_offer_survives_its_letter(self) -> None:
        _, offer = self.sender()
        self.assertEqual(Offer.from_content(offer.content()), offer)

    def test_what_is_no_offer_is_refused(self) -> None:
        content = self.sender()[1].content()
        for wrong in (
            {"name": 7},
            {"size": -1},
            {"size": True},
            {"size": MOST_SIZE + 1},
            {"id": "AA=="},
            {"key": "no base 64!"},
            {"digest": None},
            {"kept": -1},
        ):
            self.assertRaises(BadOffer, Offer.from_content, content | wrong)

    @given(st.text(max_size=400))
    def test_any_name_is_made_one_that_a_folder_takes(self, name: str) -> None:
        made = landing_name(name)
        self.assertTrue(0 < len(made.encode()) <= MOST_NAME and "/" not in made and made[0] != "." and "\0" not in made)

    def test_an_ending_stays(self) -> None:
        self.assertTrue(landing_name("x" * 500 + ".pdf").endswith("x.pdf"))
        self.assertEqual(landing_name("C:\\temp\\report.pdf"), "report.pdf")

    def test_sizes_as_people_say_them(self) -> None:
        self.assertEqual(
            [human(each) for each in (1, 2048, 3 << 20, 5 << 30)], ["1 bytes", "2.0 KiB", "3.0 MiB", "5.0 GiB"]
        )
