"""The log and the accounts, on disk."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from twisted.internet.defer import Deferred

from chat.errors import ChatError
from chat.keys import AccountKeys, HandedOut, Letter, Publication, StoredLetter, Supply, Wanted
from chat.preferences import Notify
from chat.values import (
    Account,
    Device,
    Draft,
    Invitation,
    Member,
    Name,
    Origin,
    Page,
    Pair,
    Rank,
    Restriction,
    RoomRecord,
    Row,
    Sanction,
    Stored,
    Unsure,
    Verifier,
    Waiting,
)


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
class Contents:
    """What a database holds.

    :param version: of its schema, as it was found.
    :param newest: when the newest row was stored, milliseconds since the epoch, or nothing.
    :param size: bytes of the file.
    """

    version: int
    accounts: int
    rooms: int
    rows: int
    newest: int | None
    size: int


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the server holds in memory, as it is on disk at the start."""

    accounts: tuple[Account, ...]
    rooms: tuple[StoredRoom, ...]
    blocks: tuple[tuple[int, int], ...]
    sanctions: tuple[Sanction, ...] = ()


class Erased(NamedTuple):
    """What one step of an erasure did.

    :param more: whether something is left to do.
    :param topics: the rooms whose topic was emptied, and what it was.
    :param ended: whether this was the last step for one of the accounts.
    """

    more: bool
    topics: tuple[tuple[int, str], ...] = ()
    ended: bool = False


@dataclass(frozen=True, slots=True)
class TokenRecord:
    account: int
    device: str
    created: int


class IKeyStore(Protocol):
    """The published keys and the inboxes, on disk; see `IStore` for what its Deferreds promise."""

    def publish_keys(self, account: int, device: str, publication: Publication, when: int) -> Deferred[Supply]:
        """Keep what a device publishes, all of it or nothing.

        Numbered keys that are not newer than every one before are passed over: they may have been handed out. Other
        keys of a device take its numbered ones with them, another account key takes the keys of all devices.

        Fails with `chat.errors.AccountKeyExists` where another account key is there and nothing was said of a reset,
        `chat.errors.NoSuchDevice`, `chat.errors.NoDeviceKeys` or `chat.errors.TooManyKeys`.
        """

    def keys_of(self, accounts: Collection[int], since: int) -> Deferred[tuple[AccountKeys, ...]]:
        """What these accounts have published, in their order.

        :param since: devices without keys are named where they were seen since then, milliseconds since the epoch.
        """

    def claim_keys(self, wanted: Sequence[Wanted]) -> Deferred[tuple[HandedOut, ...]]:
        """Hand out a key of each of these devices: a one-time key, which nobody else ever gets, else the fallback key.

        Devices that have none, or for which no account key vouches, are left out.
        """

    def put_into_inboxes(
        self, author: int, device: str, letters: Sequence[Letter], when: int
    ) -> Deferred[tuple[int | None, ...]]:
        """Put messages into the inboxes of devices.

        :param device: of the author.
        :returns: fires with their numbers; nothing for a device without keys, or whose inbox is full.
        """

    def inbox(self, account: int, device: str, after: int, limit: int) -> Deferred[tuple[StoredLetter, ...]]:
        """What lies in the inbox of a device after a number, the oldest first."""

    def empty_inbox(self, account: int, device: str, upto: int) -> Deferred[None]:
        """A device has everything up to this number."""

    def inbox_size(self, account: int, device: str) -> Deferred[int]:
        """How many messages lie in the inbox of a device."""


class IFileStore(Protocol):
    """Files that lie there for their readers, on disk; see `IStore` for what its Deferreds promise."""

    def begin_file(self, sender: int, reader: int, count: int, quota: int, when: int) -> Deferred[int]:
        """Make room for a file.

        :param count: of its pieces.
        :param quota: how many pieces of one sender may lie there.
        :returns: fires with its id; fails with `chat.errors.QuotaUsed`.
        """

    def put_piece(self, file: int, sender: int, number: int, body: bytes) -> Deferred[int]:
        """Keep a piece; one that is not the next is left out, so it may be sent again.

        :returns: fires with how many are there; fails with `chat.errors.NoSuchFile`.
        """

    def piece(self, file: int, reader: int, number: int) -> Deferred[bytes | None]:
        """A piece of a file that lies there for a reader; nothing where it is not there, or not yet."""

    def end_file(self, file: int, account: int) -> Deferred[None]:
        """Its sender or its reader has no use for it any more."""

    def forget_files(self, before: int) -> Deferred[bool]:
        """Remove some of what has ended, or is older than a time (ms since the epoch), in one small step.

        :returns: fires with whether there may be more.
        """


