"""The help page: keys and commands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from rich.console import Group
from rich.table import Table
from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from chat.protocol.grammar import verbs
from chat.protocol.wire.sanitize import safe

KEYS = (
    ("Enter", "send"),
    ("Alt-Enter", "new line (or Ctrl-J)"),
    ("Tab", "complete; again for the next match"),
    ("Up, Down", "what you typed before"),
    ("PageUp, PageDown", "scroll; Ctrl-End: newest"),
    ("Alt-Up, Alt-Down", "other conversations (or Ctrl-P, Ctrl-N, or click)"),
    ("F2", "side bar"),
    ("F3", "other servers and accounts"),
    ("F4", "next unread"),
    ("F5", "connect now"),
    ("F6", "light or dark"),
    ("F7", "settings of your account (or /set)"),
    ("Ctrl-C", "quit"),
)

SIGNS = """
Beside your lines: … sending, ✓ stored by the server, ✓✓ delivered, ✗ rejected.
Beside names: ● online, ◐ away, ○ offline. (3) unread lines; ! you were mentioned.

What you type goes to the open conversation. A line that begins with / is a command.
"""

WIDEST = 26
"""Columns that what is typed has at most, beside what it does."""


def listed(lines: Iterable[tuple[str, str]]) -> Table:
    """What is typed, and beside it what it does; neither runs into the other on a narrow screen."""
    table = Table.grid(padding=(0, 2, 0, 0))
    table.add_column(style="bold", max_width=WIDEST)
    table.add_column(ratio=1)
    for words, summary in lines:
        table.add_row(Text(safe(words)), Text(safe(summary)))
    return table


class HelpScreen(ModalScreen[None]):
    """Everything on one page; any of the usual keys closes it."""

    DEFAULT_CSS = """
    HelpScreen { align: center middle; }
    HelpScreen > VerticalScroll { width: 80; max-width: 100%; height: 100%; padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "app.pop_screen", "Close", priority=True, show=False),
    ]

    def __init__(self, table: verbs.Table) -> None:
        super().__init__()
        self._table = table

    def compose(self) -> ComposeResult:
        groups: dict[str, list[tuple[str, str]]] = {}
        for verb in self._table.verbs:
            if not verb.programs:
                groups.setdefault(verb.group, []).append((verb.form, verb.summary))
        page: list[Table | Text] = [Text("Keys (Escape closes)\n", style="bold"), listed(KEYS), Text(SIGNS)]
        for group, lines in groups.items():
            page += [Text(f"\n{safe(group)}", style="bold"), listed(lines)]
        with VerticalScroll():
            yield Static(Group(*page), markup=False)
