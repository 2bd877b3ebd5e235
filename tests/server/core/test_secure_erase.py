"""What was deleted leaves the files of the store by the clock, step by step."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import StoreUnavailable
from chat.server.core.secure_erase import EVERY, PAUSE
from chat.server.storage.memory import MemoryStore
from tests.server.core.stage import Stage, now


class ScrubbedStore(MemoryStore):
    """Has so many steps to take, of which one may fail."""

    left = 0
    broken = False
    steps = 0

    def scrub(self) -> Deferred[bool]:
        self.steps += 1
        if self.broken:
            return fail(StoreUnavailable())
        self.left = max(0, self.left - 1)
        return succeed(self.left > 0)


class Steps(SynchronousTestCase):
    def setUp(self) -> None:
        self.store = ScrubbedStore()
        self.stage = Stage(store=self.store)

    def test_it_looks_once_a_minute_and_then_goes_on_to_the_end(self) -> None:
        self.store.left = 4
        self.stage.clock.advance(EVERY)
        self.assertEqual(self.store.steps, 1)
        for _ in range(10):
            self.stage.clock.advance(PAUSE)
        self.assertEqual((self.store.steps, self.store.left), (4, 0))
        self.stage.clock.advance(EVERY)
        self.assertEqual(self.store.steps, 5)

    def test_a_disk_that_fails_is_tried_again(self) -> None:
        self.store.left, self.store.broken = 1, True
        self.stage.clock.advance(EVERY)
        self.store.broken = False
        self.stage.clock.advance(EVERY)
        self.assertEqual((self.store.steps, self.store.left), (2, 0))

    def test_not_while_the_server_stops(self) -> None:
        now(self.stage.chat.stop("the test"))
        self.stage.clock.advance(10 * EVERY)
        self.assertEqual(self.store.steps, 0)
