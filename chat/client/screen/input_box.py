"""The input box: editing keys, input history, completion and pasted lines."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from textual import events
from textual.message import Message
from textual.widgets import TextArea

from chat.protocol.values import Text

MOST_LINES = 6
"""The most lines that it grows to."""

Complete = Callable[[str], tuple[int, list[str]]]
"""See `chat.client.input.completion.complete`: where the last word begins, and what it may become."""


class InputBox(TextArea):
    """One message at a time.

    :param complete: finds what the last word may become.
    :param typed: what was typed before, the oldest first; it is added to.
    """

    DEFAULT_CSS = f"InputBox {{ height: auto; max-height: {MOST_LINES}; padding: 0 1; }}"

    class Sent(Message):
        """Somebody pressed Enter."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Hint(Message):
        """Something to show beside the input, or nothing any more."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self, complete: Complete, typed: list[str], **more: Any) -> None:
        super().__init__(soft_wrap=True, show_line_numbers=False, tab_behavior="focus", compact=True, **more)
        self._complete = complete
        self.typed = typed
        self._back = 0
        self._draft = ""
        self._choices: list[str] = []
        self._choice = -1
        self._length = 0
        self._hinted = ""

    def put(self, text: str) -> None:
        """Replace what is there."""
        self._choices = []
        self.text = text
        self.move_cursor(self.document.end)

    # keys

    def action_send(self) -> None:
        text = self.text
        self._choices = []
        if not text.strip() or self._too_long():
            return  # it stays, and what is beside it says why
        if not self.typed or self.typed[-1] != text:
            self.typed.append(text)
        self._back = 0
        self._draft = ""
        self.put("")
        self.post_message(self.Sent(text))

    def action_newline(self) -> None:
        self.insert("\n")

    def action_before(self) -> None:
        if self.cursor_location[0] > 0:
            self.action_cursor_up()
        elif self._back < len(self.typed):
            if not self._back:
                self._draft = self.text
            self._back += 1
            self.put(self.typed[-self._back])

    def action_after(self) -> None:
        if self.cursor_location[0] < self.document.line_count - 1:
            self.action_cursor_down()
        elif self._back:
            self._back -= 1
            self.put(self.typed[-self._back] if self._back else self._draft)

    def action_complete(self, step: int) -> None:
        if not self._choices:
            before = self.document.get_text_range((0, 0), self.cursor_location)
            start, self._choices = self._complete(before)
            self._length = len(before) - start
            self._choice = -1 if step > 0 else 0
            if not self._choices:
                return
        self._choice = (self._choice + step) % len(self._choices)
        choices = self._choices
        row, column = self.cursor_location
        self.replace(choices[self._choice], (row, column - self._length), (row, column))
        self._length = len(choices[self._choice])
        self._choices = choices if len(choices) > 1 else []
        self._hint()

    async def _on_key(self, event: events.Key) -> None:
        """Keys in the order in which they were pressed; a binding with priority would overtake the letters before."""
        if event.key not in ("tab", "shift+tab"):
            self._choices = []
            self._hint()
        act = {
            "enter": self.action_send,
            "alt+enter": self.action_newline,
            "shift+enter": self.action_newline,
            "ctrl+j": self.action_newline,
            "tab": lambda: self.action_complete(1),
            "shift+tab": lambda: self.action_complete(-1),
            "up": self.action_before,
            "down": self.action_after,
        }.get(event.key)
        if act is not None:
            event.stop()
            event.prevent_default()
            act()

    def _too_long(self) -> str:
        """Why it cannot be one message, and what to do; nothing where it can."""
        text = self.text.strip()  # as it is read
        try:
            Text(text or "-")
        except ValueError as error:
            return f"{error}"
        return ""

    # what stands beside it

    def on_text_area_changed(self) -> None:
        self._hint()

    def _hint(self) -> None:
        if self._choices:
            shown = "  ".join(each.strip() for each in self._choices[max(0, self._choice) :][:8])
        else:
            lines, too_long = self.document.line_count, self._too_long()
            if too_long:
                shown = f"These are {lines} lines. {too_long}" if lines > 1 else too_long
            else:
                shown = f"{lines} lines: Enter sends them as one message." if lines > 1 else ""
        if shown != self._hinted:
            self._hinted = shown
            self.post_message(self.Hint(shown))
