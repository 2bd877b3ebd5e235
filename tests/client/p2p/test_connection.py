"""Who gets a link to whom, and what a stranger costs."""

from __future__ import annotations

from typing import Any

from twisted.internet.protocol import Factory, Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from chat.client.e2e.cross_signing import AccountKey
from chat.client.model.failures import BadPeerFrame, CannotListen, NotThePeer, NotYetShown, PeerUnreachable
from chat.client.p2p.connection import MOST_UNPROVEN, PROOF_TIME, Identity, PeerLink
from chat.client.p2p.connector import CONNECT_TIME, PeerAddress, PeerConnector
from chat.client.p2p.frames import MOST, FrameKind, Frames, frame
from chat.client.p2p.handshake import End
from chat.client.p2p.listener import MOST_A_MINUTE, MOST_FROM_ONE, MOST_STRANGERS, PeerListener
from chat.client.p2p.tls import CallerTls, ListenerTls, TlsLinkFactory
from tests.client.e2e.crypto_people import Person, meet, published
from tests.client.p2p.net import Host, Net

HOME, V6, ELSEWHERE, LAN = "129.35.26.1", "2001:db8::7", "198.51.100.9", "10.0.0.7"
PORT = 51_791


class Case(SynchronousTestCase):
    """Ann listens, bob calls."""

    def setUp(self) -> None:
        self.net = Net()
        self.home, self.away = Host(self.net, HOME, V6), Host(self.net, ELSEWHERE)
        self.ann, self.bob = Person("ann", "desk"), Person("bob", "phone")
        meet(self.ann, self.bob)
        self.welcome = {"bob"}
        self.links: list[PeerLink] = []
        self.listening = self.listens(self.home, self.ann)

    def listens(self, host: Host, who: Person) -> PeerListener:
        identity = Identity(who.own, who.pins)
        listening = PeerListener(host, identity, lambda user: user in self.welcome, self.links.append)
        listening.open(PORT)
        return listening

    def calls(self, *addresses: str, who: Person | None = None, whom: str = "ann") -> PeerConnector:
        person = who or self.bob
        reaching = PeerConnector(
            self.away, Identity(person.own, person.pins), whom, PeerAddress(addresses or (HOME,), PORT)
        )
        self.net.settle()
        return reaching

    def reached(self, *addresses: str, who: Person | None = None) -> PeerLink:
        return self.successResultOf(self.calls(*addresses, who=who).reached)

    def fails(self, reaching: PeerConnector, kind: type[Exception]) -> str:
        return str(self.failureResultOf(reaching.reached, kind).value)


class Proving(Case):
    def test_both_ends_know_who_is_there(self) -> None:
        link = self.reached()
        (there,) = self.links
        self.assertEqual([(link.user, link.device), (there.user, there.device)], [("ann", "desk"), ("bob", "phone")])

    def test_frames_go_both_ways_and_nobody_on_the_way_can_read_them(self) -> None:
        link = self.reached()
        (there,) = self.links
        got: list[tuple[FrameKind, bytes]] = []
        link.taken = there.taken = lambda kind, body: got.append((kind, body))
        link.send(FrameKind.LETTER, b"under the doormat")
        there.send(FrameKind.LETTER, b"understood" * 5_000)
        self.net.settle()
        self.assertEqual(
            sorted(got), [(FrameKind.LETTER, b"under the doormat"), (FrameKind.LETTER, b"understood" * 5_000)]
        )
        recorded = bytes(self.net.wires[0].recorded)
        self.assertGreater(len(recorded), 50_000)
        # The names of the devices go with those of the people, which three letters of 50,000 may spell by chance.
        for words in (b"doormat", b"understood", b"desk", b"phone"):
            self.assertNotIn(words, recorded)

    def test_an_impostor_at_the_right_address_is_refused(self) -> None:
        """Whoever has taken the address over has other keys, even under the right name."""
        self.listening.close()
        impostor = Person("ann", "desk")
        impostor.pins.look(published(self.bob))
        self.listens(self.home, impostor)
        self.assertIn("could not prove to be ann", self.fails(self.calls(), NotThePeer))

    def test_a_friend_in_the_place_of_another_is_refused(self) -> None:
        """Even one who lets everybody in, and proves to be somebody else."""
        self.listening.close()
        carol = Person("carol")
        meet(carol, self.bob)

        class Inviting(PeerLink):
            def _meet(self, kind: int, body: bytes) -> None:
                self._introduce(End.LISTENER, "bob")

        link = Inviting(Identity(carol.own, carol.pins), self.home)
        link.proven.addErrback(lambda _: None)
        self.home.listenTCP(PORT, TlsLinkFactory(ListenerTls(), Factory.forProtocol(lambda: link), self.home))
        self.assertIn("Somebody else answered", self.fails(self.calls(), NotThePeer))

    def test_a_device_that_the_account_key_does_not_vouch_for_is_refused(self) -> None:
        self.listening.close()
        ghost = Person("ann", "ghost", AccountKey())
        ghost.pins.look(published(self.bob))
        self.listens(self.home, ghost)
        self.assertIn("could not prove", self.fails(self.calls(), NotThePeer))

    def test_somebody_who_is_not_let_in_learns_nothing(self) -> None:
        self.welcome.clear()
        words = self.fails(self.calls(), NotThePeer)
        self.assertIn("could not prove", words)
        self.assertEqual(self.links, [])

    def test_a_caller_who_cannot_prove_a_name_is_not_let_in(self) -> None:
        stranger = Person("bob", "phone")
        stranger.pins.look(published(self.ann))
        self.fails(self.calls(who=stranger), NotThePeer)
        self.assertEqual(self.links, [])

    def test_nobody_is_called_whose_keys_have_changed_unseen(self) -> None:
        other = Person("ann", "desk")
        self.bob.pins.look(published(other))
        self.fails(self.calls(), NotYetShown)

    def test_who_stands_in_between_proves_nothing(self) -> None:
        """Introductions that are passed on hold for another link only."""
        between = Host(self.net, "203.0.113.5")
        passing: dict[str, PeerLink] = {}

        class Passing(PeerLink):
            def other(self) -> PeerLink:
                return passing["there" if self is passing["here"] else "here"]

            def dataReceived(self, data: bytes) -> None:
                self.other().transport.write(data)

            def connectionLost(self, reason: Failure = connectionDone) -> None:
                if self is passing["there"]:
                    self.other().transport.abortConnection()

            def handshakeCompleted(self) -> None:
                pass

        identity = Identity(self.bob.own, self.bob.pins)
        passing["here"], passing["there"] = Passing(identity, between), Passing(identity, between, "ann")
        for each in passing.values():
            each.proven.addErrback(lambda _: None)
        between.listenTCP(PORT, TlsLinkFactory(ListenerTls(), Factory.forProtocol(lambda: passing["here"]), between))
        caller = TlsLinkFactory(CallerTls(), Factory.forProtocol(lambda: passing["there"]), between)
        between.connectTCP(HOME, PORT, _AsClient(caller))
        self.net.settle()
        self.fails(self.calls("203.0.113.5"), NotThePeer)
        self.assertEqual(self.links, [])


