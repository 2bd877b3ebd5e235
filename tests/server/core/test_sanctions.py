"""Who is kept out of the whole server, or silent on it, whichever way that person tries."""

from __future__ import annotations

from ipaddress import ip_network

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadUsage, StoreUnavailable
from chat.protocol.events import LoggedIn, Notice, Refused
from chat.protocol.grammar.context import Call
from chat.protocol.values import Kind, Peer, Rank, Sanction, Text
from chat.server.core.sanctions import Sanctions, covers, read_network
from chat.server.storage.memory import MemoryStore
from tests.server.core.stage import MANY, PASSWORD, Stage, begun, now


class ABannedAccount(SynchronousTestCase):
    """Bob, who has an account and a token, is banned by Ann, who administers."""

    def setUp(self) -> None:
        self.stage = Stage(MANY)
        self.ann = self.stage.enter("ann", "ops", rank=Rank.ADMINISTRATOR)
        self.bob = self.stage.connection(program=True)
        self.token = self.bob.gets(LoggedIn, "new", user="bob", password=PASSWORD).token
        self.bob.does("resume")

    def ban(self, words: str = "ban bob") -> None:
        self.assertNotIsInstance(self.ann.does("admin", words=words), Refused)

    def tries(self, command: str = "login", **arguments: object) -> str:
        """:returns: the code with which somebody new is refused."""
        return self.stage.connection(program=True).code(command, **arguments)

    def test_is_put_out_at_once_wherever_it_is(self) -> None:
        other = self.stage.connection()
        other.logs_in("bob@phone")
        self.ban("ban bob 2h spam")
        for each in (self.bob, other):
            self.assertEqual(each.mind.closed, "You are banned from this server for another 2 hours: spam")
            self.assertIsNone(each.session.user)

    def test_cannot_come_back_by_another_spelling(self) -> None:
        self.ban()
        for name in ("bob", "BOB", "@bob", "bob@phone", "Bob@other"):
            self.assertEqual(self.tries(user=name.removeprefix("@"), password=PASSWORD), "banned", name)

    def test_cannot_come_back_by_token(self) -> None:
        self.ban()
        self.assertEqual(self.tries(token=self.token, device="default"), "banned")

    def test_cannot_come_back_by_a_takeover_that_was_offered_before(self) -> None:
        stage = Stage()
        stage.enter("ann", rank=Rank.ADMINISTRATOR)
        first, second = stage.connection(), stage.connection()
        first.does("new", user="bob", password=PASSWORD)
        self.assertEqual(second.code("login", user="bob", password=PASSWORD), "already-signed-in")
        ann = stage.chat.node.users[1].sessions[0]
        now(ann.perform(Call(stage.chat.table["admin"], {"words": "ban bob"})))
        self.assertEqual(second.code("takeover"), "banned")

    def test_cannot_come_back_with_a_code(self) -> None:
        self.ban()
        code = now(self.stage.chat.authenticator.give_code(self.stage.account("bob")))[0]
        self.assertEqual(self.tries("claim", user="bob", code=code, password=PASSWORD), "banned")

    def test_cannot_come_back_while_it_was_on_its_way_in(self) -> None:
        stage = Stage()
        ann, bob = stage.enter("ann", rank=Rank.ADMINISTRATOR), stage.connection()
        bob.does("new", user="bob", password=PASSWORD)
        bob.mind.probing = Deferred()
        login = stage.connection().starts("login", user="bob", password=PASSWORD)
        ann.does("admin", words="ban bob")
        bob.mind.probing.callback(False)
        self.assertEqual(getattr(self.successResultOf(login), "code", ""), "banned")

    def test_a_wrong_password_does_not_tell_of_it(self) -> None:
        self.ban()
        self.assertEqual(self.tries(user="bob", password="wrong password"), "bad-credentials")

    def test_holds_for_those_who_are_away_and_after_a_restart(self) -> None:
        self.bob.hangs_up()
        self.ban()
        stage = self.stage.restart()
        self.assertEqual(stage.connection().code("login", user="bob", password=PASSWORD), "banned")

    def test_ends_by_itself(self) -> None:
        self.ban("ban bob 2h")
        self.stage.clock.advance(7_199)
        self.assertEqual(self.tries(user="bob", password=PASSWORD), "banned")
        self.stage.clock.advance(2)
        self.stage.connection().logs_in("bob")

    def test_can_be_lifted(self) -> None:
        self.ban()
        self.ban("unban bob")
        self.stage.connection().logs_in("bob")
        self.assertEqual(self.ann.code("admin", words="unban bob"), "no-effect")

    def test_a_new_ban_outlives_the_end_of_the_one_before(self) -> None:
        """Which is on its way to the disk while another administrator bans once more."""
        self.ban("ban bob 2h")
        eve = self.stage.arrives("eve", rank=Rank.ADMINISTRATOR)
        self.stage.store.hold()
        lifting = self.ann.starts("admin", words="unban bob")
        banning = eve.starts("admin", words="ban bob spam")
        self.stage.store.release()
        for each in (lifting, banning):
            self.assertNotIsInstance(self.successResultOf(each), Refused)
        self.assertEqual(self.tries(user="bob", password=PASSWORD), "banned")
        self.assertEqual(self.stage.restart().connection().code("login", user="bob", password=PASSWORD), "banned")

    def test_a_network_is_banned_for_connections_that_said_nothing_yet(self) -> None:
        """Nobody knows a session of theirs that could be ended with the others."""
        self.ban("ban 203.0.113.0/24 2h")
        silent = self.stage.connection(peer=Peer("203.0.113.9", "203.0.113.9"))
        refused = silent.gets(Refused, "login", user="bob", password=PASSWORD)
        self.assertEqual(refused.code, "banned")
        self.assertIn("network is banned", refused.text)
        self.stage.connection().logs_in("bob@phone")

    def test_when_the_disk_refuses_nothing_has_changed(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.ann.code("admin", words="ban bob"), "not-stored")
        self.assertIsNotNone(self.bob.session.user)
        self.stage.connection().logs_in("bob@phone")


