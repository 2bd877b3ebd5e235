"""People with keys, and a server between them that a test can make do anything."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from chat.client.e2e.cross_signing import AccountKey
from chat.client.e2e.device import OwnDevice
from chat.client.e2e.megolm import Conversations, Decrypted
from chat.client.e2e.olm import OlmSessions
from chat.client.e2e.trust_store import TrustStore
from chat.protocol.device_keys import NumberedKey
from chat.protocol.events import ClaimedKey, PublishedDevice, PublishedKeys
from chat.protocol.values import Conversation, Sealed

OPS = Conversation(7, room="ops")
POOL = Conversation(8, room="pool")


class Person:
    """One device of somebody, and everything it keeps."""

    def __init__(self, name: str, device: str = "phone", account_key: AccountKey | None = None) -> None:
        self.name = name
        self.own = OwnDevice(name, device, account_key or AccountKey())
        self.pins = TrustStore()
        self.letters = OlmSessions(self.own)
        self.conversations = Conversations(self.own, self.pins)
        self.one_time: list[NumberedKey] = []
        publication = self.own.publication()
        self.one_time += publication.one_time
        assert publication.fallback is not None
        self.fallback = publication.fallback
        self.own.published()
        self.kept: dict[str, Any] = {}

    @property
    def account_key(self) -> AccountKey:
        assert self.own.account_key is not None
        return self.own.account_key

    def restarts(self) -> None:
        """What is kept goes through JSON, as it does through a file."""
        changed = (each.changed() for each in (self.own, self.pins, self.letters, self.conversations))
        for records in changed:
            self.kept |= json.loads(json.dumps(records))
        self.own = OwnDevice.restore(self.kept)
        self.pins = TrustStore.restore(self.kept)
        self.letters = OlmSessions.restore(self.own, self.kept)
        self.conversations = Conversations.restore(self.own, self.pins, self.kept)

    def claimed(self) -> ClaimedKey:
        """What an honest server hands out."""
        key = self.one_time.pop()
        return ClaimedKey(self.name, self.own.name, key.number, key.key, key.signature)

    def gives_keys(self, where: Conversation, to: Sequence[Person], now: float = 0.0) -> int:
        """Hand a conversation's key over, by an honest server.

        :returns: how many letters it took.
        """
        letters = self.conversations.keys_to_send(where, names(self, *to), now)
        for letter in letters:
            reader = next(each for each in to if (each.name, each.own.name) == (letter.user, letter.device))
            keys = self.pins.device(letter.user, letter.device)
            assert keys is not None
            if not self.letters.knows(keys):
                self.letters.begin(keys, reader.claimed())
            body = self.letters.seal(letter.user, letter.device, keys, letter.content)
            known = reader.pins.device(self.name, self.own.name)
            assert known is not None
            content = reader.letters.open(self.name, self.own.name, known, body)
            reader.conversations.take_key(self.name, self.own.name, content)
            self.conversations.sent(where, letter, keys.identity)
        return len(letters)

    def opens(self, where: Conversation, seq: int, author: Person, sealed: Sealed) -> Decrypted:
        return self.conversations.open(where, seq, author.name, author.own.name, sealed)


def names(*people: Person) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.name for each in people))


def published(*devices: Person) -> PublishedKeys:
    """What an honest server shows of somebody."""
    shown = tuple(PublishedDevice(each.own.name, each.own.keys) for each in devices)
    return PublishedKeys(devices[0].name, devices[0].account_key.public, shown)


def meet(*people: Person, where: Sequence[Conversation] = (OPS,)) -> None:
    """All see each other's keys for the first time, and that they are in these rooms."""
    for each in people:
        for other in people:
            each.pins.look(published(*(device for device in people if device.name == other.name)))
        for room in where:
            each.conversations.welcome(room, names(*people))
            each.conversations.begin(room, 1)
