"""The side bar: rooms and people, unread lines, and who is online."""

from __future__ import annotations

from typing import Any

from rich.text import Text
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.state import State
from chat.protocol.wire.sanitize import safe

MOST_PEOPLE = 200
"""The most people who are shown without a conversation with them."""

HERE = {"online": "●", "away": "◐", "offline": "○"}
"""What stands before somebody's name."""


def ordered(state: State, current: Key | None = None) -> list[Key]:
    """The conversations in the order of the side bar: rooms, then people one has talked with, then others who are
    here. What was said with an account that is gone shows until it was read.

    :param current: where one is.
    """
    rooms = sorted(key for key in state.talks if key.room)
    people = sorted(
        key for key, talk in state.talks.items() if not key.room and (not key.deleted or talk.unread or key == current)
    )
    others = [
        Key(False, folded)
        for folded, (name, status) in sorted(state.people.items())
        if status != "offline" and name != state.me and Key(False, folded) not in state.talks
    ]
    return [*rooms, *people, *others[:MOST_PEOPLE]]


def entry(state: State, key: Key, current: bool) -> Text:
    """One line: where one is, what waits, who is here; readable without colour."""
    talk: ConversationModel | None = state.talks.get(key)
    if key.room:
        title = f"#{safe(talk.title if talk is not None else key.name)}"
    else:
        name, status = state.people.get(key.name, (talk.title if talk is not None else key.name, "offline"))
        title = f"{HERE.get(status, ' ')} {safe(name)}"
    unread = talk.unread if talk is not None else 0
    mark = ">" if current else "!" if talk is not None and talk.mentions else " "
    style = "bold" if unread or current else "dim" if not key.room and talk is None else ""
    line = Text(f"{mark}{title}", style=style, no_wrap=True, overflow="ellipsis")
    if unread:
        line.append(
            f" ({unread if unread < 1000 else '999+'})", style="bold reverse" if talk and talk.mentions else "bold"
        )
    return line


class SideBar(OptionList, can_focus=False):
    """A list to click on; the keyboard goes through it with Alt and the arrows."""

    DEFAULT_CSS = """
    SideBar { width: 22; height: 1fr; border: none; padding: 0; scrollbar-size-vertical: 1; background: $panel; }
    SideBar { text-wrap: nowrap; text-overflow: ellipsis; }
    """

    class Chosen(Message):
        """Somebody clicked."""

        def __init__(self, key: Key) -> None:
            super().__init__()
            self.key = key

    def __init__(self, state: State, **more: Any) -> None:
        super().__init__(markup=False, **more)
        self._state = state
        self.keys: list[Key] = []
        self._shown_lines: list[Text] = []

    def show(self, current: Key | None) -> None:
        """Show how things are now."""
        self.keys = ordered(self._state, current)
        lines = [entry(self._state, key, key == current) for key in self.keys]
        if lines == self._shown_lines:
            return
        self._shown_lines = lines
        self.clear_options()
        self.add_options([Option(line) for line in lines])
        if current in self.keys:
            self.highlighted = self.keys.index(current)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if event.option_index < len(self.keys):
            self.post_message(self.Chosen(self.keys[event.option_index]))
