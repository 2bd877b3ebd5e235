"""The widget in which a conversation is read: it scrolls through any number of lines, and paints those that show."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from chat.client.screen.lines import Drawing
from chat.client.state import State
from chat.client.talks import Talk, span
from chat.events import Entry

MOST_NOTES = 300
"""Answers of the server that are remembered for each conversation."""

NEAR_TOP = 20
"""Lines from the top at which older ones are asked for."""


@dataclass(slots=True)
class Notes:
    """What stands between the rows of a conversation and is none.

    :ivar lines: text, and the seq after which it stands.
    :ivar new_after: the seq after which everything was new when the conversation was opened, or nothing.
    """

    lines: list[tuple[int, str]] = field(default_factory=list)
    new_after: int | None = None

    def add(self, seq: int, text: str) -> None:
        self.lines.append((seq, text))
        del self.lines[:-MOST_NOTES]


class Feed(ScrollView, can_focus=False):
    """Shows one conversation.

    :ivar stale: whether something that was drawn looks another way now.
    """

    DEFAULT_CSS = "Feed { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: scroll; }"

    class OlderWanted(Message):
        """Somebody looks for what is older than what is held."""

    class Moved(Message):
        """Somebody has come to the end, or left it."""

    def __init__(self, state: State, **more: Any) -> None:
        super().__init__(**more)
        self._state = state
        self.talk: Talk | None = None
        self.notes = Notes()
        self.stale = False
        self._strips: list[Strip] = []
        self._fixed = 0
        self._drawn_to = 0
        self._last_day: date | None = None
        self._noted = 0
        self._new_shown = False
        self._was_at_end = True

    def _drawing(self) -> Drawing:
        zone: Any = datetime.now().astimezone().tzinfo
        width = self.scrollable_content_region.width or self.size.width
        return Drawing(width, zone, self._state.me, self._state.names_me)

    # what is shown

    def open(self, talk: Talk | None, notes: Notes) -> None:
        """Show another conversation, from its end."""
        self.talk, self.notes = talk, notes
        self._was_at_end = True
        self.redraw()

    @property
    def at_end(self) -> bool:
        """Whether the newest line shows, or would."""
        return self.scroll_offset.y >= self.max_scroll_y - 1

    def redraw(self) -> None:
        """Draw everything anew: another width, another conversation, something that was corrected."""
        self._strips.clear()
        self._fixed = self._drawn_to = self._noted = 0
        self._last_day = None
        self._new_shown = False
        self.draw()

    def draw(self) -> None:
        """Draw what was added at the end since the last time; all of it where something else has changed."""
        if self.stale:
            self.stale = False
            self.redraw()
            return
        drawing = self._drawing()
        del self._strips[self._fixed :]
        talk = self.talk
        if talk is not None:
            first = 0
            if self._drawn_to:
                first = len(talk.rows)
                while first and span(talk.rows[first - 1])[0] > self._drawn_to:
                    first -= 1
            for entry in talk.rows[first:]:
                self._draw(entry, talk, drawing)
            self._drawn_to = max(self._drawn_to, talk.high)
        self._draw_notes(drawing, 2**63)
        self._fixed = len(self._strips)
        if talk is not None:
            for outgoing in (*self._state.refused.get(talk.key, ()), *self._state.unsent):
                if outgoing.where == talk.key:
                    self._strips += drawing.outgoing(outgoing)
        self.virtual_size = Size(drawing.width, len(self._strips))
        self.refresh()
        if self._was_at_end:
            self.scroll_end(animate=False, immediate=True)

    def _draw(self, entry: Entry, talk: Talk, drawing: Drawing) -> None:
        seq = span(entry)[0]
        self._draw_notes(drawing, seq)
        strips = drawing.row(entry, talk)
        if not strips:
            return
        day = drawing.date_of(entry)
        if day is not None and day != self._last_day:
            self._last_day = day
            self._strips.append(drawing.day(day))
        if self.notes.new_after is not None and seq > self.notes.new_after and not self._new_shown:
            self._new_shown = True
            self._strips.append(drawing.rule(" new "))
        self._strips += strips

    def _draw_notes(self, drawing: Drawing, before: int) -> None:
        """Those that stand before the row of a seq."""
        while self._noted < len(self.notes.lines) and self.notes.lines[self._noted][0] < before:
            self._strips += drawing.note(self.notes.lines[self._noted][1])
            self._noted += 1

    def prepended(self) -> None:
        """Older rows were put at the top: what shows stays where it is."""
        before, offset = len(self._strips), self.scroll_offset.y
        self.redraw()
        self.scroll_to(y=offset + len(self._strips) - before, animate=False, immediate=True)

    # Textual's side

    def on_resize(self) -> None:
        self.redraw()
        if self._was_at_end:
            self.call_after_refresh(self.scroll_end, animate=False, immediate=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if self.at_end != self._was_at_end:
            self._was_at_end = self.at_end
            self.post_message(self.Moved())
        if new_value < NEAR_TOP and self.talk is not None and not self.talk.complete:
            self.post_message(self.OlderWanted())

    def render_line(self, y: int) -> Strip:
        """See ``textual.widget.Widget``: one line of the window."""
        place = self.scroll_offset.y + y
        width, style = self.size.width, self.rich_style
        if place >= len(self._strips):
            return Strip.blank(width, style)
        return self._strips[place].crop_extend(0, width, None).apply_style(style)
