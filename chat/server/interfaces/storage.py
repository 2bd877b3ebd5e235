"""The log and the accounts, on disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from chat.protocol.errors import ChatError
from chat.protocol.preferences import Notify
from chat.protocol.values import (
    Account,
    Draft,
    Invitation,
    Member,
    Origin,
    Page,
    Pair,
    Restriction,
    RoomRecord,
    Row,
    Sanction,
    Shown,
    Stored,
    Unsure,
    Waiting,
)
from chat.protocol.values.terms import Terms
from chat.server.interfaces.accounts import CredentialEpoch, IAccountStore, TokenAlert
from chat.server.interfaces.admin_store import IDecisionStore
from chat.server.interfaces.key_store import IFileStore, IKeyStore


class MissedRows(NamedTuple):
    """A page of what a device has missed.

    :param rows: by time, and by seq within a conversation.
    :param unsure: which rows it may have been shown all the same.
    :param more: whether others come after them.
    """

    rows: tuple[Row, ...]
    unsure: Unsure
    more: bool


class Backlog(NamedTuple):
    """What waits for a device.

    :param places: where it stands in each room that its account is a member of, and in each pair.
    :param letters: how many messages lie in its inbox.
    """

    places: tuple[Waiting, ...]
    letters: int


class Hits(NamedTuple):
    """What a search found.

    :param rows: the newest first.
    :param more: whether older ones were left out.
    :param complete: whether the index covers everything that was searched; after an upgrade it is built anew.
    """

    rows: tuple[Row, ...]
    more: bool
    complete: bool


class Committed(NamedTuple):
    """A row that is on disk now, as the sink gets it in commit order."""

    draft: Draft
    row: Row
    origin: Origin | None


Sink = Callable[[Sequence[Committed]], None]


@dataclass(frozen=True, slots=True)
class StoredRoom:
    """A room with everything that decides who may do what there.

    :param last: its newest seq.
    """

    record: RoomRecord
    members: tuple[Member, ...]
    restrictions: tuple[Restriction, ...]
    last: int
    invitations: tuple[Invitation, ...] = ()


@dataclass(frozen=True, slots=True)
class Disk:
    """How much room there is.

    :param used: bytes that the database takes.
    :param free: bytes that are left, or nothing where that has no bound.
    """

    used: int
    free: int | None


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the server holds in memory, as it is on disk at the start.

    :param restored: when a backup was put in place last, milliseconds since the epoch; 0 when that never was.
    :param cut_off: the devices, by account and name, that had a session when the server before this one was killed.
    """

    accounts: tuple[Account, ...]
    rooms: tuple[StoredRoom, ...]
    blocks: tuple[tuple[int, int], ...]
    sanctions: tuple[Sanction, ...] = ()
    restored: int = 0
    cut_off: frozenset[tuple[int, str]] = frozenset()
    epochs: tuple[CredentialEpoch, ...] = ()
    alerts: tuple[TokenAlert, ...] = ()


