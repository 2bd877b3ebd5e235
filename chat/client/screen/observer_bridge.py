"""Passes what the engine reports on to the screen.

Twisted calls from outside of Textual's own tasks, so all of it is done a little later. One message of Textual's costs
more than a line of chat, so what comes meanwhile is done together, in the order in which it came.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from copy import copy
from typing import Any

from chat.client.model.conversation import ConversationModel
from chat.client.model.send_queue import Outgoing
from chat.client.model.transfer_progress import TransferProgress
from chat.client.screen.chat_screen import ChatScreen
from chat.client.session.observer import Observer, Status
from chat.protocol.events import Entry, Event, StoredAs

MOST_MISSED = 100
"""What comes before there is a screen for it and is shown later; of more, the oldest are let go."""


class ObserverBridge:
    """Implements `chat.client.session.observer.Observer` for the screens of one program.

    :param later: calls a function from one of Textual's tasks.
    :param changed: told of each new status, before the screen is.
    """

    def __init__(self, later: Callable[[Callable[[], object]], object], changed: Callable[[Status], object]) -> None:
        self._later = later
        self._changed = changed
        self._screen: Observer | None = None
        self._waiting: list[tuple[Callable[..., object], tuple[Any, ...]]] = []
        self._missed: list[Callable[[Observer], object]] = []

    def show_on(self, screen: ChatScreen | None) -> None:
        """From now on that is the screen; what was found and came to its end while there was none is shown on it."""
        self._screen = screen.presenter if screen is not None else None
        if screen is not None:
            missed, self._missed = self._missed, []
            for show in missed:
                screen.call_later(show, screen.presenter)  # it is not there yet

    def _show(self, show: Callable[[Observer], object]) -> None:
        if self._screen is not None:
            show(self._screen)
        else:
            self._missed.append(show)
            del self._missed[:-MOST_MISSED]

    def _soon(self, work: Callable[..., object], *args: Any) -> None:
        self._waiting.append((work, args))
        if len(self._waiting) == 1:
            self._later(self._work_off)

    def _work_off(self) -> None:
        waiting, self._waiting = self._waiting, []
        for work, args in waiting:
            work(*args)

    # the observer

    def status_changed(self, status: Status) -> None:
        self._soon(self._changed, status)

    def rows_added(self, talk: ConversationModel, rows: Sequence[Entry], live: bool) -> None:
        if self._screen is not None:
            self._soon(self._screen.rows_added, talk, rows, live)

    def happened(self, event: Event) -> None:
        if self._screen is not None:
            self._soon(self._screen.happened, event)

    def settled(self, outgoing: Outgoing, stored: StoredAs | None) -> None:
        if self._screen is not None:
            self._soon(self._screen.settled, outgoing, stored)

    def direct(self, user: str, author: str, text: str) -> None:
        if self._screen is not None:
            self._soon(self._screen.direct, user, author, text)

    def transferred(self, transfer: TransferProgress) -> None:
        if self._screen is not None or not transfer.going:  # a screen begins with those that may still come
            now = copy(transfer)  # by the time it is shown it may have gone on, which is told as well
            self._soon(self._show, lambda screen: screen.transferred(now))

    def found(self, talk: ConversationModel | None, words: str, alarming: bool) -> None:
        self._soon(self._show, lambda screen: screen.found(talk, words, alarming))
