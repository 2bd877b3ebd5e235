"""The engine's interface to end-to-end encryption, implemented here for a client without keys.

`chat.client.e2e.encryption` implements it with keys; it needs a library that is not installed everywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import Any, Final

from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.failures import ClientFailure
from chat.client.session.protocol import ChatClient
from chat.protocol.events import Entry, Event, Reply
from chat.protocol.grammar.context import Call
from chat.protocol.grammar.verbs import Table, Verb
from chat.protocol.values import Sealed

NOT_SEALED: Final = "Not sent: your keys are locked, so this cannot be encrypted. Type: unlock"


class NullEncryption:
    """A client without keys: it sends everything unencrypted, and nothing to an encrypted conversation.

    :ivar busy: whether events must wait because somebody's keys are being fetched.
    :ivar released: called when `busy` ends.
    :ivar unlocked: called when the keys are unlocked, before anything is read from the device inbox.
    """

    busy = False
    released: Callable[[], object] = staticmethod(lambda: None)
    unlocked: Callable[[], object] = staticmethod(lambda: None)

    # keys

    @property
    def ready(self) -> bool:
        """Whether this client can read and write encrypted messages now."""
        return False

    def lacking(self, account: str) -> bool:
        """Whether an account has no keys on this device yet; a login with the password creates them."""
        return False

    def wanted(self, account: str) -> str:
        """The prompt for a password that must be answered before a login by token, or nothing."""
        return ""

    async def unlock(self, account: str, passphrase: str) -> None:
        """Unlock the keys of an account on this device; create them if there are none. Slow.

        :param passphrase: empty if the keys stay unlocked on this machine.
        :raises ClientFailure: when they cannot be unlocked.
        """

    async def begin(self, client: ChatClient, account: str) -> None:
        """Somebody is logged in: publish keys if needed, and read the device inbox.

        :raises ClientFailure: when the connection is lost.
        """

    def pause(self) -> None:
        """The connection has ended."""

    def forget(self, account: str) -> None:
        """The account is logged out: lock its keys."""

    def save(self) -> None:
        """Store all changes, before the client tells the server that this device has received them."""

    def close(self) -> None:
        """The client ends."""

    def relock(self, passphrase: str) -> None:
        """The password has changed: protect the keys with the new one."""

    # encrypted storage

    def locked(self, account: str) -> bool:
        """Whether an account has keys on this machine that are locked."""
        return False

    def recall(self, account: str, name: str) -> list[Any] | None:
        """The JSON values stored under a name; nothing if the account has no unlocked keys."""
        return None

    def keep(self, account: str, name: str, lines: list[Any]) -> bool:
        """Store JSON values encrypted. They are on disk after the next `save`, at the latest after `close`.

        :returns: whether it was possible: the account has unlocked keys.
        """
        return False

    # receiving

    def heard(self, event: Event) -> bool:
        """Handle an event.

        :returns: whether it is about keys only, and must not be shown.
        """
        return False

    def read(self, talk: ConversationModel, entry: Entry) -> Entry:
        """Decrypt a new row for display; called in order, and once for each row."""
        return entry

    def reread(self, entry: Entry) -> Entry:
        """Decrypt an older row for display; called in any order."""
        return entry

    def stand(self, talk: ConversationModel, last: int) -> None:
        """The log of a conversation ends with this seq: forget what was read after it."""

    def gone(self, here: Collection[Key]) -> None:
        """The server has only these conversations: forget what was read in other private ones."""

    @property
    def restored(self) -> int | None:
        """The value of `chat.client.session.sync.restored_at` when something was read last, or nothing."""
        return None

    def note_restored(self, restored: int) -> None:
        """Remember `restored`: nothing is stored any more that the server does not have."""

    def skip(self, talk: ConversationModel, first: int) -> None:
        """The rows before this seq will not be read."""

    def end(self, talk: ConversationModel) -> int | None:
        """The seq of the last row that this device has read, also in earlier runs; or nothing."""
        return None

    # sending

    def state_of(self, talk: ConversationModel) -> str:
        """The encryption state of a conversation in a few words, or empty."""
        return ""

    def is_sealed(self, talk: ConversationModel) -> bool:
        """Whether a conversation is encrypted, as far as this client knows."""
        return talk.sealed

    async def seal(self, talk: ConversationModel, text: str, *, action: bool = False, ref: int = 0) -> Sealed | None:
        """Encrypt a message if its conversation requires it. Nothing is awaited between the encryption and the return.

        :param ref: the seq of the message that it edits, or 0.
        :returns: nothing if the message is sent unencrypted.
        :raises ClientFailure: when it must not be sent.
        """
        if talk.sealed:
            raise ClientFailure(
                "Not sent: this conversation is encrypted, and this client cannot encrypt. Run, in the checkout:"
                " pip install -e '.[client]'"
            )
        return None

    def refused(self, talk: ConversationModel) -> None:
        """The server refused the message that was encrypted last."""

    def searches_here(self, words: str) -> bool:
        """Whether a search covers an encrypted conversation, so that the server must not see the search words.

        :raises ChatError: when the words are not a valid search.
        """
        return False

    async def search(self, words: str, there: Reply) -> Reply:
        """Add the matches among encrypted messages to other results.

        :param there: the other results; the return value has the same type.
        :raises ChatError: when the words are not a valid search.
        :raises ClientFailure: when this device cannot search, and there are no other results.
        """
        return there

    # commands

    def add_verbs(self, table: Table) -> None:
        """Add the verbs for keys to those of the server."""

    def runs(self, verb: Verb) -> bool:
        """Whether a verb is one of those that `add_verbs` adds."""
        return False

    async def run(self, call: Call, here: ConversationModel | None) -> Reply:
        """Run one of the verbs for keys.

        :raises ClientFailure: when it fails.
        """
        raise ClientFailure(f"{call.verb.name} needs encryption keys, and this client has none.")
