"""Letters from client to client: delivered, refused, or known not to be; and who is talked to at all."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from chat.client.model.failures import ClientFailure, NotGenuine, NotThePeer, PeerUnreachable
from chat.client.p2p.frames import FrameKind
from chat.client.p2p.message_channel import CONFIRM_TIME, MOST_WAITING
from chat.client.p2p.peers import AT_ONCE, NoAddress, PeerGone, Peers
from chat.protocol.events import Address
from tests.client.e2e.crypto_people import published
from tests.client.p2p.clients import ELSEWHERE, Client, ClientCase

WORDS = {"type": "private", "text": "under the doormat"}


class Letters(ClientCase):
    def test_a_letter_is_delivered_when_the_other_end_says_so(self) -> None:
        self.run_now(self.line().tell(WORDS))
        self.assertEqual(self.ann.read, [WORDS])

    def test_both_ends_write(self) -> None:
        self.line()
        (back,) = self.ann.peers.channels_to("bob")
        self.run_now(back.tell(WORDS))
        self.assertEqual(self.bob.read, [WORDS])

    def test_nothing_can_be_read_on_the_way(self) -> None:
        self.run_now(self.line().tell(WORDS))
        (wire,) = self.net.wires
        self.assertNotIn(b"doormat", wire.recorded)

    def test_a_letter_that_is_not_confirmed_is_not_delivered(self) -> None:
        line = self.line()
        self.net.wires[0].silent = True
        outcome = self.begin(line.tell(WORDS))
        self.assertNoResult(outcome)
        self.net.pass_time(CONFIRM_TIME + 1)
        self.failureResultOf(outcome, PeerUnreachable)
        self.assertEqual(self.bob.peers.channels_to("ann"), [])

    def test_a_letter_that_is_refused_is_not_delivered(self) -> None:
        self.assertIn("refused it", self.fails(self.line().tell({"type": "nonsense"}), ClientFailure))

    def test_a_letter_of_somebody_else_is_refused(self) -> None:
        line = self.line()
        line.link.send(FrameKind.LETTER, b"\0\0\0\x01" + b"\0" * 40)
        self.net.settle()
        self.assertEqual(self.ann.read, [])
        with self.assertRaises(NotGenuine):
            self.ann.peers._post.open("bob", "phone", b"\0" * 40)

    def test_a_line_that_is_lost_takes_what_waits_with_it(self) -> None:
        line = self.line()
        outcome = self.begin(self._waiting(line))
        self.net.wires[0].cut()
        self.failureResultOf(outcome, PeerUnreachable)
        self.assertEqual(self.net.clock.getDelayedCalls(), [])

    async def _waiting(self, line: object) -> None:
        self.net.wires[0].silent = True
        await self.bob.peers.channels_to("ann")[0].tell(WORDS)

    def test_no_more_wait_than_can_be_remembered(self) -> None:
        line = self.line()
        self.net.wires[0].silent = True
        waiting = [self.begin(line.tell(WORDS)) for _ in range(MOST_WAITING + 1)]
        self.failureResultOf(waiting.pop(), ClientFailure)
        line.link.close()
        for each in waiting:
            self.failureResultOf(each, PeerUnreachable)


class PeerConnector(ClientCase):
    def test_one_line_serves_for_many_letters(self) -> None:
        self.assertIs(self.line(), self.line())

    def test_without_an_address(self) -> None:
        words = self.fails(self.ann.peers.channel_to("bob"), NoAddress)
        self.assertEqual(words, "Please request user address first (getaddress <user>).")

    def test_somebody_who_is_gone(self) -> None:
        self.ann.peers.close()
        words = self.fails(self.bob.peers.channel_to("ann"), PeerGone)
        self.assertEqual(
            words,
            "User ann is no longer available at ('129.35.26.1', 51791). You can send an offline message through the"
            " server.",
        )

    def test_somebody_who_has_changed_address(self) -> None:
        self.bob.peers.forget("Ann")
        self.fails(self.bob.peers.channel_to("ann"), NoAddress)

    def test_what_nobody_should_dial_is_not_dialed(self) -> None:
        """Whoever hands out loopback would have this machine's own services called."""
        self.bob.peers.forget("Ann")
        for address in (
            "127.0.0.1",
            "::1",
            "::ffff:127.0.0.1",
            "169.254.169.254",
            "fe80::1",
            "224.0.0.1",
            "0.0.0.0",
            "ann",
        ):
            self.bob.peers.learn(Address("ann", address, 51_791))
            self.fails(self.bob.peers.channel_to("ann"), NoAddress)
        self.bob.peers.learn(Address("ann", "127.0.0.1", 51_791, ("192.0.2.1",)))
        self.assertIn("192.0.2.1", str(self.bob.peers.gone("ann")))

    def test_an_impostor_at_the_address(self) -> None:
        self.ann.peers.close()
        impostor = Client(self, "ann", "203.0.113.66", self.home / "impostor")
        impostor.person.pins.look(published(self.bob.person))
        impostor.peers.listen("bob", 51_791)
        self.bob.peers.learn(Address("ann", "203.0.113.66", 51_791))
        self.fails(self.bob.peers.channel_to("ann"), NotThePeer)
        self.assertEqual(impostor.read, [])

    def test_another_line_of_a_device_takes_the_place_of_the_first(self) -> None:
        """The other end may not know yet that the first one is dead."""
        first = self.line()
        self.net.wires[0].silent = True
        self.bob.peers._lines.clear()
        self.net.clock.advance(AT_ONCE)
        second = self.line()
        self.assertIsNot(first, second)
        self.assertEqual(len(self.ann.peers.channels_to("bob")), 1)
        self.assertTrue(self.net.wires[0].transports[1].disconnecting)
        self.run_now(second.tell(WORDS))
        self.assertEqual(self.ann.read, [WORDS])


