"""Who is told what, within a node and across nodes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from chat.protocol.values import (
    Draft,
    Origin,
    Pair,
    Row,
)

Topic = tuple[str, int]
"""``("room", conversation)``, ``("account", account)`` or ``("node", 0)``."""


class Logged(NamedTuple):
    """A row of the log reached those who follow its conversation.

    :param pair: the two people of a private conversation.
    :param draft: what was stored, on the node that stored it; other nodes have the row alone.
    """

    row: Row
    pair: Pair | None = None
    draft: Draft | None = None
    origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Ephemeral:
    """An event that no log holds; lost if nobody is there.

    :param name: what happened, for the subscriber to act on.
    :param fields: plain JSON values, less than 8,000 bytes when written out.
    """

    name: str
    fields: Mapping[str, str | int | bool | None]
    origin: Origin | None = None


Published = Logged | Ephemeral


class IBus(Protocol):
    """Who is told what, within a node and across nodes.

    Subscribers of one topic are called in the order in which they subscribed; rows of one conversation
    arrive in the order of their seq, each exactly once.
    """

    def subscribe(self, topic: Topic, call: Callable[[Published], None]) -> Callable[[], None]:
        """:returns: a call that ends the subscription."""

    def publish(self, topics: Iterable[Topic], published: Published) -> None:
        """Tell the subscribers of these topics, synchronously on this node."""
