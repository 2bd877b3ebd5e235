"""The bus within one process: for a single node, and for several that share a store.

A single node needs nothing but `LocalBus()`: rows arrive from one store in commit order and are handed
on as they come. Several nodes are joined by a `Hub`, and then these rules hold:

* A row's own node tells its subscribers with the draft. The other nodes are only *woken*: a conversation,
  a seq, who is concerned. They read the row from the store, and with it all rows after the last one that
  they delivered of this conversation. So a wake may be lost, doubled or late, and rows still arrive in
  the order of their seq, each exactly once.
* Where each conversation stood when a bus joined is read from the store. Until that is known, what comes
  is kept back; the rows of a conversation that was not there then are delivered from the first one.
* Topics of a row whose wake was lost follow from its conversation: the room, or the two accounts.
* An ephemeral event goes to the other nodes as it is, and is lost where it is lost.
"""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterable
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chat.protocol.errors import ChatError
from chat.protocol.values import Page, Pair
from chat.server.interfaces import Ephemeral, Logged, Published, Topic
from chat.server.logs import Logger

ROWS_AT_ONCE: Final = 200
"""Rows that are read at once while a conversation catches up."""

EPHEMERAL_BYTES: Final = 8_000
"""An ephemeral event is smaller than this when written out, so that any bus can carry it."""

Topics = tuple[Topic, ...]


class ILog(Protocol):
    """What a bus needs of the store."""

    def history(self, conversation: int, *, after: int | None = None, limit: int) -> Deferred[Page]: ...

    def ends(self) -> Deferred[dict[int, int]]:
        """The newest seq of every conversation that is not empty."""


_Subscriptions = dict[Topic, tuple["_Subscription", ...]]
"""Tuples, so that whoever is told may subscribe and unsubscribe while others are still to be told."""


class _Subscription:
    """One subscriber of one topic; calling it ends it, and its call is forgotten."""

    __slots__ = ("_all", "_topic", "call")

    def __init__(self, all_: _Subscriptions, topic: Topic, call: Callable[[Published], None]) -> None:
        self._all = all_
        self._topic = topic
        self.call: Callable[[Published], None] | None = call

    def __call__(self) -> None:
        self.call = None
        left = tuple(other for other in self._all.get(self._topic, ()) if other is not self)
        if left:
            self._all[self._topic] = left
        else:
            self._all.pop(self._topic, None)


class LocalBus:
    """The bus of one node (`chat.server.interfaces.IBus`).

    What is published while something is being published is told afterwards, before the first `publish`
    returns: all subscribers hear everything in the same order.

    :param node: the name of the node.
    :param store: where rows of other nodes are read; needed with a hub only.
    :param hub: what joins the nodes; nothing for a single one, which then pays nothing for the others.
    """

    _log = Logger()

    def __init__(self, node: str = "local", store: ILog | None = None, hub: Hub | None = None) -> None:
        if hub is not None and store is None:
            raise ValueError("a bus that is joined to others needs the store")
        self.node = node
        self._subscriptions: _Subscriptions = {}
        self._untold: deque[tuple[Topics, Published]] = deque()
        self._telling = False
        self._follower: Follower | None = None
        self._hub = hub
        if hub is not None and store is not None:
            self._follower = Follower(store, self._tell)
            hub.join(self)
            self._follower.begin()

    def subscribe(self, topic: Topic, call: Callable[[Published], None]) -> Callable[[], None]:
        subscription = _Subscription(self._subscriptions, topic, call)
        self._subscriptions[topic] = (*self._subscriptions.get(topic, ()), subscription)
        return subscription

    def publish(self, topics: Iterable[Topic], published: Published) -> None:
        distinct = tuple(topics)
        if len(distinct) > 1:  # both topics of a note to oneself are the same
            distinct = tuple(dict.fromkeys(distinct))
        if self._hub is None or self._follower is None:
            self._tell(distinct, published)
        elif isinstance(published, Logged):
            row = published.row
            self._follower.publish(distinct, published)
            self._hub.wake(self, row.conversation, row.seq, distinct, published.pair)
        else:
            if len(json.dumps(dict(published.fields)).encode()) >= EPHEMERAL_BYTES:
                raise ValueError(f"an ephemeral event has less than {EPHEMERAL_BYTES:,} bytes")
            self._tell(distinct, published)
            self._hub.pass_on(self, distinct, published)

    # --- from other nodes -------------------------------------------------------------------------

    def woken(self, conversation: int, seq: int, topics: Topics, pair: Pair | None) -> None:
        """Another node stored a row; the hub calls this, at any time, any number of times."""
        if self._follower is not None:
            self._follower.wake(conversation, seq, topics, pair)

    def passed_on(self, topics: Topics, ephemeral: Ephemeral) -> None:
        """Another node published an event that no log holds."""
        self._tell(topics, ephemeral)

    def _tell(self, topics: Topics, published: Published) -> None:
        if self._telling:
            self._untold.append((topics, published))
            return
        self._telling = True
        try:
            self._tell_one(topics, published)
            while self._untold:
                self._tell_one(*self._untold.popleft())
        finally:
            self._telling = False

    def _tell_one(self, topics: Topics, published: Published) -> None:
        for topic in topics:
            for subscription in self._subscriptions.get(topic, ()):
                call = subscription.call
                if call is None:
                    continue
                try:
                    call(published)
                except Exception:
                    self._log.failure("A subscriber of {topic} failed", topic=topic)


