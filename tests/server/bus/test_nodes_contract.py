"""What a bus promises across nodes: two buses over one store, with wakes that go astray."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from twisted.internet import reactor
from twisted.internet.defer import Deferred, succeed
from twisted.internet.task import deferLater
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.values import Draft, Kind, Origin, Page, Pair, Row, Stored
from chat.server.bus.local import Hub, LocalBus, Topics
from chat.server.interfaces import Committed, Ephemeral, Logged, Published
from tests.server.storage.engines import EngineCase, InMemory, OnFile, act, text

BOB, EVE = 1, 2


@dataclass
class Wake:
    bus: LocalBus
    conversation: int
    seq: int
    topics: Topics
    pair: Pair | None

    def arrive(self) -> None:
        self.bus.woken(self.conversation, self.seq, self.topics, self.pair)


class StrayHub(Hub):
    """Gives each wake to a function, which decides what becomes of it; at once, when there is none."""

    astray: Callable[[Wake], None] | None = None

    def wake(self, sender: LocalBus, conversation: int, seq: int, topics: Topics, pair: Pair | None) -> None:
        for bus in self._buses:
            if bus is not sender:
                (self.astray or Wake.arrive)(Wake(bus, conversation, seq, topics, pair))


class TwoNodes(EngineCase):
    """Nodes a and b over one store; each row is published on the node that its origin names."""

    async def setUp(self) -> None:  # type: ignore[override]
        await super().setUp()
        for name in ("bob", "eve"):
            await self.person(name)
        self.lobby = await self.room(BOB)
        await self.store.append(text(self.lobby, BOB, "before the nodes"))
        private = await self.store.append(text(Pair(BOB, EVE), BOB, "before the nodes"))
        self.private = private.conversation
        self.hub = StrayHub()
        self.nodes = {name: LocalBus(name, self.store, self.hub) for name in "ab"}
        self.heard: dict[str, list[Published]] = {"a": [], "b": []}
        for name, bus in self.nodes.items():
            for topic in (("room", self.lobby), ("account", BOB)):
                bus.subscribe(topic, self.heard[name].append)
        # Reads are answered in order: by now both know where every conversation stands.
        await self.store.ends()

    def sink(self, committed: Sequence[Committed]) -> None:
        super().sink(committed)
        for one in committed:
            if one.origin is not None:
                self.publish(one)

    def publish(self, one: Committed) -> None:
        assert one.origin is not None
        row = one.row
        pair = None if row.conversation == self.lobby else Pair(BOB, EVE)
        topics = [("room", row.conversation)] if pair is None else [("account", pair.low), ("account", pair.high)]
        self.nodes[one.origin.node].publish(topics, Logged(row, pair, one.draft, one.origin))

    def say(self, node: str, where: int, words: str = "hello") -> Deferred[Stored]:
        return self.store.append(text(where, BOB, words), Origin(node, 1))

    def seqs(self, node: str, conversation: int) -> list[int]:
        rows = [one.row for one in self.heard[node] if isinstance(one, Logged)]
        return [row.seq for row in rows if row.conversation == conversation]

    async def until(self, node: str, conversation: int, last: int) -> None:
        """Wait until a node has told of a row; the case's time-out ends it."""
        while last not in self.seqs(node, conversation):
            await deferLater(reactor, 0)

    async def test_each_node_is_told_of_every_row_once_and_in_order(self) -> None:
        for n in range(20):
            await self.say("ab"[n % 3 == 0], (self.lobby, self.private)[n % 2])
        for node in "ab":
            await self.until(node, self.lobby, 12)
            await self.until(node, self.private, 11)
            self.assertEqual(self.seqs(node, self.lobby), list(range(3, 13)))
            self.assertEqual(self.seqs(node, self.private), list(range(2, 12)))

    async def test_only_the_own_node_has_the_draft(self) -> None:
        await self.say("a", self.private, "hi")
        await self.until("b", self.private, 2)
        (own,), (others,) = self.heard["a"], self.heard["b"]
        assert isinstance(own, Logged)
        assert isinstance(others, Logged)
        self.assertEqual((own.draft, own.origin), (text(self.private, BOB, "hi"), Origin("a", 1)))
        self.assertEqual(others, Logged(own.row, Pair(BOB, EVE)))

    async def test_the_own_node_is_told_at_once(self) -> None:
        """Before the sender is: nothing is read for it."""
        heard = await self.say("a", self.lobby).addCallback(lambda stored: list(self.heard["a"]))
        self.assertEqual([one.row.seq for one in heard if isinstance(one, Logged)], [3])

    async def test_lost_wakes_are_made_up_for_by_the_next(self) -> None:
        self.hub.astray = lambda wake: None
        for where in (self.lobby, self.private, self.lobby, self.private):
            await self.say("a", where)
        self.assertEqual(self.heard["b"], [])
        self.hub.astray = None
        await self.say("a", self.lobby)
        await self.say("a", self.private)
        await self.until("b", self.lobby, 5)
        await self.until("b", self.private, 4)
        self.assertEqual(self.seqs("b", self.lobby), [3, 4, 5])
        self.assertEqual(self.seqs("b", self.private), [2, 3, 4])

    async def test_a_lost_wake_is_made_up_for_by_an_own_row(self) -> None:
        """The own row waits for the one before it, and keeps its draft."""
        self.hub.astray = lambda wake: None
        await self.say("a", self.lobby, "first")
        await self.say("b", self.lobby, "second")
        await self.until("b", self.lobby, 4)
        self.assertEqual(self.seqs("b", self.lobby), [3, 4])
        drafts = [one.draft for one in self.heard["b"] if isinstance(one, Logged)]
        self.assertEqual(drafts, [None, text(self.lobby, BOB, "second")])

    async def test_wakes_that_are_doubled_late_and_lost_change_nothing(self) -> None:
        chance = random.Random(7)
        late: list[Wake] = []

        def astray(wake: Wake) -> None:
            late.extend([wake] * chance.choice((0, 1, 1, 2)))
            while late and chance.random() < 0.6:
                late.pop(chance.randrange(len(late))).arrive()

        self.hub.astray = astray
        for _ in range(60):
            last = self.say(chance.choice("ab"), chance.choice((self.lobby, self.private)))
        await last
        self.hub.astray = None
        ends = await self.store.ends()
        for where in (self.lobby, self.private):
            await self.say("a", where)
            await self.say("b", where)
        chance.shuffle(late)
        for wake in late:
            wake.arrive()
        for node in "ab":
            for where, first in ((self.lobby, 3), (self.private, 2)):
                await self.until(node, where, ends[where] + 2)
                self.assertEqual(self.seqs(node, where), list(range(first, ends[where] + 3)))

    async def test_rows_from_before_a_node_joined_are_not_told(self) -> None:
        await self.say("a", self.lobby)
        late = LocalBus("c", self.store, self.hub)
        heard: list[Published] = []
        late.subscribe(("room", self.lobby), heard.append)
        await self.store.ends()
        await self.say("a", self.lobby)
        while not heard:
            await deferLater(reactor, 0)
        self.assertEqual([one.row.seq for one in heard if isinstance(one, Logged)], [4])

    async def test_a_conversation_that_is_new_is_told_from_its_first_row(self) -> None:
        self.hub.astray = lambda wake: None
        self.nodes["b"].subscribe(("account", EVE), self.heard["b"].append)
        note = Draft(Pair(EVE, EVE), Kind.TEXT, EVE, "d", 1, text(1, EVE).body)
        for _ in range(2):
            stored = await self.store.append(note)
        self.nodes["b"].woken(stored.conversation, 2, (("account", EVE),), Pair(EVE, EVE))
        await self.until("b", stored.conversation, 2)
        self.assertEqual(self.seqs("b", stored.conversation), [1, 2])

    async def test_a_wake_tells_the_topics_of_its_row(self) -> None:
        """A kick concerns the account that is kicked as well; the rows around it do not."""
        kicked: list[Published] = []
        self.nodes["b"].subscribe(("account", EVE), kicked.append)
        await self.say("a", self.lobby)
        stored = await self.store.append(act(self.lobby, Kind.KICKED, BOB, target=EVE))
        self.nodes["b"].woken(self.lobby, stored.seq, (("room", self.lobby), ("account", EVE)), None)
        await self.until("b", self.lobby, stored.seq)
        self.assertEqual([one.row.seq for one in kicked if isinstance(one, Logged)], [stored.seq])

    async def test_an_event_that_is_not_stored_is_passed_on_as_it_is(self) -> None:
        gone = Ephemeral("gone", {"user": "bob"}, Origin("a", 1))
        self.nodes["a"].publish([("account", BOB)], gone)
        self.assertEqual((self.heard["a"], self.heard["b"]), ([gone], [gone]))
        with self.assertRaises(ValueError):
            self.nodes["a"].publish([("account", BOB)], Ephemeral("long", {"text": "x" * 8_000}))


