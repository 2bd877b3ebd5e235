"""Decrypts incoming rows, and marks what is known about each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chat.client.e2e.key_store import KeyStore, Policy, StoredText
from chat.client.e2e.notices import doubt_words
from chat.client.e2e.payload import Payload, place
from chat.client.model.conversation import ConversationModel
from chat.client.model.failures import ClientFailure, NotGenuine
from chat.client.model.message_status import InTheClear, Opened, Unopened
from chat.protocol.events import Deleted, Edited, Entry, Said, Skipped
from chat.protocol.values import Kind, Sealed, Text

MOST_SKIPPED = 10_000
"""Rows that are passed over one by one; where a server says that more were skipped, one begins anew after them."""

LOCKED = "encrypted, and your keys are locked. Type: unlock"


class Decrypter:
    """Opens the rows of conversations.

    :param found: told of a conversation, in one line, what a message shows to be wrong.
    """

    def __init__(self, ring: KeyStore, found: Callable[[ConversationModel, str], object]) -> None:
        self._ring = ring
        self._found = found

    def read(self, talk: ConversationModel, entry: Entry) -> Entry:
        """See `chat.client.session.encryption_api.NullEncryption.read`."""
        conversations = self._ring.conversations
        end = conversations.end(entry.conversation)
        if isinstance(entry, Skipped):
            if entry.last - entry.first > MOST_SKIPPED:
                conversations.begin(entry.conversation, entry.last + 1)
                return entry
            for seq in range(max(entry.first, (end or 0) + 1), entry.last + 1):
                conversations.pass_over(entry.conversation, seq, unseen=True)
            return entry
        if end is not None and entry.seq <= end:
            return self.reread(entry)  # this program was started anew
        if not isinstance(entry, Said | Edited):
            if isinstance(entry, Deleted):
                self._ring.remember(place(entry.conversation, self._ring.own.user), entry.ref, None)
            conversations.pass_over(entry.conversation, entry.seq)
            return entry
        if not isinstance(entry.body, Sealed):
            conversations.pass_over(entry.conversation, entry.seq, unseen=entry.body is None)
            return self._in_the_clear(entry)
        self._seen_sealed(entry)
        try:
            opened = conversations.open(entry.conversation, entry.seq, entry.author, self._device(entry), entry.body)
            shown = self._shown(entry, opened.envelope)
        except NotGenuine as error:
            self._found(talk, str(error))
            return _unopened(entry, str(error))
        except ClientFailure as error:
            return _unopened(entry, str(error))
        for doubt in opened.doubts:
            self._found(talk, doubt_words(doubt, entry.author))
        return shown

    def reread(self, entry: Entry) -> Entry:
        """See `chat.client.session.encryption_api.NullEncryption.reread`."""
        if not isinstance(entry, Said | Edited):
            return entry
        if not isinstance(entry.body, Sealed):
            return self._in_the_clear(entry)
        self._seen_sealed(entry)
        try:
            envelope = self._ring.conversations.reopen(
                entry.conversation, entry.seq, entry.author, self._device(entry), entry.body
            )
            return self._shown(entry, envelope)
        except ClientFailure as error:
            return _unopened(entry, str(error))

    def _device(self, entry: Said | Edited) -> str:
        """What was sent from here carries no device."""
        return entry.device or self._ring.own.name

    def _seen_sealed(self, entry: Said | Edited) -> None:
        """Where something sealed was seen, nothing goes in the clear any more."""
        where = place(entry.conversation, self._ring.own.user)
        policy = self._ring.policy(where)
        if not policy.sealed:
            self._ring.set_policy(where, Policy(sealed=True))

    def _in_the_clear(self, entry: Said | Edited) -> Entry:
        """What stands in the clear in a sealed conversation: anybody may have written it, the server first of all."""
        policy = self._ring.policy(place(entry.conversation, self._ring.own.user))
        if policy.sealed and type(entry.body) is Text:
            return replace(entry, body=InTheClear(entry.body.text))
        return entry

    def _shown(self, entry: Said | Edited, envelope: Payload) -> Entry:
        """:raises NotGenuine: when it is shown as something else than it was sealed as."""
        try:
            body = Opened(envelope.text)
        except ValueError as error:
            raise NotGenuine(f"{entry.author} sent an invalid encrypted message: {error}.") from None
        where = envelope.place
        if isinstance(entry, Edited):
            if envelope.ref != entry.ref:
                raise NotGenuine(f"The server shows an edit by {entry.author} at the wrong message.")
            self._ring.remember(where, entry.ref, StoredText(entry.author, entry.time, envelope.text))
            return replace(entry, body=body)
        if envelope.ref:
            raise NotGenuine(f"The server shows an edit by {entry.author} as a new message.")
        self._ring.remember(where, entry.seq, StoredText(entry.author, entry.time, envelope.text))
        return replace(entry, body=body, kind=Kind.ACTION if envelope.action else Kind.TEXT)


def _unopened(entry: Said | Edited, why: str) -> Entry:
    assert isinstance(entry.body, Sealed), "nothing else has to be opened"
    body = Unopened(why, entry.body)
    return replace(entry, body=body) if isinstance(entry, Edited) else replace(entry, body=body, kind=Kind.TEXT)


def locked(entry: Entry) -> Entry:
    """A row as it is shown while the keys are locked."""
    if isinstance(entry, Said | Edited) and isinstance(entry.body, Sealed):
        return _unopened(entry, LOCKED)
    return entry
