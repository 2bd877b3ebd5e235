"""The store without its engine: `chat.server.interfaces.IStore`, made of functions and of ways to run them.

`Store` says for each method which function does it and where that may run; what it takes, returns and fails with is
written once, in `chat.server.interfaces`, and a type checker compares the two.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Mapping, Set
from enum import Enum, auto
from functools import update_wrapper
from typing import Any, Concatenate, ParamSpec, TypeVar

from twisted.internet.defer import Deferred

from chat.protocol.errors import ChatError
from chat.server.interfaces import Disk, Sink, Snapshot
from chat.server.storage import (
    accounts,
    backup,
    credential_epochs,
    dialect,
    erasure,
    file_chunks,
    invitation_codes,
    known_sources,
    log,
    marks,
    one_time_codes,
    restore_points,
    rooms,
    sanctions,
    search_index,
    tokens,
)
from chat.server.storage import append as appending
from chat.server.storage import export as exporting
from chat.server.storage import inbox as inboxes
from chat.server.storage import keys as device_keys
from chat.server.storage import retention as ages
from chat.server.storage import search as searching
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import Transaction

P = ParamSpec("P")
T = TypeVar("T")


class Lane(Enum):
    """Reads of one lane wait for each other, and for none of another lane."""

    READS = auto()
    """What people wait for, such as logins and histories."""
    SEARCHES = auto()
    SURVEYS = auto()
    """What the server asks itself, which may look at every conversation."""
    BACKGROUND = auto()
    """What may take minutes, such as a backup: one job at a time, with a connection of its own."""


def write(call: Callable[Concatenate[Transaction, P], T]) -> Callable[Concatenate[Store, P], Deferred[T]]:
    """A method that changes something: see `Store._write`."""

    def method(store: Store, /, *arguments: P.args, **options: P.kwargs) -> Deferred[T]:
        return store._write(call, *arguments, **options)

    update_wrapper(method, call)
    return method


def read(
    call: Callable[Concatenate[Connection, P], T], lane: Lane = Lane.READS
) -> Callable[Concatenate[Store, P], Deferred[T]]:
    """A method that changes nothing: see `Store._read`."""

    def method(store: Store, /, *arguments: P.args, **options: P.kwargs) -> Deferred[T]:
        return store._read(lane, call, *arguments, **options)

    update_wrapper(method, call)
    return method


def copying(
    method: Callable[Concatenate[Store, P], Deferred[T]],
) -> Callable[Concatenate[Store, P], Deferred[T]]:
    """The same method with copies of the collections that it is given: the function may run in another thread, while
    the caller goes on changing its own."""

    def copied(store: Store, /, *arguments: P.args, **options: P.kwargs) -> Deferred[T]:
        return method(store, *map(_copy, arguments), **{name: _copy(value) for name, value in options.items()})

    update_wrapper(copied, method)
    return copied


def _copy(value: Any) -> Any:
    if isinstance(value, str | bytes | tuple):
        return value
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, Set):
        return frozenset(value)
    return tuple(value) if isinstance(value, Collection) else value


def snapshot(connection: Connection) -> Snapshot:
    """Everything that the server holds in memory."""
    return Snapshot(
        accounts.all_accounts(connection),
        rooms.all_rooms(connection),
        accounts.all_blocks(connection),
        sanctions.all_sanctions(connection),
        restore_points.last_restored(connection),
        accounts.cut_off(connection),
        credential_epochs.all_epochs(connection),
        tokens.all_alerts(connection),
    )


def _nothing(transaction: Transaction) -> None:
    """A change that changes nothing."""


class Store(ABC):
    """The log and the accounts; an engine says how a function gets a connection and when it runs."""

    engine = dialect.ENGINE

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
        self, lane: Lane, call: Callable[Concatenate[Connection, P], T], *arguments: P.args, **options: P.kwargs
    ) -> Deferred[T]:
        """Run on what is committed, all of it as of one moment."""

    @abstractmethod
    def published(self) -> Deferred[None]: ...

    @abstractmethod
    def disk(self) -> Disk: ...

    @abstractmethod
    def scrub(self) -> Deferred[bool]: ...

    # the log

    def settle(self) -> Deferred[None]:
        return self._write(_nothing).addErrback(lambda failure: failure.trap(ChatError) and None)

    append = write(appending.append)
    create_room = write(rooms.create_room)
    entered = write(rooms.entered)
    notify = write(rooms.notify)
    history = read(log.history)
    pair = read(log.pair)
    pairs_of = read(log.pairs_of)
    ends = read(log.ends, Lane.SURVEYS)

    # search

    index = copying(write(search_index.index))
    rebuild = write(search_index.rebuild)
    behind = read(search_index.behind, Lane.SURVEYS)
    search = copying(read(searching.search, Lane.SEARCHES))

    # marks

    waiting = copying(read(marks.waiting))
    missed = copying(read(marks.missed))
    mark_received = copying(write(marks.mark_received))
    mark_shown = copying(write(marks.mark_shown))
    mark_read = copying(write(marks.mark_read))
    note_crash = write(accounts.note_crash)

    # accounts

    create_account = write(accounts.create_account)
    verifier = read(accounts.verifier)
    verifier_among = read(accounts.verifier_among)
    set_password = write(accounts.set_password)
    renew_verifier = write(accounts.renew_verifier)
    give_code = write(one_time_codes.give_code)
    code = read(one_time_codes.code)
    use_code = write(one_time_codes.use_code)
    set_rank = write(accounts.set_rank)
    set_realname = write(accounts.set_realname)
    prefer = copying(write(accounts.prefer))
    saw = write(accounts.saw)
    block = write(accounts.block)
    unblock = write(accounts.unblock)
    delete_account = write(erasure.delete_account)
    erase = write(erasure.erase)

    def secret(self, name: str) -> Deferred[bytes]:
        return Deferred.fromCoroutine(self._secret(name))

    async def _secret(self, name: str) -> bytes:
        """Look first, so that it is written once, and is there when the disk takes no more."""
        kept = await self._read(Lane.READS, accounts.kept_secret, name)
        return kept if kept is not None else await self._write(accounts.make_secret, name)

    # what operators decide, and copies

    impose = write(sanctions.impose)
    lift = write(sanctions.lift)
    set_retention = write(ages.set_retention)
    retention = read(ages.retention)
    older = read(ages.older, Lane.SURVEYS)
    outlived = read(ages.outlived, Lane.SURVEYS)
    forget_before = write(ages.forget_before)
    restored_since = read(restore_points.restored_since)
    back_up = read(backup.back_up, Lane.BACKGROUND)
    export = read(exporting.export, Lane.BACKGROUND)
    rehearse = read(backup.rehearse, Lane.BACKGROUND)

    # invitation codes, and where an account is known

    add_invitations = copying(write(invitation_codes.add_invitations))
    has_invitation = read(invitation_codes.has_invitation)
    invitation_batches = read(invitation_codes.invitation_batches)
    end_invitations = write(invitation_codes.end_invitations)
    note_network = write(known_sources.note_network)
    has_network = read(known_sources.has_network)
    has_had_token = read(known_sources.has_had_token)

    # devices and their tokens

    devices = read(accounts.devices)
    end_device = write(accounts.end_device)
    add_token = write(tokens.add_token)
    token = read(tokens.token)
    end_token = write(tokens.end_token)
    end_copied = write(tokens.end_copied)
    end_alerts = write(tokens.end_alerts)

    def forget_unused(
        self, before: int, ended: int, after: tuple[int, str] = (0, "")
    ) -> Deferred[tuple[int, str] | None]:
        return Deferred.fromCoroutine(self._forget_unused(before, ended, after))

    async def _forget_unused(self, before: int, ended: int, after: tuple[int, str]) -> tuple[int, str] | None:
        found, last = await self._read(Lane.READS, tokens.unused_tokens, before, after)
        await self._write(tokens.forget_unused, found, before, ended)
        return last

    # files, keys and inboxes

    begin_file = write(file_chunks.begin_file)
    put_piece = write(file_chunks.put_piece)
    piece = read(file_chunks.piece)
    end_file = write(file_chunks.end_file)
    forget_files = write(file_chunks.forget_files)
    publish_keys = write(device_keys.publish_keys)
    keys_of = copying(read(device_keys.keys_of))
    claim_keys = copying(write(device_keys.claim_keys))
    put_into_inboxes = copying(write(inboxes.put_into_inboxes))
    inbox = read(inboxes.inbox)
    empty_inbox = write(inboxes.empty_inbox)
