"""The application: which screen comes when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import work
from textual.app import App
from textual.binding import Binding, BindingType

from chat.client.dialing import Address
from chat.client.engine import Engine
from chat.client.failures import ClientFailure, NoEncryption, RequestRefused
from chat.client.files import Files
from chat.client.observing import Observer, Phase, Status
from chat.client.screen.bridge import twisted
from chat.client.screen.doors import Choice, Login, Picking, key_changed
from chat.client.screen.talking import Talking
from chat.client.sending import Outgoing
from chat.client.talks import Talk
from chat.client.trust import KeyChanged
from chat.errors import AlreadySignedIn, BadPassword
from chat.events import Entry, Event, StoredAs
from chat.wire.safe import safe

THEMES = {"dark": "textual-dark", "light": "textual-light"}


class ChatApp(App[int]):
    """The client on a full screen; implements `chat.client.observing.Observer` for its engine.

    :param call: makes an engine for a server, which tells this screen.
    :param address: where to go, or nothing to let the person pick.
    :param user: whose account, or empty for the one of last time.
    """

    ENABLE_COMMAND_PALETTE = False
    TITLE = "chat"
    CSS = "Screen { background: $background; }"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", "Leave", priority=True, show=False),
        Binding("f6", "other_theme", "Light or dark", priority=True, show=False),
    ]

    def __init__(
        self, files: Files, call: Callable[[Address, Observer], Engine], address: Address | None, user: str = ""
    ) -> None:
        super().__init__()
        self._call = call
        self._files = files
        self._address = address
        self._user = user
        self._settings = files.settings()
        self._typed = files.typed()
        self.engine: Engine | None = None
        self._talking: Talking | None = None

    def on_mount(self) -> None:
        wanted = THEMES.get(self._settings.theme, self._settings.theme)
        if wanted in self.available_themes:
            self.theme = wanted
        self._live()

    # from the server to the conversation

    @work(exclusive=True)
    async def _live(self) -> None:
        """Pick a server, log in, talk; and again with another one."""
        problem = ""
        while True:
            if self._address is None:
                self._address = await self.push_screen_wait(Picking(self._files, problem))
            address = self._address
            self.engine = self._call(address, self)
            problem = await self._enter(self.engine, address)
            if self._talking is not None:
                return
            self.engine.close()
            self._address = self._address if self._address is not address else None

    async def _enter(self, engine: Engine, address: Address) -> str:
        """Connect and log in.

        :returns: why that came to nothing.
        """
        try:
            await twisted(engine.connect())
        except KeyChanged as error:
            if await self.push_screen_wait(key_changed(address, error)):
                self._files.pin(address, error.now)
                self._address = Address(address.host, address.port, address.tls)
                return await self._enter(engine, address)
            return str(error)
        except NoEncryption as error:
            question = f"{error}\n\nWithout encryption everybody on the way can read and change what you say."
            if await self.push_screen_wait(Choice(question, "unencrypted", "goes back")):
                self._address = Address(address.host, address.port, tls=False)
            return str(error)
        except ClientFailure as error:
            return str(error)
        return await self._log_in(engine, address, self._user, "")

    async def _log_in(self, engine: Engine, address: Address, name: str, problem: str) -> str:
        known = self._files.find(address)
        name = name or known.account
        token = known.tokens.get(f"{name}@{engine.device}")
        new = False
        try:
            if token is not None and not problem:
                await twisted(engine.log_in_by_token(token))
                self._talk(engine, address)
                return ""
        except RequestRefused as refused:
            problem = refused.reply.text
        except ClientFailure as error:
            return str(error)
        while True:
            server = f"{engine.welcome.server if engine.welcome is not None else ''} ({address})"
            name, password, new = await self.push_screen_wait(Login(server, address.tls, name, safe(problem), new))
            if not name:
                return ""
            problem = await self._try(engine, name, password, new)
            if not problem:
                self._talk(engine, address)
                return ""
            if engine.status.phase is Phase.ENDED:
                return problem

    async def _try(self, engine: Engine, name: str, password: str, new: bool) -> str:
        """Log in once.

        :returns: why that did not work, or nothing.
        """
        try:
            if new:
                await twisted(engine.register(name, password))
            else:
                await twisted(engine.log_in(name, password))
        except RequestRefused as refused:
            if refused.reply.code != AlreadySignedIn.code:
                return refused.reply.text
            question = f"{safe(refused.reply.text)}\n\nEnd that session and log in here?"
            if not await self.push_screen_wait(Choice(question, "yes", "tries another account")):
                return "You are signed in elsewhere."
            try:
                await twisted(engine.take_over())
            except ClientFailure as error:
                return str(error)
        except BadPassword as error:
            return error.line
        except ClientFailure as error:
            return str(error)
        return ""

    def _talk(self, engine: Engine, address: Address) -> None:
        self._talking = Talking(engine, str(address), address.tls, self._typed, self._settings.bell)
        self.push_screen(self._talking)

    # out again

    def on_talking_out(self, event: Talking.Out) -> None:
        """Somebody has logged out: another account, or the end."""
        if event.leaving:
            self.action_leave()
        elif self.engine is not None and self._address is not None:
            self._close_talking()
            self._again(self.engine, self._address, "Logging out. Bye for now!")

    def _close_talking(self) -> None:
        if self._talking is not None:
            self._talking = None
            while len(self.screen_stack) > 1:
                self.pop_screen()

    @work(exclusive=True)
    async def _again(self, engine: Engine, address: Address, problem: str) -> None:
        """Log in once more on the same server."""
        problem = await self._log_in(engine, address, "", problem)
        if self._talking is None:
            engine.close()
            self._address = None
            self._live()

    def action_other_server(self) -> None:
        """Leave this server for another one."""
        if self._talking is not None and self.engine is not None:
            self.engine.close()
            self._close_talking()
            self._address = None
            self._user = ""
            self._live()

    @work
    async def action_leave(self) -> None:
        """End the program."""
        if self._typed:
            self._files.keep_typed(self._typed)
        if self.engine is not None:
            await twisted(self.engine.leave())
        self.exit(0)

    def action_other_theme(self) -> None:
        """From dark to light and back."""
        self.theme = THEMES["light"] if self.current_theme.dark else THEMES["dark"]

    # the observer: Twisted calls from outside of Textual's own tasks, so all is done a little later

    def status_changed(self, status: Status) -> None:
        self.call_later(self._take_status, status)

    def rows_added(self, talk: Talk, rows: Sequence[Entry], live: bool) -> None:
        if self._talking is not None:
            self.call_later(self._talking.rows_added, talk, rows, live)

    def happened(self, event: Event) -> None:
        if self._talking is not None:
            self.call_later(self._talking.happened, event)

    def settled(self, outgoing: Outgoing, stored: StoredAs | None) -> None:
        if self._talking is not None:
            self.call_later(self._talking.settled, outgoing, stored)

    def _take_status(self, status: Status) -> None:
        if self._talking is None or self.engine is None:
            return
        self._talking.status_changed(status)
        if status.phase is Phase.OPEN and self.engine.status is status and self._address is not None and status.reason:
            self._close_talking()
            self._again(self.engine, self._address, status.reason)
