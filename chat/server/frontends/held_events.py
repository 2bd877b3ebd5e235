"""Private messages that come while the past is being read, held back so that they are shown after it."""

from __future__ import annotations

from collections.abc import Mapping

from chat.protocol.events import Event, PrivateEntry


class HeldEvents:
    """What one session is not shown yet; readings of the past may overlap.

    :ivar told: the newest seq of each room when the first of them began.
    """

    __slots__ = ("_events", "_past", "_readings", "told")

    def __init__(self, told: Mapping[int, int]) -> None:
        self.told = told
        self._readings = 0
        self._events: list[PrivateEntry] = []
        self._past: tuple[Mapping[int, int], ...] = ()

    def begin(self) -> None:
        """The past is read once more."""
        self._readings += 1

    def add(self, event: PrivateEntry) -> None:
        """Hold an event back."""
        self._events.append(event)

    def clear(self) -> None:
        """Whoever was to be shown them is not here any more."""
        self._events.clear()

    def read(self, shown: Mapping[int, int]) -> None:
        """The past was read: it counts as shown at the next `release`.

        :param shown: the last seq that was shown of each conversation.
        """
        self._past += (shown,)

    def release(self) -> list[Event] | None:
        """Forget what was shown as part of the past by now.

        :returns: the events to be shown, once nothing of the past is being read any more; else nothing.
        """
        past, self._past = self._past, ()
        if not past:
            return None
        self._readings -= len(past)
        self._events = [
            event for event in self._events if event.seq > max(shown.get(event.conversation.id, 0) for shown in past)
        ]
        return None if self._readings else list(self._events)
