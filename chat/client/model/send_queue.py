"""The queue of lines that this person has typed and the server has not stored yet. Pure.

Lines are sent one after the other, so that the server stores them in the order in which they were typed. Each has a
retry id: if it is sent again after a broken connection, the server still stores it once.
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
"""The most lines that wait for a connection; further ones are rejected."""

TRY_AGAIN = frozenset({"too-fast", "busy", "not-stored", "shutting-down", "not-logged-in"})
"""Codes of refusals that are temporary: the client tries again by itself."""


class Fate(StrEnum):
    """The state of a line that was typed here.

    Sending: no answer yet. Kept: it is on the server's disk. Refused: it was not stored.
    """

    SENDING = "sending"
    KEPT = "kept"
    REFUSED = "refused"


@dataclass(slots=True, eq=False)
class Outgoing:
    """A line that was typed here.

    :param where: its conversation, as far as that is known before the line is sent.
    :param text: the text for display.
    :param time: when it was typed, in milliseconds since the epoch.
    :ivar again: the command that sends it after all, if it was held back.
    :ivar sealed: the encrypted text, so that a retry sends the same bytes.
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
    """Stores what a person has typed: lines that were not sent before the client ended, and the input history."""

    def ready(self, account: str) -> bool:
        """Whether the drafts of an account can be read and written now."""

    def lines(self, account: str) -> list[Outgoing]:
        """The unsent lines of an account, the oldest first; those that are too old are marked as refused."""

    def keep(self, account: str, lines: Sequence[Outgoing]) -> None:
        """Replace the unsent lines."""

    def typed(self, account: str) -> list[str]:
        """The input history, the oldest line first."""

    def keep_typed(self, account: str, lines: Sequence[str]) -> None:
        """Replace the input history."""


class NullDraftStore:
    """Stores nothing."""

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
    """The unsent lines of one account, the oldest first."""

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
        """Load the stored lines; they come before those typed since.

        :returns: the lines that are too old to send.
        """
        waited = self._drafts.lines(self._account)
        self._lines.extendleft(each for each in reversed(waited) if each.fate is Fate.SENDING)
        if waited:
            self._drafts.keep(self._account, self._lines)
        return [each for each in waited if each.fate is Fate.REFUSED]

    def changed(self) -> None:
        """A line was encrypted: store the queue again."""
        self._drafts.keep(self._account, self._lines)

    def done(self, outgoing: Outgoing) -> None:
        """Remove a line: it was stored or refused."""
        if outgoing in self._lines:
            self._lines.remove(outgoing)  # the first one, unless older lines were loaded while it was being sent
            self._drafts.keep(self._account, self._lines)
