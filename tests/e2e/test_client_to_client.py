"""Two real clients: private lines and a file that never touch the server, a peer that is killed, a file that waits."""

from __future__ import annotations

import os
from pathlib import Path

from tests.e2e.stage import PASSWORD, Actor, StageCase
from tests.e2e.terminal import CHAT


class ClientToClient(StageCase):
    options = ("--rate=1000000", "--burst=1000000", "--sessions=per-device")

    def client(self, name: str) -> Actor:
        """Somebody at ``chat --plain``, with an account that is new, or the one of before."""
        home = Path(self.stage.path(f"home-{name}"))
        known = home.exists()
        for folder in ("config/chat", "run"):
            (home / folder).mkdir(parents=True, exist_ok=True)
        (home / "config/chat/config.ini").write_text(f"[chat]\ndevice = {name}\ndownloads = {home}/taken\n")
        settings = [f"XDG_CONFIG_HOME={home}/config", f"XDG_DATA_HOME={home}/data", f"XDG_RUNTIME_DIR={home}/run"]
        command = ["env", *settings, *CHAT, "--plain", f"127.0.0.1:{self.stage.port}"]
        actor = Actor(self.stage, name, command)
        self.addCleanup(actor.leave)
        actor.types(name if known else f"new {name}", PASSWORD)
        if not known:
            actor.sees(f"You are logged in as {name}.")
        return actor

    def test_a_line_a_file_and_an_end(self) -> None:
        ann, bob = self.client("ann"), self.client("bob")
        bob.types("private ann hello?")
        bob.sees("Please request user address first (getaddress <user>).")
        bob.types("getaddress ann")
        ann.sees("User bob is asking for consent.")
        ann.types("consent bob")
        bob.sees("User ann ip: 127.0.0.1, port: ")
        bob.types("private ann under the doormat")
        ann.sees("bob (direct): under the doormat")
        bob.sees("Delivered directly to ann.")
        ann.types("private bob understood")
        bob.sees("ann (direct): understood")

        content = os.urandom(300_000)
        self.stage.write("notes.bin", "")
        Path(self.stage.path("notes.bin")).write_bytes(content)
        bob.types(f"sendfile ann {self.stage.path('notes.bin')}")
        ann.sees("bob offers you a file: notes.bin (293.0 KiB). To accept: getfile bob")
        ann.types("getfile bob")
        ann.sees("Received notes.bin (293.0 KiB) from bob: ")
        bob.sees("ann has received notes.bin (293.0 KiB).")
        self.assertEqual((Path(self.stage.path("home-ann")) / "taken/notes.bin").read_bytes(), content)

        ann.dies()
        bob.types("private ann still there?")
        bob.sees("User ann is no longer available at ('127.0.0.1', ", "Type ! to send it that way.")
        bob.types("!")
        bob.sees("your message is kept")

        bob.types(f"sendfile ann {self.stage.path('notes.bin')}")
        bob.sees("notes.bin (293.0 KiB) is on the server, encrypted, until ann accepts it.")
        ann = self.client("ann")
        ann.sees("bob offers you a file: notes.bin (293.0 KiB). To accept: getfile bob")
        ann.types("getfile bob")
        ann.sees("taken/notes (2).bin")
        self.assertEqual((Path(self.stage.path("home-ann")) / "taken/notes (2).bin").read_bytes(), content)
        bob.sees("ann has received notes.bin (293.0 KiB).")
