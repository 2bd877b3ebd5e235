"""Assigns a colour to the name of each author."""

from __future__ import annotations

from collections import Counter
from typing import Final
from zlib import crc32

from rich.style import Style

from chat.client.model.conversation import ConversationModel
from chat.protocol.events import Said
from chat.protocol.names import fold

STYLES: Final = tuple(
    Style(color=name, bold=True) for name in ("cyan", "green", "magenta", "blue", "color(166)", "color(101)")
)
"""Those that both themes show well, and apart from each other: there is no red, which Textual's dark theme makes
the same as magenta. The last two are an orange and an olive grey of the 256 colours of xterm."""

LATELY: Final = 200
"""Rows of a conversation by whose authors a newcomer's colour is chosen."""

MOST_NAMES: Final = 10_000
"""Names whose colour is remembered; when there are more, all are forgotten and choose again."""


class Colours:
    """A name keeps its colour once it has one: that which the fewest have who talk in the same conversation."""

    def __init__(self) -> None:
        self._given: dict[str, int] = {}

    def of(self, author: str, talk: ConversationModel) -> Style:
        """The colour of somebody who talks there."""
        name = fold(author)
        if name not in self._given:
            if len(self._given) >= MOST_NAMES:
                self._given.clear()
            self._given[name] = self._choose(name, talk)
        return STYLES[self._given[name]]

    def _choose(self, name: str, talk: ConversationModel) -> int:
        """Of equals, the one that follows from the name: who is alone has the same one every time."""
        others = {fold(row.author) for row in talk.rows[-LATELY:] if isinstance(row, Said)}
        used = Counter(self._given[each] for each in others if each in self._given)
        own = crc32(name.encode()) % len(STYLES)
        return min(range(len(STYLES)), key=lambda each: (used[each], (each - own) % len(STYLES)))
