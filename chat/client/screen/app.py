"""The Textual application: which screen comes when."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import ClassVar

from textual import work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from chat.client.model.failures import ClientFailure, NoEncryption, RequestRefused
from chat.client.screen.chat_screen import ChatScreen
from chat.client.screen.deferred_bridge import twisted
from chat.client.screen.login_screen import (
    ConfirmScreen,
    Entered,
    Form,
    LoginScreen,
    PromptScreen,
    key_changed,
    set_up_anew,
)
from chat.client.screen.observer_bridge import ObserverBridge
from chat.client.screen.server_picker import Destination, ServerPicker
from chat.client.session.endpoint import ServerAddress
from chat.client.session.engine import Engine
from chat.client.session.login import why_not
from chat.client.session.observer import Observer, Phase, Status
from chat.client.session.profiles import Files
from chat.client.session.tofu import KeyChanged, ServerReinstalled
from chat.protocol.errors import AlreadySignedIn, BadPassword
from chat.protocol.events import Refused
from chat.protocol.grammar.context import INVITATION
from chat.protocol.wire.sanitize import safe

THEMES = {"dark": "textual-dark", "light": "textual-light"}

NO_ACCOUNT = "You have no account on this server yet. Press F4 to create one."

FAREWELL = 2.0
"""Seconds that a server has to take note of somebody who leaves."""


class ChatApp(App[int]):
    """The client on a full screen.

    :param call: makes an engine for a server, which tells an observer.
    :param address: where to go, or nothing to let the person pick.
    :param user: whose account, or empty for the one of last time.
    :ivar observer: what its engines tell.
    """

    ENABLE_COMMAND_PALETTE = False
    TITLE = "chat"
    CSS = """
    Screen { background: $background; }
    #doing { height: 1fr; content-align: center middle; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+c,ctrl+q", "leave", "Leave", priority=True, show=False),
        Binding("f6", "other_theme", "Light or dark", priority=True, show=False),
        Binding("escape", "give_up", "Another server", show=False),
    ]

    def __init__(
        self,
        files: Files,
        call: Callable[[ServerAddress, Observer], Engine],
        address: ServerAddress | None,
        user: str = "",
    ) -> None:
        super().__init__()
        self._call = call
        self._files = files
        self._place = Destination(address, user) if address is not None else None
        self._settings = files.settings()
        self.engine: Engine | None = None
        self._talking: ChatScreen | None = None
        self.observer = ObserverBridge(self.call_later, self._take_status)
        self._leaving = False

    def compose(self) -> ComposeResult:
        yield Static("", id="doing", markup=False)

    def on_mount(self) -> None:
        wanted = THEMES.get(self._settings.theme, self._settings.theme)
        if wanted in self.available_themes:
            self.theme = wanted
        self._live()

    def _doing(self, words: str) -> None:
        """Say what takes a while; it shows where no other screen is on top."""
        self.screen_stack[0].query_one("#doing", Static).update(f"{words}\n\nEscape: another server. Ctrl-C: quit.")

    # from the server to the conversation

    @work(exclusive=True)
    async def _live(self) -> None:
        """Pick a server, log in, talk; and again with another one."""
        problem = ""
        while True:
            if self._place is None:
                self._place = await self.push_screen_wait(ServerPicker(self._files, safe(problem)))
            place = self._place
            if place is None:
                continue
            self.engine = self._call(place.address, self.observer)
            problem = await self._enter(self.engine, place)
            if self._talking is not None:
                return
            self.engine.close()
            if self._place == place:
                self._place = None

    async def _enter(self, engine: Engine, place: Destination, problem: str = "") -> str:
        """Connect and log in.

        :param problem: what to say to who has to log in.
        :returns: why that came to nothing.
        """
        address = place.address
        self._doing(f"Connecting to {address} ...")
        try:
            await twisted(engine.connect())
        except KeyChanged as error:
            if await self.push_screen_wait(key_changed(address, error)):
                self._files.pin(address, error.now)
                return await self._enter(engine, place)
            return str(error)
        except ServerReinstalled as error:
            if await self.push_screen_wait(set_up_anew(address)):
                self._files.begin_anew(address)
                return await self._enter(engine, place, NO_ACCOUNT)
            return str(error)
        except NoEncryption as error:
            question = f"{error}\n\nWithout encryption, others on the network can read and change what you write."
            if await self.push_screen_wait(ConfirmScreen(question, "unencrypted", "goes back")):
                self._place = Destination(ServerAddress(address.host, address.port, tls=False), place.account)
            return str(error)
        except ClientFailure as error:
            return str(error)
        return await self._log_in(engine, place, problem)

    async def _log_in(self, engine: Engine, place: Destination, problem: str = "") -> str:
        """Log in by token, and by password where that will not do.

        :param problem: why the last login is over, if there was one.
        :returns: why that came to nothing.
        """
        address = place.address
        known = self._files.find(address)
        name = "" if place.ask else place.account or known.account
        token = known.tokens.get(f"{name}@{engine.device}")
        self._doing(f"Logging in to {address} ...")
        try:
            if token is not None and not problem and not engine.seals.lacking(name):
                await self._unlock(engine, name)
                await twisted(engine.log_in_by_token(token))
                self._talk(engine, address)
                return ""
        except RequestRefused as refused:
            problem = refused.reply.text
        except ClientFailure as error:
            return str(error)
        welcome = engine.welcome
        server = f"{welcome.server if welcome is not None else ''} ({address})"
        registration = welcome.registration if welcome is not None else "open"
        form = Form(name, problem=safe(problem))
        while True:
            entered = await self.push_screen_wait(LoginScreen(server, address.tls, form, registration))
            if not entered.name:
                return ""
            form = await self._try(engine, entered)
            if not form.problem:
                self._talk(engine, address)
                return ""
            if engine.status.phase is Phase.ENDED:
                return form.problem

    async def _unlock(self, engine: Engine, account: str) -> None:
        """Ask what the keys are under; who gives nothing goes without them."""
        problem = ""
        while wanted := engine.seals.wanted(account):
            passphrase = await self.push_screen_wait(PromptScreen(f"{problem}{wanted}", secret=True))
            if not passphrase:
                return
            try:
                await twisted(engine.seals.unlock(account, passphrase))
            except ClientFailure as error:
                problem = f"{error} Press Escape to continue without keys.\n"

    async def _try(self, engine: Engine, entered: Entered) -> Form:
        """Log in once.

        :returns: why that did not work, if there is a problem.
        """
        name, password, new, invitation = entered

        def failed(problem: str, wrong: str = "password") -> Form:
            return Form(name, new, safe(problem), wrong, invitation)

        try:
            if new:
                await twisted(engine.register(name, password, invitation))
            else:
                await twisted(engine.log_in(name, password))
        except RequestRefused as refused:
            if refused.reply.code != AlreadySignedIn.code:
                return failed(why_not(refused.reply), _wrong_field(refused.reply, new))
            question = f"{safe(refused.reply.text)}\n\nEnd that session and log in here?"
            if not await self.push_screen_wait(ConfirmScreen(question, "yes", "tries another account")):
                return failed("You are signed in elsewhere.", "name")
            try:
                await twisted(engine.take_over(password))
            except ClientFailure as error:
                return failed(str(error))
        except BadPassword as error:
            return failed(error.line)
        except ClientFailure as error:
            return failed(str(error))
        return Form(name)

    def _talk(self, engine: Engine, address: ServerAddress) -> None:
        self._place = Destination(address, engine.state.me)
        self._talking = ChatScreen(engine, str(address), address.tls, self._settings.bell)
        self.push_screen(self._talking)
        self.observer.show_on(self._talking)

    # out again

    def on_chat_screen_out(self, event: ChatScreen.Out) -> None:
        """Somebody has logged out: another account, or the end."""
        if event.leaving:
            self.action_leave()
        elif self.engine is not None and self._place is not None:
            self._close_talking()
            self._again(self.engine, self._place, "Logging out. Bye for now!")

    def on_chat_screen_again(self) -> None:
        """Call the same server as if nobody had been there yet."""
        self._go_elsewhere(self._place)

    def _close_talking(self) -> None:
        if self._talking is not None:
            self._talking = None
            self.observer.show_on(None)
            while len(self.screen_stack) > 1:
                self.pop_screen()

    @work(exclusive=True)
    async def _again(self, engine: Engine, place: Destination, problem: str) -> None:
        """Log in once more on the same server."""
        await self._log_in(engine, place, problem)
        if self._talking is None:
            self._go_elsewhere(None)

    def _go_elsewhere(self, place: Destination | None) -> None:
        """Leave this server.

        :param place: where to go, or nothing to let the person pick.
        """
        if self.engine is not None:
            self.engine.close()
        self._close_talking()
        self._place = place
        self._live()

    def action_give_up(self) -> None:
        """Wait no longer for a server that does not answer."""
        if len(self.screen_stack) == 1:
            self._go_elsewhere(None)

    @work
    async def action_switch(self) -> None:
        """Pick another server or account, and go there; the conversation goes on until then."""
        if self._talking is None or self.engine is None or self._place is None:
            return
        here = Destination(self._place.address, self.engine.state.me)
        place = await self.push_screen_wait(ServerPicker(self._files, here=here))
        if place is not None:
            await self._farewell(self.engine)
            self._go_elsewhere(place)

    @work
    async def action_leave(self) -> None:
        """End the program; asked twice, at once."""
        if self._leaving:
            self.exit(0)
            return
        self._leaving = True
        if self.engine is not None:
            await self._farewell(self.engine)
        self.exit(0)

    async def _farewell(self, engine: Engine) -> None:
        with suppress(TimeoutError):
            await asyncio.wait_for(twisted(engine.leave()), FAREWELL)

    def action_other_theme(self) -> None:
        """From dark to light and back."""
        self.theme = THEMES["light"] if self.current_theme.dark else THEMES["dark"]

    def _take_status(self, status: Status) -> None:
        if self._talking is None or self.engine is None:
            return
        self._talking.presenter.status_changed(status)
        if status.phase is Phase.OPEN and self.engine.status is status and self._place is not None and status.reason:
            self._close_talking()
            self._again(self.engine, self._place, status.reason)


def _wrong_field(refused: Refused, new: bool) -> str:
    """Which field of a login form the server has refused.

    :param new: whether it makes an account.
    """
    if refused.ask == INVITATION:
        return INVITATION
    return "name" if new or refused.ask == "user" else "password"
