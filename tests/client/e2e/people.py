"""People whose clients have keys, each on a machine of their own, and a server between them."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path
from tempfile import TemporaryDirectory

from chat.client.e2e.encryption import Encryption
from chat.client.model.message_status import Opened
from chat.protocol.events import Said
from tests.client.engines import Desk, EngineCase

WORDS = "the launch code is on the fridge"


def in_base64(words: str) -> list[bytes]:
    """How words look in base 64, wherever they begin."""
    return [b64encode(b"." * shift + words.encode())[4:-4] for shift in range(3)]


class SealedCase(EngineCase):
    def setUp(self) -> None:
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.desks: list[Desk] = []
        self.addCleanup(self._leave)

    def _leave(self) -> None:
        for desk in self.desks:
            desk.engine.close()

    def enters(self, name: str, room: str = "", machine: str = "", device: str = "desk") -> Desk:
        """Somebody whose client has keys.

        :param machine: where the keys lie; one of that person's own without it.
        """
        desk = self.logged_in(name, room, device=device, keys=self.folder / (machine or name))
        self.desks.append(desk)
        return desk

    def sealing(self, desk: Desk) -> Encryption:
        assert isinstance(desk.engine.seals, Encryption)
        return desk.engine.seals

    def sealed(self, desk: Desk) -> list[str]:
        """What somebody was shown that was sealed and is genuine."""
        rows = desk.screen.rows
        return [row.body.text for row in rows if isinstance(row, Said) and isinstance(row.body, Opened)]

    def recorded(self) -> bytes:
        """Every byte that went over any wire."""
        self.settle()
        return b"".join(link.sent + link.got for link in self.links)
