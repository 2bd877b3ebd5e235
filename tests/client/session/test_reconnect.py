"""`chat.client.session.reconnect`: when it is tried again, and what ends that."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chat.client.model.failures import Disconnected, RequestRefused, ServerNotTrusted
from chat.client.session.endpoint import ServerAddress
from chat.client.session.reconnect import DOUBTS, PAUSES, Reconnector
from chat.client.session.tofu import KeyChanged
from chat.protocol.events import Refused


class ComingBack(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.wanted = True
        self.waits: list[tuple[str, float]] = []
        self.outcomes: list[Exception | None] = []
        self.returning = Reconnector(
            self.clock, lambda: 0.5, lambda: self.wanted, lambda *wait: self.waits.append(wait), self.attempt
        )

    async def attempt(self, reason: str) -> None:
        outcome = self.outcomes.pop(0)
        if outcome is not None:
            raise outcome

    def begin(self, *outcomes: Exception | None) -> Deferred[None]:
        """Be out, and have tries that end so."""
        self.outcomes = list(outcomes)
        return Deferred.fromCoroutine(self.returning.come_back("It is gone."))

    def test_until_one_is_back(self) -> None:
        back = self.begin(Disconnected("No answer."), RequestRefused(Refused("too-fast", "Not so fast.")), None)
        self.clock.pump(PAUSES[:2])
        self.assertTrue(self.returning.under_way)
        self.clock.advance(PAUSES[2])
        self.successResultOf(back)
        self.assertFalse(self.returning.under_way)
        reasons = ["It is gone.", "No answer.", "Not so fast."]
        self.assertEqual(self.waits, list(zip(reasons, PAUSES[:3], strict=True)))

    def test_a_server_that_says_no_for_good_ends_it(self) -> None:
        back = self.begin(RequestRefused(Refused("bad-credentials", "No.")))
        self.clock.advance(PAUSES[0])
        self.failureResultOf(back, RequestRefused)
        self.assertFalse(self.returning.under_way)

    def test_another_server_than_before_ends_it(self) -> None:
        back = self.begin(KeyChanged(ServerAddress("chat.example"), b"1", b"2"))
        self.clock.advance(PAUSES[0])
        self.failureResultOf(back, ServerNotTrusted)

    def test_one_bad_answer_does_not(self) -> None:
        """Nor several, with others between: somebody on the way may give one, or a server that was just starting."""
        bad = ServerNotTrusted("The server sent invalid data.")
        back = self.begin(*[bad] * (DOUBTS - 1), Disconnected("No answer."), *[bad] * (DOUBTS - 1), None)
        for _ in range(2 * DOUBTS):
            self.clock.advance(PAUSES[-1])
        self.successResultOf(back)
        self.assertIn((str(bad), PAUSES[1]), self.waits)

    def test_bad_answers_alone_do(self) -> None:
        back = self.begin(*[ServerNotTrusted("The server sent invalid data.")] * DOUBTS, None)
        for _ in range(DOUBTS):
            self.clock.advance(PAUSES[-1])
        self.failureResultOf(back, ServerNotTrusted)
        self.assertFalse(self.returning.under_way)

    def test_who_does_not_want_it_any_more_is_not_brought_back(self) -> None:
        back = self.begin(None)
        self.wanted = False
        self.returning.wake()
        self.successResultOf(back)
        self.assertEqual((len(self.outcomes), self.clock.getDelayedCalls()), (1, []))

    def test_at_once_when_somebody_says_so(self) -> None:
        back = self.begin(None)
        self.returning.wake()
        self.successResultOf(back)
        self.assertEqual(self.outcomes, [])
        self.returning.wake()
