"""``python -m docs.pictures [FOLDER]``: draws the pictures of the client that stand in the README, anew.

A server runs in a folder of its own; ann sits before the full screen, as it is today, without a terminal; the others
talk to her through clients with keys. What they say stands in `_talk`.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from textual.pilot import Pilot
from twisted.internet import asyncioreactor

from benchmarks.peers import Chat, started
from benchmarks.processes import PATIENCE, Failed
from chat.client.cli.factory import make_engine
from chat.client.cli.line_output import Printer
from chat.client.input.input_commands import CommandInput
from chat.client.model.conversation import Key
from chat.client.screen.app import ChatApp
from chat.client.screen.deferred_bridge import twisted
from chat.client.screen.input_box import InputBox
from chat.client.session.endpoint import ServerAddress
from chat.client.session.engine import Engine
from chat.client.session.observer import Observer
from chat.client.session.profiles import Files

SHOWN = ServerAddress("chat.example.org")
"""What the server is called on the pictures."""

PASSWORD = "correct horse battery"
WIDE, NARROW = (88, 26), (40, 14)


class Person:
    """Somebody else, whose client shows nothing.

    :param folder: where the files of that person lie.
    """

    def __init__(self, name: str, reactor: Any, folder: Path, address: ServerAddress) -> None:
        self.name = name
        files = Files(folder / name / "config", folder / name / "data")
        self.engine = make_engine(reactor, files, address, Printer(lambda text: None), device="desk")
        self._keyboard = CommandInput(self.engine, time.time)

    async def comes(self) -> None:
        """With a new account."""
        await twisted(self.engine.connect())
        await twisted(self.engine.register(self.name, PASSWORD))

    async def types(self, line: str, room: str = "", person: str = "") -> None:
        key = Key(not person, room or person)
        here = self.engine.state.talk(key, key.name) if key.name else None
        await twisted(self._keyboard.typed(line, here))
        await twisted(self.engine.sender.idle())


class Ann:
    """Who sits before the screen.

    :param pictures: the folder for what is drawn of it.
    """

    def __init__(self, app: ChatApp, pilot: Pilot[Any], pictures: Path) -> None:
        self._app = app
        self._pilot = pilot
        self._pictures = pictures

    async def sees(self, *words: str) -> None:
        """:raises Failed: when that does not show."""
        await _until(lambda: all(each in self._screen() for each in words), lambda: f"{words}\n{self._screen()}")

    async def presses(self, *keys: str) -> None:
        await self._pilot.press(*keys)

    def begins(self, line: str) -> None:
        """Write a line, and do not send it."""
        self._app.screen.query_one(InputBox).put(line)

    async def types(self, line: str) -> None:
        self.begins(line)
        await self.presses("enter")

    async def resizes(self, width: int, height: int) -> None:
        await self._pilot.resize_terminal(width, height)

    def draws(self, name: str) -> None:
        """Save what shows, in a typeface that every reader has."""
        picture = re.sub(r"@font-face \{.*?\}\s*", "", self._app.export_screenshot(title=""), flags=re.DOTALL)
        picture = picture.replace("Fira Code", "monospace")
        lines = "".join(f"{line.rstrip()}\n" for line in picture.splitlines())
        (self._pictures / name).write_text(lines, encoding="utf-8")

    def _screen(self) -> str:
        strips = self._app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)


async def _until(holds: Callable[[], bool], missing: Callable[[], str]) -> None:
    """:raises Failed: when it does not come true."""
    end = time.monotonic() + PATIENCE
    while not holds():
        if time.monotonic() > end:
            raise Failed(f"this does not come: {missing()}")
        await asyncio.sleep(0.02)


async def _talk(ann: Ann, bob: Person, carol: Person, dmitri: Person) -> None:
    await bob.comes()
    await bob.types("create ops")
    await bob.types("/topic Backups, disks and the coffee machine", room="ops")
    await bob.types("/room sealed on", room="ops")
    await bob.types("connect lobby")
    for person in (carol, dmitri):
        await person.comes()
        for room in ("lobby", "ops"):
            await person.types(f"connect {room}")

    await ann.presses("f4")
    await ann.sees("Create an account")
    await ann.presses(*"ann", "enter", *PASSWORD.replace(" ", "_"), "enter")
    await ann.sees("You are not in a room yet")
    for room in ("lobby", "ops"):
        await ann.types(f"/connect {room}")
        await ann.sees(f"You are in {room}")
    await bob.types("The disk of the build machine is full again.", room="ops")
    await carol.types("I moved the old logs away, 40 GB are free now.", room="ops")
    await bob.types("Thank you! ann, can you have a look at the backup?", room="ops")
    await ann.sees("look at the backup?")
    await ann.types("On it. It ran until 03:10, then it stopped.")
    await ann.sees("then it stopped. ✓")
    await carol.types("Ha, that was the power cut. 漢字 and emoji work too, by the way 🙂", room="ops")
    await ann.sees("power cut")
    await ann.types("/me starts it again")
    await ann.sees("starts it again ✓")
    await dmitri.types("/away at lunch", room="ops")
    await carol.types("Who has the key of the cellar?", room="lobby")
    await bob.types("Ask ann.", room="lobby")
    await carol.types("message ann Is there cake?")
    await ann.sees("carol (1)", "!#lobby (2)", "◐ dmitri")
    ann.begins("Is the coffee machine back as well")
    await ann.sees("Is the coffee machine back as well")
    ann.draws("screen.svg")

    await ann.types("message bob Shall I order a larger disk?")
    await ann.sees("larger disk? ✓")
    await bob.types("Yes please, and one to spare.", person="ann")
    await ann.types("/verify bob yes")
    await ann.sees("bob is verified.", "encrypted, verified")
    await bob.types("What we write here stays between us two.", person="ann")
    await ann.presses("f6")
    await ann.resizes(*NARROW)
    await ann.sees("disk? ✓✓", "between us")
    ann.draws("narrow.svg")


async def _run(port: int, folder: Path, pictures: Path) -> None:
    asyncioreactor.install(asyncio.get_running_loop())
    from twisted.internet import reactor as installed

    reactor: Any = installed
    reactor.startRunning(installSignalHandlers=False)
    address = ServerAddress("127.0.0.1", port)
    files = Files(folder / "ann" / "config", folder / "ann" / "data")

    def call(shown: ServerAddress, observer: Observer) -> Engine:
        return make_engine(reactor, files, address, observer, device="desk")

    others = [Person(name, reactor, folder, address) for name in ("bob", "carol", "dmitri")]
    app = ChatApp(files, call, SHOWN)
    try:
        async with app.run_test(size=WIDE) as pilot:
            try:
                await _talk(Ann(app, pilot, pictures), *others)
            finally:
                await pilot.press("ctrl+c")
    finally:
        for each in others:
            each.engine.close()
        reactor.fireSystemEvent("shutdown")


def main(pictures: Path) -> None:
    """Draw them into a folder.

    :raises Failed: when something does not show.
    """
    with TemporaryDirectory(prefix="pictures-") as name:
        folder = Path(name)
        os.environ.pop("XDG_RUNTIME_DIR", None)
        with started(Chat(options=("--rate=1000", "--burst=1000")), folder) as server:
            server.wait_for_port()
            asyncio.run(_run(server.port, folder, pictures))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
