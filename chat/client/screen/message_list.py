"""The message list: scrolls through any number of lines, and paints the visible ones."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any

from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from chat.client.model.conversation import ConversationModel, span
from chat.client.model.state import State
from chat.client.screen.colours import Colours
from chat.client.screen.current_conversation import Notes
from chat.client.screen.line_layout import LineLayout
from chat.protocol.events import Entry

NEAR_TOP = 20
"""Lines from the top at which older ones are asked for."""


@dataclass(frozen=True, slots=True)
class Mark:
    """How far the drawing was before a row.

    :param seq: of the row.
    :param strips: how many lines stood above it.
    :param noted: how many notes did.
    """

    seq: int
    strips: int
    noted: int
    day: date | None
    new_shown: bool


class MessageList(ScrollView, can_focus=False):
    """Shows one conversation.

    What was drawn stays; drawn anew is only what stands from a row on that looks another way now, so that a long
    conversation costs no more than a short one.
    """

    DEFAULT_CSS = "MessageList { height: 1fr; scrollbar-size-vertical: 1; overflow-x: hidden; overflow-y: scroll; }"

    class OlderWanted(Message):
        """Somebody looks for what is older than what is held."""

    class Moved(Message):
        """Somebody has come to the end, or left it."""

    def __init__(self, state: State, **more: Any) -> None:
        super().__init__(**more)
        self._state = state
        self.talk: ConversationModel | None = None
        self.notes = Notes()
        self._colours = Colours()
        self._strips: list[Strip] = []
        self._marks: list[Mark] = []
        self._fixed = 0
        self._drawn_to = 0
        self._delivered = 0
        self._last_day: date | None = None
        self._noted = 0
        self._new_shown = False
        self._was_at_end = True

    def _drawing(self) -> LineLayout:
        zone: Any = datetime.now().astimezone().tzinfo
        width = self.scrollable_content_region.width or self.size.width
        return LineLayout(width, zone, self._state.me, self._state.names_me, self._colours)

    # what is shown

    def open(self, talk: ConversationModel | None, notes: Notes) -> None:
        """Show another conversation, from its end."""
        self.talk, self.notes = talk, notes
        self._was_at_end = True
        self.redraw()

    @property
    def at_end(self) -> bool:
        """Whether the newest line shows, or would."""
        return self.scroll_offset.y >= self.max_scroll_y - 1

    def redraw(self) -> None:
        """Draw everything anew: another width, another conversation."""
        self._forget()
        self.draw()

    def _forget(self) -> None:
        self._strips.clear()
        self._marks.clear()
        self._fixed = self._drawn_to = self._noted = 0
        self._delivered = self.talk.delivered if self.talk is not None else 0
        self._last_day = None
        self._new_shown = False

    def changed_from(self, seq: int) -> None:
        """The row of that seq looks another way now; it and all below it are drawn anew at the next `draw`."""
        place = bisect_left(self._marks, seq, key=lambda mark: mark.seq)
        if place < len(self._marks):
            mark = self._marks[place]
            del self._strips[mark.strips :], self._marks[place:]
            self._fixed, self._drawn_to, self._noted = mark.strips, mark.seq - 1, mark.noted
            self._last_day, self._new_shown = mark.day, mark.new_shown

    def draw(self) -> None:
        """Draw what is not drawn yet."""
        talk = self.talk
        if talk is not None and talk.delivered > self._delivered:
            self.changed_from(self._delivered + 1)
            self._delivered = talk.delivered
        if self._marks and talk is not None and talk.rows and span(talk.rows[0])[0] > self._marks[0].seq:
            self._forget()  # so many have come that the oldest were let go
        drawing = self._drawing()
        del self._strips[self._fixed :]
        if talk is not None:
            first = bisect_left(talk.rows, self._drawn_to + 1, key=lambda row: span(row)[0])
            for entry in talk.rows[first:]:
                self._draw(entry, talk, drawing)
            self._drawn_to = max(self._drawn_to, talk.high)
        self._draw_notes(drawing, 2**63)
        self._fixed = len(self._strips)
        if talk is not None:
            for outgoing in self._state.unsent:
                if outgoing.where == talk.key:
                    self._strips += drawing.outgoing(outgoing, talk)
        self.virtual_size = Size(drawing.width, len(self._strips))
        self.refresh()
        if self._was_at_end:
            self.scroll_end(animate=False, immediate=True)

    def _draw(self, entry: Entry, talk: ConversationModel, drawing: LineLayout) -> None:
        seq = span(entry)[0]
        self._marks.append(Mark(seq, len(self._strips), self._noted, self._last_day, self._new_shown))
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

    def _draw_notes(self, drawing: LineLayout, before: int) -> None:
        """Those that stand before the row of a seq."""
        while self._noted < len(self.notes.lines) and self.notes.lines[self._noted][0] < before:
            line = self.notes.lines[self._noted][1]
            if isinstance(line, str):
                self._strips += drawing.note(line)
            elif self.talk is not None:
                self._strips += drawing.outgoing(line, self.talk)
            self._noted += 1

    def prepended(self, added: int) -> None:
        """Older rows were put at the top: what shows stays where it is.

        :param added: how many. They are drawn by themselves, together with the row after them, over which the line of
            the day, and the one above what is new, may now stand otherwise.
        """
        talk, offset, before = self.talk, self.scroll_offset.y, len(self._strips)
        assert talk is not None, "rows are of a conversation"
        if len(self._marks) < 2 or len(talk.rows) <= added or span(talk.rows[added])[0] != self._marks[0].seq:
            self.redraw()
        else:
            strips, marks = self._strips, self._marks
            after = (self._noted, self._last_day, self._new_shown)
            self._strips, self._marks = [], []
            self._noted, self._last_day, self._new_shown = 0, None, False
            drawing = self._drawing()
            for entry in talk.rows[: added + 1]:
                self._draw(entry, talk, drawing)
            rest = marks[1].strips
            shift = len(self._strips) - rest
            self._strips += strips[rest:]
            self._marks += [replace(mark, strips=mark.strips + shift) for mark in marks[1:]]
            self._noted, self._last_day, self._new_shown = after
            self._fixed += shift
            self.virtual_size = Size(drawing.width, len(self._strips))
            self.refresh()
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
