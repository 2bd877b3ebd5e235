"""Two clients, a server, and a recorder on every wire: what people type and see, and what nobody else does."""

from __future__ import annotations

import os
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

from chat.client.model.conversation import Key
from chat.client.model.failures import ClientFailure
from chat.client.model.transfer_progress import Stage
from chat.client.p2p.commands import NO_KEYS, PeerCommands, PeerSettings
from chat.client.p2p.connection import Identity
from chat.client.p2p.partial_files import part_name
from chat.protocol.events import Address, AddressChanged, AskedConsent, BlockChanged, Refused
from tests.client import engines
from tests.client.e2e.crypto_people import Person, published
from tests.client.engines import EngineCase
from tests.client.link import at_once
from tests.client.p2p.clients import Letters
from tests.client.p2p.net import Host, Net
from tests.server.frontends.server import PASSWORD

WORDS = "the launch code is on the fridge"
HOME, ELSEWHERE, LAN = "129.35.26.1", "198.51.100.9", "10.0.0.7"


class Keys:
    """Implements `chat.client.p2p.commands.UnlockedKeys`; whose keys they are, everybody is told honestly."""

    def __init__(self, me: Person, others: dict[str, Person]) -> None:
        self._me = me
        self._others = others
        self.identity = Identity(me.own, me.pins)
        self.post = Letters(me, others)

        self.offers: list[Any] = []

    def listen(self, kind: str, take: Any) -> None:
        """No letter comes by way of the server."""

    async def look(self, user: str) -> None:
        if user in self._others:
            self._me.pins.look(published(self._others[user]))


class DeskCase(EngineCase):
    def setUp(self) -> None:
        super().setUp()
        self.net = Net(self.server.clock.clock)
        self.people: dict[str, Person] = {}
        temporary = TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.home = Path(temporary.name)
        self.ann = self.client("ann", HOME)
        self.bob = self.client("bob", ELSEWHERE)

    def client(self, name: str, address: str, keys: bool = True) -> engines.Desk:
        desk = self.desk("phone")
        desk.address = address
        host = self.net.hosts.get(address) or Host(self.net, address, *([LAN] if address == HOME else []))
        if keys:
            person = self.people[name] = Person(name)
            person.pins.look(published(person))
        desk.direct = PeerCommands(
            host,
            desk.state,
            desk.screen,
            lambda: cast(Any, Keys(self.people[name], self.people) if keys else None),
            lambda cmd, args: desk.engine.ask(cmd, args),
            PeerSettings(0, self.home / name),
            at_once,
            lambda: (LAN,),
        )
        desk.engine.direct = desk.direct
        self.addCleanup(desk.engine.direct.close)
        known = self.server.chat.directory.account(name) is not None
        way = desk.engine.log_in if known else desk.engine.register
        self.run_link(way(name, PASSWORD))
        self.quiet_link()
        return desk

    def settle(self) -> None:
        super().settle()
        while hasattr(self, "net") and self.net.settle():
            super().settle()

    def refused(self, desk: engines.Desk, line: str) -> str:
        reply = desk.types(line)
        self.assertIsInstance(reply, Refused, reply)
        return str(reply.text)

    def consents(self) -> None:
        """Bob has asked for ann's address, and got it."""
        self.bob.types("getaddress ann")
        self.ann.types("consent bob")
        self.settle()

    def recorded(self) -> bytes:
        """Everything that went over any wire."""
        server = b"".join(each.sent + each.got for each in self.links)
        return server + b"".join(bytes(each.recorded) for each in self.net.wires)


class Consent(DeskCase):
    def test_nobody_listens_before_an_address_is_given(self) -> None:
        self.bob.types("getaddress ann")
        self.settle()
        self.assertIn(AskedConsent("bob"), self.ann.screen.events)
        self.assertEqual(self.net.hosts[HOME].listening, {})

    def test_who_asked_gets_all_addresses(self) -> None:
        self.consents()
        (address,) = [each for each in self.bob.screen.events if isinstance(each, Address)]
        self.assertEqual((address.address, address.others), (HOME, (LAN,)))
        self.assertEqual(list(self.net.hosts[HOME].listening), [address.port])

    def test_consent_that_nobody_asked_for_opens_nothing(self) -> None:
        self.assertIn("has not asked", self.ann.types("consent bob").text)
        self.assertEqual(self.net.hosts[HOME].listening, {})

    def test_somebody_without_keys_is_given_nothing(self) -> None:
        self.client("carol", "203.0.113.3", keys=False)
        self.assertIn("has no keys", self.refused(self.ann, "consent carol"))
        self.assertEqual(self.net.hosts[HOME].listening, {})

    def test_a_client_without_keys_says_so(self) -> None:
        carol = self.client("carol", "203.0.113.3", keys=False)
        self.assertEqual(self.refused(carol, "private ann hi"), NO_KEYS)


