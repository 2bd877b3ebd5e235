"""Searching: one at a time for each account, with bounds that are told, behind an index that follows the log."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import SearchTooBroad
from chat.protocol.events import Found, Refused, Said
from chat.protocol.values import Text
from chat.server.core.search import BUSY_PAUSE, PAUSE
from chat.server.interfaces import Hits
from chat.server.storage.memory import MemoryStore
from chat.server.storage.search_index import AT_ONCE
from tests.server.core.stage import Stage, now


class SlowSearches(MemoryStore):
    """Searches end when the test says so."""

    def __init__(self) -> None:
        super().__init__()
        self.running: list[Deferred[Hits]] = []

    def search(self, *arguments: object, **options: object) -> Deferred[Hits]:
        self.running.append(Deferred())
        return self.running[-1]


class OneAtATime(SynchronousTestCase):
    def setUp(self) -> None:
        self.store = SlowSearches()
        self.stage = Stage(store=self.store)
        self.ann, self.bob = self.stage.enter("ann"), self.stage.enter("bob")

    def test_the_second_search_of_an_account_is_refused_until_the_first_is_answered(self) -> None:
        first = self.ann.starts("search", words="needle")
        refused = self.ann.gets(Refused, "search", words="needle")
        self.assertEqual(
            (refused.code, refused.text),
            ("busy", "Your last search is still running. Wait for its results."),
        )
        other = self.bob.starts("search", words="needle")
        for running in self.store.running:
            running.callback(Hits((), False, True))
        self.assertEqual([now(first), now(other)], [Found((), False), Found((), False)])
        again = self.ann.starts("search", words="needle")
        self.store.running[-1].callback(Hits((), False, False))
        self.assertEqual(now(again), Found((), False, True))

    def test_a_search_that_took_too_long_leaves_the_way_free(self) -> None:
        first = self.ann.starts("search", words="needle")
        self.store.running[-1].errback(SearchTooBroad())
        refused = now(first)
        assert isinstance(refused, Refused)
        self.assertEqual(refused.code, "search-too-broad")
        self.ann.starts("search", words="needle")
        self.assertEqual(len(self.store.running), 2)


class Bounds(SynchronousTestCase):
    def test_too_many_words_and_short_prefixes_are_refused_before_anything_is_read(self) -> None:
        store = SlowSearches()
        ann = Stage(store=store).enter("ann")
        for words in ("a b c d e f g h i", "abc* def* ghi*", "de*"):
            self.assertEqual(ann.code("search", words=words), "bad-usage")
        self.assertEqual(store.running, [])


class TheIndex(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.ann = self.stage.enter("ann", "ops")
        self.ops = self.stage.room("ops").id
        for _ in range(3):
            self.stage.clock.advance(PAUSE)  # the start is over

    def found(self) -> list[str]:
        entries = self.ann.gets(Found, "search", words="needle").entries
        return [each.body.text for each in entries if isinstance(each, Said) and isinstance(each.body, Text)]

    def test_what_was_said_a_moment_ago_is_found(self) -> None:
        self.ann.says("ops", "needle")
        self.assertEqual(self.found(), ["needle"])

    def test_so_is_what_the_index_is_taking_in_just_now(self) -> None:
        self.ann.says("ops", "needle")
        self.stage.store.hold()
        self.stage.clock.advance(PAUSE)  # the step is on its way to the disk
        search = self.ann.starts("search", words="needle")
        self.stage.store.release()
        found = now(search)
        assert isinstance(found, Found)
        self.assertEqual(len(found.entries), 1)

    def test_it_follows_in_quick_steps_while_it_is_far_behind(self) -> None:
        for _ in range(2 * AT_ONCE):
            self.ann.says("ops", "needle")
        self.stage.clock.advance(PAUSE)
        self.assertEqual(now(self.stage.store.behind()), (self.ops,))
        for _ in range(3):
            self.stage.clock.advance(BUSY_PAUSE)
        self.assertEqual(now(self.stage.store.behind()), ())

    def test_a_step_that_fails_is_taken_again(self) -> None:
        self.ann.says("ops", "needle")
        self.stage.store.fail(1)
        self.stage.clock.advance(PAUSE)
        self.assertEqual(now(self.stage.store.behind()), (self.ops,))
        self.stage.clock.advance(PAUSE)
        self.assertEqual(now(self.stage.store.behind()), ())