class IStore(IAccountStore, IDecisionStore, IKeyStore, IFileStore, Protocol):
    """The log and the accounts, on disk.

    Every method but `start` returns a Deferred that fires on the reactor thread. What changes something
    fires after the commit that holds it, in the order of the calls; it fails with
    `chat.protocol.errors.StoreUnavailable` when nothing could be written (and then nothing was).
    """

    @property
    def engine(self) -> str:
        """What the database is, with its version, for operators."""

    def start(self, committed: Sink) -> Snapshot:
        """Open for writing.

        :param committed: gets the rows of each commit in commit order, before the Deferreds of those
            who appended them fire.
        """

    def stop(self) -> Deferred[None]:
        """Commit what waits and close; later calls fail with `chat.protocol.errors.ShuttingDown`."""

    def settle(self) -> Deferred[None]:
        """Fires when everything that was to be written before is written, or could not be."""

    def scrub(self) -> Deferred[bool]:
        """Take one small step of overwriting what was deleted, wherever copies of it are left in the files.

        :returns: fires with whether there is more to do.
        """

    def published(self) -> Deferred[None]:
        """Fires when the sink has had all rows that what was read until now can hold.

        A read sees a commit as soon as it is on disk, which may be before the sink hears of it.
        """

    def disk(self) -> Disk:
        """How much room is used and left, at once."""

    # the log

    def append(self, draft: Draft, origin: Origin | None = None, refusal: ChatError | None = None) -> Deferred[Stored]:
        """Store a row and apply what it means (a topic, a membership, a ban) in the same transaction.

        :param refusal: what it fails with unless its retry id shows that it was stored before.

        Fails with `chat.protocol.errors.RetryMismatch` when its retry id was used for something else, with
        `chat.protocol.errors.MailboxFull` when ``most_waiting`` rows of its author wait already, and with
        `chat.protocol.errors.NoSuchConversation`.
        """

    def create_room(
        self, record: RoomRecord, draft: Draft, origin: Origin | None = None, most: int | None = None
    ) -> Deferred[RoomRecord]:
        """Make a room with its first row (`chat.protocol.values.Kind.CREATED`), whose author becomes its owner.

        :param record: its ``conversation`` is ignored, and so is the draft's; the result has the new one.

        :param most: how many rooms its author may make within a day, those that were closed since among them.

        Fails with `chat.protocol.errors.TooManyRooms` or `chat.protocol.errors.RoomTaken`.
        """

    def entered(self, account: int, conversation: int, when: int) -> Deferred[None]:
        """A member came into a room again, milliseconds since the epoch."""

    def notify(self, account: int, conversation: int, notify: Notify) -> Deferred[None]:
        """Keep what a member wants to be shown of a room while it happens."""

    def history(
        self,
        conversation: int,
        *,
        after: int | None = None,
        before: int | None = None,
        since: int | None = None,
        limit: int,
    ) -> Deferred[Page]:
        """Read a page: the oldest rows after a seq or since a time (ms), else the newest (before a seq).

        The bounds are exclusive and may be combined. It ends after ``limit`` rows, or where they come to 256 KiB.

        Fails with `chat.protocol.errors.NoSuchConversation`.
        """

    def pair(self, pair: Pair) -> Deferred[int | None]:
        """The conversation of a pair, if they have one."""

    def pairs_of(self, account: int) -> Deferred[dict[int, int]]:
        """Everybody this account has talked to privately: account to conversation."""

    def ends(self) -> Deferred[dict[int, int]]:
        """The newest seq of every conversation that is not empty: where a bus that joins others begins."""

    # search

    def index(self, conversations: Collection[int]) -> Deferred[int]:
        """Let the search index follow the log by one small step in these conversations.

        :returns: fires with 0 when there was nothing left to do.
        """

    def rebuild(self) -> Deferred[bool]:
        """Take one small step from the search index of an older version to that of this one.

        :returns: fires with whether there is more to do.
        """

    def behind(self) -> Deferred[tuple[int, ...]]:
        """The conversations that the search index has not caught up with."""

    def search(
        self,
        terms: Terms,
        readable: Mapping[int, int],
        *,
        author: int | None,
        since: int,
        blocked: Collection[int],
        limit: int,
    ) -> Deferred[Hits]:
        """Find what was said in the clear, the newest first, as many rows as fit on a page.

        :param terms: what has to occur in a row, all of it.
        :param readable: the conversations to look in, each with the seq after which the reader may read.
        :param author: whose rows, or nothing for anybody's.
        :param since: milliseconds since the epoch.
        :param blocked: accounts whose rows are left out.

        Nothing else waits for it. Fails with `chat.protocol.errors.SearchTooBroad` when it takes too long, and with
        `chat.protocol.errors.Busy` when too many searches wait already.
        """

    # marks

    def waiting(
        self, account: int, device: str, blocked: Collection[int], shown: Mapping[int, int] | None = None
    ) -> Deferred[Backlog]:
        """What waits, all of it as of one moment.

        :param shown: up to where this very session was shown a conversation: no row up to there is unread.
        """

    def missed(
        self,
        account: int,
        device: str,
        blocked: Collection[int],
        conversations: Collection[int],
        limit: int,
        shown: Mapping[int, int] | None = None,
    ) -> Deferred[MissedRows]:
        """The oldest rows that others said after the later of the two marks, as many as fit on a page.

        :param shown: see `waiting`.
        """

    def mark_received(self, account: int, device: str, marks: Mapping[int, int]) -> Deferred[Mapping[int, int]]:
        """Raise marks of one device: conversation to seq. A mark never falls, nor passes the last seq; what is no
        conversation is passed over.

        :returns: fires with the marks that were raised.
        """

    def mark_shown(self, account: int, device: str, shown: Mapping[int, Shown]) -> Deferred[None]:
        """A session has ended, and it is not known whether the device has these rows, which it was sent."""

    def note_crash(self, when: int) -> Deferred[None]:
        """Note at a start which devices were cut off: rows older than now (ms) they may have been shown."""

    def mark_read(self, account: int, marks: Mapping[int, int]) -> Deferred[None]:
        """Raise the marks of a person: conversation to seq."""
