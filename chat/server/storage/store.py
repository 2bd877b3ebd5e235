"""The store without its engine: `chat.server.interfaces.IStore` in terms of two ways to run a function."""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import Deferred

from chat.protocol.device_keys import AccountKeys, HandedOut, InboxMessage, Publication, StoredLetter, Supply, Wanted
from chat.protocol.errors import ChatError
from chat.protocol.preferences import Notify
from chat.protocol.values import (
    Account,
    Device,
    Draft,
    Name,
    Origin,
    Page,
    Pair,
    Rank,
    RoomRecord,
    Sanction,
    Shown,
    Stored,
    Verifier,
    VerifierCost,
)
from chat.protocol.values.terms import Terms
from chat.server.interfaces import (
    Backlog,
    Contents,
    Disk,
    EndedDevice,
    Erased,
    Hits,
    InvitationBatch,
    MissedRows,
    Sink,
    Snapshot,
    TokenRecord,
)
from chat.server.storage import (
    accounts,
    backup,
    erasure,
    file_chunks,
    inbox,
    invitation_codes,
    keys,
    known_sources,
    log,
    one_time_codes,
    retention,
    rooms,
    sanctions,
    search_index,
    tokens,
)
from chat.server.storage import marks as standing
from chat.server.storage import search as searching
from chat.server.storage.append import append
from chat.server.storage.credential_epochs import all_epochs
from chat.server.storage.export import export
from chat.server.storage.restore_points import last_restored, restored_since
from chat.server.storage.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")


def snapshot(connection: sqlite3.Connection) -> Snapshot:
    """Everything that the server holds in memory."""
    return Snapshot(
        accounts.all_accounts(connection),
        rooms.all_rooms(connection),
        accounts.all_blocks(connection),
        sanctions.all_sanctions(connection),
        last_restored(connection),
        accounts.cut_off(connection),
        all_epochs(connection),
        tokens.all_alerts(connection),
    )


def _nothing(transaction: Transaction) -> None:
    """A change that changes nothing."""


