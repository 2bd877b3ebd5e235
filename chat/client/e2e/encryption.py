"""End-to-end encryption of one client, as the engine uses it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final

from twisted.internet.defer import DeferredLock

from chat.client.e2e.cross_signing import AccountKey
from chat.client.e2e.decrypting import Decrypter, locked
from chat.client.e2e.device_linking import DeviceLinking
from chat.client.e2e.encrypting import Encrypter
from chat.client.e2e.key_files import KeyFiles
from chat.client.e2e.key_query import KeyQueries
from chat.client.e2e.key_store import KeyStore, Policy
from chat.client.e2e.key_upload import KeyUploader
from chat.client.e2e.local_search import merged, search
from chat.client.e2e.notices import gone_words, loss_words
from chat.client.e2e.payload import place
from chat.client.e2e.to_device import ToDeviceMessages
from chat.client.model.conversation import NOBODY, ConversationModel, Key
from chat.client.model.failures import ClientFailure, Disconnected, NotGenuine, RequestRefused
from chat.client.model.search_result import FoundHere
from chat.client.model.state import State
from chat.client.session.encryption_api import NOT_SEALED, NullEncryption
from chat.client.session.observer import Observer
from chat.client.session.protocol import ChatClient
from chat.client.session.sync import kept_since, restored_at
from chat.client.session.tasks import unattended
from chat.protocol.events import (
    Entry,
    Event,
    Found,
    KeysChanged,
    KeysLeft,
    Letter,
    MembershipChanged,
    Presence,
    Reply,
)
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.search_queries import beginning, read_query
from chat.protocol.grammar.verbs import Table, Verb
from chat.protocol.names import fold
from chat.protocol.values import Conversation, Sealed

InThread = Callable[..., Awaitable[Any]]


ENCRYPTED: Final = ("encrypted", "encrypted, verified")
"""How an encrypted conversation is described while its partner is not verified, and once verified."""


class Encryption(NullEncryption):
    """Implements `chat.client.session.encryption_api.NullEncryption` with keys.

    :param now: seconds since the epoch.
    :param in_thread: calls what is slow off the reactor's thread.
    :param verbs: about keys; see `chat.client.e2e.commands`.
    :ivar ring: the keys, while they are unlocked.
    """

    def __init__(
        self,
        state: State,
        observer: Observer,
        key_files: KeyFiles,
        device: str,
        now: Callable[[], float],
        in_thread: InThread,
        verbs: Table,
    ) -> None:
        self.ring: KeyStore | None = None
        self.state = state
        self.observer = observer
        self._key_files = key_files
        self._device = device
        self._now = now
        self._in_thread = in_thread
        self._verbs = verbs
        self._client: ChatClient | None = None
        self._account = ""
        self._one_at_a_time = DeferredLock()

    # keys

    @property
    def ready(self) -> bool:
        return self.ring is not None and self.ring.own.account_key is not None

    def lacking(self, account: str) -> bool:
        return not self._key_files.path(account, self._device).exists()

    def wanted(self, account: str) -> str:
        return "" if self._has(account) else self._key_files.wanted(account, self._device)

    def _has(self, account: str) -> bool:
        return self.ring is not None and self.ring.own.user == fold(account)

    async def unlock(self, account: str, passphrase: str) -> None:
        if self._has(account):
            return
        self.close()
        ring = await self._in_thread(self._key_files.open, account, self._device, passphrase)
        self._take_up(ring)

    def _take_up(self, ring: KeyStore) -> None:
        self.ring = ring
        self.directory = KeyQueries(ring, self.ask, self._now)
        self.post = ToDeviceMessages(ring, self.directory, self.ask, lambda words: self.found(None, words, True))
        self.reader = Decrypter(ring, lambda talk, words: self.found(talk, words, True))
        self.linking = DeviceLinking(
            ring, self.directory, self.ask, self._now, lambda words: self.found(None, words, False), self._linked
        )
        self.post.take_link = self.linking.take
        self.key_uploader = KeyUploader(ring, self.directory, self.ask, lambda words: self.found(None, words, True))
        self.encrypter = Encrypter(ring, self.directory, self.post, self.ask, self.found, self._now)
        self.unlocked()

    async def begin(self, client: ChatClient, account: str) -> None:
        self._client, self._account = client, account
        if self.ring is None:
            return
        if not self._has(account):
            self.close()
            return
        await self._begin()

    async def _begin(self) -> None:
        self.directory.all_stale()
        try:
            await self.key_uploader.publish(self._account)
            await self.post.collect()
        except RequestRefused as refused:
            self.found(None, f"The server rejected your keys: {refused}", True)

    def _linked(self) -> None:
        """This device has become one of its owner's."""
        self.found(None, "This device is now linked to your account.", False)
        if self.ring is not None:
            self.ring.save()
            unattended(self._begin())
            self._read_again()

    async def begin_anew(self) -> None:
        """Have a new account key, which no other device of the same person holds.

        :raises ClientFailure: when the server does not take it.
        """
        if self.ring is not None:
            account_key = AccountKey()
            self.ring.own.hold(account_key)
            self.ring.pins.pin(self.ring.own.user, account_key.public)
            await self.key_uploader.publish(self._account, reset=True)

    async def unlock_again(self, passphrase: str) -> None:
        """The same for somebody who is logged in; what did not open before is opened.

        :raises ClientFailure: when the passphrase is wrong.
        """
        await self.unlock(self._account, passphrase)
        if self.ring is not None:
            await self._look_back()
            await self._begin()
            self._read_again()

    async def _look_back(self) -> None:
        """Forget what the server does not have any more: while the keys were locked, nothing was."""
        if self._client is None:
            raise Disconnected("You are not connected.")
        kept = await kept_since(self._client, self.restored)
        for talk in self.state.talks.values():
            if talk.conversation is not None and talk.conversation.reference in kept:
                self.stand(talk, kept[talk.conversation.reference])
        self.note_restored(restored_at(self._client))

    def accept(self, user: str) -> None:
        """Somebody's keys of now are what counts from now on."""
        self.encrypter.accept(user)
        if self.post.read_waiting():
            self.save()
            self._read_again()

    def _read_again(self) -> None:
        """Keys have come: show what did not open without them."""
        for talk in tuple(self.state.talks.values()):
            if rows := talk.read_again():
                self.observer.rows_added(talk, rows, False)

    def pause(self) -> None:
        self._client = None
        self.busy = False

    def forget(self, account: str) -> None:
        self.close()
        self._key_files.forget(account, self._device)

    def save(self) -> None:
        if self.ring is not None:
            self.ring.save()

    def close(self) -> None:
        ring, self.ring = self.ring, None
        if ring is not None:
            try:
                ring.close()
            except ClientFailure as error:
                self.found(None, str(error), True)

    def relock(self, passphrase: str) -> None:
        if self.ring is not None:
            unattended(self._relock(self.ring, passphrase))

    async def _relock(self, ring: KeyStore, passphrase: str) -> None:
        await self._in_thread(self._key_files.relock, ring, passphrase)

    # what is kept under them

    def locked(self, account: str) -> bool:
        return not self._has(account) and self._key_files.holds(account)

    def recall(self, account: str, name: str) -> list[Any] | None:
        return self.ring.written.get(name, []) if self.ring is not None and self._has(account) else None

    def keep(self, account: str, name: str, lines: list[Any]) -> bool:
        if self.ring is None or not self._has(account):
            return False
        self.ring.keep_written(name, lines)
        return True

    async def ask(self, cmd: str, args: Mapping[str, Any]) -> Reply:
        """Ask the server.

        :raises ClientFailure: when it refuses, or there is no connection.
        """
        if self._client is None:
            raise Disconnected("You are not connected.")
        return await self._client.ask(cmd, args)

    def found(self, talk: ConversationModel | None, words: str, alarming: bool) -> None:
        """Tell the person something of the keys."""
        self.observer.found(talk, words, alarming)

    # what comes

    def heard(self, event: Event) -> bool:
        if self.ring is None:
            return isinstance(event, Letter | KeysChanged | KeysLeft)
        if isinstance(event, Letter):
            self._hold(self.post.take(event))
        elif isinstance(event, KeysChanged):
            self.directory.stale(event.user)
            unattended(self._look_at(event.user))
        elif isinstance(event, KeysLeft):
            unattended(self.key_uploader.replenish(event))
        elif isinstance(event, Presence):
            for user in event.users:
                self.directory.stale(user)
        return isinstance(event, Letter | KeysChanged | KeysLeft)

    def _hold(self, work: Any) -> None:
        """Let nothing else be heard before this is done."""
        self.busy = True
        unattended(self._released(work))

    async def _released(self, work: Any) -> None:
        try:
            await work
        finally:
            self.busy = False
            self.released()

    async def _look_at(self, user: str) -> None:
        """Somebody has other keys than before: show it at once, wherever the person here is looking."""
        if self.ring is None or self.ring.pins.account_key(user) is None:
            return
        await self.directory.look([user])
        if self.post.read_waiting():
            self.ring.save()
            self._read_again()
        try:
            self.encrypter.show_changes(None, user)
        except ClientFailure as error:
            self.found(None, str(error).removeprefix("Not sent. "), True)

    def read(self, talk: ConversationModel, entry: Entry) -> Entry:
        if self.ring is None:
            return locked(entry)
        if isinstance(entry, MembershipChanged):
            self.encrypter.saw(entry)
        return self.reader.read(talk, entry)

    def reread(self, entry: Entry) -> Entry:
        return locked(entry) if self.ring is None else self.reader.reread(entry)

    def stand(self, talk: ConversationModel, last: int) -> None:
        if self.ring is None or talk.conversation is None or talk.key.deleted:
            return
        if lost := self.ring.conversations.put_back(talk.conversation, last):
            self.found(talk, loss_words(lost), True)

    def gone(self, here: Collection[Key]) -> None:
        if self.ring is None:
            return
        for partner in self.ring.conversations.partners():
            if Key(False, partner) in here or partner == NOBODY:
                continue
            if lost := self.ring.conversations.put_back(Conversation(0, partner=partner), 0):
                self.found(None, gone_words(partner, lost), True)

    @property
    def restored(self) -> int | None:
        return self.ring.restored if self.ring is not None else None

    def note_restored(self, restored: int) -> None:
        if self.ring is not None:
            self.ring.note_restored(restored)

    def skip(self, talk: ConversationModel, first: int) -> None:
        if self.ring is not None and talk.conversation is not None:
            self.ring.conversations.begin(talk.conversation, first)

    def end(self, talk: ConversationModel) -> int | None:
        if self.ring is None or talk.conversation is None:
            return None
        return self.ring.conversations.end(talk.conversation)

    # what goes

    def state_of(self, talk: ConversationModel) -> str:
        if self.ring is None:
            return "encrypted, keys locked" if talk.sealed else ""
        policy = self._policy(talk)
        if policy.plain or not (policy.sealed or talk.sealed):
            return "not encrypted"
        return ENCRYPTED[not talk.key.room and self.ring.pins.is_verified(talk.title)]

    def is_sealed(self, talk: ConversationModel) -> bool:
        return talk.sealed or self.state_of(talk) in ENCRYPTED

    def _policy(self, talk: ConversationModel) -> Policy:
        if self.ring is None:
            return Policy()
        conversation = talk.conversation or Conversation(0, partner=talk.title)
        return self.ring.policy(place(conversation, self.ring.own.user))

    async def seal(self, talk: ConversationModel, text: str, *, action: bool = False, ref: int = 0) -> Sealed | None:
        if self.ring is None:
            if talk.sealed or self.locked(self._account):
                raise ClientFailure(NOT_SEALED)
            return None
        try:
            # One after the other: who makes another key must not meet who hands the one before over.
            async with self._one_at_a_time:
                return await self.encrypter.seal(talk, text, action=action, ref=ref)
        except NotGenuine as error:
            self.found(talk, str(error), True)
            raise

    def searches_here(self, words: str) -> bool:
        wanted = fold(read_query(words).place.lstrip("#@"))
        if not wanted and self.locked(self._account):
            return True  # where anything was sealed is locked away as well
        talks = (talk for talk in self.state.talks.values() if not wanted or talk.key.name == wanted)
        return any(talk.sealed or self._policy(talk).sealed for talk in talks)

    async def search(self, words: str, there: Reply) -> Reply:
        if self.ring is None and isinstance(there, FoundHere):
            raise ClientFailure(
                "Your keys are locked, so encrypted messages cannot be searched. Type unlock, or ! to search the others"
                " on the server, which then sees the words."
            )
        if self.ring is None or not isinstance(there, Found):
            return there
        query = read_query(words)
        span = query.span
        since = beginning(span, self._now(), None) if span is not None else None
        here, more = await search(self.ring, self.state.talks.values(), query, since or 0, self._in_thread)
        return merged(there, here, more)

    # what a person types

    def add_verbs(self, table: Table) -> None:
        for verb in self._verbs.verbs:
            if not any(word in table for word in (verb.name, *verb.aliases)):
                table.add(verb)

    def runs(self, verb: Verb) -> bool:
        return self._verbs.get(verb.name) is verb

    async def run(self, call: Call, here: ConversationModel | None) -> Reply:
        reply: Reply = await call.verb.run(self, here, **call.arguments)
        return reply

    def refused(self, talk: ConversationModel) -> None:
        if self.ring is not None:
            conversation = talk.conversation or Conversation(0, partner=talk.title)
            self.ring.conversations.take_back(conversation)