class BothAtOnce(ClientCase):
    """Each has the other's address."""

    def setUp(self) -> None:
        super().setUp()
        self.ann.peers.learn(Address("bob", ELSEWHERE, self.bob.peers.listen("ann", 51_792)))

    def test_both_keep_the_same_link(self) -> None:
        for _ in range(2):
            calls = [Deferred.fromCoroutine(each.channel_to(who)) for each, who in self.both()]
            self.net.settle()
            lines = [self.successResultOf(each) for each in calls]
            self.assertEqual([each.peers.channels_to(who) for each, who in self.clients()], [[line] for line in lines])
            for line in lines:
                self.run_now(line.tell(WORDS))
            self.assertEqual([len(wire.recorded) > 0 and wire.over for wire in self.net.wires].count(False), 1)
            self.net.wires[-1].cut()
            self.net.wires[-2].cut()
            self.net.clock.advance(AT_ONCE)

    def both(self) -> list[tuple[Peers, str]]:
        return [(each.peers, who) for each, who in self.clients()]

    def clients(self) -> list[tuple[Client, str]]:
        return [(self.ann, "bob"), (self.bob, "ann")]


class ShuttingOut(ClientCase):
    def test_the_line_is_closed_and_none_is_made_again(self) -> None:
        line = self.line()
        self.ann.peers.shut_out("Bob")
        self.net.settle()
        self.successResultOf(line.link.ended)
        self.fails(self.bob.peers.channel_to("ann"), PeerGone)

    def test_the_port_is_closed_with_the_last_one_who_was_let_in(self) -> None:
        self.ann.peers.listen("carol")
        self.ann.peers.shut_out("bob")
        self.assertEqual(list(self.ann.host.listening), [51_791])
        self.ann.peers.shut_out("carol")
        self.assertEqual(list(self.ann.host.listening), [])

    def test_nothing_listens_before_somebody_is_let_in(self) -> None:
        self.assertEqual(list(self.bob.host.listening), [])
