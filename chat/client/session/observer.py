"""What a screen is told by the engine behind it."""

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
    """How it stands between a client and its server.

    Closed: there is no connection, and none is wanted. Connecting. Open: connected, and nobody is logged in. Catching
    up: logged in, while the past is read. Online. Waiting: the connection is lost and will be tried again. Ended: not
    to be tried again without somebody's word.
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
    """How it stands.

    :param reason: in one line, why it is no better.
    :param wait: seconds until the next try, where there will be one.
    :param alarming: whether the server is not to be trusted.
    """

    phase: Phase
    reason: str = ""
    wait: float = 0.0
    alarming: bool = False


class Observer(Protocol):
    """A screen. None of these may raise."""

    def status_changed(self, status: Status) -> None: ...

    def rows_added(self, talk: ConversationModel, rows: Sequence[Entry], live: bool) -> None:
        """Rows at the end of a conversation.

        :param live: whether they have just happened, or were missed.
        """

    def happened(self, event: Event) -> None:
        """Something that is no row."""

    def direct(self, user: str, author: str, text: str) -> None:
        """A line that went from client to client and never through the server, in the conversation with somebody; one's
        own is told when it was delivered."""

    def transferred(self, transfer: TransferProgress) -> None:
        """A file is offered, has moved, or has come to its end."""

    def found(self, talk: ConversationModel | None, words: str, alarming: bool) -> None:
        """Something about keys that the person has to know.

        :param talk: the conversation that it is about, if any.
        """

    def settled(self, outgoing: Outgoing, stored: StoredAs | None) -> None:
        """An own line was stored, or refused."""
