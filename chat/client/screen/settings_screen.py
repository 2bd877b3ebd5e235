"""The settings page of the account; each change is the ``/set`` command."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any, ClassVar, NamedTuple

from rich.text import Text
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from chat.client.model.rendering import view_of
from chat.client.screen.login_screen import LOOK, PromptScreen
from chat.protocol.events import OwnSettings
from chat.protocol.preferences import SETTINGS, Setting
from chat.protocol.wire.listings import setting_values
from chat.protocol.wire.sanitize import safe
from chat.protocol.wire.view import View

ABOUT = (
    "These settings belong to your account: they change what you see on netcat and telnet. On this screen, a quiet room"
    " does not ring the bell. The settings of this client are in config.ini; chat --help shows where."
)

Set = Callable[[str], Awaitable[Any]]
"""Does what a line says; see `chat.client.input.input_commands.CommandInput.typed`."""


class SettingLine(NamedTuple):
    """One line of the page.

    :param name: as it is typed after ``set``: ``style``, ``quiet ops``.
    :param value: what it is now, in words.
    """

    name: str
    value: str
    setting: Setting

    @property
    def next(self) -> str:
        """The word after the one of now; empty where people write one of their own."""
        words = self.setting.words
        return words[(words.index(self.value) + 1) % len(words)] if self.value in words else "".join(words[:1])


def choices(settings: OwnSettings, rooms: Iterable[str], view: View) -> list[SettingLine]:
    """The lines of the page.

    :param rooms: whose member one is.
    """
    values = setting_values(settings, view)
    lines = []
    for name, setting in SETTINGS.items():
        if setting.of_room:
            here = {room.casefold(): word for room, word in getattr(settings, name).items()}
            default = setting.words[0]
            lines += [SettingLine(f"{name} {room}", here.get(room.casefold(), default), setting) for room in rooms]
        else:
            lines.append(SettingLine(name, values[name], setting))
    return lines


class SettingsScreen(ModalScreen[None]):
    """The page.

    :param rooms: whose member one is.
    """

    DEFAULT_CSS = (
        LOOK.format(name="SettingsScreen")
        + """
    SettingsScreen > VerticalScroll { border: round $primary; }
    SettingsScreen OptionList { text-wrap: nowrap; text-overflow: ellipsis; margin: 0 0 1 0; }
    """
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f7,q", "app.pop_screen", "Close", priority=True, show=False),
    ]

    def __init__(self, settings: OwnSettings, rooms: Iterable[str], set: Set) -> None:
        super().__init__()
        self._rooms = sorted(rooms)
        self._set = set
        self._choices: list[SettingLine] = []
        self._take(settings)

    def _take(self, settings: OwnSettings) -> None:
        self._choices = choices(settings, self._rooms, view_of())

    def compose(self) -> ComposeResult:
        with VerticalScroll(can_focus=False):
            yield Static(Text("Settings of your account", style="bold"), markup=False)
            yield OptionList(*self._lines(), markup=False)
            yield Static("", id="problem", markup=False)
            yield Static(ABOUT, markup=False)
            yield Static("Enter changes a setting, Escape closes.", markup=False)

    def on_mount(self) -> None:
        self.query_one("#problem").display = False
        self.query_one(OptionList).highlighted = 0
        self.set_focus(self.query_one(OptionList))

    def _lines(self) -> list[Option]:
        name_width = max(len(each.name) for each in self._choices)
        value_width = max(len(each.value) for each in self._choices)
        lines = []
        for each in self._choices:
            line = Text(f"{safe(each.name):{name_width}}  ", no_wrap=True, overflow="ellipsis")
            line.append(f"{safe(each.value):{value_width}}", style="bold")
            line.append(f"  {', '.join(each.setting.words) or each.setting.hint}", style="dim")
            lines.append(Option(line))
        return lines

    @work
    async def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        choice = self._choices[event.option_index]
        value = choice.next
        if not choice.setting.words:
            value = await self.app.push_screen_wait(
                PromptScreen(f"{choice.name} ({choice.setting.hint}):", secret=False)
            )
        if not value.strip():
            return
        outcome = await self._set(f"/set {choice.name} {value}")
        refused = "" if isinstance(outcome, OwnSettings) else safe(getattr(outcome, "text", "Nothing was changed."))
        problem = self.query_one("#problem", Static)
        problem.update(Text(refused, style="bold"))
        problem.display = bool(refused)
        if isinstance(outcome, OwnSettings):
            self._take(outcome)
            listed = self.query_one(OptionList)
            listed.clear_options().add_options(self._lines())
            listed.highlighted = event.option_index
