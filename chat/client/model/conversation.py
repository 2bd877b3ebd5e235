"""One conversation in the client: a part of its log without gaps, and how far it was read. Pure.

`ConversationModel` holds every row from seq ``low`` to seq ``high``. A row that arrives early waits in ``_ahead`` for
the rows before it; a row that arrives twice is dropped. So no row is missing or duplicated, and the last is the newest.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from chat.client.model.message_status import Unopened
from chat.protocol.events import Deleted, Edited, Entry, History, RoomChanged, Said, Skipped, Standing
from chat.protocol.names import fold
from chat.protocol.values import Body, Conversation, Kind

MOST_ROWS = 20_000
"""The most rows that one conversation holds. Beyond it the oldest are dropped, and loaded again when needed."""

MOST_AHEAD = 1_000
"""The most rows that wait for earlier ones. Further rows are dropped, and read from the history later."""


NOBODY = "nobody"
"""The name that the server gives to every deleted account; no account can have it."""

DELETED = "deleted account"
"""The title of a conversation with a deleted account."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Identifies a conversation in the client, also before the server has given it an id.

    :param room: whether it is a room.
    :param name: folded; for `NOBODY` followed by the id, as many conversations may have that name.
    """

    room: bool
    name: str

    @classmethod
    def of(cls, conversation: Conversation) -> Key:
        if conversation.partner == NOBODY:
            return cls(False, f"{NOBODY} {conversation.reference}")
        return cls(bool(conversation.room), fold(conversation.room or conversation.partner))

    @property
    def deleted(self) -> bool:
        """Whether the other person's account was deleted."""
        return not self.room and self.name.startswith(f"{NOBODY} ")


class Reads(Protocol):
    """Decrypts rows for display; see `chat.client.session.encryption_api.NullEncryption`."""

    def read(self, talk: ConversationModel, entry: Entry) -> Entry: ...

    def reread(self, entry: Entry) -> Entry: ...

    def stand(self, talk: ConversationModel, last: int) -> None: ...


class AsItComes:
    """Leaves every row as it is."""

    def read(self, talk: ConversationModel, entry: Entry) -> Entry:
        return entry

    def reread(self, entry: Entry) -> Entry:
        return entry

    def stand(self, talk: ConversationModel, last: int) -> None:
        """Nothing to do: nothing is remembered."""


def span(entry: Entry) -> tuple[int, int]:
    """The first and the last seq that an entry covers."""
    return (entry.first, entry.last) if isinstance(entry, Skipped) else (entry.seq, entry.seq)


