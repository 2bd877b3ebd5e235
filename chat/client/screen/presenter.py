"""Decides what the engine reports is noted, in which conversation, and what rings the bell."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chat.client.model.conversation import ConversationModel
from chat.client.model.send_queue import Outgoing
from chat.client.model.state import State
from chat.client.model.transfer_progress import TransferProgress
from chat.client.screen.current_conversation import CurrentConversation
from chat.client.screen.transfer_bars import TransferBars, direct_lines
from chat.client.session.observer import Status
from chat.protocol.events import Delivered, Entry, Event, Presence, Said, StoredAs
from chat.protocol.names import fold
from chat.protocol.wire.sanitize import safe


class Presenter:
    """Implements `chat.client.session.observer.Observer` by its methods of those names.

    :param here: where the person is.
    :param arrived: called with rows that have come there.
    :param put_out: called when the conversation there has ended.
    :param changed: called when something looks another way.
    :ivar carried: the files that are on their way.
    """

    def __init__(
        self,
        state: State,
        here: CurrentConversation,
        *,
        arrived: Callable[[ConversationModel, Sequence[Entry]], object],
        put_out: Callable[[], object],
        changed: Callable[[], object],
    ) -> None:
        self._state = state
        self._here = here
        self._arrived = arrived
        self._put_out = put_out
        self._changed = changed
        self.carried = TransferBars()
        self._rings = False

    def rings(self) -> bool:
        """Whether anything was worth the bell since this was asked for last."""
        rings, self._rings = self._rings, False
        return rings

    # the observer

    def status_changed(self, status: Status) -> None:
        if status.alarming:
            self._here.note(f"! {safe(status.reason)}")
        self._changed()

    def rows_added(self, talk: ConversationModel, rows: Sequence[Entry], live: bool) -> None:
        if talk is self._here.talk:
            self._arrived(talk, rows)
        self._rings |= live and any(self._calls(talk, row) for row in rows)
        self._changed()

    def _calls(self, talk: ConversationModel, row: Entry) -> bool:
        """Whether a row is worth the bell: a private line, or one's name."""
        if not isinstance(row, Said) or row.author == self._state.me:
            return False
        return not talk.key.room or self._state.calls_me(row)

    def happened(self, event: Event) -> None:
        if self._here.put_out:
            self._put_out()  # what is being written is for nobody else to read
        talk = self._here.talk
        if isinstance(event, Presence) and len(event.users) == 1 and talk is not None:
            if talk.key.room or talk.key.name == fold(event.users[0]):
                self._here.show(event)
        elif not isinstance(event, Presence | Delivered):
            self._here.show(event)
        self._changed()

    def direct(self, user: str, author: str, text: str) -> None:
        mine = author != user
        self._here.note_with(user, direct_lines(author, text, mine))
        self._rings |= not mine

    def transferred(self, transfer: TransferProgress) -> None:
        if words := self.carried.changed(transfer):
            self._here.note_with(transfer.user, words)
        self._changed()

    def found(self, talk: ConversationModel | None, words: str, alarming: bool) -> None:
        key = talk.key if talk is not None else self._here.key
        self._here.note_in(key, f"{'! ' if alarming else '* '}{safe(words)}")

    def settled(self, outgoing: Outgoing, stored: StoredAs | None) -> None:
        if stored is None:
            self._here.refuse(outgoing)
        if stored is None and outgoing.where != self._here.key:
            self._here.note(f"! Not sent to {safe(outgoing.where.name)}: {safe(outgoing.why)}")
        elif stored is not None and (stored.present is False or stored.away is not None):
            self._here.show(stored)
        self._changed()