class AMutedAccount(SynchronousTestCase):
    def setUp(self) -> None:
        self.stage = Stage()
        self.ann = self.stage.enter("ann", "ops", rank=Rank.ADMINISTRATOR)
        self.bob = self.stage.enter("bob", "ops")
        self.stage.account("carol")
        self.stage.enter("dan", "ops")
        self.ann.does("op", room="ops", user="bob")
        self.bob.says("ops", "before")
        self.ann.does("admin", words="mute bob 30m")

    def test_is_told_when_it_begins_and_when_it_is_lifted(self) -> None:
        self.ann.does("admin", words="unmute bob")
        self.assertEqual(
            [each.text for each in self.bob.told(Notice)],
            ["You are muted on this server for another 30 minutes.", "You are no longer muted on this server."],
        )

    def test_is_told_again_when_it_comes_back(self) -> None:
        self.bob.hangs_up()
        self.stage.clock.advance(600)
        told = self.stage.enter("bob").told(Notice)
        self.assertEqual([each.text for each in told], ["You are muted on this server for another 20 minutes."])

    def test_says_nothing_anywhere(self) -> None:
        for command, arguments in (
            ("say", {"room": "ops", "text": Text("hi")}),
            ("me", {"room": "ops", "text": Text("waves")}),
            ("message", {"user": "ann", "text": Text("hi")}),
            ("edit", {"text": Text("hi")}),
            ("broadcast", {"text": "hi"}),
            ("topic", {"room": "ops", "text": "hi"}),
            ("invite", {"room": "ops", "user": "carol"}),
            ("create", {"room": "bob-was-here"}),
            ("kick", {"room": "ops", "user": "dan", "reason": "hi"}),
            ("mute", {"room": "ops", "user": "carol", "reason": "hi"}),
            ("away", {"text": "hi"}),
            ("set", {"setting": "realname", "value": "hi"}),
            ("getaddress", {"user": "ann"}),
        ):
            self.assertEqual(self.bob.code(command, **arguments), "muted", command)
        self.assertEqual(self.ann.heard, ["before"])

    def test_may_do_what_takes_no_words(self) -> None:
        for command, arguments in (
            ("away", {}),
            ("back", {}),
            ("mute", {"room": "ops", "user": "carol"}),
            ("set", {"setting": "realname", "value": "none"}),
        ):
            reply = self.bob.does(command, **arguments)
            self.assertNotIsInstance(reply, Refused)

    def test_still_reads(self) -> None:
        self.ann.says("ops", "hush")
        self.assertEqual(self.bob.heard, ["hush"])

    def test_talks_again_afterwards(self) -> None:
        self.stage.clock.advance(1_801)
        self.bob.says("ops", "hello again")


class Networks(SynchronousTestCase):
    def banned(self, network: str) -> Sanctions:
        sanctions = Sanctions(MemoryStore())
        sanctions.fill([Sanction(Kind.BANNED, 0, str(read_network(network)), None, "", "ann", 0)])
        return sanctions

    def test_an_address_and_no_other(self) -> None:
        sanctions = self.banned("192.0.2.7")
        self.assertIsNotNone(sanctions.against_address("192.0.2.7", 1))
        for address in ("192.0.2.8", "::1", "local socket"):
            self.assertIsNone(sanctions.against_address(address, 1), address)

    def test_one_address_of_a_household_is_all_of_them(self) -> None:
        sanctions = self.banned("2001:db8::7")
        self.assertIsNotNone(sanctions.against_address("2001:db8::8", 1))
        self.assertIsNone(sanctions.against_address("2001:db8:0:1::8", 1))

    def test_an_address_in_the_spelling_of_the_other_family(self) -> None:
        self.assertEqual(read_network("::ffff:192.0.2.7"), ip_network("192.0.2.7"))

    @given(st.ip_addresses())
    def test_every_address_lies_in_its_own_network(self, address: object) -> None:
        network = read_network(str(address))
        mapped = getattr(address, "ipv4_mapped", None)
        sanction = Sanction(Kind.BANNED, 0, str(network), None, "", "", 0)
        self.assertTrue(covers(sanction, str(mapped or address)))

    def test_what_is_none(self) -> None:
        for word in ("192.0.2", "192.0.2.0/33", "2001:db8", "1.2.3.4.5"):
            self.assertRaises(BadUsage, read_network, word)

    def test_one_that_cannot_be_kept_does_not_count(self) -> None:
        store = MemoryStore()
        store.start(lambda rows: None)
        sanctions = Sanctions(store)
        store.fail(1)
        sanction = Sanction(Kind.BANNED, 0, "192.0.2.0/24", None, "", "ann", 0)
        self.failureResultOf(begun(sanctions.impose(sanction)), StoreUnavailable)
        self.assertIsNone(sanctions.against_address("192.0.2.7", 1))
        self.assertFalse(now(sanctions.lift(Kind.BANNED, 0, "192.0.2.0/24", 1)))
