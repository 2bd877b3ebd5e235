"""Files by way of the server: within a quota, for who does not block the sender, and not for ever."""

from __future__ import annotations

from dataclasses import replace

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Done, FileKept, FilePiece, Refused
from chat.protocol.values import PIECE_BYTES
from chat.server.core.file_relay import EVERY
from tests.server.core.stage import PATIENT, Stage

MIB = 1024 * 1024


class Case(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage(replace(PATIENT, file_quota=1, file_days=2))
        self.ann, self.bob, self.eve = (self.stage.arrives(name) for name in ("ann", "bob", "eve"))

    def kept(self, *pieces: bytes) -> int:
        """A file of ann's for bob."""
        file = self.ann.gets(FileKept, "files.begin", user="bob", pieces=len(pieces)).file
        for number, piece in enumerate(pieces):
            put = self.ann.gets(FileKept, "files.put", file=file, number=number, piece=piece)
            self.assertEqual(put, FileKept(file, number + 1))
        return file


class Keeping(Case):
    def test_the_reader_gets_what_was_put(self) -> None:
        file = self.kept(b"one", b"two")
        self.assertEqual(self.bob.gets(FilePiece, "files.get", file=file, number=1), FilePiece(file, 1, b"two"))
        for person in (self.ann, self.eve):
            self.assertEqual(person.code("files.get", file=file, number=1), "no-such-file")
        self.assertEqual(self.bob.code("files.get", file=file, number=2), "no-such-file")

    def test_who_has_it_ends_it(self) -> None:
        file = self.kept(b"one")
        self.bob.gets(Done, "files.end", file=file)
        self.assertEqual(self.bob.code("files.get", file=file, number=0), "no-such-file")

    def test_nothing_of_it_is_told_to_anybody(self) -> None:
        self.kept(b"one")
        self.assertEqual(self.eve.heard, [])

    def test_who_is_blocked_leaves_nothing(self) -> None:
        self.bob.does("block", user="ann")
        self.assertEqual(self.ann.code("files.begin", user="bob", pieces=1), "blocked")

    def test_who_is_blocked_meanwhile_adds_nothing_and_learns_nothing(self) -> None:
        """Whether the reader is here and ends the file makes no difference any more."""
        file = self.ann.gets(FileKept, "files.begin", user="bob", pieces=2).file
        self.ann.gets(FileKept, "files.put", file=file, number=0, piece=b"one")
        self.bob.does("block", user="ann")
        before = self.ann.gets(Refused, "files.put", file=file, number=1, piece=b"two")
        self.bob.gets(FilePiece, "files.get", file=file, number=0)
        self.bob.gets(Done, "files.end", file=file)
        self.assertEqual(self.ann.does("files.put", file=file, number=1, piece=b"two"), before)
        self.assertEqual(before.code, "no-such-file")

    def test_a_quota(self) -> None:
        pieces = MIB // PIECE_BYTES
        refused = self.ann.gets(Refused, "files.begin", user="bob", pieces=pieces + 1)
        self.assertEqual((refused.code, refused.text), ("quota-used", "The file quota is 1 MiB per person."))
        self.ann.gets(FileKept, "files.begin", user="bob", pieces=pieces)
        self.assertEqual(self.ann.code("files.begin", user="bob", pieces=1), "quota-used")

    def test_a_total_of_all_people(self) -> None:
        self.stage.chat.apply(replace(self.stage.chat.settings, file_total=1))
        self.eve.gets(FileKept, "files.begin", user="bob", pieces=MIB // PIECE_BYTES)
        refused = self.ann.gets(Refused, "files.begin", user="bob", pieces=1)
        self.assertEqual(refused.code, "quota-used")
        self.assertIn("space for files is full", refused.text)

    def test_not_where_the_disk_is_nearly_full(self) -> None:
        file = self.kept(b"one")
        self.stage.chat.node.full = True
        self.assertEqual(self.ann.code("files.begin", user="bob", pieces=1), "disk-full")
        self.assertEqual(self.ann.code("files.put", file=file, number=1, piece=b"two"), "disk-full")
        self.bob.gets(FilePiece, "files.get", file=file, number=0)

    def test_some_days(self) -> None:
        file = self.kept(b"one")
        self.stage.pass_time(2 * 86_400 - 1)
        self.bob.gets(FilePiece, "files.get", file=file, number=0)
        self.stage.pass_time(EVERY + 1)
        self.assertEqual(self.bob.code("files.get", file=file, number=0), "no-such-file")


class KeepingNone(SynchronousTestCase):
    def test_a_server_that_keeps_none_says_what_to_do(self) -> None:
        stage = Stage(replace(PATIENT, file_quota=0))
        ann, _ = stage.arrives("ann"), stage.arrives("bob")
        self.assertIn("getaddress NAME", ann.gets(Refused, "files.begin", user="bob", pieces=1).text)
