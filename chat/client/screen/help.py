"""The help page: the keys, and the server's verbs."""

from __future__ import annotations

from typing import ClassVar

from rich.text import Text
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import ModalScreen
from textual.widgets import Static

from chat.grammar.verbs import Table
from chat.wire.safe import safe

KEYS = """\
Enter           send
Alt-Enter       new line (or Ctrl-J)
Tab             complete; again: the next
Up, Down        what you typed before
PageUp/PageDown scroll; Ctrl-End: newest
Alt-Up/Alt-Down other conversations
                (or Ctrl-P, Ctrl-N, or click)
F2              side bar
F3              other servers and accounts
F4              next unread
F5              connect now
F6              light or dark
F7              settings of your account (or /set)
Ctrl-C          leave

Beside your lines: … on its way, ✓ kept by the server, ✓✓ delivered, ✗ refused.
Beside names: ● here, ◐ away, ○ not here. (3) lines wait; ! somebody named you.

What you type is said where you are. A line that begins with / is a command.
"""


class Helping(ModalScreen[None]):
    """Everything on one page; any of the usual keys closes it."""

    DEFAULT_CSS = """
    Helping { align: center middle; }
    Helping > VerticalScroll { width: 80; max-width: 100%; height: 100%; padding: 0 1; background: $surface; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,f1,q,enter", "app.pop_screen", "Close", priority=True, show=False),
    ]

    def __init__(self, table: Table) -> None:
        super().__init__()
        self._table = table

    def compose(self) -> ComposeResult:
        with VerticalScroll():
            page = Text("Keys (Escape closes)\n\n", style="bold")
            page.append(KEYS, style="not bold")
            group = ""
            for verb in self._table.verbs:
                if verb.programs:
                    continue
                if verb.group != group:
                    group = verb.group
                    page.append(f"\n{safe(group)}\n", style="bold")
                page.append(f"  {safe(verb.form)}  ", style="bold")
                page.append(f"{safe(verb.summary)}\n", style="not bold")
            yield Static(page, markup=False)
