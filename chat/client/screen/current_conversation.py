"""The open conversation, and the notes between its rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.rendering import shown_in
from chat.client.model.send_queue import Outgoing
from chat.client.model.state import State
from chat.protocol.events import Event, Reply
from chat.protocol.names import fold

MOST_NOTES = 300
"""Answers of the server that are remembered for each conversation."""


@dataclass(slots=True)
class Notes:
    """What stands between the rows of a conversation and is none.

    :ivar lines: text, or an own line that was refused, and the seq after which it stands.
    :ivar new_after: the seq after which everything was new when the conversation was opened, or nothing.
    """

    lines: list[tuple[int, str | Outgoing]] = field(default_factory=list)
    new_after: int | None = None

    def add(self, seq: int, line: str | Outgoing) -> None:
        self.lines.append((seq, line))
        del self.lines[:-MOST_NOTES]


class CurrentConversation:
    """The conversation that somebody is in, if any, and the notes of all of them.

    :param changed: called when there is another note.
    :ivar key: of that conversation; it may have ended meanwhile.
    """

    def __init__(self, state: State, changed: Callable[[], object]) -> None:
        self._state = state
        self._changed = changed
        self.key: Key | None = None
        self._notes: dict[Key | None, Notes] = {}
        for key, lines in state.refused.items():
            for outgoing in lines:
                self._add(key, outgoing)

    @property
    def talk(self) -> ConversationModel | None:
        """The conversation that one is in."""
        return self._state.talks.get(self.key) if self.key is not None else None

    @property
    def put_out(self) -> bool:
        """Whether the conversation that one was in is there no more."""
        return self.key is not None and self.talk is None

    def go(self, key: Key | None) -> Notes:
        """Be in that conversation from now on.

        :returns: its notes.
        """
        self.key = key
        talk = self.talk
        notes = self._notes.setdefault(key, Notes())
        notes.new_after = talk.read if talk is not None and talk.unread else None
        return notes

    def show(self, shown: Reply | Event) -> None:
        """Note an answer of the server, or an event that is no row, where one is."""
        if text := shown_in(self.talk, shown):
            self.note(text)

    def note(self, text: str) -> None:
        """Note something where one is."""
        self.note_in(self.key, text)

    def note_with(self, user: str, text: str) -> None:
        """Note something in the conversation with somebody, and where one is."""
        for key in {Key(False, fold(user)), self.key}:
            self.note_in(key, text)

    def note_in(self, key: Key | None, line: str | Outgoing) -> None:
        """Note something in a conversation, after what has been said there."""
        self._add(key, line)
        self._changed()

    def _add(self, key: Key | None, line: str | Outgoing) -> None:
        talk = self._state.talks.get(key) if key is not None else None
        self._notes.setdefault(key, Notes()).add(talk.high if talk is not None else 0, line)

    def refuse(self, outgoing: Outgoing) -> None:
        """An own line was not stored: it stays where it was said, whatever is said after it."""
        self.note_in(outgoing.where, outgoing)
