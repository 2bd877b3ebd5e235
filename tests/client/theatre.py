"""The full screen before a whole server, without a terminal, a reactor or time that passes by itself."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from chat.client.screen.app import ChatApp
from chat.client.screen.chat_screen import PAINT_EVERY
from chat.client.screen.input_box import InputBox
from chat.client.session.draft_store import DiskDraftStore
from chat.client.session.endpoint import ServerAddress
from chat.client.session.engine import Engine
from chat.client.session.observer import Observer
from chat.client.session.profiles import Files
from tests.client.engines import Desk, EngineCase
from tests.server.frontends.server import PASSWORD

HERE = ServerAddress("chat.example")


class Play:
    """One person before the screen.

    :ivar desk: the engine behind it, and its links.
    """

    def __init__(self, case: ScreenCase, app: ChatApp, desk: Desk, pilot: Pilot[Any]) -> None:
        self._case = case
        self.app = app
        self.desk = desk
        self._pilot = pilot

    async def settle(self) -> None:
        """Until nothing is on its way any more, and all is painted."""
        for pause in (0.0, 0.0, PAINT_EVERY, 0.0, PAINT_EVERY):
            for _ in range(10):
                self._case.settle()
                await asyncio.sleep(0)
            await asyncio.sleep(pause)

    async def pass_time(self, seconds: float) -> None:
        self._case.pass_time(seconds)
        await self.settle()

    async def types(self, text: str) -> None:
        """Write a line where the cursor is, and press Enter."""
        focused = self.app.focused
        if isinstance(focused, Input):
            focused.value = text
        else:
            assert isinstance(focused, InputBox), focused
            focused.put(text)
        await self.presses("enter")

    async def presses(self, *keys: str) -> None:
        await self._pilot.press(*keys)
        await self.settle()

    async def presses_at_once(self, *keys: str) -> None:
        """Faster than the screen can follow."""
        for key in keys:
            self.app.post_message(events.Key(key, key if len(key) == 1 else None))
        await self.settle()

    def focused(self) -> str:
        """The id of the field that the cursor is in."""
        focused = self.app.focused
        return focused.id or "" if focused is not None else ""

    def field(self, id: str) -> str:
        """What stands in a field."""
        return self.app.screen.query_one(f"#{id}", Input).value

    async def clicks(self, widget: type[Any], offset: tuple[int, int]) -> None:
        await self._pilot.click(widget, offset=offset)
        await self.settle()

    async def resizes(self, width: int, height: int) -> None:
        await self._pilot.resize_terminal(width, height)
        await self.settle()

    def sees(self) -> str:
        """The screen as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text.rstrip() for strip in strips)

    def line(self, words: str) -> str:
        """The one line of the screen that holds some words."""
        found = [line for line in self.sees().splitlines() if words in line]
        self._case.assertEqual(len(found), 1, f"{words!r} on:\n{self.sees()}")
        return found[0]


class ScreenCase(EngineCase):
    def setUp(self) -> None:
        super().setUp()
        folder = TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.files = Files(Path(folder.name) / "config", Path(folder.name) / "data")

    def play(
        self,
        scene: Callable[[Play], Awaitable[None]],
        *,
        address: ServerAddress | None = HERE,
        size: tuple[int, int] = (80, 24),
        reachable: bool = True,
        slow: bool = False,
        keys: Path | None = None,
        user: str = "",
    ) -> None:
        """Raise the curtain for one scene.

        :param reachable: whether calls get through.
        :param slow: whether nobody answers them.
        :param keys: the folder of this machine's keys, for a client that has any.
        :param user: whose account is asked for.
        """
        clock = self.server.clock
        drafts = DiskDraftStore(self.files, HERE, "desk", clock.clock, clock.seconds)
        desk = self.desk(drafts=drafts, keys=keys)
        desk.reachable = reachable
        desk.slow = slow

        def call(address: ServerAddress, observer: Observer) -> Engine:
            engine = desk.engine_for(observer)
            engine._keep_token = lambda account, token: self.files.keep_token(address, account, engine.device, token)
            return engine

        async def run() -> None:
            app = ChatApp(self.files, call, address, user)
            async with app.run_test(size=size) as pilot:
                play = Play(self, app, desk, pilot)
                await play.settle()
                await scene(play)

        asyncio.run(run())
        drafts.flush()

    def play_as(self, name: str, scene: Callable[[Play], Awaitable[None]], room: str = "", **more: Any) -> None:
        """The same for somebody who is logged in, in a room."""

        async def logged_in(play: Play) -> None:
            known = self.server.chat.directory.account(name) is not None
            if not known:
                await play.presses("f4")
            await play.types(name)
            await play.types(PASSWORD)
            if room and play.desk.engine.current_room != room:
                await play.types(f"connect {room}")
            await scene(play)

        self.play(logged_in, **more)
