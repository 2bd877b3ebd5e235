"""What has come of files that are not whole: it waits for some days, and nothing else is ever removed."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from twisted.trial.unittest import SynchronousTestCase

from chat.client.p2p.file_receiver import FileReceiver
from chat.client.p2p.offer import Offer
from chat.client.p2p.partial_files import STAYS, part_name, remove_old_parts, remove_part

DIGEST = sha256(b"notes").digest()


class Parts(SynchronousTestCase):
    def setUp(self) -> None:
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name) / "downloads"
        self.folder.mkdir()
        self.part = self.folder / part_name(DIGEST)

    def lies(self, path: Path, days: float = 30) -> Path:
        """A file is there, which has not changed for so long."""
        path.write_bytes(b"not")
        when = time.time() - days * 86_400
        os.utime(path, (when, when))
        return path

    def receiver(self) -> FileReceiver:
        receiver = FileReceiver(self.folder, Offer(bytes(16), "notes", 100_000, DIGEST, bytes(32)))
        self.addCleanup(receiver.close)
        return receiver

    def test_one_that_has_not_grown_for_a_week_is_removed(self) -> None:
        self.lies(self.part, STAYS / 86_400 + 0.1)
        remove_old_parts(self.folder)
        self.assertFalse(self.part.exists())

    def test_one_that_has_grown_since_stays(self) -> None:
        self.lies(self.part, STAYS / 86_400 - 0.1)
        remove_old_parts(self.folder)
        self.assertTrue(self.part.exists())

    def test_what_is_on_its_way_stays(self) -> None:
        receiver = self.receiver()
        self.lies(self.part)
        for each in (lambda: remove_old_parts(self.folder), lambda: remove_part(self.folder, DIGEST)):
            each()
            self.assertTrue(self.part.exists())
        receiver.close()
        remove_old_parts(self.folder)
        self.assertFalse(self.part.exists())

    def test_nothing_else_is_removed(self) -> None:
        precious = self.lies(self.folder.parent / "precious")
        os.link(precious, self.part)
        others = [
            self.lies(self.folder / name)
            for name in ("notes", ".notes.part", f".{DIGEST.hex()[:32]}.part", f".chat-{DIGEST.hex()}.part")
        ]
        others += [self.part, self.folder / part_name(bytes(32)), self.folder / part_name(b"\1" * 32)]
        others[-2].symlink_to(precious)
        others[-1].mkdir()
        remove_old_parts(self.folder)
        for each in (DIGEST, bytes(32), b"\1" * 32):
            remove_part(self.folder, each)
        self.assertEqual([each for each in others if not os.path.lexists(each)], [])
        self.assertEqual(precious.read_bytes(), b"not")

    def test_one_that_is_refused_is_removed_whatever_its_age(self) -> None:
        self.lies(self.part, 0)
        other = self.lies(self.folder / part_name(bytes(32)), 0)
        remove_part(self.folder, DIGEST)
        self.assertEqual(list(self.folder.iterdir()), [other])

    def test_where_there_is_nothing_nothing_is_done(self) -> None:
        remove_part(self.folder, DIGEST)
        self.assertEqual(list(self.folder.iterdir()), [])
        remove_part(self.folder / "nowhere", DIGEST)
        remove_old_parts(self.folder / "nowhere")
