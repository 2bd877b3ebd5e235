"""Sessions that are told the same, grouped by those who see the same bytes."""

from __future__ import annotations

from collections.abc import Collection, Hashable

from chat.protocol.events import Event
from chat.server.interfaces import IAudience, IMind


class Audiences:
    """The audiences of one conversation, or of the whole server.

    :param conversation: what minds are asked about; 0 for the whole server.
    """

    __slots__ = ("_audiences", "_conversation", "_places")

    def __init__(self, conversation: int = 0) -> None:
        self._conversation = conversation
        self._audiences: dict[Hashable, IAudience] = {}
        self._places: dict[IMind, IAudience] = {}

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, mind: object) -> bool:
        return mind in self._places

    def add(self, mind: IMind) -> None:
        """Add a session, or move it when what it sees has changed."""
        key = mind.audience_key(self._conversation)
        place = self._places.get(mind)
        if place is not None:
            if self._audiences.get(key) is place:
                return
            self.remove(mind)
        audience = self._audiences.get(key)
        if audience is None:
            audience = self._audiences[key] = mind.new_audience(self._conversation)
        audience.add(mind)
        self._places[mind] = audience

    def remove(self, mind: IMind) -> None:
        """Remove a session; what was posted before still reaches it."""
        audience = self._places.pop(mind, None)
        if audience is None:
            return
        audience.remove(mind)
        if not len(audience):
            self._audiences = {key: each for key, each in self._audiences.items() if each is not audience}

    def post(
        self,
        event: Event,
        omit: Collection[IMind] = (),
        hidden: Collection[IMind] = (),
        instead: Event | None = None,
        crowd: bool = False,
    ) -> None:
        """Tell everybody at the end of this turn.

        :param omit: sessions that are told nothing.
        :param hidden: sessions from which it is hidden.
        :param instead: what those among them are told that want `Features.gaps`.
        :param crowd: whether it is only for those that want `Features.crowd_presence`.
        """
        for audience in self._audiences.values():
            if not crowd or audience.features.crowd_presence:
                audience.post(event, omit, hidden, instead)
