"""The interface through which the engine informs a screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from chat.client.model.conversation import ConversationModel
from chat.client.model.send_queue import Outgoing
from chat.client.model.transfer_progress import TransferProgress
from chat.protocol.events import Entry, Event, StoredAs


class Phase(StrEnum):
    """The state of the connection to the server.

    Closed: not connected, on purpose. Connecting. Open: connected, nobody logged in. Catching up: logged in, reading
    missed messages. Online. Waiting: the connection was lost, and the client will reconnect. Ended: the client does not
    reconnect until a person asks for it.
    """

    CLOSED = "closed"
    CONNECTING = "connecting"
    OPEN = "open"
    CATCHING_UP = "catching up"
    ONLINE = "online"
    WAITING = "waiting"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Status:
    """A phase and its reason.

    :param reason: one line that says why there is no connection.
    :param wait: seconds until the next attempt, if there is one.
    :param alarming: whether the server must not be trusted.
    """

    phase: Phase
    reason: str = ""
    wait: float = 0.0
    alarming: bool = False


class Observer(Protocol):
    """A screen. None of these may raise."""

    def status_changed(self, status: Status) -> None: ...

    def rows_added(self, talk: ConversationModel, rows: Sequence[Entry], live: bool) -> None:
        """Rows were added at the end of a conversation.

        :param live: whether they are new; otherwise they were missed.
        """

    def happened(self, event: Event) -> None:
        """An event that is not a row of a conversation."""

    def direct(self, user: str, author: str, text: str) -> None:
        """A direct message in the conversation with somebody, which did not pass through the server; one's own is
        reported when it is delivered."""

    def transferred(self, transfer: TransferProgress) -> None:
        """A transfer was offered, has made progress, or has ended."""

    def found(self, talk: ConversationModel | None, words: str, alarming: bool) -> None:
        """A notice about keys for the person.

        :param talk: the conversation that it concerns, if any.
        """

    def settled(self, outgoing: Outgoing, stored: StoredAs | None) -> None:
        """A line typed here was stored, or refused (then ``stored`` is nothing)."""