class _AsClient(Factory):
    """A server's factory where a client's is expected."""

    def __init__(self, factory: Any) -> None:
        self._factory = factory

    def startedConnecting(self, connector: Any) -> None:
        pass

    def clientConnectionFailed(self, connector: Any, reason: Any) -> None:
        pass

    def buildProtocol(self, addr: Any) -> Any:
        return self._factory.buildProtocol(addr)


class Reached(Case):
    def test_the_first_address_that_proves_itself_is_taken(self) -> None:
        impostor = Person("ann", "desk")
        impostor.pins.look(published(self.bob))
        self.listens(Host(self.net, LAN), impostor)
        self.net.dropped.add("192.0.2.1")
        reaching = self.calls("192.0.2.1", LAN, V6, HOME)
        self.net.pass_time(2)
        self.assertEqual(self.successResultOf(reaching.reached).user, "ann")
        self.net.pass_time(2 * PROOF_TIME)
        self.assertEqual(self.net.clock.getDelayedCalls(), [])

    def test_a_firewall_that_drops_is_given_up(self) -> None:
        self.net.dropped |= {HOME, V6}
        reaching = self.calls(HOME, V6)
        self.net.pass_time(CONNECT_TIME + 1)
        self.assertIn("No answer", self.fails(reaching, PeerUnreachable))

    def test_a_port_where_nobody_listens_is_given_up_at_once(self) -> None:
        self.listening.close()
        self.assertIn("No answer", self.fails(self.calls(), PeerUnreachable))

    def test_somebody_who_answers_and_falls_silent_is_given_up(self) -> None:
        self.listening.close()
        self.home.listenTCP(PORT, Factory.forProtocol(Protocol))
        reaching = self.calls()
        self.assertNoResult(reaching.reached)
        self.net.pass_time(PROOF_TIME + 1)
        self.assertIn("stopped answering", self.fails(reaching, PeerUnreachable))

    def test_a_call_that_is_taken_back_leaves_nothing_behind(self) -> None:
        self.net.dropped.add(HOME)
        reaching = self.calls(HOME, V6)
        reaching.reached.addErrback(lambda _: None)
        reaching.reached.cancel()
        self.net.settle()
        self.assertEqual(self.net.clock.getDelayedCalls(), [])


