"""What is counted while the server runs. Pure: time is an argument, in seconds that never jump."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from chat.protocol.values import SPOKEN
from chat.server.interfaces import Committed

MINUTE = 60
"""Seconds that `Counters.lately` looks back."""


class Counters:
    """What happened since the start.

    :ivar messages: what was said, in rooms and privately.
    :ivar rows: rows of the log, by kind.
    :ivar deliveries: messages that were handed to sessions.
    :ivar logins: sessions that became somebody.
    """

    def __init__(self) -> None:
        self.messages = 0
        self.rows: Counter[str] = Counter()
        self.deliveries = 0
        self.logins = 0
        self._seconds: dict[int, int] = {}

    def stored(self, rows: Sequence[Committed], when: float) -> None:
        """A commit has stored these rows."""
        kinds = self.rows
        said = 0
        for each in rows:
            kind = each.row.kind
            kinds[kind] += 1  # a word in itself; to ask an enum for its value takes ten times as long
            if kind in SPOKEN:
                said += 1
        if not said:
            return
        self.messages += said
        second = int(when)
        if second in self._seconds:
            self._seconds[second] += said
            return
        self._seconds[second] = said
        if len(self._seconds) > MINUTE:
            self._seconds = {each: number for each, number in self._seconds.items() if each > second - MINUTE}

    def lately(self, when: float) -> int:
        """How many messages were stored in the last minute."""
        return sum(number for second, number in self._seconds.items() if second > when - MINUTE)