class TwoNodesOnFile(TwoNodes, OnFile): ...


class TwoNodesInMemory(TwoNodes, InMemory): ...


class SlowLog:
    """A log of five rows in one room that says where it ends when the test wants it to."""

    def __init__(self) -> None:
        self.asked: Deferred[dict[int, int]] = Deferred()

    def ends(self) -> Deferred[dict[int, int]]:
        return self.asked

    def history(self, conversation: int, *, after: int | None = None, limit: int) -> Deferred[Page]:
        rows = [Row(conversation, seq, Kind.TEXT, BOB, "d", 1) for seq in range(1, 6)]
        return succeed(Page(tuple(rows[after or 0 :][:limit]), 1, 5, False))


class Joining(SynchronousTestCase):
    """What is announced before a node knows where the conversations stand is kept back, and is new."""

    def heard_after(self, ends: dict[int, int], *wakes: int, own: int | None = None) -> list[int]:
        log, heard = SlowLog(), list[int]()
        bus = LocalBus("b", log, Hub())
        bus.subscribe(("room", 7), lambda one: heard.append(one.row.seq) if isinstance(one, Logged) else None)
        for seq in wakes:
            bus.woken(7, seq, (("room", 7),), None)
        if own is not None:
            bus.publish([("room", 7)], Logged(Row(7, own, Kind.TEXT, BOB, "d", 1)))
        self.assertEqual(heard, [])
        log.asked.callback(ends)
        return heard

    def test_rows_that_the_log_shows_already(self) -> None:
        self.assertEqual(self.heard_after({7: 5}, 5, 4), [4, 5])

    def test_rows_that_it_does_not_show_yet(self) -> None:
        self.assertEqual(self.heard_after({7: 2}, 4), [3, 4])

    def test_an_own_row(self) -> None:
        self.assertEqual(self.heard_after({7: 3}, own=4), [4])

    def test_a_conversation_that_is_new(self) -> None:
        self.assertEqual(self.heard_after({}, 3), [1, 2, 3])


class FailingStore(InMemory):
    async def test_a_store_that_fails_is_asked_again_by_the_next_wake(self) -> None:
        """Also when it failed while the node joined."""
        await self.person("bob")
        room = await self.room(BOB)
        await self.store.stop()
        bus = LocalBus("b", self.store, Hub())
        heard: list[Published] = []
        bus.subscribe(("room", room), heard.append)
        self.store.start(self.sink)
        for _ in range(2):
            await self.store.append(text(room, BOB))
        await self.store.stop()
        bus.woken(room, 2, (("room", room),), None)
        self.assertEqual(heard, [])
        self.store.start(self.sink)
        bus.woken(room, 3, (("room", room),), None)
        self.assertEqual([one.row.seq for one in heard if isinstance(one, Logged)], [2, 3])


# The promises by themselves have no engine to run on.
del EngineCase, OnFile, InMemory, TwoNodes
