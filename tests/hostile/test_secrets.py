"""What is secret is in no log, traceback, list of processes or file that others can read."""

from __future__ import annotations

import asyncio
import os
import stat

from tests import figures
from tests.e2e.program import Program
from tests.e2e.stage import StageCase
from tests.figures import at_most

PASSWORD = "sesame-open-9313"
BODY = "a-body-that-is-secret-4471"
COMMAND = "unknownverb4471"
ESCAPE = "\x1b[31m"


class Secrets(StageCase):
    options = (*StageCase.options, "--log-level=debug")

    def setUp(self) -> None:
        umask = os.umask(0)
        try:
            super().setUp()
        finally:
            os.umask(umask)

    def test_are_nowhere(self) -> None:
        token = asyncio.run(self.talk())
        ann = self.guest("ann")
        ann.types(f"login ann {PASSWORD}wrong", f"login ann {PASSWORD}", "/connect lobby", BODY, f"message ann {BODY}")
        ann.sees("* You are in lobby")
        ann.types(f"/{COMMAND} {BODY}", f"{BODY}{ESCAPE}", "/password", PASSWORD, f"{PASSWORD}-new", "/ping")
        ann.sees("* pong")
        assert self.stage.server is not None
        process = f"/proc/{self.stage.server.pid}"
        listed = ""
        for name in ("cmdline", "environ"):
            with open(f"{process}/{name}", encoding="latin-1") as file:
                listed += file.read()
        with open(f"{process}/limits", encoding="ascii") as file:
            self.assertRegex(file.read(), r"Max core file size +0 +0 ")
        with open(f"{process}/coredump_filter", encoding="ascii") as file:
            self.assertEqual(int(file.read(), 16), 0)
        self.stage.stop()
        told = self.stage.log() + listed
        found = sum(secret in told for secret in (PASSWORD, token, BODY, ESCAPE))
        figures.tell(
            "secrets",
            figures.line(
                "{found} passwords, tokens, bodies and escapes in the log and the list of processes",
                found=at_most(found, 0),
            ),
        )

    async def talk(self) -> str:
        async with await Program().connect(self.stage.port) as program:
            await program.ask("hello", device=BODY[:20])
            await program.ask("login", user="ann", password=PASSWORD)
            made = await program.gets("logged-in", "new", user="ann", password=PASSWORD)
            await program.ask("message", user="ann", text=BODY + ESCAPE)
            await program.ask(COMMAND, text=BODY)
            await program.ask("login", token=made["token"])
            program.break_off()
            return str(made["token"])

    def test_files_belong_to_their_owner_alone(self) -> None:
        """Whatever the umask, which lets everybody read and write everything here."""
        self.person("ann", "lobby").does_not_see("!")
        private = [name for name in os.listdir(self.stage.folder) if name.startswith(("credentials", "chat"))]
        self.assertLessEqual({"credentials.db", "credentials.db-wal", "credentials.db-shm", "chat.pem"}, set(private))
        for name in private:
            mode = stat.S_IMODE(os.stat(self.stage.path(name)).st_mode)
            self.assertEqual(oct(mode), oct(0o600), name)