class Private(DeskCase):
    def test_without_an_address(self) -> None:
        self.assertEqual(
            self.refused(self.bob, "private ann hi"), "Please request user address first (getaddress <user>)."
        )

    def test_straight_to_the_other_client(self) -> None:
        self.consents()
        self.assertIsNone(self.bob.types(f"private ann {WORDS}"))
        self.assertEqual(self.ann.screen.directs, [("bob", "bob", WORDS)])
        self.assertEqual(self.bob.screen.directs, [("ann", "bob", WORDS)])

    def test_and_back_over_the_same_link(self) -> None:
        self.consents()
        self.bob.types("private ann hi")
        self.assertIsNone(self.ann.types("private bob hi yourself"))
        self.assertEqual(self.bob.screen.directs[-1], ("ann", "ann", "hi yourself"))

    def test_it_never_touches_the_server_and_nobody_can_read_it(self) -> None:
        self.consents()
        before = sum(len(each.sent) for each in self.links)
        self.bob.types(f"private ann {WORDS}")
        self.assertEqual(sum(len(each.sent) for each in self.links), before)
        self.assertEqual(self.ann.screen.directs[-1][2], WORDS)
        recorded = self.recorded()
        self.assertGreater(len(recorded), 5_000)
        self.assertNotIn(WORDS.encode(), recorded)
        self.assertNotIn(b"fridge", recorded)

    def test_also_while_the_server_is_gone(self) -> None:
        self.consents()
        self.bob.types("private ann hi")
        self.ann.reachable = self.bob.reachable = False
        self.ann.cut()
        self.bob.cut()
        self.assertIsNone(self.bob.types("private ann still there?"))
        self.assertEqual(self.ann.screen.directs[-1], ("bob", "bob", "still there?"))

    def test_a_peer_that_is_gone(self) -> None:
        self.consents()
        (address,) = [each for each in self.bob.screen.events if isinstance(each, Address)]
        self.ann.engine.close()
        self.settle()
        words = self.refused(self.bob, f"private ann {WORDS}")
        gone = f"User ann is no longer available at ('{HOME}', {address.port})."
        self.assertEqual(
            words, f"{gone} You can send an offline message through the server. Type ! to send it that way."
        )
        self.bob.types("!")
        self.assertEqual(self.bob.talk("ann", room=False).rows[-1].body.text, WORDS)  # type: ignore[union-attr]

    def test_an_impostor_is_told_nothing(self) -> None:
        """Somebody has taken over ann's address, and her account on the server."""
        self.consents()
        self.bob.types("private ann hi")
        self.ann.engine.direct.close()
        self.settle()
        impostor = Person("ann")
        impostor.pins.look(published(self.people["bob"]))
        self.people["ann"] = impostor
        self.ann.engine.direct.begin()
        direct: Any = self.ann.engine.direct
        (address,) = [each for each in self.bob.screen.events if isinstance(each, Address)]
        direct._peers.listen("bob", address.port)
        self.assertIn("have changed", self.refused(self.bob, f"private ann {WORDS}"))
        self.assertEqual(len(self.ann.screen.directs), 1)

    def test_who_is_blocked_afterwards_is_hung_up_on(self) -> None:
        self.consents()
        self.bob.types("private ann hi")
        self.ann.types("block bob")
        self.settle()
        self.assertIn("no longer available", self.refused(self.bob, "private ann hello?"))
        self.assertEqual(len(self.ann.screen.directs), 1)
        self.assertEqual(self.net.hosts[HOME].listening, {})

    def test_who_is_blocked_in_another_session_is_hung_up_on_here(self) -> None:
        self.consents()
        self.bob.types("private ann hi")
        den = self.logged_in("ann", device="den")
        den.types("block bob")
        self.assertTrue(self.net.wires[-1].over)
        self.assertEqual(self.net.hosts[HOME].listening, {})
        self.assertEqual(self.ann.screen.events[-1], BlockChanged("bob", True))
        self.assertEqual(self.ann.screen.findings, ["The connection to bob is closed."])
        self.refused(self.bob, "private ann hello?")
        self.assertEqual(len(self.ann.screen.directs), 1)

    def test_the_end_of_a_block_closes_nothing(self) -> None:
        den = self.logged_in("ann", device="den")
        den.types("block bob")
        self.ann.types("getaddress bob")
        self.bob.types("consent ann")
        self.ann.types("private bob hi")
        den.types("unblock bob")
        self.assertFalse(self.net.wires[-1].over)
        self.assertEqual(self.ann.screen.events[-1], BlockChanged("bob", False))
        self.assertEqual(self.ann.screen.findings, [])

    def test_who_was_blocked_while_the_server_was_gone_is_hung_up_on_as_soon_as_it_is_back(self) -> None:
        self.consents()
        self.bob.types("private ann hi")
        self.ann.reachable = False
        self.ann.cut()
        den = self.logged_in("ann", device="den")
        den.types("block bob")
        self.bob.types("private ann are you there?")
        self.assertEqual(len(self.ann.screen.directs), 2)
        self.ann.reachable = True
        self.quiet_link()
        self.assertTrue(self.net.wires[-1].over)
        self.assertEqual(self.ann.screen.findings, ["The connection to bob is closed."])

    def test_who_comes_back_from_elsewhere_has_to_be_asked_again(self) -> None:
        self.consents()
        self.ann.types("logout")
        self.ann = self.client("ann", "203.0.113.44")
        self.assertIn(AddressChanged("ann"), self.bob.screen.events)
        self.assertIn("request user address first", self.refused(self.bob, "private ann hi"))
        self.assertEqual(self.net.hosts[HOME].listening, {})

    def test_logging_out_ends_it_all(self) -> None:
        self.consents()
        self.bob.types("private ann hi")
        self.ann.types("logout")
        self.settle()
        self.assertEqual(self.net.hosts[HOME].listening, {})
        self.assertTrue(self.net.wires[-1].over)

    def test_what_no_such_client_writes_is_not_shown(self) -> None:
        self.consents()
        self.bob.types("private ann hi")
        direct: Any = self.bob.engine.direct
        (line,) = direct._peers.channels_to("ann")
        for content in (
            {"type": "private", "text": "x" * 16_385},
            {"type": "private"},
            {"type": "key"},
            {"text": "hi"},
        ):
            self.fails(line.tell(content), ClientFailure)
        self.assertEqual(len(self.ann.screen.directs), 1)


