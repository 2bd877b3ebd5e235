"""The engines that the contract suites run over, and a small cast of people and rooms.

A suite is a mixin of an engine's `TestCase`; what it asserts is the same for each.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence

from twisted.internet import reactor
from twisted.trial.unittest import TestCase

from chat.protocol.values import Account, Draft, Kind, Name, Pair, RoomRecord, Text, Verifier
from chat.server.interfaces import Committed, IStore, Snapshot
from chat.server.storage.memory import MemoryStore
from chat.server.storage.sqlite import SqliteStore
from chat.server.storage.store import Store

VERIFIER = Verifier(b"$2b$04$salt", 1, b"stored", b"server")


def text(conversation: int | Pair, author: int, words: str = "hello", *, time: int = 1_000, **more: object) -> Draft:
    """Something that somebody says."""
    return Draft(conversation, Kind.TEXT, author, "default", time, Text(words), **more)  # type: ignore[arg-type]


def act(conversation: int, kind: Kind, author: int, target: int | None = None, **more: object) -> Draft:
    """A membership row, a topic, a redaction."""
    return Draft(conversation, kind, author, "default", 1_000, target=target, **more)  # type: ignore[arg-type]


class EngineCase(TestCase):
    """A started store; what its sink got is in ``commits``, one list of rows for each."""

    timeout = 20
    store: Store

    async def setUp(self) -> None:  # type: ignore[override]
        self.commits: list[Sequence[Committed]] = []
        self.store = self.make()
        self.addCleanup(lambda: self.store.stop())
        self.snapshot = self.store.start(self.sink)

    def sink(self, committed: Sequence[Committed]) -> None:
        self.commits.append(committed)

    def make(self) -> Store:
        raise NotImplementedError

    async def restart(self) -> Snapshot:
        """Stop the store and start it on what it left."""
        await self.store.stop()
        self.store = self.successor()
        return self.store.start(self.sink)

    def successor(self) -> Store:
        raise NotImplementedError

    @property
    def rows(self) -> list[Committed]:
        """Everything the sink got, in order."""
        return [row for commit in self.commits for row in commit]

    async def person(self, name: str) -> Account:
        return await self.store.create_account(Name(name, name.casefold()), "", VERIFIER, 500)

    async def room(self, owner: int, name: str = "lobby") -> int:
        record = RoomRecord(0, Name(name, name.casefold()), "", 600)
        made = await self.store.create_room(record, act(0, Kind.CREATED, owner))
        return made.conversation

    async def words(self, conversation: int) -> list[str]:
        """What stands in the log of a conversation, an empty string for an empty body."""
        page = await self.store.history(conversation, limit=1_000)
        return [row.body.text if isinstance(row.body, Text) else "" for row in page.rows]


class OnFile(EngineCase):
    """`SqliteStore` on a file in a folder of its own."""

    def make(self) -> SqliteStore:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "credentials.db")
        return self.successor()

    def successor(self) -> SqliteStore:
        return SqliteStore(self.path, reactor.callFromThread, patience=0.05)  # type: ignore[attr-defined]


class InMemory(EngineCase):
    """`MemoryStore`, which is its own successor."""

    def make(self) -> MemoryStore:
        return MemoryStore()

    def successor(self) -> Store:
        return self.store


_as_promised: tuple[type[IStore], ...] = (SqliteStore, MemoryStore)
