"""The screens before a conversation: login, warnings about a changed server, and prompts."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

from rich.text import Text
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, Static

from chat.client.session.endpoint import ServerAddress
from chat.client.session.tofu import KeyChanged, spelled
from chat.protocol.errors import BadName, RegistrationClosed
from chat.protocol.names import read_name
from chat.protocol.wire.sanitize import safe

OPEN = "NOT ENCRYPTED: others on the network can read and change what you write."
"""Said of a connection without TLS."""

LOOK = """
{name} {{ align: center middle; }}
{name} > VerticalScroll {{ width: 64; max-width: 100%; height: auto; max-height: 100%; padding: 0 1; }}
{name} > VerticalScroll {{ background: $surface; }}
{name} Input {{ padding: 0 1; margin: 0 0 1 0; background: $panel; }}
{name} OptionList, {name} OptionList:focus {{ border: none; height: auto; max-height: 12; padding: 0; }}
{name} Static {{ height: auto; margin: 0 0 1 0; }}
"""


@dataclass(frozen=True, slots=True)
class Form:
    """What a login form says before anybody types.

    :param name: that was given before; then only the password is asked for.
    :param new: whether it makes an account.
    :param problem: why the last try came to nothing.
    :param wrong: the field that it was because of: ``name``, ``invitation`` or ``password``.
    :param invitation: the invitation code that was given before.
    """

    name: str = ""
    new: bool = False
    problem: str = ""
    wrong: str = "password"
    invitation: str = ""


class Entered(NamedTuple):
    """What was typed into a login form; all empty for another server.

    :ivar new: whether to make an account.
    """

    name: str = ""
    password: str = ""
    new: bool = False
    invitation: str = ""


class LoginScreen(Screen[Entered]):
    """Who one is.

    :param registration: who makes accounts on the server (`chat.protocol.events.Welcome`).
    """

    DEFAULT_CSS = LOOK.format(name="LoginScreen")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "new", "Create an account", priority=True, show=False),
        Binding("enter", "next", "Password", priority=True, show=False),
        Binding("tab", "next(True)", "Next field", priority=True, show=False),
        Binding("shift+tab", "app.focus_previous", "Previous field", priority=True, show=False),
        Binding("escape,f3", "other_server", "Another server", priority=True, show=False),
        Binding("ctrl+c", "app.leave", "Leave", priority=True, show=False),
    ]

    def __init__(self, server: str, secure: bool, form: Form, registration: str = "open") -> None:
        super().__init__()
        self._server = server
        self._secure = secure
        self._form = form
        self._registration = registration
        self._new = form.new and registration != "closed"

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(self._title(), id="title", markup=False)
            yield Input(self._form.name, placeholder="Name", id="name", compact=True)
            yield Input(self._form.invitation, placeholder="Invitation code", id="invitation", compact=True)
            yield Input(placeholder="Password", password=True, id="password", compact=True)
            yield Static("", id="problem", markup=False)
            yield Static(self._keys(), id="keys", markup=False)

    def on_mount(self) -> None:
        form = self._form
        self._show_invitation()
        self.set_focus(self.query_one(f"#{form.wrong}" if form.name else "#name", Input))
        self._show(form.problem)

    def _show(self, problem: str) -> None:
        shown = self.query_one("#problem", Static)
        shown.update(Text(problem, style="bold"))
        shown.display = bool(problem)

    @property
    def _invited(self) -> bool:
        """Whether an invitation code is asked for."""
        return self._new and self._registration == "code"

    def _show_invitation(self) -> None:
        self.query_one("#invitation", Input).display = self._invited

    def _check(self, name: str) -> bool:
        """Whether a new name may be one; for an account that exists it is the server who says so."""
        try:
            if self._new:
                read_name(name)
        except BadName as error:
            self._show(error.line)
            return False
        self._show("")
        return True

    def _title(self) -> Text:
        what = "Create an account on" if self._new else "Log in to"
        title = Text(f"{what} {safe(self._server)}", style="bold")
        if not self._secure:
            title.append(f"\n{OPEN}", style="bold reverse")
        return title

    def _keys(self) -> str:
        other = "F4: log in to an account, " if self._new else "F4: create an account, "
        other = "" if self._registration == "closed" else other
        return f"Enter: continue, {other}F3: another server, Ctrl-C: quit."

    def action_new(self) -> None:
        if self._registration == "closed":
            self._show(RegistrationClosed.text)
            return
        self._new = not self._new
        self._show_invitation()
        self.query_one("#title", Static).update(self._title())
        self.query_one("#keys", Static).update(self._keys())
        if self._new:
            name = self.query_one("#name", Input)
            if name.value == self._form.name:  # that account exists: it was filled in, not typed
                name.value = ""
            self.set_focus(name)

    async def action_next(self, tab: bool = False) -> None:
        """From the name to what follows: whatever is typed from now on belongs there, however fast somebody types.

        No key is handed on meanwhile, and those that came before have to be in the name first.
        """
        name = self.query_one("#name", Input)
        if self.focused is name:
            typed = asyncio.Event()
            name.call_later(typed.set)
            await typed.wait()
            if name.value.strip():
                if self._check(name.value.strip()):
                    self.set_focus(self.query_one("#invitation" if self._invited else "#password", Input))
                else:
                    name.select_all()
                return
        if not tab:
            raise SkipAction
        self.focus_next()

    def action_other_server(self) -> None:
        self.dismiss(Entered())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name, password = self.query_one("#name", Input), self.query_one("#password", Input)
        invitation = self.query_one("#invitation", Input)
        if event.input is invitation:
            self.set_focus(password)
        if event.input is not password:
            return
        if not name.value.strip():
            self._show("Type your name.")
            self.set_focus(name)
        elif not self._check(name.value.strip()):
            self.set_focus(name)
        elif self._invited and not invitation.value.strip():
            self._show("Type your invitation code. You get one from the people who run the server.")
            self.set_focus(invitation)
        elif not password.value:
            self._show("Type a password, then Enter.")
        else:
            code = invitation.value.strip() if self._invited else ""
            self.dismiss(Entered(name.value.strip(), password.value, self._new, code))


class ConfirmScreen(ModalScreen[bool]):
    """One question with two answers; nothing happens by mere Enter.

    :param yes: the word that has to be typed.
    """

    DEFAULT_CSS = LOOK.format(name="ConfirmScreen") + "ConfirmScreen > VerticalScroll { border: heavy $error; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "no", "No", priority=True, show=False)]

    def __init__(self, words: Text | str, yes: str, otherwise: str) -> None:
        super().__init__()
        self._words = words
        self._yes = yes
        self._otherwise = otherwise

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(self._words, markup=False)
            yield Static(f"Type {self._yes} to continue. Escape {self._otherwise}.", markup=False)
            yield Input(id="answer", compact=True)

    def action_no(self) -> None:
        self.dismiss(False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value.strip().lower() == self._yes:
            self.dismiss(True)
        else:
            event.input.value = ""


def key_changed(address: ServerAddress, error: KeyChanged) -> ConfirmScreen:
    """The loud screen."""
    words = Text()
    words.append(f" THE KEY OF {str(address).upper()} HAS CHANGED \n\n", style="bold reverse")
    words.append("Somebody may be intercepting your connection. They could read and change your messages.")
    words.append(" Or the server was set up anew and has a new key. Ask the people who run it before you continue.\n\n")
    words.append(f"old key  {spelled(error.before)}\nnew key  {spelled(error.now)}\n\nNothing was sent.")
    return ConfirmScreen(words, "trust", "goes back")


def set_up_anew(address: ServerAddress) -> ConfirmScreen:
    """What becomes of what was there before."""
    words = Text()
    words.append(f" {str(address).upper()} WAS SET UP ANEW \n\n", style="bold reverse")
    words.append("Or it is another server. Your account, your conversations and everybody's keys are not on it.")
    words.append(" Ask the people who run it before you continue.\n\n")
    words.append("If you continue, your keys, what you typed and your unsent lines are set aside on this machine.")
    words.append(" None of it goes to the new server. Nothing was sent so far.")
    return ConfirmScreen(words, "anew", "goes back")


class PromptScreen(ModalScreen[str]):
    """Something that a command asks for; dismissed with what was typed."""

    DEFAULT_CSS = LOOK.format(name="PromptScreen") + "PromptScreen > VerticalScroll { border: round $primary; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "give_up", "Give up", priority=True, show=False)]

    def __init__(self, prompt: str, secret: bool) -> None:
        super().__init__()
        self._prompt = prompt
        self._secret = secret

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(safe(self._prompt), markup=False)
            yield Input(password=self._secret, compact=True)

    def action_give_up(self) -> None:
        self.dismiss("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)