class Follower:
    """Brings the rows of each conversation into the order of their seq, from the log where one is missing.

    :param store: where missing rows are read.
    :param tell: gets each row once, with its topics.
    """

    _log = Logger()

    def __init__(self, store: ILog, tell: Callable[[Topics, Published], None]) -> None:
        self._store = store
        self._tell = tell
        self._begun = False
        self._beginning = False
        self._delivered: dict[int, int] = {}
        """The last seq that was told, by conversation."""
        self._known: dict[int, dict[int, tuple[Topics, Logged | None, Pair | None]]] = {}
        """What is known of rows that are yet to be told, by conversation and seq: whom they concern and,
        where they are this node's own, the row with its draft."""
        self._reading: set[int] = set()

    def begin(self) -> None:
        """Find out where every conversation stands, then tell what was kept back since."""
        if not self._beginning:
            self._beginning = True
            Deferred.fromCoroutine(self._begin()).addErrback(self._note_failure)

    async def _begin(self) -> None:
        try:
            ends = await self._store.ends()
        finally:
            self._beginning = False
        for conversation, known in self._known.items():
            # Rows that were announced meanwhile are new, even where the log shows them already.
            ends[conversation] = min(ends.get(conversation, 0), min(known) - 1)
        self._delivered = ends
        self._begun = True
        for conversation in list(self._known):
            self._advance(conversation)

    def publish(self, topics: Topics, logged: Logged) -> None:
        """A row of this node is on disk."""
        row = logged.row
        self._learn(row.conversation, row.seq, (topics, logged, logged.pair))

    def wake(self, conversation: int, seq: int, topics: Topics, pair: Pair | None) -> None:
        """A row of another node is on disk."""
        self._learn(conversation, seq, (topics, None, pair))

    def _learn(self, conversation: int, seq: int, what: tuple[Topics, Logged | None, Pair | None]) -> None:
        if self._begun and seq <= self._delivered.get(conversation, 0):
            return
        self._known.setdefault(conversation, {}).setdefault(seq, what)
        if self._begun:
            self._advance(conversation)
        else:
            self.begin()

    def _advance(self, conversation: int) -> None:
        """Tell the own rows that are next, and read when one of another node is.

        Whoever is told may publish, which comes back here: so everything is looked up anew each time.
        """
        while conversation not in self._reading:
            known = self._known.get(conversation)
            if not known:
                self._known.pop(conversation, None)
                return
            seq = self._delivered.get(conversation, 0) + 1
            topics, logged, _ = known.get(seq, ((), None, None))
            if logged is None:
                self._reading.add(conversation)
                Deferred.fromCoroutine(self._read(conversation)).addErrback(self._note_failure)
                return
            del known[seq]
            self._delivered[conversation] = seq
            self._tell(topics, logged)

    async def _read(self, conversation: int) -> None:
        """Read and tell up to the newest row that was announced.

        Not further: a newer row may be this node's own, and its draft is yet to come. When the store
        fails, or does not show the row yet, the next wake tries again.
        """
        try:
            while known := self._known.get(conversation):
                after, newest = self._delivered.get(conversation, 0), max(known)
                page = await self._store.history(conversation, after=after, limit=min(newest - after, ROWS_AT_ONCE))
                self._tell_page(conversation, page)
                if self._delivered.get(conversation, 0) == after and max(known) == newest:
                    return
            self._known.pop(conversation, None)
        finally:
            self._reading.discard(conversation)

    def _tell_page(self, conversation: int, page: Page) -> None:
        known = self._known[conversation]
        pair = next((pair for _, _, pair in known.values() if pair is not None), None)
        usual: Topics = (("room", conversation),)
        if pair is not None:
            usual = tuple(dict.fromkeys((("account", pair.low), ("account", pair.high))))
        for row in page.rows:
            topics, logged, _ = known.pop(row.seq, (usual, None, pair))
            self._delivered[conversation] = row.seq
            self._tell(topics, logged or Logged(row, pair))
        # What retention has removed meanwhile can no longer be told.
        delivered = max(self._delivered.get(conversation, 0), page.first - 1)
        self._delivered[conversation] = delivered
        for seq in [seq for seq in known if seq <= delivered]:
            del known[seq]

    def _note_failure(self, failure: Failure) -> None:
        if failure.check(ChatError) is None:
            self._log.failure("Rows of another node were not delivered", failure)
            return
        self._log.warn(
            "Rows of another node could not be read ({error}); the next one tries again", error=failure.value
        )


class Hub:
    """Joins the buses of several nodes in one process."""

    def __init__(self) -> None:
        self._buses: list[LocalBus] = []

    def join(self, bus: LocalBus) -> None:
        """Let a bus hear of what the others publish from now on."""
        self._buses.append(bus)

    def wake(self, sender: LocalBus, conversation: int, seq: int, topics: Topics, pair: Pair | None) -> None:
        """Tell the others that a row is in the store."""
        for bus in self._buses:
            if bus is not sender:
                bus.woken(conversation, seq, topics, pair)

    def pass_on(self, sender: LocalBus, topics: Topics, ephemeral: Ephemeral) -> None:
        """Give an event to the others."""
        for bus in self._buses:
            if bus is not sender:
                bus.passed_on(topics, ephemeral)