class IStore(IKeyStore, IFileStore, Protocol):
    """The log and the accounts, on disk.

    Every method but `start` returns a Deferred that fires on the reactor thread. What changes something
    fires after the commit that holds it, in the order of the calls; it fails with
    `chat.errors.StoreUnavailable` when nothing could be written (and then nothing was).
    """

    def start(self, committed: Sink) -> Snapshot:
        """Open for writing.

        :param committed: gets the rows of each commit in commit order, before the Deferreds of those
            who appended them fire.
        """

    def stop(self) -> Deferred[None]:
        """Commit what waits and close; later calls fail with `chat.errors.ShuttingDown`."""

    def settle(self) -> Deferred[None]:
        """Fires when everything that was to be written before is written, or could not be."""

    def disk(self) -> Disk:
        """How much room is used and left, at once."""

    # the log

    def append(self, draft: Draft, origin: Origin | None = None, refusal: ChatError | None = None) -> Deferred[Stored]:
        """Store a row and apply what it means (a topic, a membership, a ban) in the same transaction.

        :param refusal: what it fails with unless its retry id shows that it was stored before.

        Fails with `chat.errors.RetryMismatch` or `chat.errors.MailboxFull`.
        """

    def create_room(self, record: RoomRecord, draft: Draft, origin: Origin | None = None) -> Deferred[RoomRecord]:
        """Make a room with its first row (`chat.values.Kind.CREATED`), whose author becomes its owner.

        :param record: its ``conversation`` is ignored, and so is the draft's; the result has the new one.

        Fails with `chat.errors.RoomTaken`.
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
        """Read rows: the oldest after a seq or since a time (ms), else the newest (before a seq)."""

    def pair(self, pair: Pair) -> Deferred[int | None]:
        """The conversation of a pair, if they have one."""

    def pairs_of(self, account: int) -> Deferred[dict[int, int]]:
        """Everybody this account has talked to privately: account to conversation."""

    # search

    def index(self, conversations: Collection[int]) -> Deferred[int]:
        """Let the search index follow the log by one small step in these conversations.

        :returns: fires with 0 when there was nothing left to do.
        """

    def unindexed(self) -> Deferred[tuple[int, ...]]:
        """The conversations that the search index has not caught up with."""

    def search(
        self,
        words: str,
        readable: Mapping[int, int],
        *,
        author: int | None,
        since: int,
        blocked: Collection[int],
        limit: int,
    ) -> Deferred[tuple[Row, ...]]:
        """Find what was said in the clear, the newest first.

        :param words: as people typed them: each has to occur, those in double quotes side by side.
        :param readable: the conversations to look in, each with the seq after which the reader may read.
        :param author: whose rows, or nothing for anybody's.
        :param since: milliseconds since the epoch.
        :param blocked: accounts whose rows are left out.
        """

    # marks

    def waiting(
        self, account: int, device: str, blocked: Collection[int], shown: Mapping[int, int] | None = None
    ) -> Deferred[tuple[Waiting, ...]]:
        """Where this account stands in each room it is a member of and each pair.

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
    ) -> Deferred[tuple[Row, ...]]:
        """The oldest rows that others said after the later of the two marks, by time and then seq.

        :param shown: see `waiting`.
        """

    def mark_received(self, account: int, device: str, marks: Mapping[int, int]) -> Deferred[Mapping[int, int]]:
        """Raise marks of one device: conversation to seq. A mark never falls, nor passes the last seq.

        :returns: fires with the marks that were raised.
        """

    def mark_shown(self, account: int, device: str, marks: Mapping[int, int]) -> Deferred[None]:
        """A session has ended, and it is not known whether the device has everything that it was sent up to here."""

    def note_crash(self, when: int) -> Deferred[None]:
        """Note at a start which devices were cut off: rows older than now (ms) they may have been shown."""

    def unsure(self, account: int, device: str) -> Deferred[Unsure]:
        """What a device may have been shown beyond its marks."""

    def mark_read(self, account: int, marks: Mapping[int, int]) -> Deferred[None]:
        """Raise the marks of a person: conversation to seq."""

    # accounts

    def create_account(
        self, name: Name, realname: str, verifier: Verifier | None, when: int, rank: Rank = Rank.MEMBER
    ) -> Deferred[Account]:
        """Make an account; without a verifier nobody can log in to it yet.

        Fails with `chat.errors.NameTaken` when the name, or one that looks like it, exists.
        """

    def verifier(self, account: int) -> Deferred[Verifier | None]: ...

    def set_password(self, account: int, verifier: Verifier) -> Deferred[None]:
        """Replace the verifier and end all tokens of the account."""

    def give_code(self, account: int, digest: bytes, until: int) -> Deferred[None]:
        """Let the owner of a code choose a password, once; the password of now and all tokens end.

        :param digest: SHA-256 of the code, which replaces an earlier one.
        :param until: milliseconds since the epoch.
        """

    def code(self, account: int) -> Deferred[tuple[bytes, int] | None]:
        """The digest of an account's code and when it ends, if it has one."""

    def use_code(self, account: int, digest: bytes, verifier: Verifier) -> Deferred[None]:
        """Choose a password with a code, which ends. Fails with `chat.errors.BadCredentials` when it has ended."""

    def set_rank(self, account: int, rank: Rank) -> Deferred[None]: ...

    def secret(self, name: str) -> Deferred[bytes]:
        """32 random bytes that this server alone knows, made once for each name and kept."""

    def set_realname(self, account: int, realname: str) -> Deferred[None]: ...

    def prefer(self, account: int, changes: Mapping[str, str | bool]) -> Deferred[None]:
        """Change some of the fields of an account's `chat.preferences.Preferences`."""

    def saw(self, account: int, device: str, when: int, present: bool) -> Deferred[None]:
        """Note that a session of this device began or ended.

        :param present: whether a session of it is signed in from now on.
        """

    def block(self, account: int, other: int) -> Deferred[None]: ...

    def unblock(self, account: int, other: int) -> Deferred[None]: ...

    def delete_account(self, account: int, when: int, erase: bool) -> Deferred[None]:
        """Forget everything about an account but its name, which nobody else can take.

        :param when: milliseconds since the epoch.
        :param erase: whether what it wrote is emptied as well, by later calls of `erase`.
        """

    def erase(self) -> Deferred[Erased]:
        """Empty some of what deleted accounts wrote: one small step through the log, and then through the index."""

    # what operators decide

    def impose(self, sanction: Sanction) -> Deferred[None]:
        """Keep a sanction, in place of an earlier one of the same kind against the same."""

    def lift(self, sanction: Sanction) -> Deferred[None]: ...

    def set_retention(self, conversation: int, milliseconds: int | None) -> Deferred[None]:
        """Keep the rows of a conversation for a while, or (nothing) for ever; 0 stands for all pairs."""

    def retention(self) -> Deferred[dict[int, int]]:
        """How long rows are kept, in milliseconds, by conversation; 0 stands for all pairs."""

    def older(self, conversation: int, when: int) -> Deferred[int]:
        """How many rows of a conversation (0: of all pairs) are older than a time, in milliseconds since the epoch."""

    def outlived(self, when: int) -> Deferred[tuple[tuple[int, int], ...]]:
        """The conversations that have rows which are kept no longer, each with the last seq of them."""

    def forget_before(self, conversation: int, upto: int) -> Deferred[int]:
        """Remove some of the rows up to a seq, the oldest first, in one small step.

        :returns: fires with how many are left.
        """

    # copies, made aside while everything goes on

    def back_up(self, file: str) -> Deferred[Contents]:
        """Copy the whole database as of one moment.

        Fails with `chat.errors.NotWritten` when the file is there or cannot be written, and with `chat.errors.Busy`
        while another copy is being made.
        """

    def export(self, account: int, file: str) -> Deferred[int]:
        """Write what is known of an account, and all that it wrote, as JSON lines; fails as `back_up` does.

        :returns: fires with the number of lines.
        """

    def rehearse(self, file: str) -> Deferred[Contents]:
        """Find out whether a backup could be put in place, by doing so beside it; fails with `NotWritten`."""

    # devices and their tokens

    def devices(self, account: int) -> Deferred[tuple[Device, ...]]: ...

    def add_token(self, account: int, device: str, digest: bytes, when: int) -> Deferred[None]:
        """Give a device a token in place of the one it had.

        :param digest: SHA-256 of the token.
        """

    def token(self, digest: bytes) -> Deferred[TokenRecord | None]: ...

    def end_device(self, account: int, device: str) -> Deferred[None]:
        """Forget a device and its token."""
