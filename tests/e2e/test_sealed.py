"""Two clients that seal what they say, a real server, and somebody between them who writes down every byte."""

from __future__ import annotations

from base64 import b64encode
from pathlib import Path

from tests.e2e.relay import Relay
from tests.e2e.stage import PASSWORD
from tests.e2e.test_console_client import ClientCase

WORDS = "the launch code is on the fridge"


class Sealed(ClientCase):
    def setUp(self) -> None:
        super().setUp()
        self.relay = Relay(self.stage.port)
        self.addCleanup(self.relay.close)

    def chat(self, name: str, *lines: str, new: bool = False) -> str:
        """Somebody runs the client without TLS, so that whoever is on the way sees all that it sends."""
        first = f"new {name}" if new else name
        words = ("--plain", "--unencrypted", f"127.0.0.1:{self.relay.port}")
        status, shown = self.run_chat(*words, lines="\n".join((first, PASSWORD, *lines)) + "\n", name=name)
        self.assertEqual(status, 0, shown)
        return shown

    def test_nobody_on_the_way_and_no_server_reads_it(self) -> None:
        self.chat("bob", new=True)
        self.chat("ann", f"message bob {WORDS}", "/edit no, in the oven", new=True)
        shown = self.chat("bob", f"/r you said: {WORDS}")
        self.assertIn(f"ann (private, encrypted): {WORDS}", shown)
        self.assertIn("no, in the oven", shown)
        self.assertIn(f"bob (private, encrypted): you said: {WORDS}", self.chat("ann", "/search fridge"))

        self.stage.stop()
        server = b"".join(each.read_bytes() for each in Path(self.stage.folder).glob("*") if each.is_file())
        keys = [each for each in Path(self.stage.folder).glob("home-*/data/chat/keys/**/*.keys") if each.is_file()]
        self.assertEqual(len(keys), 2)
        kept = b"".join(each.read_bytes() for each in keys)
        secrets = (WORDS, "in the oven", PASSWORD)
        for secret in (each.encode() for each in secrets):
            for spelling in (secret, *(b64encode(b"." * shift + secret)[4:-4] for shift in range(3))):
                for where, content in (("wire", self.relay.recorded), ("server", server), ("keys", kept)):
                    self.assertNotIn(spelling, content, where)
        self.assertIn(b"megolm", self.relay.recorded)

    def test_the_keys_are_made_once_and_nobody_else_may_read_them(self) -> None:
        self.chat("ann", new=True)
        (keys,) = Path(self.stage.folder).glob("home-ann/data/chat/keys/*/ann/*.keys")
        before = keys.stat().st_ino
        self.assertNotIn("locked", self.chat("ann", "message ann a note"))
        self.assertEqual(keys.stat().st_ino, before)
        self.assertEqual(keys.stat().st_mode & 0o777, 0o600)