class Strangers(Case):
    """What somebody costs who finds the port."""

    def stranger(self, address: str = "203.0.113.9") -> list[Any]:
        """Connects and says nothing.

        :returns: the wires of it; none when the connection was refused.
        """
        before = len(self.net.wires)
        self.net.hosts.get(address, Host(self.net, address)).connectTCP(HOME, PORT, _AsClient(_Silence()))
        self.net.settle()
        return self.net.wires[before:]

    def test_a_few_connections_of_one_address(self) -> None:
        made = [bool(self.stranger()) for _ in range(MOST_FROM_ONE + 1)]
        self.assertEqual(made, [True] * MOST_FROM_ONE + [False])

    def test_a_few_in_all(self) -> None:
        made = [bool(self.stranger(f"203.0.113.{number}")) for number in range(MOST_STRANGERS + 1)]
        self.assertEqual(made, [True] * MOST_STRANGERS + [False])

    def test_for_a_few_seconds(self) -> None:
        for number in range(MOST_STRANGERS):
            self.stranger(f"203.0.113.{number}")
        self.net.pass_time(PROOF_TIME)
        self.assertEqual([wire.over for wire in self.net.wires], [True] * MOST_STRANGERS)
        self.assertEqual(self.reached().user, "ann")

    def test_at_most_so_many_a_minute(self) -> None:
        for number in range(MOST_A_MINUTE):
            (wire,) = self.stranger(f"203.0.{number}.1")
            wire.cut()
        self.assertEqual(self.stranger(), [])
        self.net.pass_time(60)
        self.assertEqual(self.reached().user, "ann")

    def test_a_few_bytes(self) -> None:
        (wire,) = self.stranger()
        # The beginning of a hello of 126,976 bytes: nothing in it is wrong yet.
        hello = b"\x16\x03\x01\x40\x00" + b"\x01\x01\xf0\x00" + bytes(16_380) + b"\x16\x03\x01\x40\x00"
        wire.ends[1].dataReceived(hello[:MOST_UNPROVEN])
        self.assertFalse(wire.transports[1].disconnecting)
        wire.ends[1].dataReceived(hello[MOST_UNPROVEN:])
        self.assertTrue(wire.transports[1].disconnecting)

    def test_nothing_but_an_introduction_is_read(self) -> None:
        for body in (
            frame(FrameKind.LETTER, b"hi"),
            frame(FrameKind.INTRODUCTION, b'["bob","phone","AA=="]'),
            b"\xff" * 40,
        ):
            link = PeerLink(Identity(self.bob.own, self.bob.pins), self.away, "ann")
            link.handshakeCompleted = lambda link=link, body=body: link.transport.write(body)  # type: ignore[method-assign,misc]
            link.proven.addErrback(lambda _: None)
            caller = TlsLinkFactory(CallerTls(), Factory.forProtocol(lambda link=link: link), self.away)  # type: ignore[misc]
            self.away.connectTCP(HOME, PORT, _AsClient(caller))
            self.net.settle()
            self.assertTrue(self.net.wires[-1].over, body)
        self.assertEqual(self.links, [])


class _Silence(Factory):
    protocol = Protocol


class Ending(Case):
    def test_each_end_is_told_when_the_link_is_lost(self) -> None:
        link = self.reached()
        (there,) = self.links
        self.net.wires[0].cut()
        for each in (link, there):
            self.assertIsInstance(self.successResultOf(each.ended), PeerUnreachable)

    def test_a_frame_that_is_too_long_ends_it(self) -> None:
        link = self.reached()
        (there,) = self.links
        link.transport.write((MOST + 1).to_bytes(4))
        self.net.settle()
        self.assertIsInstance(self.successResultOf(there.ended), BadPeerFrame)

    def test_a_frame_of_a_later_version_is_left_out(self) -> None:
        link = self.reached()
        (there,) = self.links
        got: list[bytes] = []
        there.taken = lambda kind, body: got.append(body)
        link.transport.write(b"\0\0\0\x03\xf0hi" + frame(FrameKind.LETTER, b"ho"))
        self.net.settle()
        self.assertEqual(got, [b"ho"])

    def test_a_port_that_is_taken_is_one_clear_line(self) -> None:
        other = PeerListener(self.home, Identity(self.bob.own, self.bob.pins), bool, self.links.append)
        with self.assertRaisesRegex(CannotListen, f"^Cannot listen on port {PORT}: another program uses it"):
            other.open(PORT)

    def test_a_port_is_open_only_while_somebody_is_let_in(self) -> None:
        self.assertEqual(self.listening.port, PORT)
        self.listening.close()
        self.assertEqual(self.listening.port, 0)
        self.fails(self.calls(), PeerUnreachable)


class Framing(SynchronousTestCase):
    def test_byte_by_byte(self) -> None:
        frames, found = Frames(100), []
        for byte in frame(FrameKind.LETTER, b"one") + frame(FrameKind.RECEIVED, b"") + b"\0\0":
            frames.feed(bytes([byte]))
            while (read := frames.next()) is not None:
                found.append(read)
        self.assertEqual(found, [(FrameKind.LETTER, b"one"), (FrameKind.RECEIVED, b"")])

    def test_no_longer_than_allowed_and_never_empty(self) -> None:
        for length in (101, 0, 2**32 - 1):
            frames = Frames(100)
            frames.feed(length.to_bytes(4))
            self.assertRaises(BadPeerFrame, frames.next)
