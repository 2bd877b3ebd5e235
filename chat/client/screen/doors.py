"""The screens before the conversation: which server, who one is, and a server whose key has changed."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen, Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from chat.client.dialing import Address
from chat.client.files import Files
from chat.client.trust import KeyChanged, spelled
from chat.wire.safe import safe

OPEN = "NOT ENCRYPTED: everybody on the way can read and change what you say."
"""Said of a connection without TLS."""

_LOOK = """
{name} {{ align: center middle; }}
{name} > VerticalScroll {{ width: 64; max-width: 100%; height: auto; max-height: 100%; padding: 0 1; }}
{name} > VerticalScroll {{ background: $surface; }}
{name} Input {{ padding: 0 1; margin: 0 0 1 0; background: $panel; }}
{name} OptionList {{ border: none; height: auto; max-height: 12; padding: 0; }}
{name} Static {{ height: auto; margin: 0 0 1 0; }}
"""


def server_lines(files: Files) -> list[tuple[str, Address]]:
    """The servers to pick from: those of ``config.ini``, then those that were visited, each once."""
    lines = [(f"{safe(name)}  {address}", address) for name, address in files.settings().servers]
    known = {address for _, address in lines}
    for each in files.known():
        if each.address not in known:
            who = f" as {safe(each.account)}" if each.account else ""
            lines.append((f"{each.address}{who}{'' if each.address.tls else '  NOT ENCRYPTED'}", each.address))
    return lines


class Picking(Screen[Address]):
    """Which server to go to; dismissed with it."""

    DEFAULT_CSS = _LOOK.format(name="Picking")
    AUTO_FOCUS = "#address"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "down", "To the list", show=False),
        Binding("ctrl+c", "app.leave", "Leave", priority=True, show=False),
    ]

    def __init__(self, files: Files, problem: str = "") -> None:
        super().__init__()
        self._problem = problem
        self._servers = server_lines(files)

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static("Which server?", markup=False)
            yield Input(placeholder="HOST or HOST:PORT", id="address", compact=True)
            if self._servers:
                yield OptionList(*(Option(Text(words)) for words, _ in self._servers), markup=False)
            yield Static(self._problem or "Enter connects, Ctrl-C leaves.", id="problem", markup=False)

    def action_down(self) -> None:
        self.query(OptionList).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        words = event.value.strip()
        if not words and self._servers:
            self.dismiss(self._servers[0][1])
            return
        try:
            self.dismiss(Address.parse(words))
        except ValueError as error:
            self.query_one("#problem", Static).update(Text(f"{error}.".capitalize()))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(self._servers[event.option_index][1])


class NameInput(Input):
    """A name; what is typed after Enter belongs to the password, however fast somebody types."""

    def __init__(self, value: str) -> None:
        super().__init__(value=value, placeholder="Name", id="name", compact=True)
        self._entered = False

    def on_focus(self) -> None:
        self._entered = False

    async def _on_key(self, event: events.Key) -> None:
        password = self.screen.query_one("#password", Input)
        if self._entered:
            password.post_message(events.Key(event.key, event.character))
        elif event.key == "enter" and self.value.strip():
            self._entered = True
            self.screen.set_focus(password)
        else:
            return
        event.stop()
        event.prevent_default()


class Login(Screen[tuple[str, str, bool]]):
    """Who one is; dismissed with a name, a password, and whether to make an account.

    :param name: that was given before; then only the password is asked for.
    """

    DEFAULT_CSS = _LOOK.format(name="Login")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "new", "Make an account", priority=True, show=False),
        Binding("escape,f3", "other_server", "Another server", priority=True, show=False),
        Binding("ctrl+c", "app.leave", "Leave", priority=True, show=False),
    ]

    def __init__(self, server: str, secure: bool, name: str = "", problem: str = "", new: bool = False) -> None:
        super().__init__()
        self._server = server
        self._secure = secure
        self._who = name
        self._problem = problem
        self._new = new

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(self._title(), id="title", markup=False)
            yield NameInput(self._who)
            yield Input(placeholder="Password", password=True, id="password", compact=True)
            yield Static(Text(self._problem, style="bold"), id="problem", markup=False)
            yield Static(self._keys(), id="keys", markup=False)

    def on_mount(self) -> None:
        self.query_one("#password" if self._who else "#name", Input).focus()
        self.query_one("#problem").display = bool(self._problem)

    def _title(self) -> Text:
        what = "Make an account on" if self._new else "Log in to"
        title = Text(f"{what} {safe(self._server)}", style="bold")
        if not self._secure:
            title.append(
                "\nNOT ENCRYPTED: everybody on the way can read and change what you say.", style="bold reverse"
            )
        return title

    def _keys(self) -> str:
        other = "log in to the one you have" if self._new else "make a new account"
        return f"Enter goes on, F4: {other}, F3: another server, Ctrl-C leaves."

    def action_new(self) -> None:
        self._new = not self._new
        self.query_one("#title", Static).update(self._title())
        self.query_one("#keys", Static).update(self._keys())
        if self._new:
            name = self.query_one("#name", Input)
            name.value = ""
            name.focus()

    def action_other_server(self) -> None:
        self.dismiss(("", "", False))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        name, password = self.query_one("#name", Input), self.query_one("#password", Input)
        if event.input is password and password.value and name.value.strip():
            self.dismiss((name.value.strip(), password.value, self._new))


class Choice(ModalScreen[bool]):
    """One question with two answers; nothing happens by mere Enter.

    :param yes: the word that has to be typed.
    """

    DEFAULT_CSS = _LOOK.format(name="Choice") + "Choice > VerticalScroll { border: heavy $error; }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "no", "No", priority=True, show=False)]

    def __init__(self, words: Text | str, yes: str, otherwise: str) -> None:
        super().__init__()
        self._words = words
        self._yes = yes
        self._otherwise = otherwise

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(self._words, markup=False)
            yield Static(f"Type {self._yes} to go on. Escape {self._otherwise}.", markup=False)
            yield Input(id="answer", compact=True)

    def action_no(self) -> None:
        self.dismiss(False)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        if event.value.strip().lower() == self._yes:
            self.dismiss(True)
        else:
            event.input.value = ""


def key_changed(address: Address, error: KeyChanged) -> Choice:
    """The loud screen."""
    words = Text()
    words.append(f" THE KEY OF {str(address).upper()} HAS CHANGED \n\n", style="bold reverse")
    words.append("Somebody may stand between you and the server and read everything, your messages included.")
    words.append(" It may also be that the server was set up anew. Ask its operator before you go on.\n\n")
    words.append(f"before  {spelled(error.before)}\nnow     {spelled(error.now)}\n\nNothing was sent.")
    return Choice(words, "trust", "goes back")


class Asking(ModalScreen[str]):
    """Something that a command asks for; dismissed with what was typed."""

    DEFAULT_CSS = _LOOK.format(name="Asking") + "Asking > VerticalScroll { border: round $primary; }"
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
