"""What sealing costs a client: each message sealed, and opened, with everything that is saved on the way.

Members of a room in one process, each with keys in a file of its own on the disk, and in the place of a server a few
dictionaries: what is measured is the work of the clients alone. One of them speaks and another one listens; the others
are there to be given keys.
"""

from __future__ import annotations

import time
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any

from twisted.internet.defer import Deferred

from benchmarks.processes import Failed
from chat.client.e2e.cross_signing import AccountKey
from chat.client.e2e.decrypting import Decrypter
from chat.client.e2e.encrypted_db import make_database
from chat.client.e2e.encrypting import Encrypter
from chat.client.e2e.key_query import KeyQueries
from chat.client.e2e.key_store import KeyStore
from chat.client.e2e.to_device import ToDeviceMessages
from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.message_status import Opened
from chat.protocol.device_keys import NumberedKey, Publication
from chat.protocol.events import (
    ClaimedKey,
    ClaimedKeys,
    Done,
    Keys,
    Letter,
    LettersKept,
    People,
    Person,
    PublishedDevice,
    PublishedKeys,
    Reply,
    Said,
)
from chat.protocol.values import Conversation, Kind, Sealed

LIMIT = 1.0
"""Milliseconds a message, sealed or opened."""

MEMBERS = 20
MESSAGES = 2_000
SAVED_EVERY = 20
"""Messages after which the listener saves: a client saves once a second, so this stands for 20 messages a second."""

ROOM = Conversation(1, room="den")
TEXT = "some forty words are more than most lines have, but they are what it takes to " * 3


@dataclass(frozen=True, slots=True)
class Sealing:
    """Milliseconds a message: the mean, with everything; and the slowest one in a hundred."""

    sealed: float
    sealed_p99: float
    opened: float
    opened_p99: float


class Member:
    """One member of the room, with a client's keys.

    :ivar hearing: seconds that the last letter took to be read and saved.
    :ivar elsewhere: seconds that others took with what came from here.
    """

    def __init__(self, name: str, folder: Path, exchange: dict[str, Member]) -> None:
        self.name = name
        self.ring = KeyStore.make(
            make_database(folder / f"{name}.keys", "a passphrase", cost=2), name, "desk", AccountKey()
        )
        self.talk = ConversationModel(Key(True, ROOM.room), ROOM.room)
        self.talk.be(ROOM)
        self.talk.sealed = True
        self._exchange = exchange
        self._numbers = 0
        self.hearing = self.elsewhere = 0.0
        exchange[name] = self
        self.publication: Publication = self.ring.own.publication()
        self.one_time: list[NumberedKey] = list(self.publication.one_time)
        self.ring.own.published()
        directory = KeyQueries(self.ring, self.ask, time.monotonic)
        self.post = ToDeviceMessages(self.ring, directory, self.ask, _fail)
        self.encrypter = Encrypter(self.ring, directory, self.post, self.ask, lambda talk, words, loud: None, time.time)
        self.reader = Decrypter(self.ring, lambda talk, words: _fail(words))

    async def ask(self, cmd: str, args: Mapping[str, Any]) -> Reply:
        """What a server answers."""
        others = self._exchange
        if cmd == "members":
            return People("members", tuple(Person(name, "online") for name in others), ROOM.room)
        if cmd == "keys.of":
            return Keys(tuple(others[name].published() for name in args["users"]))
        if cmd == "keys.claim":
            return ClaimedKeys(tuple(others[each["user"]].claimed() for each in args["devices"]))
        if cmd == "inbox.send":
            for each in args["letters"]:
                reader = others[each["user"]]
                await reader.hear(self.name, b64decode(each["body"]))
                self.elsewhere += reader.hearing
            return LettersKept()
        return Done()

    def published(self) -> PublishedKeys:
        return PublishedKeys(
            self.name, self.publication.account_key, (PublishedDevice("desk", self.publication.device),)
        )

    def claimed(self) -> ClaimedKey:
        key = self.one_time.pop()
        return ClaimedKey(self.name, "desk", key.number, key.key, key.signature)

    async def hear(self, author: str, body: bytes) -> None:
        """A letter has come."""
        start = time.perf_counter()
        self._numbers += 1
        await self.post.take(Letter(self._numbers, author, "desk", 0, body))
        self.hearing = time.perf_counter() - start


def measure(messages: int = MESSAGES) -> Sealing:
    """:raises Failed: when something does not open."""
    with TemporaryDirectory(prefix="benchmark-") as name:
        room: dict[str, Member] = {}
        for number in range(MEMBERS):
            Member(f"member{number}", Path(name), room)
        ann, bob = room["member0"], room["member1"]
        try:
            return _measure(ann, bob, messages)
        finally:
            for each in room.values():
                each.ring.close()


def _measure(ann: Member, bob: Member, messages: int) -> Sealing:
    _now(ann.encrypter.seal(ann.talk, "the first one meets everybody"))
    ann.ring.conversations.take_back(ROOM)
    sealing, opening = [], []
    for seq in range(1, messages + 1):
        ann.elsewhere = bob.hearing = 0.0
        start = time.perf_counter()
        sealed = _now(ann.encrypter.seal(ann.talk, TEXT))
        sealing.append(time.perf_counter() - start - ann.elsewhere)
        if sealed is None:
            raise Failed("a message went in the clear")
        said = Said(ROOM, seq, Kind.SEALED, ann.name, "desk", 0, sealed)
        ann.talk.add(ann.reader.read(ann.talk, said))
        start = time.perf_counter()
        opened = bob.reader.read(bob.talk, said)
        if seq % SAVED_EVERY == 0:
            bob.ring.save()
        opening.append(time.perf_counter() - start + bob.hearing)
        if not (isinstance(opened, Said) and isinstance(opened.body, Opened)):
            raise Failed("a message does not open")
    return Sealing(*_figures(sealing), *_figures(opening))


def _figures(seconds: list[float]) -> tuple[float, float]:
    return sum(seconds) / len(seconds) * 1_000, quantiles(seconds, n=100)[98] * 1_000


def _now(work: Any) -> Sealed | None:
    """The outcome of what waits for nothing but dictionaries."""
    outcome: list[Any] = []
    done: Deferred[Any] = Deferred.fromCoroutine(work)
    done.addBoth(outcome.append)
    if not outcome or not isinstance(outcome[0], Sealed | None):
        raise Failed(f"sealing came to nothing: {outcome}")
    return outcome[0]


def _fail(words: str) -> None:
    raise Failed(words)