class Files(DeskCase):
    def test_a_file_is_offered_and_taken(self) -> None:
        content = WORDS.encode() * 5_000
        (self.home / "secret plans.txt").write_bytes(content)
        self.consents()
        self.assertIsNone(self.bob.types(f"sendfile ann {self.home}/secret plans.txt"))
        (transfer,) = self.ann.screen.transfers
        self.assertEqual((transfer.stage, transfer.offer.name), (Stage.OFFERED, "secret plans.txt"))
        self.assertIsNone(self.ann.types("getfile bob"))
        self.assertEqual((self.home / "ann" / "secret plans.txt").read_bytes(), content)
        self.assertEqual([each.stage for each in self.bob.screen.transfers], [Stage.DONE])
        recorded = self.recorded()
        for words in (b"launch", b"secret plans"):
            self.assertNotIn(words, recorded)

    def test_a_file_is_refused(self) -> None:
        (self.home / "notes").write_bytes(b"x")
        self.consents()
        self.bob.types(f"sendfile ann {self.home}/notes")
        self.assertIsNone(self.ann.types("refusefile bob"))
        self.assertEqual([each.stage for each in self.bob.screen.transfers], [Stage.OVER])
        self.assertIn("has not offered you a file", self.refused(self.ann, "getfile bob"))

    def test_a_file_is_stopped_at_either_end(self) -> None:
        path = self.home / "notes"
        path.write_bytes(WORDS.encode() * 50_000)
        self.consents()
        for stops, user in ((self.ann, "bob"), (self.bob, "ann")):
            self.bob.types(f"sendfile ann {path}")
            self.begin(self.ann.keyboard.typed("getfile bob", None))
            transfer = self.ann.screen.transfers[-1]
            while not transfer.done:
                self.server.clock.clock.advance(0)
                self.net.wires[-1].pump()
            self.assertEqual(transfer.stage, Stage.MOVING)
            self.begin(stops.keyboard.typed(f"refusefile {user}", None))
            self.settle()
            stages = [each.screen.transfers[-1].stage for each in (self.ann, self.bob)]
            self.assertEqual(stages, [Stage.OVER, Stage.OVER])
            self.assertEqual(list((self.home / "ann").iterdir()), [])
        self.assertIn("There is no file from", self.refused(self.ann, "refusefile bob"))

    def test_parts_that_nobody_goes_on_with_are_removed_at_a_login(self) -> None:
        part = self.home / "carol" / part_name(bytes(32))
        part.parent.mkdir()
        part.write_bytes(b"x")
        os.utime(part, (0, 0))
        self.client("carol", "203.0.113.3")
        self.assertFalse(part.exists())

    def test_the_talk_with_somebody_is_not_begun_at_the_server(self) -> None:
        self.consents()
        self.bob.types("private ann hi")
        self.assertNotIn(Key(False, "ann"), self.bob.state.talks)
