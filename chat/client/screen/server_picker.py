"""The list of servers and accounts to choose from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.text import Text
from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from chat.client.screen.login_screen import LOOK
from chat.client.session.endpoint import ServerAddress
from chat.client.session.profiles import Files
from chat.protocol.wire.sanitize import safe


@dataclass(frozen=True, slots=True)
class Destination:
    """Where one may be.

    :param account: who one is there, or empty for who one was the last time.
    :param ask: whether to ask who one is, even where that is known.
    """

    address: ServerAddress
    account: str = ""
    ask: bool = False


def places(files: Files) -> list[tuple[str, Destination]]:
    """The servers to pick from, in words: those of ``config.ini``, then the accounts that one has had, each once."""
    names = {address: name for name, address in files.settings().servers}
    known = {each.address: each for each in files.known()}
    lines = []
    for address in dict.fromkeys((*names, *known)):
        name = names.get(address, "")
        words = f"{safe(name)}  {address}" if name else str(address)
        words += "" if address.tls else "  NOT ENCRYPTED"
        accounts = known[address].accounts if address in known else ()
        lines += [(f"{words} as {safe(account)}", Destination(address, account)) for account in accounts]
        if not accounts:
            lines.append((words, Destination(address)))
    return lines


class ServerPicker(Screen[Destination | None]):
    """Which server to go to, and as whom; dismissed with it, or with nothing to stay.

    :param here: where one is, or nothing.
    """

    DEFAULT_CSS = LOOK.format(name="ServerPicker")
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "down", "To the list", show=False),
        Binding("escape", "stay", "Back", priority=True, show=False),
        Binding("ctrl+c", "app.leave", "Leave", priority=True, show=False),
    ]

    def __init__(self, files: Files, problem: str = "", here: Destination | None = None) -> None:
        super().__init__()
        self._problem = problem
        self._here = here
        self._places = places(files)
        if here is not None:
            self._places.append((f"{here.address} as somebody else", Destination(here.address, ask=True)))

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static("Which server?", markup=False)
            yield Input(placeholder="HOST or HOST:PORT", id="address", compact=True)
            if self._places:
                yield OptionList(*(Option(self._line(words, place)) for words, place in self._places), markup=False)
            back = ", Escape goes back" if self._here is not None else ""
            yield Static(self._problem, id="problem", markup=False)
            yield Static(f"Enter connects{back}, Ctrl-C quits.", markup=False)

    def on_mount(self) -> None:
        self.query_one("#problem").display = bool(self._problem)
        self.set_focus(self.query_one("#address", Input))
        for listed in self.query(OptionList):
            listed.highlighted = 0
            self.set_focus(listed)

    def _line(self, words: str, place: Destination) -> Text:
        if place == self._here:
            return Text(f"{words}  (you are here)", style="bold")
        return Text(words)

    def action_down(self) -> None:
        self.query(OptionList).focus()

    def action_stay(self) -> None:
        if self._here is not None:
            self.dismiss(None)

    def on_key(self, event: events.Key) -> None:
        """Who types an address means the input, wherever the cursor is."""
        address = self.query_one("#address", Input)
        if event.character is not None and event.is_printable and not address.has_focus:
            self.set_focus(address)
            address.post_message(events.Key(event.key, event.character))
            event.stop()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        words = event.value.strip()
        if not words and self._places:
            self.dismiss(self._places[0][1])
            return
        try:
            self.dismiss(Destination(ServerAddress.parse(words)))
        except ValueError as error:
            problem = self.query_one("#problem", Static)
            problem.update(Text(f"{error}.", style="bold"))
            problem.display = True

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        place = self._places[event.option_index][1]
        self.dismiss(None if place == self._here else place)
