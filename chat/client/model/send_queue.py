"""The lines of one's own that are on their way. Pure.

They are sent one after the other, so that they are stored in the order in which they were typed. Each carries a retry
id: sent once more after a broken connection, it is still stored once.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from secrets import token_urlsafe
from typing import Any, Protocol

from chat.client.model.conversation import Key
from chat.client.model.failures import TooMuch
from chat.protocol.grammar.context import Call
from chat.protocol.values import Sealed

MOST_UNSENT = 500
"""Lines that may wait for a connection; one more is refused."""

TRY_AGAIN = frozenset({"too-fast", "busy", "not-stored", "shutting-down", "not-logged-in"})
"""Codes of refusals that end by themselves."""


class Fate(StrEnum):
    """What became of an own line.

    Sending: nobody knows yet. Kept: it is on the server's disk. Refused: it was not stored.
    """

    SENDING = "sending"
    KEPT = "kept"
    REFUSED = "refused"


@dataclass(slots=True, eq=False)
class Outgoing:
    """An own line.

    :param where: the conversation it belongs to, as far as that is known before it is sent.
    :param text: as it is shown.
    :param time: when it was typed, milliseconds since the epoch.
    :ivar again: what says it once more, where it was held back.
    :ivar sealed: what was sent in its place, so that the same is sent again.
    :ivar why: why it was refused.
    """

    where: Key
    cmd: str
    args: dict[str, Any]
    text: str
    time: int
    retry: str = field(default_factory=lambda: token_urlsafe(12))
    fate: Fate = Fate.SENDING
    again: Call | None = None
    sealed: Sealed | None = None
    why: str = ""

    @property
    def action(self) -> bool:
        return self.cmd == "me"


class DraftStore(Protocol):
    """Where things lie that a person has written: lines that the program did not live to send, and what was typed."""

    def ready(self, account: str) -> bool:
        """Whether what lies there of an account can be read now, and more can be put there."""

    def lines(self, account: str) -> list[Outgoing]:
        """What waits for an account, the oldest first; what waited for too long is marked as refused."""

    def keep(self, account: str, lines: Sequence[Outgoing]) -> None:
        """That is all that waits from now on."""

    def typed(self, account: str) -> list[str]:
        """Lines of input, the oldest first."""

    def keep_typed(self, account: str, lines: Sequence[str]) -> None:
        """These are the lines of input from now on."""


class NullDraftStore:
    """Where nothing is kept."""

    def ready(self, account: str) -> bool:
        return True

    def lines(self, account: str) -> list[Outgoing]:
        return []

    def keep(self, account: str, lines: Sequence[Outgoing]) -> None:
        pass

    def typed(self, account: str) -> list[str]:
        return []

    def keep_typed(self, account: str, lines: Sequence[str]) -> None:
        pass


class SendQueue:
    """The lines that wait for the server, the oldest first.

    :param account: whose lines they are.
    """

    def __init__(self, drafts: DraftStore, account: str = "") -> None:
        self._drafts = drafts
        self._account = account
        self._lines: deque[Outgoing] = deque()

    def __len__(self) -> int:
        return len(self._lines)

    def __iter__(self) -> Any:
        return iter(tuple(self._lines))

    @property
    def next(self) -> Outgoing | None:
        return self._lines[0] if self._lines else None

    def put(self, outgoing: Outgoing) -> None:
        """:raises TooMuch: when `MOST_UNSENT` wait."""
        if len(self._lines) >= MOST_UNSENT:
            raise TooMuch(f"Not sent: {MOST_UNSENT} lines are already waiting to be sent. Try again later.")
        self._lines.append(outgoing)
        self._drafts.keep(self._account, self._lines)

    def recall(self) -> list[Outgoing]:
        """Take up what waited on the drafts: it was typed before whatever has come since.

        :returns: what has waited there for too long.
        """
        waited = self._drafts.lines(self._account)
        self._lines.extendleft(each for each in reversed(waited) if each.fate is Fate.SENDING)
        if waited:
            self._drafts.keep(self._account, self._lines)
        return [each for each in waited if each.fate is Fate.REFUSED]

    def changed(self) -> None:
        """One of them is sealed now."""
        self._drafts.keep(self._account, self._lines)

    def done(self, outgoing: Outgoing) -> None:
        """It waits no more."""
        if outgoing in self._lines:
            self._lines.remove(outgoing)  # the first of them, unless it was on its way when older ones were taken up
            self._drafts.keep(self._account, self._lines)
