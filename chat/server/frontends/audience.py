"""Sessions that see the same bytes: an event is rendered once, a turn's events are joined once."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Protocol, cast

from chat.protocol.events import Event
from chat.server.frontends.outbox import Outbox
from chat.server.interfaces import Features, IMind, ITurn


class HasOutbox(Protocol):
    """What every mind of this package has."""

    outbox: Outbox


class Audience:
    """The front ends' `chat.server.interfaces.IAudience`.

    What is posted in a turn is joined at its end and handed to each member as one batch. Who is left out of
    an event gets a batch of its own, with something instead or without it.
    """

    __slots__ = ("_batch", "_members", "_otherwise", "_render", "_turn", "features")

    def __init__(self, render: Callable[[Event], bytes], turn: ITurn, features: Features) -> None:
        self._render = render
        self._turn = turn
        self.features = features
        self._members: dict[IMind, Outbox] = {}
        self._batch: list[bytes] | None = None
        self._otherwise: dict[IMind, dict[int, bytes]] | None = None

    def __len__(self) -> int:
        return len(self._members)

    def add(self, mind: IMind) -> None:
        self.flush()
        self._members[mind] = cast(HasOutbox, mind).outbox

    def remove(self, mind: IMind) -> None:
        self.flush()
        self._members.pop(mind, None)

    def post(
        self, event: Event, omit: Collection[IMind], hidden: Collection[IMind] = (), instead: Event | None = None
    ) -> None:
        rendered = self._render(event)
        if rendered or instead is not None:
            place = self._queue(rendered, omit, b"")
            if hidden:
                self._change(
                    hidden, place, self._render(instead) if instead is not None and self.features.gaps else b""
                )

    def _queue(self, rendered: bytes, others: Collection[IMind], otherwise: bytes) -> int:
        """Put something into the batch for everybody, and something else for others of its members.

        :returns: its place in the batch.
        """
        batch = self._batch
        if batch is None:
            batch = self._batch = []
            self._turn.soon(self.flush)
        place = len(batch)
        batch.append(rendered)
        if others:
            self._change(others, place, otherwise)
        return place

    def _change(self, others: Collection[IMind], place: int, otherwise: bytes) -> None:
        """Let others of its members get something else in a place of the batch."""
        for mind in others:
            if mind in self._members:
                if self._otherwise is None:
                    self._otherwise = {}
                self._otherwise.setdefault(mind, {})[place] = otherwise

    def flush(self) -> None:
        """Send what waits to every member."""
        batch = self._batch
        if batch is None:
            return
        otherwise = self._otherwise
        self._batch = self._otherwise = None
        whole = batch[0] if len(batch) == 1 else b"".join(batch)
        if otherwise is None:
            for outbox in self._members.values():
                outbox.send(whole)
            return
        for mind, outbox in self._members.items():
            changes = otherwise.get(mind)
            if changes is None:
                if whole:
                    outbox.send(whole)
            elif own := b"".join(changes.get(place, line) for place, line in enumerate(batch)):
                outbox.send(own)