class ConversationModel:
    """A room or a person.

    :ivar title: the name for display.
    :ivar conversation: as the server knows it; nothing until the first message.
    :ivar first: the first seq that this account may read.
    :ivar low: the first seq that is held.
    :ivar high: the last seq that is held.
    :ivar received: the last seq of which the server knows that this device has it, and everything before.
    :ivar read: the last seq that the person has read.
    :ivar delivered: the last seq that a device of the other person has, and everything before.
    :ivar unread: the number of unread lines of others.
    :ivar mentions: the number of them that name the person.
    :ivar member: whether the person may write here.
    :ivar sealed: whether anything here is encrypted.
    """

    __slots__ = (
        "_ahead",
        "_corrections",
        "_counted",
        "_placed",
        "_reads",
        "conversation",
        "delivered",
        "first",
        "high",
        "key",
        "low",
        "member",
        "mentions",
        "read",
        "received",
        "rows",
        "sealed",
        "title",
        "topic",
        "unread",
    )

    def __init__(self, key: Key, title: str, reads: Reads | None = None) -> None:
        self._reads = reads or AsItComes()
        self.key = key
        self.title = title
        self.member = True
        self.topic = ""
        self.conversation: Conversation | None = None
        self.rows: list[Entry] = []
        self._forget()

    def _forget(self) -> None:
        """Drop everything that is known about the log."""
        self.rows.clear()
        self.sealed = False
        self.first = 1
        self.low = 1
        self.high = 0
        self.received = 0
        self.read = 0
        self.delivered = 0
        self.unread = 0
        self.mentions = 0
        self._counted = 0
        self._placed = False
        self._ahead: dict[int, Entry] = {}
        self._corrections: dict[int, Edited | Deleted] = {}

    def be(self, conversation: Conversation) -> None:
        """Set the server's conversation; a new one with the same name (a recreated room) replaces the old."""
        if self.conversation is not None and self.conversation.id != conversation.id:
            self._forget()
        self.conversation = conversation
        self.title = DELETED if self.key.deleted else conversation.room or conversation.partner

    # what is held

    @property
    def gap(self) -> bool:
        """Whether rows wait for earlier ones that have not arrived."""
        return bool(self._ahead)

    @property
    def complete(self) -> bool:
        """Whether nothing older can be loaded."""
        return self.low <= self.first

    def stand(self, standing: Standing, kept: int | None = None) -> bool:
        """Apply the server's position in the log, at the beginning of a connection.

        :param kept: the last seq that is unchanged, if the operator has restored a backup.
        :returns: whether there are rows to read after `high`.
        """
        self.be(standing.conversation)
        same = standing.last if kept is None else min(standing.last, kept)
        if same < self.high:
            self._forget()  # a backup was restored: the server no longer has the rows held here
        self.first = max(1, standing.first)
        self.received = max(self.received, standing.received)
        self.read = max(self.read, standing.read)
        self.delivered = max(self.delivered, standing.delivered)
        self.unread = standing.unread if self.read < standing.last else 0
        self._counted = max(self._counted, standing.last)
        self.sealed = self.sealed or standing.sealed
        self._placed = True
        self._ahead.clear()
        self._reads.stand(self, same)
        return standing.last > self.high

    def begin_at(self, seq: int) -> None:
        """Hold nothing before a seq; older rows are loaded when somebody scrolls back."""
        self.rows.clear()
        self._ahead.clear()
        self.low, self.high = seq, seq - 1
        self._placed = True

    def add(self, entry: Entry) -> list[Entry]:
        """Add a row that has arrived live.

        :returns: the rows that were added, in order: this one and those that waited for it.
        """
        first, last = span(entry)
        if not self._placed:
            self.begin_at(first)  # a new conversation: earlier rows are history
        if first > self.high + 1:
            if len(self._ahead) < MOST_AHEAD:
                self._ahead[first] = entry
            return []
        if last <= self.high:
            return []
        taken = [self._append(entry)]
        while (waiting := self._ahead.pop(self.high + 1, None)) is not None:
            taken.append(self._append(waiting))
        return taken

    def extend(self, page: History) -> list[Entry]:
        """Add the page after `high`.

        :returns: the rows that were added.
        """
        taken: list[Entry] = []
        self.first = max(self.first, page.first)
        for entry in page.entries:
            if span(entry)[1] > self.high:
                taken.append(self._append(entry))
        if not page.more:
            self.high = max(self.high, page.last)
        for seq in sorted(self._ahead):
            if seq <= self.high + 1 and (waiting := self._ahead.pop(seq, None)) is not None:
                taken += self.add(waiting)
        return taken

    def prepend(self, page: History) -> int:
        """Add the page before `low`.

        :returns: how many rows were added at the top.
        """
        older = [entry for entry in page.entries if span(entry)[1] < self.low]
        room = max(0, MOST_ROWS - len(self.rows))
        older = [self._reads.reread(entry) for entry in older[-room:]] if room else []
        for entry in older:
            self._correct(entry)
        self.rows[:0] = older
        self.first = max(self.first, page.first)
        if older:
            self.low = span(older[0])[0]
        if not page.more:
            self.low = self.first
        return len(older)

    def _append(self, entry: Entry) -> Entry:
        """:returns: the row for display."""
        sealing = isinstance(entry, RoomChanged) and entry.setting == "sealed"
        if sealing or (isinstance(entry, Said) and entry.kind is Kind.SEALED):
            self.sealed = True
        entry = self._reads.read(self, entry)
        self.rows.append(entry)
        self.high = max(self.high, span(entry)[1])
        self._correct(entry)
        if len(self.rows) > MOST_ROWS + MOST_ROWS // 10:
            del self.rows[: len(self.rows) - MOST_ROWS]
            self.low = span(self.rows[0])[0]
        return entry

    def read_again(self) -> list[Entry]:
        """Keys have arrived: decrypt the rows that could not be decrypted before.

        :returns: the rows that have changed.
        """
        changed = []
        for place, entry in enumerate(self.rows):
            if isinstance(entry, Said | Edited) and isinstance(entry.body, Unopened):
                again = self._reads.reread(replace(entry, body=entry.body.sealed))
                if again != entry:
                    self.rows[place] = again
                    self._correct(again)
                    changed.append(again)
        return changed

    # what it says

    def _correct(self, entry: Entry) -> None:
        if isinstance(entry, Edited | Deleted):
            before = self._corrections.get(entry.ref)
            if before is None or before.seq <= entry.seq:
                self._corrections[entry.ref] = entry

    def body_of(self, said: Said) -> tuple[Body | None, bool]:
        """The text of a message now, and whether it was edited; nothing if it was deleted."""
        correction = self._corrections.get(said.seq)
        if correction is None:
            return said.body, False
        if isinstance(correction, Deleted):
            return None, False
        # Whatever the server says: nobody edits the message of another person.
        return (correction.body, True) if correction.author == said.author else (said.body, False)

    def is_called(self, reference: str) -> bool:
        """Whether this is the conversation that programs call by that reference, such as ``k4``."""
        return self.conversation is not None and self.conversation.reference == reference

    def corrected_by(self, seq: int) -> int:
        """The seq of the original message, given its own seq or that of an edit."""
        return next((ref for ref, each in self._corrections.items() if each.seq == seq), seq)

    def holds(self, seq: int) -> bool:
        """Whether the row with that seq is held."""
        place = bisect_left(self.rows, seq, key=lambda each: span(each)[0])
        return place < len(self.rows) and span(self.rows[place])[0] == seq

    # what was read

    def count(self, entries: Iterable[Entry], me: str, names: Callable[[Said], bool]) -> list[Said]:
        """Count unread messages of others; each once.

        :param names: tells whether a message names the reader.
        :returns: the messages that were counted.
        """
        said = [each for each in entries if isinstance(each, Said) and each.author != me]
        fresh = [each for each in said if each.seq > self._counted]
        self.unread += len(fresh)
        self.mentions += sum(names(each) for each in said if each.seq > self.read)
        return fresh

    def see(self) -> bool:
        """Mark everything that is held as read.

        :returns: whether anything was unread.
        """
        self.unread = self.mentions = 0
        self._counted = max(self._counted, self.high)
        if self.high > self.read:
            self.read = self.high
            return True
        return False