class Store(ABC):
    """The log and the accounts; an engine says how a function gets a connection and when it runs.

    Collections are copied here: the function may run in another thread, while the caller goes on
    changing its own.
    """

    @abstractmethod
    def start(self, committed: Sink) -> Snapshot: ...

    @abstractmethod
    def stop(self) -> Deferred[None]: ...

    @abstractmethod
    def _write(
        self, call: Callable[Concatenate[Transaction, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        """Run in the next transaction, in the order of asking; may run twice.

        :returns: fires with the result after the commit, and after the sink had the rows.
        """

    @abstractmethod
    def _read(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        """Run on what is committed, all of it as of one moment."""

    @abstractmethod
    def _search(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        """The same for a search: other reads do not wait for it."""

    @abstractmethod
    def _survey(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        """The same for what looks at every conversation: neither reads nor searches wait for it."""

    @abstractmethod
    def _aside(
        self, call: Callable[Concatenate[sqlite3.Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        """Run with a connection of its own, for as long as it takes; nobody else waits for it."""

    @abstractmethod
    def published(self) -> Deferred[None]: ...

    @abstractmethod
    def disk(self) -> Disk: ...

    @abstractmethod
    def scrub(self) -> Deferred[bool]: ...

    # the log

    def settle(self) -> Deferred[None]:
        return self._write(_nothing).addErrback(lambda failure: failure.trap(ChatError) and None)

    def append(self, draft: Draft, origin: Origin | None = None, refusal: ChatError | None = None) -> Deferred[Stored]:
        return self._write(append, draft, origin, refusal)

    def create_room(
        self, record: RoomRecord, draft: Draft, origin: Origin | None = None, most: int | None = None
    ) -> Deferred[RoomRecord]:
        return self._write(rooms.create_room, record, draft, origin, most)

    def entered(self, account: int, conversation: int, when: int) -> Deferred[None]:
        return self._write(rooms.entered, account, conversation, when)

    def notify(self, account: int, conversation: int, notify: Notify) -> Deferred[None]:
        return self._write(rooms.notify, account, conversation, notify)

    def history(
        self,
        conversation: int,
        *,
        after: int | None = None,
        before: int | None = None,
        since: int | None = None,
        limit: int,
    ) -> Deferred[Page]:
        return self._read(log.history, conversation, after=after, before=before, since=since, limit=limit)

    def pair(self, pair: Pair) -> Deferred[int | None]:
        return self._read(log.pair, pair)

    def pairs_of(self, account: int) -> Deferred[dict[int, int]]:
        return self._read(log.pairs_of, account)

    def ends(self) -> Deferred[dict[int, int]]:
        """The newest seq of every conversation that is not empty: where a bus that joins others begins."""
        return self._survey(log.ends)

    # search

    def index(self, conversations: Collection[int]) -> Deferred[int]:
        return self._write(search_index.index, tuple(conversations))

    def rebuild(self) -> Deferred[bool]:
        return self._write(search_index.rebuild)

    def behind(self) -> Deferred[tuple[int, ...]]:
        return self._survey(search_index.behind)

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
        return self._search(
            searching.search,
            terms,
            dict(readable),
            author=author,
            since=since,
            blocked=frozenset(blocked),
            limit=limit,
        )

    # marks

    def waiting(
        self, account: int, device: str, blocked: Collection[int], shown: Mapping[int, int] | None = None
    ) -> Deferred[Backlog]:
        return self._read(standing.waiting, account, device, frozenset(blocked), dict(shown or {}))

    def missed(
        self,
        account: int,
        device: str,
        blocked: Collection[int],
        conversations: Collection[int],
        limit: int,
        shown: Mapping[int, int] | None = None,
    ) -> Deferred[MissedRows]:
        wanted = frozenset(conversations)
        return self._read(standing.missed, account, device, frozenset(blocked), wanted, limit, dict(shown or {}))

    def mark_received(self, account: int, device: str, marks: Mapping[int, int]) -> Deferred[Mapping[int, int]]:
        return self._write(standing.mark_received, account, device, dict(marks))

    def mark_shown(self, account: int, device: str, shown: Mapping[int, Shown]) -> Deferred[None]:
        return self._write(standing.mark_shown, account, device, dict(shown))

    def note_crash(self, when: int) -> Deferred[None]:
        return self._write(accounts.note_crash, when)

    def mark_read(self, account: int, marks: Mapping[int, int]) -> Deferred[None]:
        return self._write(standing.mark_read, account, dict(marks))

    # accounts

    def create_account(
        self,
        name: Name,
        realname: str,
        verifier: Verifier | None,
        when: int,
        rank: Rank = Rank.MEMBER,
        invitation: bytes | None = None,
    ) -> Deferred[Account]:
        return self._write(accounts.create_account, name, realname, verifier, when, rank, invitation)

    def verifier(self, account: int) -> Deferred[Verifier | None]:
        return self._read(accounts.verifier, account)

    def verifier_among(self, account: int) -> Deferred[tuple[Verifier | None, tuple[VerifierCost, ...]]]:
        return self._read(accounts.verifier_among, account)

    def set_password(self, account: int, verifier: Verifier, epoch: int = 0, device: str = "") -> Deferred[int]:
        return self._write(accounts.set_password, account, verifier, epoch, device)

    def renew_verifier(self, account: int, old: Verifier, new: Verifier) -> Deferred[None]:
        return self._write(accounts.renew_verifier, account, old, new)

    def secret(self, name: str) -> Deferred[bytes]:
        return Deferred.fromCoroutine(self._secret(name))

    async def _secret(self, name: str) -> bytes:
        """Look first, so that it is written once, and is there when the disk takes no more."""
        kept = await self._read(accounts.kept_secret, name)
        return kept if kept is not None else await self._write(accounts.make_secret, name)

    def give_code(self, account: int, digest: bytes, until: int) -> Deferred[int]:
        return self._write(one_time_codes.give_code, account, digest, until)

    def code(self, account: int) -> Deferred[tuple[bytes, int] | None]:
        return self._read(one_time_codes.code, account)

    def use_code(self, account: int, digest: bytes, verifier: Verifier) -> Deferred[int]:
        return self._write(one_time_codes.use_code, account, digest, verifier)

    def set_rank(self, account: int, rank: Rank) -> Deferred[None]:
        return self._write(accounts.set_rank, account, rank)

    def set_realname(self, account: int, realname: str) -> Deferred[None]:
        return self._write(accounts.set_realname, account, realname)

    def prefer(self, account: int, changes: Mapping[str, str | bool]) -> Deferred[None]:
        return self._write(accounts.prefer, account, dict(changes))

    def saw(self, account: int, device: str, when: int, present: bool) -> Deferred[tuple[EndedDevice, ...]]:
        return self._write(accounts.saw, account, device, when, present)

    def block(self, account: int, other: int) -> Deferred[None]:
        return self._write(accounts.block, account, other)

    def unblock(self, account: int, other: int) -> Deferred[None]:
        return self._write(accounts.unblock, account, other)

    def delete_account(
        self, account: int, when: int, erase: bool, epoch: int | None = None, device: str = ""
    ) -> Deferred[None]:
        return self._write(erasure.delete_account, account, when, erase, epoch, device)

    def erase(self) -> Deferred[Erased]:
        return self._write(erasure.erase)

    # what operators decide

    def impose(self, sanction: Sanction) -> Deferred[None]:
        return self._write(sanctions.impose, sanction)

    def lift(self, sanction: Sanction) -> Deferred[None]:
        return self._write(sanctions.lift, sanction)

    def set_retention(self, conversation: int, milliseconds: int | None) -> Deferred[None]:
        return self._write(retention.set_retention, conversation, milliseconds)

    def retention(self) -> Deferred[dict[int, int]]:
        return self._read(retention.retention)

    def older(self, conversation: int, when: int) -> Deferred[int]:
        return self._survey(retention.older, conversation, when)

    def outlived(self, when: int) -> Deferred[tuple[tuple[int, int], ...]]:
        return self._survey(retention.outlived, when)

    def forget_before(self, conversation: int, upto: int) -> Deferred[int]:
        return self._write(retention.forget_before, conversation, upto)

    # copies

    def restored_since(self, account: int, since: int) -> Deferred[dict[int, int]]:
        return self._read(restored_since, account, since)

    def back_up(self, file: str) -> Deferred[Contents]:
        return self._aside(backup.back_up, file)

    def export(self, account: int, file: str) -> Deferred[int]:
        return self._aside(export, account, file)

    def rehearse(self, file: str) -> Deferred[Contents]:
        return self._aside(backup.rehearse, file)

    # invitation codes

    def add_invitations(self, digests: Sequence[bytes], when: int, until: int, by: str) -> Deferred[None]:
        return self._write(invitation_codes.add_invitations, tuple(digests), when, until, by)

    def has_invitation(self, digest: bytes, when: int) -> Deferred[bool]:
        return self._read(invitation_codes.has_invitation, digest, when)

    def invitation_batches(self, when: int) -> Deferred[tuple[InvitationBatch, ...]]:
        return self._read(invitation_codes.invitation_batches, when)

    def end_invitations(self, batch: int) -> Deferred[int]:
        return self._write(invitation_codes.end_invitations, batch)

    # where an account is known

    def note_network(self, account: int, network: str, when: int) -> Deferred[None]:
        return self._write(known_sources.note_network, account, network, when)

    def has_network(self, account: int, network: str) -> Deferred[bool]:
        return self._read(known_sources.has_network, account, network)

    def has_had_token(self, account: int, digest: bytes) -> Deferred[bool]:
        return self._read(known_sources.has_had_token, account, digest)

    # devices and their tokens

    def devices(self, account: int) -> Deferred[tuple[Device, ...]]:
        return self._read(accounts.devices, account)

    def add_token(
        self, account: int, device: str, digest: bytes, when: int, before: bytes | None = None, epoch: int = 0
    ) -> Deferred[bool]:
        return self._write(tokens.add_token, account, device, digest, when, before, epoch)

    def token(self, digest: bytes) -> Deferred[TokenRecord | None]:
        return self._read(tokens.token, digest)

    def end_token(self, account: int, device: str) -> Deferred[int]:
        return self._write(tokens.end_token, account, device)

    def end_copied(self, account: int, device: str, digest: bytes, address: str, when: int) -> Deferred[int | None]:
        return self._write(tokens.end_copied, account, device, digest, address, when)

    def end_alerts(self, account: int) -> Deferred[None]:
        return self._write(tokens.end_alerts, account)

    def forget_unused(
        self, before: int, ended: int, after: tuple[int, str] = (0, "")
    ) -> Deferred[tuple[int, str] | None]:
        return Deferred.fromCoroutine(self._forget_unused(before, ended, after))

    async def _forget_unused(self, before: int, ended: int, after: tuple[int, str]) -> tuple[int, str] | None:
        found, last = await self._read(tokens.unused_tokens, before, after)
        await self._write(tokens.forget_unused, found, before, ended)
        return last

    def end_device(self, account: int, device: str, when: int) -> Deferred[int]:
        return self._write(accounts.end_device, account, device, when)

    # files

    def begin_file(self, sender: int, reader: int, count: int, quota: int, total: int, when: int) -> Deferred[int]:
        return self._write(file_chunks.begin_file, sender, reader, count, quota, total, when)

    def put_piece(self, file: int, sender: int, number: int, body: bytes) -> Deferred[int]:
        return self._write(file_chunks.put_piece, file, sender, number, body)

    def piece(self, file: int, reader: int, number: int) -> Deferred[bytes | None]:
        return self._read(file_chunks.piece, file, reader, number)

    def end_file(self, file: int, account: int) -> Deferred[None]:
        return self._write(file_chunks.end_file, file, account)

    def forget_files(self, before: int) -> Deferred[bool]:
        return self._write(file_chunks.forget_files, before)

    # keys and inboxes

    def publish_keys(self, account: int, device: str, publication: Publication, when: int) -> Deferred[Supply]:
        return self._write(keys.publish_keys, account, device, publication, when)

    def keys_of(self, accounts: Collection[int], since: int) -> Deferred[tuple[AccountKeys, ...]]:
        return self._read(keys.keys_of, tuple(accounts), since)

    def claim_keys(self, wanted: Sequence[Wanted]) -> Deferred[tuple[HandedOut, ...]]:
        return self._write(keys.claim_keys, tuple(wanted))

    def put_into_inboxes(
        self, author: int, device: str, letters: Sequence[InboxMessage], when: int
    ) -> Deferred[tuple[int | None, ...]]:
        return self._write(inbox.put_into_inboxes, author, device, tuple(letters), when)

    def inbox(self, account: int, device: str, after: int, limit: int) -> Deferred[tuple[StoredLetter, ...]]:
        return self._read(inbox.inbox, account, device, after, limit)

    def empty_inbox(self, account: int, device: str, upto: int) -> Deferred[None]:
        return self._write(inbox.empty_inbox, account, device, upto)
