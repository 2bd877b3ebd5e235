"""Lays out rows of a conversation as terminal lines. Pure: takes a width, returns strips of cells."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, tzinfo

from rich.cells import cell_len, chop_cells
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from chat.client.model.conversation import ConversationModel
from chat.client.model.message_status import Opened
from chat.client.model.send_queue import Fate, Outgoing
from chat.client.screen.colours import Colours
from chat.protocol.events import Deleted, Edited, Entry, Said, Skipped
from chat.protocol.values import Kind, Text
from chat.protocol.wire.phrases import at, weekday
from chat.protocol.wire.sanitize import safe, safe_lines
from chat.protocol.wire.text import View, render

PLAIN = Style()
DIM = Style(dim=True)
BOLD = Style(bold=True)
NOTICE = Style(italic=True)
ALARM = Style(bold=True, reverse=True)
MENTION = Style(bold=True, underline=True)

MARKS = {Fate.SENDING: " …", Fate.KEPT: " ✓", Fate.REFUSED: " ✗"}
SEALED = "🔒"
"""What stands before a line that was sealed."""

DELIVERED = " ✓✓"
"""What stands after an own line: on its way, kept, refused; and in a private conversation, delivered."""


def wrap(text: str, width: int, first: int) -> list[str]:
    """Cut a line into lines of so many cells, between words where that is possible.

    :param first: the cells that the first line has; the others have ``width``.
    """
    lines: list[str] = []
    room, line, used = first, "", 0
    words = text.lstrip(" ").split(" ")
    if (lead := len(text) - len(text.lstrip(" "))) + cell_len(words[0]) <= first:
        words[0] = " " * lead + words[0]  # as code and tables are indented
    for word in words:
        size = len(word) if word.isascii() else cell_len(word)
        if used and used + 1 + size <= room:
            line, used = f"{line} {word}", used + 1 + size
            continue
        if used or (lines and not word):
            lines.append(line)
            room, line, used = width, "", 0
        elif not lines and size > room and room < width:
            lines.append("")
            room = width
        if size > room:
            *whole, word = chop_cells(word, room)
            lines += whole
            size = cell_len(word)
        line, used = word, size
    lines.append(line)
    return lines


def paragraph(
    head: list[Segment], texts: Iterable[str], tail: str, style: Style, width: int, indent: int
) -> list[Strip]:
    """Text after a head, wrapped and indented.

    :param head: what stands before the first line.
    :param texts: lines as they were written.
    :param tail: what stands after the last one.
    """
    used = sum(segment.cell_length for segment in head)
    indent = min(indent, width // 3)
    strips: list[Strip] = []
    texts = list(texts)
    for place, text in enumerate(texts):
        if place == len(texts) - 1:
            text += tail
        room = max(4, width - indent)
        pieces = wrap(text, room, max(1, width - used) if place == 0 else room)
        for piece in pieces:
            before = head if not strips else [Segment(" " * indent)]
            strips.append(Strip([*before, Segment(piece, style)]))
    return strips


class LineLayout:
    """How rows look, at one width.

    :param zone: of the times.
    :param names_me: whether somebody said the reader's name.
    :param colours: of the names.
    """

    def __init__(self, width: int, zone: tzinfo, me: str, names_me: object, colours: Colours) -> None:
        self.width = max(10, width)
        self.zone = zone
        self.me = me
        self._names_me = names_me
        self._colours = colours

    def day(self, when: date) -> Strip:
        """The line between two days."""
        moment = datetime(when.year, when.month, when.day)
        return self.rule(f" {weekday(moment)} ")

    def rule(self, words: str) -> Strip:
        """A line across, with words in the middle."""
        sides = max(0, self.width - cell_len(words))
        return Strip([Segment("─" * (sides // 2) + words + "─" * (sides - sides // 2), DIM)])

    def date_of(self, entry: Entry) -> date | None:
        """The day of a row that is shown."""
        if isinstance(entry, Skipped | Edited | Deleted):
            return None
        return at(entry.time, self.zone).date()

    def row(self, entry: Entry, talk: ConversationModel) -> list[Strip]:
        """A row of the log; corrections show where what they correct stands."""
        if isinstance(entry, Skipped | Edited | Deleted):
            return []
        time = Segment(at(entry.time, self.zone).strftime("%H:%M "), DIM)
        if isinstance(entry, Said):
            return self._said(entry, talk, time)
        conversation = entry.conversation.id
        text = render(entry, View(current=conversation, zone=self.zone)).rstrip("\n")
        return paragraph([time], safe_lines(text), "", NOTICE, self.width, 8)

    def _said(self, said: Said, talk: ConversationModel, time: Segment) -> list[Strip]:
        body, edited = talk.body_of(said)
        mine = said.author == self.me
        tail = ""
        if mine:
            tail = DELIVERED if not talk.key.room and said.seq <= talk.delivered else MARKS[Fate.KEPT]
        tail = f"{' (edited)' if edited else ''}{tail}"
        if body is None:
            return self._spoken(talk, time, said.author, ["(deleted)"], "", DIM, said.kind is Kind.ACTION)
        if not isinstance(body, Text):
            return self._spoken(talk, time, said.author, ["(sealed: this client cannot read it)"], "", DIM, False)
        if body.mark:
            sealed = body.mark == Opened.mark
            time = Segment(f"{time.text}{SEALED if sealed else f'{body.mark}: '}", DIM if sealed else ALARM)
        named = not mine and callable(self._names_me) and self._names_me(said)
        style = MENTION if named else PLAIN
        return self._spoken(talk, time, said.author, safe_lines(body.text), tail, style, said.kind is Kind.ACTION)

    def _spoken(
        self,
        talk: ConversationModel,
        time: Segment,
        author: str,
        texts: list[str],
        tail: str,
        style: Style,
        action: bool,
    ) -> list[Strip]:
        name = safe(author)
        who = Segment(f"* {name} " if action else f"{name}: ", self._colours.of(author, talk))
        indent = min(time.cell_length + who.cell_length, 16)
        return paragraph([time, who], texts, tail, style, self.width, indent)

    def outgoing(self, outgoing: Outgoing, talk: ConversationModel) -> list[Strip]:
        """An own line that is not stored, or not yet."""
        time = Segment(at(outgoing.time, self.zone).strftime("%H:%M "), DIM)
        tail = MARKS[outgoing.fate]
        if outgoing.why:
            tail += f" {safe(outgoing.why)}"
        return self._spoken(talk, time, self.me, safe_lines(outgoing.text), tail, DIM, outgoing.action)

    def note(self, text: str) -> list[Strip]:
        """What the server or the client says, line by line."""
        strips: list[Strip] = []
        for line in text.rstrip("\n").split("\n"):
            style = ALARM if line.startswith("! ") else NOTICE
            strips += paragraph([], [line], "", style, self.width, 2)
        return strips
