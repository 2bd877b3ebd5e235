"""Each command of those who run the server, through ``admin``: as it is meant, as it is refused, and by a stranger."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from twisted.logger import capturedLogs, formatEvent
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import (
    Done,
    Facts,
    Help,
    InvitationCodes,
    Listing,
    LoggedIn,
    Notice,
    OneTimeCode,
    Refused,
    Removed,
    SignedOut,
)
from chat.protocol.grammar.context import Call, Context, Held
from chat.protocol.grammar.parameters import Names
from chat.protocol.grammar.parser import read, read_command
from chat.protocol.values import Rank, Role, Text
from chat.server.commands.admin.table import ADMIN
from chat.server.commands.table import TABLE
from tests.server.core.stage import MANY, PASSWORD, Person, Stage

WORKS: Mapping[str, tuple[str, type]] = {
    "status": ("", Facts),
    "check": ("", Listing),
    "reload": ("", Done),
    "shutdown": ("in 5m new disk", Done),
    "help": ("ban", Help),
    "users": ("b", Listing),
    "sessions": ("bob", Listing),
    "whois": ("bob", Facts),
    "create-user": ("carol", OneTimeCode),
    "reset-password": ("bob", OneTimeCode),
    "invite": ("3", InvitationCodes),
    "invites": ("", Listing),
    "grant": ("bob", Done),
    "revoke": ("adam", Done),
    "broadcast": ("lunch!", Done),
    "kick": ("bob cool down", Done),
    "ban": ("bob 2h spam", Done),
    "mute": ("bob 30m", Done),
    "unban": ("mallory", Done),
    "unmute": ("mallory", Done),
    "bans": ("", Listing),
    "rooms": ("", Listing),
    "close-room": ("ops moved", Done),
    "why": ("bob ops", Listing),
    "watch": ("", Done),
    "backup": ("monday.db", Facts),
    "restore": ("sunday.db", Facts),
    "export": ("bob bob.jsonl", Done),
    "forget": ("bob", Done),
    "retention": ("ops 90d", Done),
}

REFUSED: Mapping[str, tuple[str, str]] = {
    "status": ("now", "bad-usage"),
    "check": ("it", "bad-usage"),
    "reload": ("it", "bad-usage"),
    "shutdown": ("in", "bad-usage"),
    "help": ("nosuch", "unknown-command"),
    "users": ("b c", "bad-usage"),
    "sessions": ("nobdy", "no-such-user"),
    "whois": ("", "bad-usage"),
    "create-user": ("bob", "name-taken"),
    "reset-password": ("nobdy", "no-such-user"),
    "invite": ("501", "bad-usage"),
    "invites": ("end 7", "no-effect"),
    "grant": ("adam", "no-effect"),
    "revoke": ("bob", "no-effect"),
    "broadcast": ("", "bad-usage"),
    "kick": ("mallory", "no-effect"),
    "ban": ("ann", "bad-usage"),
    "mute": ("ann", "bad-usage"),
    "unban": ("bob", "no-effect"),
    "unmute": ("bob", "no-effect"),
    "bans": ("all", "bad-usage"),
    "rooms": ("a b", "bad-usage"),
    "close-room": ("lobby", "forbidden"),
    "why": ("bob nowhere", "no-such-room"),
    "watch": ("it", "bad-usage"),
    "backup": ("../monday.db", "bad-usage"),
    "restore": ("nowhere.db", "not-written"),
    "export": ("bob /etc/bob", "bad-usage"),
    "forget": ("ann", "bad-usage"),
    "retention": ("nowhere 90d", "no-such-room"),
}


class AdminCase(SynchronousTestCase):
    """Ann and Adam administer, Bob is in ops, Mallory is banned, muted and away."""

    def setUp(self) -> None:
        self.set_up()

    def set_up(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.stage = Stage(replace(MANY, db=os.path.join(folder.name, "credentials.db")))
        self.ann = self.stage.enter("ann", rank=Rank.ADMINISTRATOR)
        self.bob = self.stage.enter("bob", "ops")
        self.stage.account("adam", Rank.ADMINISTRATOR)
        self.stage.account("mallory")
        self.stage.enter("lou", "lobby")
        for words in ("ban mallory", "mute mallory 2h"):
            self.admin(words)
        self.admin("backup sunday.db")
        self.bob.forget()

    def admin(self, words: str, who: Person | None = None) -> Any:
        return (who or self.ann).does("admin", words=words)

    def table(self, words: str) -> list[dict[str, Any]]:
        """The rows of a listing, by the names of its columns."""
        listing = self.admin(words)
        assert isinstance(listing, Listing), listing
        return [dict(zip((each.name for each in listing.columns), row, strict=True)) for row in listing.rows]

    def state(self) -> tuple[object, ...]:
        node = self.stage.chat.node
        return (
            node.directory.page("", 1_000),
            sorted(node.users),
            sorted(node.room_names),
            node.sanctions.lasting(node.now()),
            self.stage.host.stopped,
            len(self.bob.mind.events),
        )


class EveryCommand(AdminCase):
    def test_none_is_forgotten(self) -> None:
        names = {verb.name for verb in ADMIN.verbs}
        self.assertEqual((names ^ WORKS.keys(), names ^ REFUSED.keys()), (set(), set()))

    def test_it_works(self) -> None:
        for word, (rest, kind) in WORKS.items():
            self.set_up()
            self.assertIsInstance(self.admin(f"{word} {rest}"), kind, word)

    def test_it_is_refused_and_changes_nothing(self) -> None:
        for word, (rest, code) in REFUSED.items():
            before = self.state()
            self.assertEqual(self.ann.code("admin", words=f"{word} {rest}".rstrip()), code, word)
            self.assertEqual(self.state(), before, word)

    def test_it_is_refused_to_a_stranger(self) -> None:
        """Whoever is no administrator, logged in or not, is told so before anything is read."""
        for word, (rest, _) in WORKS.items():
            before = self.state()
            self.assertEqual(self.bob.code("admin", words=f"{word} {rest}"), "forbidden", word)
            self.assertEqual(self.stage.connection().code("admin", words=word), "not-logged-in", word)
            self.assertEqual(self.state(), before, word)

    def test_an_example_is_a_command(self) -> None:
        for verb in ADMIN.verbs:
            for example in verb.examples:
                self.assertIs(read_command(example, ADMIN, self.names()).verb, verb, example)

    def test_bare_in_a_room_it_is_taken_for_a_command_where_it_can_be_nothing_else(self) -> None:
        for line, verb in (
            ("admin kick bob", "admin"),
            ("admin kick bob please cool down", "admin"),
            ("admin ban bob 7d spam", "admin"),
            ("admin ban 192.0.2.0/24 2h spam", "admin"),
            ("admin shutdown in 5m new disk", "admin"),
            ("admin users", "admin"),
            ("admin", "admin"),
            ("admin please help me", "say"),
            ("admin rights are hard to get", "say"),
        ):
            call = read(line, self.in_ops())
            assert isinstance(call, Call), line
            self.assertEqual(call.verb.name, verb, line)

    def test_bare_in_a_room_it_is_held_where_it_may_be_one(self) -> None:
        for line in (
            "admin ban hammer is down",
            "admin ban nobdy 7d a secret reason",
            "admin broadcast lunch!",
            "admin bna bob 7d spam",
            "admin shutdwn",
        ):
            held = read(line, self.in_ops())
            assert isinstance(held, Held), line
            self.assertEqual(held.meant, "/admin ...")

    def in_ops(self) -> Context:
        return Context(TABLE, self.names(), True, "ops")

    def names(self) -> Names:
        return self.stage.chat.rooms.names_for(self.stage.connection().session)

    def test_who_gives_what_command_is_in_the_log_and_nothing_that_was_written(self) -> None:
        with capturedLogs() as events:
            self.admin("kick bob a secret reason")
            self.admin("users")
        self.assertEqual([formatEvent(event) for event in events], ["ann gives the command: admin kick bob"])


class WhatToDoNext(AdminCase):
    """A refusal says what to type, in the form in which it is typed there."""

    def told(self, words: str, operator: bool = False) -> str:
        person = self.ann
        if operator:
            person = self.stage.connection()
            person.session.operator = "the operator (root)"
        return person.gets(Refused, "admin", words=words).text

    def test_names_the_command_as_it_is_typed(self) -> None:
        for words, told in (
            ("foo", "No command foo. Type: {} help"),
            ("usres", "No command usres. Did you mean: {} users?"),
            ("help foo", "No command foo. Type: {} help"),
            ("help bann", "No command bann. Did you mean: {} help ban?"),
            ("users b c", "Too many arguments. Usage: {} users [BEGINNING]"),
            ("whois", "Missing arguments. Usage: {} whois NAME"),
            ("whois nobdy", "No user nobdy. {} users shows them all."),
            ("whois bbo", "No user bbo. Did you mean bob? {} users shows them all."),
            ("ban bob 5x", "'5x' is not a duration; use 90s, 30m, 2h, 7d or 4w. Usage: {} ban NAME|ADDRESS [TIME]"),
            (
                "create-user BOB",
                "The name bob is taken. To reset its password: {} reset-password bob",
            ),
            ("close-room nowhere", "No room nowhere. {} rooms shows them all."),
            ("close-room lobby", "lobby cannot be closed. To empty it: {} retention lobby 1d"),
            ("why bob opss", "No room opss. Did you mean ops? {} rooms shows them all."),
            ("retention nowhere 90d", "No room nowhere. {} rooms shows them all."),
            ("kick mallory", "mallory is not online. To ban the account: {} ban mallory"),
            ("grant adam", "adam is already an administrator. {} users shows who is."),
            ("revoke bob", "bob is not an administrator. {} users shows who is."),
            ("unban bob", "bob is not banned on the server. {} bans lists who is."),
            ("unban 192.0.2.0/24", "192.0.2.0/24 is not banned on the server. {} bans lists who is."),
            ("shutdown foo", "To shut down now: {} shutdown now [REASON]"),
        ):
            for operator, prefix in ((False, "admin"), (True, "chatctl")):
                self.assertIn(told.format(prefix), self.told(words, operator))

    def test_stands_in_answers_as_well(self) -> None:
        self.assertIn("To stop: admin watch", self.admin("watch").text)
        self.assertIn("To cancel: admin shutdown cancel", self.admin("shutdown in 5m").text)
        self.assertEqual(self.admin("help").more, "admin help VERB")
        found = self.admin("help ban").verb
        self.assertEqual((found.form, found.examples[0]), ("admin ban NAME|ADDRESS [TIME] [TEXT]", "admin ban bob"))


class TheLastAdministrator(AdminCase):
    def setUp(self) -> None:
        super().setUp()
        self.operator = self.stage.connection()
        self.operator.session.operator = "the operator (root)"
        self.admin("ban adam")

    def test_is_neither_banned_nor_forgotten_nor_made_a_member_by_mistake(self) -> None:
        """Adam is banned, so Ann is the only one."""
        for words in ("ban ann", "forget ann", "revoke ann"):
            before = self.state()
            refused = self.operator.gets(Refused, "admin", words=words)
            self.assertIn("ann is the only administrator. Appoint another first (chatctl grant NAME),", refused.text)
            self.assertIn("chatctl revoke ann sure", refused.text)
            self.assertEqual(self.state(), before, words)
        self.assertEqual(self.ann.code("admin", words="revoke ann"), "bad-usage")

    def test_is_made_a_member_by_who_is_sure(self) -> None:
        self.assertIsInstance(self.admin("revoke ann sure", self.operator), Done)
        self.assertIsInstance(self.admin("ban ann", self.operator), Done)

    def test_is_the_last_no_more_when_there_is_another(self) -> None:
        self.admin("unban adam")
        self.assertIsInstance(self.admin("ban ann", self.operator), Done)

    def test_may_be_muted(self) -> None:
        self.assertIsInstance(self.admin("mute ann 1h", self.operator), Done)


class People(AdminCase):
    def test_a_page_at_a_time(self) -> None:
        for number in range(1_100):
            self.stage.account(f"user{number:04}")
        first = self.admin("users user")
        self.assertEqual((len(first.rows), first.more, first.next), (1_000, 100, "user0999"))
        second = self.ann.gets(Listing, "admin", words="users user", after=first.next)
        self.assertEqual((len(second.rows), second.rows[0][0], second.next), (100, "user1000", ""))

    def test_what_only_looks_like_the_number_of_a_page(self) -> None:
        for words in ("sessions", "bans"):
            for after in ("²", "٣", "x", "9" * 300):
                self.assertEqual(self.ann.code("admin", words=words, after=after), "bad-usage", (words, after))

    def test_states(self) -> None:
        states = {row["name"]: row["state"] for row in self.table("users")}
        self.assertEqual((states["mallory"], states["bob"], states["adam"]), ("banned", "online", "offline"))

    def test_a_new_account_waits_for_its_owner_to_choose_a_password(self) -> None:
        made = self.admin("create-user Carol administrator")
        carol = self.stage.connection()
        self.assertEqual(carol.code("login", user="carol", password=made.secret), "bad-credentials")
        self.assertEqual(
            carol.code("claim", user="carol", code="k7mq-2xnp-w4ta-9hdr", password=PASSWORD), "bad-credentials"
        )
        self.assertEqual(carol.code("claim", user="carol", code=made.secret, password="short"), "bad-password")
        typed = made.secret.upper().replace("-", "")
        reply = carol.gets(LoggedIn, "claim", user="carol", code=typed, password=PASSWORD)
        self.assertIs(reply.rank, Rank.ADMINISTRATOR)
        self.stage.connection().logs_in("carol")
        self.assertEqual(
            self.stage.connection().code("claim", user="carol", code=made.secret, password=PASSWORD), "bad-credentials"
        )

    def test_a_code_ends(self) -> None:
        made = self.admin("create-user carol")
        self.stage.clock.advance(48 * 3600 + 1)
        carol = self.stage.connection()
        self.assertEqual(carol.code("claim", user="carol", code=made.secret, password=PASSWORD), "bad-credentials")

    def test_wrong_codes_lock_out_as_wrong_passwords_do(self) -> None:
        made = self.admin("create-user carol")
        carol = self.stage.connection()
        for _ in range(3):
            carol.code("claim", user="carol", code="wrong", password=PASSWORD)
        refused = carol.gets(Refused, "claim", user="carol", code=made.secret, password=PASSWORD)
        self.assertEqual(refused.text, "Too many wrong passwords or codes. Try again in 2 seconds.")

    def test_a_password_that_was_reset_ends_with_its_sessions_and_tokens(self) -> None:
        eve = self.stage.connection(program=True)
        token = eve.gets(LoggedIn, "new", user="eve", password=PASSWORD).token
        eve.does("resume")
        self.admin("reset-password eve")
        self.assertEqual(len(eve.told(SignedOut)), 1)
        self.assertIsNone(eve.session.user)
        self.assertEqual(eve.code("login", user="eve", password=PASSWORD), "bad-credentials")
        self.assertEqual(eve.code("login", token=token), "bad-credentials")

    def test_a_rank_counts_at_once_and_after_a_restart(self) -> None:
        self.admin("grant bob")
        self.assertIsInstance(self.admin("users", self.bob), Listing)
        self.stage.chat.directory.named("bob")
        stage = self.stage.restart()
        self.assertIs(stage.account("bob").rank, Rank.ADMINISTRATOR)
        self.bob = stage.enter("bob")
        self.bob.does("admin", words="revoke bob sure")
        self.assertEqual(self.bob.code("admin", words="users"), "forbidden")

    def test_a_broadcast_is_told_to_everybody(self) -> None:
        self.admin("broadcast the network is down")
        self.assertEqual(self.bob.told(Notice), [Notice("From the administrators: the network is down")])


class Ranks(AdminCase):
    def test_who_is_given_or_loses_one_is_told(self) -> None:
        self.admin("grant bob")
        self.admin("revoke bob")
        self.assertEqual(
            [each.text for each in self.bob.told(Notice)],
            [
                "You are now an administrator of this server. Type: admin help",
                "You are no longer an administrator of this server.",
            ],
        )


class Rooms(AdminCase):
    def test_a_room_that_is_closed_is_gone_and_its_name_is_free(self) -> None:
        self.admin("close-room ops moved to dev")
        (removed,) = self.bob.told(Removed)
        self.assertEqual((removed.kind.value, removed.author, removed.detail), ("closed", "ann", "moved to dev"))
        self.assertEqual(self.bob.code("connect", room="ops"), "no-such-room")
        self.assertEqual(self.stage.restart().chat.node.room_names.keys(), {"lobby"})

    def test_the_name_of_a_closed_room_makes_another_room(self) -> None:
        before = self.stage.room("ops").id
        self.admin("close-room ops")
        self.bob.does("create", room="ops")
        self.assertNotEqual(self.stage.room("ops").id, before)
        self.assertEqual(self.stage.roles("ops"), {"bob": Role.OWNER})

    def test_nothing_is_said_while_it_is_being_closed(self) -> None:
        eve = self.stage.enter("eve")
        self.stage.store.hold()
        closing = self.ann.starts("admin", words="close-room ops")
        self.assertEqual(self.bob.code("say", room="ops", text=Text("too late")), "no-such-room")
        self.assertEqual(eve.code("connect", room="ops"), "no-such-room")
        self.stage.store.release()
        self.assertIsInstance(self.successResultOf(closing), Done)

    def test_a_room_that_cannot_be_closed_on_disk_stays_open(self) -> None:
        self.stage.store.fail(1)
        self.assertEqual(self.ann.code("admin", words="close-room ops"), "not-stored")
        self.bob.says("ops", "still here")

    def test_why_names_the_rule(self) -> None:
        rules = {row["rule"]: row["why"] for row in self.table("why mallory ops")}
        self.assertEqual(rules["log in"], "banned: You are banned from this server.")
        self.assertEqual(len(set(rules.values())), 1)
        self.admin("unban mallory")
        self.assertEqual(
            self.why("mallory"), {"talk on the server": "muted", "read ops": "not-a-member", "talk in ops": "muted"}
        )
        self.admin("unmute mallory")
        self.assertEqual(self.why("mallory")["talk in ops"], "not-a-member")
        self.assertEqual({row["why"] for row in self.table("why bob ops")}, {None})

    def why(self, who: str = "bob") -> dict[str, str]:
        """The rules that keep somebody from something in ops, by what it is, with the code."""
        rows = self.table(f"why {who} ops")
        return {row["rule"]: row["why"].partition(":")[0] for row in rows if not row["allowed"]}

    def test_a_rule_of_the_server_counts_in_its_rooms(self) -> None:
        self.admin("mute bob 2h")
        self.assertEqual(self.why(), {"talk on the server": "muted", "talk in ops": "muted"})
        self.admin("unmute bob")
        self.admin("ban bob 2h")
        self.assertEqual(set(self.why().values()), {"banned"})
        self.assertEqual(len(self.why()), 5)

    def test_a_rule_of_the_room_is_named(self) -> None:
        self.bob.does("room", room="ops", setting="slow", value="30s")
        self.bob.says("ops", "hi")
        self.assertEqual(self.why(), {})
        self.admin("grant bob")
        self.bob.does("op", room="ops", user="bob", role="owner")
        lou = self.stage.enter("lou", "ops")
        lou.says("ops", "hi")
        rules = {row["rule"]: row["why"] for row in self.table("why lou ops")}
        self.assertEqual(rules["talk in ops"], "slow-mode: ops is in slow mode. Wait 30 more seconds.")
        self.bob.does("room", room="ops", setting="sealed", value="on")
        rules = {row["rule"]: row["why"] for row in self.table("why lou ops")}
        self.assertTrue(rules["talk in ops"].startswith("sealed-room:"), rules)


class Sanctions(AdminCase):
    def test_a_mistyped_time_is_no_reason(self) -> None:
        for words in ("ban bob 5x", "ban bob -5m spam", "mute bob 10", "mute bob 2hours of rest"):
            before = self.state()
            refused = self.ann.gets(Refused, "admin", words=words)
            self.assertIn("is not a duration; use 90s, 30m, 2h, 7d or 4w", refused.text, words)
            self.assertEqual(self.state(), before, words)
        self.assertIsInstance(self.admin("ban bob 2h 5 warnings"), Done)

    def test_nearly_everybody_is_not_banned_by_mistake(self) -> None:
        for network, least in (("0.0.0.0/0", 8), ("10.0.0.0/7", 8), ("::/0", 16), ("2000::/3", 16)):
            before = self.state()
            refused = self.ann.gets(Refused, "admin", words=f"ban {network}")
            self.assertIn(f"Use /{least} or more, or stop the server: admin shutdown", refused.text)
            self.assertEqual(self.state(), before)
        for network in ("10.0.0.0/8", "2001::/16"):
            self.assertIsInstance(self.admin(f"ban {network}"), Done)


class TheEnd(AdminCase):
    def test_at_once(self) -> None:
        self.admin("shutdown now bye for today")
        self.stage.pass_time(0.5)
        self.assertEqual(self.stage.host.stopped, ["bye for today"])

    def test_no_mistyped_word_ends_the_server(self) -> None:
        for words, told in (
            ("cancle", "Did you mean admin shutdown cancel? To shut down now: admin shutdown now [REASON]"),
            ("im 5m new disk", "Did you mean admin shutdown in?"),
            ("foo", "To shut down now: admin shutdown now [REASON]"),
            ("the disk is full", "To shut down now: admin shutdown now [REASON]"),
            ("5m", "later: admin shutdown in 5m [REASON]"),
            ("now 5m", "later: admin shutdown in 5m [REASON]"),
            ("in 5x new disk", "'5x' is not a duration"),
        ):
            reply = self.ann.gets(Refused, "admin", words=f"shutdown {words}")
            self.assertIn(told, reply.text, words)
        self.stage.pass_time(1000)
        self.assertEqual(self.stage.host.stopped, [])

    def test_after_a_while_everybody_is_told_in_time(self) -> None:
        self.admin("shutdown in 5m new disk")
        self.stage.pass_time(299)
        self.assertEqual(
            [each.text for each in self.bob.told(Notice)],
            [
                "The server shuts down in 5 minutes: new disk",
                "The server shuts down in 60 seconds: new disk",
                "The server shuts down in 10 seconds: new disk",
            ],
        )
        self.assertEqual(self.stage.host.stopped, [])
        self.stage.pass_time(1)
        self.assertEqual(self.stage.host.stopped, ["new disk"])

    def test_who_comes_meanwhile_is_told_and_status_shows_it(self) -> None:
        self.admin("shutdown in 5m new disk")
        self.stage.pass_time(100)
        eve = self.stage.enter("eve")
        self.assertEqual([each.text for each in eve.told(Notice)], ["The server shuts down in 4 minutes: new disk"])
        facts = {fact.name: fact.value for fact in self.admin("status").facts}
        self.assertEqual((facts["ends"] - self.stage.chat.node.now(), facts["ends for"]), (200_000, "new disk"))

    def test_not_after_all(self) -> None:
        self.admin("shutdown in 5m")
        self.admin("shutdown cancel")
        self.assertEqual(self.stage.enter("eve").told(Notice), [])
        self.assertNotIn("ends", [fact.name for fact in self.admin("status").facts])
        self.stage.pass_time(400)
        self.assertEqual(self.stage.host.stopped, [])
        self.assertEqual(self.ann.code("admin", words="shutdown cancel"), "no-effect")

    def test_planned_anew(self) -> None:
        self.admin("shutdown in 5m")
        self.admin("shutdown in 10m later")
        self.stage.pass_time(400)
        self.assertEqual(self.stage.host.stopped, [])
        self.stage.pass_time(200)
        self.assertEqual(self.stage.host.stopped, ["later"])
