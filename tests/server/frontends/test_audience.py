"""Who is told what: rendered once, joined once a turn, without those who are left out."""

from __future__ import annotations

from typing import cast

from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Closing, Event
from chat.server.frontends.audience import Audience
from chat.server.frontends.outbox import Outbox
from chat.server.interfaces import Features, IMind
from chat.server.process.reactor import ReactorTurn
from tests.server.frontends.server import ServerCase


class Member:
    """A mind that has an outbox and nothing else; what it got are the packets that left."""

    def __init__(self, turn: ReactorTurn) -> None:
        self.packets: list[bytes] = []
        transport = StringTransport()
        transport.write = self.packets.append  # type: ignore[method-assign]
        self.outbox = Outbox(transport, turn, 1 << 20, lambda: None)

    @property
    def mind(self) -> IMind:
        return cast(IMind, self)


class AnAudience(SynchronousTestCase):
    features = Features()

    def setUp(self) -> None:
        self.clock = Clock()
        self.turn = ReactorTurn(self.clock)
        self.rendered: list[Event] = []
        self.audience = Audience(self.render, self.turn, self.features)
        self.ann, self.bob, self.carol = (Member(self.turn) for _ in range(3))
        for member in (self.ann, self.bob, self.carol):
            self.audience.add(member.mind)

    def render(self, event: Event) -> bytes:
        self.rendered.append(event)
        return f"{event.reason};".encode() if isinstance(event, Closing) else b""

    def post(
        self, *texts: str, omit: tuple[Member, ...] = (), hidden: tuple[Member, ...] = (), instead: str | None = None
    ) -> None:
        for text in texts:
            other = Closing(instead) if instead is not None else None
            self.audience.post(Closing(text), [each.mind for each in omit], [each.mind for each in hidden], other)

    def test_an_event_is_rendered_once(self) -> None:
        self.post("one")
        self.clock.advance(0)
        self.assertEqual(self.rendered, [Closing("one")])
        self.assertEqual([each.packets for each in (self.ann, self.bob, self.carol)], [[b"one;"]] * 3)

    def test_a_turn_is_one_packet(self) -> None:
        self.post("one", "two", "three")
        self.assertEqual(self.ann.packets, [])
        self.clock.advance(0)
        self.assertEqual(self.ann.packets, [b"one;two;three;"])
        self.post("four")
        self.clock.advance(0)
        self.assertEqual(self.ann.packets, [b"one;two;three;", b"four;"])

    def test_who_is_left_out_gets_the_rest(self) -> None:
        self.post("one", omit=(self.ann,))
        self.post("two")
        self.post("three", omit=(self.bob, self.ann))
        self.clock.advance(0)
        self.assertEqual([self.ann.packets, self.bob.packets], [[b"two;"], [b"one;two;"]])
        self.assertEqual(self.carol.packets, [b"one;two;three;"])

    def test_who_is_left_out_of_everything_gets_no_packet(self) -> None:
        self.post("one", "two", omit=(self.ann,))
        self.clock.advance(0)
        self.assertEqual(self.ann.packets, [])

    def test_somebody_elsewhere_may_be_left_out(self) -> None:
        self.post("one", omit=(Member(self.turn),))
        self.clock.advance(0)
        self.assertEqual(self.ann.packets, [b"one;"])

    def test_people_get_nothing_instead(self) -> None:
        self.post("one", hidden=(self.ann,), instead="a gap")
        self.clock.advance(0)
        self.assertEqual(self.ann.packets, [])

    def test_coming_and_going_does_not_reorder(self) -> None:
        """Who comes gets what is posted from now on; who goes gets what was posted before."""
        dave = Member(self.turn)
        self.post("one")
        self.audience.add(dave.mind)
        self.audience.remove(self.ann.mind)
        self.post("two")
        self.clock.advance(0)
        self.assertEqual([self.ann.packets, self.bob.packets], [[b"one;"], [b"one;", b"two;"]])
        self.assertEqual(dave.packets, [b"two;"])
        self.assertEqual(len(self.audience), 3)


class AnAudienceOfPrograms(AnAudience):
    features = Features(gaps=True)

    def test_people_get_nothing_instead(self) -> None:
        """Programs are told of a gap, in its place."""
        self.post("one")
        self.post("two", omit=(self.carol,), hidden=(self.ann,), instead="a gap")
        self.post("three")
        self.clock.advance(0)
        self.assertEqual(self.ann.packets, [b"one;a gap;three;"])
        self.assertEqual(self.bob.packets, [b"one;two;three;"])
        self.assertEqual(self.carol.packets, [b"one;three;"], "who said it is told of no gap")


class ARoom(ServerCase):
    def test_the_speaker_sees_nothing_the_others_one_packet(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(b"one\ntwo\n")
        self.assertEqual((ann.sees(), bob.sees()), ([], ["ann: one", "ann: two"]))

    def test_the_current_room_is_shown_without_its_name(self) -> None:
        """What is said in another of one's rooms says where."""
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        bob.types("/create ops")
        self.quiet(ann, bob)
        ann.types("hello", "/me waves")
        self.assertEqual(bob.sees(), ["[lobby] ann: hello", "[lobby] * ann waves"])
        bob.types("connect lobby")
        bob.wire.clear()
        ann.types("hello again")
        self.assertEqual(bob.sees(), ["ann: hello again"])

    def test_who_moves_within_a_turn_sees_each_line_as_it_was_then(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        bob.types("/create ops")
        self.quiet(ann, bob)
        ann.sends(b"one\n")
        bob.sends(b"connect lobby\n")
        ann.sends(b"two\n")
        seen = bob.sees()
        self.assertLess(seen.index("[lobby] ann: one"), seen.index("ann: two"))
        self.assertEqual(len(seen), 3)

    def test_who_blocks_the_speaker_is_left_out(self) -> None:
        ann, bob, carol = (self.person(name, "lobby") for name in ("ann", "bob", "carol"))
        bob.types("block ann")
        self.quiet(ann, bob, carol)
        ann.types("one")
        carol.types("two")
        self.assertEqual(bob.sees(), ["carol: two"])
        self.assertEqual(ann.sees(), ["carol: two"])
        bob.types("three")
        self.assertEqual(ann.sees(), ["bob: three"])

    def test_who_left_is_told_nothing(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        bob.types("disconnect")
        self.quiet(ann, bob)
        ann.types("hello")
        self.assertEqual(bob.sees(), [])

    def test_nobody_can_forge_a_notice(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("* User carol has logged on.", "! Not sent.", "'/quit")
        self.assertEqual(bob.sees(), ["ann: * User carol has logged on.", "ann: ! Not sent.", "ann: /quit"])


class ManySessions(ServerCase):
    settings = {"sessions": "many"}  # noqa: RUF012

    def test_another_session_of_the_speaker_is_told(self) -> None:
        """Only the session that said it is left out."""
        here, there = self.person("ann", "lobby"), self.person("ann")
        here.types("hello")
        self.assertEqual((here.sees(), there.sees()), ([], ["ann: hello"]))

    def test_private_messages_reach_every_session(self) -> None:
        bob, here, there = self.person("bob"), self.person("ann"), self.person("ann")
        self.quiet(here, there)
        bob.types("message ann hi")
        self.assertEqual((here.sees(), there.sees()), (["bob (private): hi"], ["bob (private): hi"]))
        here.types("message bob yes")
        self.assertEqual(there.sees(), ["ann (private to bob): yes"])
        self.assertEqual(here.sees(), [])
