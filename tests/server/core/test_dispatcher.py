"""The one way in: who may use a verb, how fast, and what becomes of a failure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadUsage, NoSuchUser
from chat.protocol.events import Done, Pong, Refused, StoredAs
from chat.protocol.grammar.verbs import Access, Table
from chat.protocol.values import Rank, Text
from chat.server.commands.table import TABLE
from chat.server.core.dispatcher import attempt
from chat.server.core.throttle import LONGEST_DELAY, MOST_WASTED
from chat.server.settings.schema import Settings
from tests.server.core.stage import PATIENT, Stage, now


class Who(SynchronousTestCase):
    def test_a_guest_and_a_user(self) -> None:
        stage = Stage()
        guest, bob = stage.connection(), stage.enter("bob")
        for verb in TABLE.verbs:
            arguments = {each.name: "x" for each in verb.parameters if each.required}
            if verb.access is Access.USER:
                self.assertEqual(guest.code(verb.name, **arguments), "not-logged-in")
            elif verb.access is Access.GUEST:
                self.assertEqual(bob.code(verb.name, **arguments), "already-logged-in")
        self.assertIsInstance(guest.does("ping"), Pong)
        self.assertIsInstance(bob.does("ping"), Pong)

    def test_administrators(self) -> None:
        table = Table()

        async def shutdown(chat: Any, session: Any) -> Done:
            """end it all"""
            return Done()

        table.command(group="g", access=Access.ADMINISTRATOR)(shutdown)
        stage = Stage(table=table)
        boss, bob = stage.arrives("boss", rank=Rank.ADMINISTRATOR), stage.arrives("bob")
        self.assertEqual(boss.does("shutdown"), Done())
        self.assertEqual(bob.code("shutdown"), "forbidden")
        self.assertEqual(stage.connection().code("shutdown"), "not-logged-in")

    def test_nobody_acts_while_the_server_stops(self) -> None:
        stage = Stage()
        bob = stage.enter("bob")
        now(stage.chat.stop("Server is shutting down."))
        self.assertEqual(bob.mind.closed, "Server is shutting down.")
        self.assertEqual(bob.code("ping"), "shutting-down")


class HowFast(SynchronousTestCase):
    """A burst, then put off for a while, then refused."""

    def setUp(self) -> None:
        self.stage = Stage(replace(PATIENT, rate=2.0, burst=2))
        self.ann = self.stage.enter("ann")
        self.stage.pass_time(10)
        self.ann.does("create", room="ops")
        self.stage.pass_time(10)

    def test_what_is_too_fast_is_put_off_and_keeps_its_order(self) -> None:
        saying = [self.ann.starts("say", room="ops", text=Text(str(number))) for number in range(4)]
        first = [self.successResultOf(each) for each in saying[:2]]
        for each in saying[2:]:
            self.assertNoResult(each)
        self.stage.pass_time(1)
        stored = [*first, *(self.successResultOf(each) for each in saying[2:])]
        seqs = [each.seq for each in stored if isinstance(each, StoredAs)]
        self.assertEqual(seqs, [2, 3, 4, 5])

    def test_beyond_patience_it_is_refused(self) -> None:
        patience = int(LONGEST_DELAY * 2)
        saying = [self.ann.starts("say", room="ops", text=Text("x")) for _ in range(2 + patience)]
        refused = self.ann.gets(Refused, "say", room="ops", text=Text("x"))
        self.assertEqual(refused.code, "too-fast")
        assert refused.wait is not None
        self.stage.pass_time(LONGEST_DELAY)
        for each in saying:
            self.assertIsInstance(self.successResultOf(each), StoredAs)
        self.assertEqual(self.stage.room("ops").last, 1 + len(saying))

    def test_who_does_not_listen_is_disconnected(self) -> None:
        for _ in range(2 + int(LONGEST_DELAY * 2)):
            self.ann.starts("say", room="ops", text=Text("x"))
        for _ in range(MOST_WASTED - 1):
            self.assertEqual(self.ann.code("say", room="ops", text=Text("x")), "too-fast")
        self.assertEqual(self.ann.mind.closed, "")
        self.assertEqual(self.ann.code("say", room="ops", text=Text("x")), "too-fast")
        self.assertEqual(self.ann.mind.closed, "Disconnected: too many commands.")
        self.stage.pass_time(LONGEST_DELAY)

    def test_who_listens_now_and_then_is_not(self) -> None:
        for _ in range(3):
            for _ in range(2 + int(LONGEST_DELAY * 2)):
                self.ann.starts("say", room="ops", text=Text("x"))
            for _ in range(MOST_WASTED - 1):
                self.ann.code("say", room="ops", text=Text("x"))
            self.stage.pass_time(LONGEST_DELAY + 2)
        self.assertEqual(self.ann.mind.closed, "")

    def test_who_logs_out_meanwhile_says_nothing_more(self) -> None:
        saying = [self.ann.starts("say", room="ops", text=Text("x")) for _ in range(3)]
        shouting = self.ann.starts("broadcast", text="x")
        self.ann.hangs_up()
        self.stage.pass_time(5)
        for late in (saying[2], shouting):
            self.assertEqual(getattr(self.successResultOf(late), "code", ""), "not-logged-in")
        self.assertEqual(self.stage.room("ops").last, 3)

    def test_quitting_is_never_put_off(self) -> None:
        for _ in range(9):
            self.ann.starts("say", room="ops", text=Text("x"))
        self.assertNotIsInstance(self.ann.does("quit"), Refused)
        self.stage.pass_time(5)

    def test_sessions_of_one_account_share_its_rate(self) -> None:
        stage = Stage(Settings(bcrypt_cost=4, rate=1.0, burst=3, sessions="many"))
        phone, laptop = stage.arrives("ann", device="phone"), stage.arrives("ann")
        for _ in range(3):
            phone.does("online")
        self.assertNoResult(laptop.starts("online"))
        self.assertNotIsInstance(stage.arrives("bob").does("online"), Refused)
        stage.pass_time(2)


class Failures(SynchronousTestCase):
    def broken(self) -> Table:
        table = Table()

        async def stumble(chat: Any, session: Any) -> Done:
            """fall over a secret"""
            raise KeyError("hunter22")

        async def fine(chat: Any, session: Any) -> Done:
            """do nothing"""
            return Done("fine")

        table.command(group="g", access=Access.ANYONE)(stumble)
        table.command(group="g", access=Access.ANYONE)(fine)
        return table

    def test_a_bug_is_an_incident_and_the_session_lives_on(self) -> None:
        stage = Stage(table=self.broken())
        person = stage.connection()
        refused = person.gets(Refused, "stumble")
        self.assertEqual(refused.code, "internal")
        self.assertRegex(refused.text, r"incident [0-9a-f]{8}")
        self.assertNotIn("hunter22", refused.text)
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertEqual(person.does("fine"), Done("fine"))

    def test_outcomes_are_counted(self) -> None:
        stage = Stage(table=self.broken())
        person = stage.connection()
        for command in ("stumble", "fine", "fine"):
            person.does(command)
        self.flushLoggedErrors(KeyError)
        self.assertEqual(stage.dispatcher.performed, {("stumble", "internal"): 1, ("fine", "ok"): 2})

    def test_a_refusal_keeps_what_it_says(self) -> None:
        def refuse() -> str:
            raise NoSuchUser("No user bbo.", suggest="bob", ask="user", wait=2.0)

        self.assertEqual(attempt(refuse), Refused("no-such-user", "No user bbo.", "bob", "user", 2.0))
        self.assertEqual(attempt(lambda: "fine"), "fine")

    def test_only_refusals_are_caught(self) -> None:
        self.assertRaises(ZeroDivisionError, attempt, lambda: 1 // 0)
        self.assertEqual(attempt(self._usage), Refused("bad-usage", "Write: x"))

    def _usage(self) -> None:
        raise BadUsage("Write: x")
