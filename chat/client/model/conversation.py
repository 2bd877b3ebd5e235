"""One conversation as the client holds it: a stretch of its log without gaps, and how far it was read. Pure.

The rows that are held are those of the seqs `ConversationModel.low` to `ConversationModel.high`, without exception. A
row that comes before the ones that precede it waits in ``ahead`` until they are there; a row that comes twice is
dropped. So nothing is missing, nothing stands twice, and what is at the end is the newest.
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
"""The most rows that one conversation holds; beyond it the oldest are let go, and loaded again when asked for."""

MOST_AHEAD = 1_000
"""The most rows that wait for others; beyond it they are let go, and read from the history."""


NOBODY = "nobody"
"""What a server calls all whose accounts were deleted; no account may have that name."""

DELETED = "deleted account"
"""What such a conversation is called here."""


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """What a conversation is called here, before it has an id as well.

    :param room: whether it is a room.
    :param name: folded; with `NOBODY` the id stands beside it, as there may be many of that name.
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
        """Whether the account is gone that the conversation was with."""
        return not self.room and self.name.startswith(f"{NOBODY} ")


class Reads(Protocol):
    """Makes what is shown of what has come; see `chat.client.session.encryption_api.NullEncryption`."""

    def read(self, talk: ConversationModel, entry: Entry) -> Entry: ...

    def reread(self, entry: Entry) -> Entry: ...

    def stand(self, talk: ConversationModel, last: int) -> None: ...


class AsItComes:
    """Shows everything as it comes."""

    def read(self, talk: ConversationModel, entry: Entry) -> Entry:
        return entry

    def reread(self, entry: Entry) -> Entry:
        return entry

    def stand(self, talk: ConversationModel, last: int) -> None:
        """Nothing is remembered here."""


def span(entry: Entry) -> tuple[int, int]:
    """The first and the last seq that an entry stands for."""
    return (entry.first, entry.last) if isinstance(entry, Skipped) else (entry.seq, entry.seq)


class ConversationModel:
    """A room or a person.

    :ivar title: its name as it is shown.
    :ivar conversation: nothing as long as nothing was said there.
    :ivar first: the first seq that may be read.
    :ivar low: the first seq that is held.
    :ivar high: the last seq up to which nothing is missing.
    :ivar received: up to where the server knows that this device has everything.
    :ivar read: up to where the person has read.
    :ivar delivered: up to where a device of the other person has everything.
    :ivar unread: lines of others that were not read.
    :ivar mentions: those of them that name the person.
    :ivar member: whether one may speak there.
    :ivar sealed: whether anything is sealed there.
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
        """Nothing is held, and nothing is known of the log."""
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
        """Stand for that conversation; another one of the same name (a room made anew) takes the place of the one
        before."""
        if self.conversation is not None and self.conversation.id != conversation.id:
            self._forget()
        self.conversation = conversation
        self.title = DELETED if self.key.deleted else conversation.room or conversation.partner

    # what is held

    @property
    def gap(self) -> bool:
        """Whether rows wait for others that have not come."""
        return bool(self._ahead)

    @property
    def complete(self) -> bool:
        """Whether nothing older can be loaded."""
        return self.low <= self.first

    def stand(self, standing: Standing, kept: int | None = None) -> bool:
        """Take up where one stands, at the beginning of a connection.

        :param kept: up to which seq the rows are still what they were, where a backup was put in place.
        :returns: whether rows up to the newest are to be read after `high`.
        """
        self.be(standing.conversation)
        same = standing.last if kept is None else min(standing.last, kept)
        if same < self.high:
            self._forget()  # the server was put back to an earlier time: what is held is not what it has
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
        """Hold nothing before a seq; what is older is loaded when somebody looks for it."""
        self.rows.clear()
        self._ahead.clear()
        self.low, self.high = seq, seq - 1
        self._placed = True

    def add(self, entry: Entry) -> list[Entry]:
        """Take up a row that has come live.

        :returns: the rows that are held from now on, in order: it, and those that waited for it.
        """
        first, last = span(entry)
        if not self._placed:
            self.begin_at(first)  # nobody told of this conversation before: what came earlier is history
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
        """Take up the page after `high`.

        :returns: the rows that are held from now on and were not before.
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
        """Take up the page before `low`.

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
        """:returns: the row as it is shown."""
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
        """Keys have come: open what did not open.

        :returns: the rows that look another way now.
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
        """What a message says now, and whether it was written anew; nothing where it was deleted."""
        correction = self._corrections.get(said.seq)
        if correction is None:
            return said.body, False
        if isinstance(correction, Deleted):
            return None, False
        # Whatever a server says: nobody writes anew what somebody else has said.
        return (correction.body, True) if correction.author == said.author else (said.body, False)

    def is_called(self, reference: str) -> bool:
        """Whether programs call it so: ``k4``."""
        return self.conversation is not None and self.conversation.reference == reference

    def corrected_by(self, seq: int) -> int:
        """The seq of the message that is meant by its own seq, or by that of an edit of it."""
        return next((ref for ref, each in self._corrections.items() if each.seq == seq), seq)

    def holds(self, seq: int) -> bool:
        """Whether a row of that seq is held."""
        place = bisect_left(self.rows, seq, key=lambda each: span(each)[0])
        return place < len(self.rows) and span(self.rows[place])[0] == seq

    # what was read

    def count(self, entries: Iterable[Entry], me: str, names: Callable[[Said], bool]) -> list[Said]:
        """Count what others said and nobody has counted before.

        :param names: whether somebody said the name of the reader.
        :returns: what was counted.
        """
        said = [each for each in entries if isinstance(each, Said) and each.author != me]
        fresh = [each for each in said if each.seq > self._counted]
        self.unread += len(fresh)
        self.mentions += sum(names(each) for each in said if each.seq > self.read)
        return fresh

    def see(self) -> bool:
        """The person has read everything that is held.

        :returns: whether that is news.
        """
        self.unread = self.mentions = 0
        self._counted = max(self._counted, self.high)
        if self.high > self.read:
            self.read = self.high
            return True
        return False
