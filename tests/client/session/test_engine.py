"""`chat.client.session.engine` with a whole server: nothing missing, nothing twice, whatever becomes of the
connection."""

from __future__ import annotations

import random

from chat.client.model.failures import Disconnected, RequestRefused, TooMuch
from chat.client.model.send_queue import MOST_UNSENT, Fate
from chat.client.session.endpoint import ServerAddress
from chat.client.session.observer import Phase
from chat.client.session.reconnect import PAUSES
from chat.client.session.sync import SyncMode
from chat.client.session.tofu import ServerReinstalled
from chat.protocol.events import Closing, OwnSettings, Refused, RoomEntered, Said, Welcome
from chat.protocol.grammar.context import Ask
from chat.protocol.grammar.parser import read
from tests.client.engines import Desk, EngineCase
from tests.server.frontends.server import PASSWORD


class GettingIn(EngineCase):
    def test_with_a_new_account(self) -> None:
        desk = self.desk()
        self.run_link(desk.engine.register("ann", PASSWORD))
        self.assertEqual(desk.screen.phases, [Phase.CONNECTING, Phase.OPEN, Phase.CATCHING_UP, Phase.ONLINE])
        self.assertEqual((desk.state.me, len(desk.tokens)), ("ann", 1))
        self.assertIn("message", desk.state.table)

    def test_where_the_server_hands_out_no_token(self) -> None:
        """It cannot write one just now: the one that is on this disk may still be good."""
        self.logged_in("ann").engine.close()
        desk = self.desk()
        self.server.store.fail(1_000)
        self.run_link(desk.engine.log_in("ann", PASSWORD))
        self.assertEqual((desk.screen.status.phase, desk.tokens), (Phase.ONLINE, []))

    def test_after_a_wrong_password(self) -> None:
        self.logged_in("ann").engine.close()
        desk = self.desk()
        self.fails(desk.engine.log_in("ann", "wrong horse"), RequestRefused)
        self.assertEqual(desk.screen.status.phase, Phase.OPEN)
        self.run_link(desk.engine.log_in("ann", PASSWORD))
        self.assertEqual(desk.screen.status.phase, Phase.ONLINE)

    def test_from_a_known_device_while_somebody_else_there_guesses_the_password(self) -> None:
        desk, guesser = self.logged_in("ann"), self.desk()
        desk.engine.close()
        for _ in range(3):
            self.fails(guesser.engine.log_in("ann", "wrong horse"), RequestRefused)
        locked = self.fails(guesser.engine.log_in("ann", PASSWORD), RequestRefused)
        self.assertEqual(locked.reply.code, "locked-out")
        again = self.desk()
        again.tokens = desk.tokens
        self.run_link(again.engine.log_in("ann", PASSWORD))
        self.assertEqual(again.screen.status.phase, Phase.ONLINE)

    def test_while_the_disk_of_the_server_is_full_keeps_the_token_of_before(self) -> None:
        """The server can store no new one, and the old one still lets the device in when the connection breaks."""
        first = self.logged_in("ann")
        first.engine.close()
        desk = self.desk()
        desk.tokens = first.tokens
        self.server.store.fail(1_000)
        self.run_link(desk.engine.log_in("ann", PASSWORD))
        desk.cut()
        self.pass_time(5)
        self.assertEqual(desk.screen.status.phase, Phase.ONLINE)

    def test_after_thinking_so_long_that_the_server_has_hung_up(self) -> None:
        desk = self.desk()
        self.run_link(desk.engine.connect())
        self.server.advance(1_000)
        self.settle()
        self.assertEqual(desk.screen.status.phase, Phase.CLOSED)
        self.run_link(desk.engine.register("ann", PASSWORD))
        self.assertEqual(desk.screen.status.phase, Phase.ONLINE)

    def test_to_a_server_that_does_not_answer(self) -> None:
        desk = self.desk()
        desk.reachable = False
        self.fails(desk.engine.connect(), Disconnected)
        self.assertEqual((desk.screen.status.phase, desk.screen.status.reason), (Phase.CLOSED, "There is no answer."))

    def test_reads_what_was_missed_in_order_and_marks_it(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        bob = self.logged_in("bob", "lobby")
        for number in range(450):
            bob.types(f"line {number}", room="lobby")
        bob.types("message ann one")
        ann = self.logged_in("ann")
        self.assertEqual(ann.screen.said()[:-1], [f"line {number}" for number in range(450)])
        self.assertEqual(ann.screen.said()[-1], "one")
        self.assertEqual(ann.talk("lobby").unread, 450)
        self.run_link(ann.engine.leave())
        again = self.logged_in("ann")
        self.assertEqual(again.screen.said(), [])

    def test_or_only_the_newest_where_older_ones_are_loaded_on_demand(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        bob = self.logged_in("bob", "lobby")
        for number in range(450):
            bob.types(f"line {number}", room="lobby")
        ann = self.logged_in("ann", mode=SyncMode.NEWEST)
        talk = ann.talk("lobby")
        self.assertEqual(len(talk.rows), 100)
        while not talk.complete:
            self.run_link(ann.engine.sync.older(talk))
        said = [row.body for row in talk.rows if isinstance(row, Said)]
        self.assertEqual([getattr(body, "text", "") for body in said], [f"line {number}" for number in range(450)])


class Talking(EngineCase):
    def test_own_lines_are_sent_in_order_and_kept(self) -> None:
        ann, bob = self.logged_in("ann", "lobby"), self.logged_in("bob", "lobby")
        for number in range(20):
            self.begin(ann.keyboard.typed(f"line {number}", ann.talk("lobby")))
        self.settle()
        self.assertEqual(bob.screen.said(), [f"line {number}" for number in range(20)])
        self.assertEqual({outgoing.fate for outgoing, _ in ann.screen.outcomes}, {Fate.KEPT})
        self.assertEqual(ann.screen.said(), bob.screen.said())

    def test_to_a_person_without_a_verb(self) -> None:
        ann, bob = self.logged_in("ann"), self.logged_in("bob")
        ann.types("got a minute?", person="bob")
        self.assertEqual(bob.screen.said(), ["got a minute?"])
        self.assertEqual(bob.talk("ann", room=False).unread, 1)

    def test_a_room_that_one_is_invited_to_is_entered_wherever_one_reads_that(self) -> None:
        ann, bob = self.logged_in("ann"), self.logged_in("bob")
        bob.types("create den private")
        bob.types("/invite ann", room="den")
        self.quiet_link()
        self.assertIsInstance(ann.types("connect den", person="bob"), RoomEntered)

    def test_a_mistyped_private_verb_is_not_said(self) -> None:
        ann, bob = self.logged_in("ann", "lobby"), self.logged_in("bob", "lobby")
        held = ann.types("mesage bob secret", room="lobby")
        self.assertEqual((held.code, bob.screen.said()), ("held", []))
        ann.types("!", room="lobby")
        self.assertEqual(bob.screen.said(), ["mesage bob secret"])

    def test_what_another_session_has_set_is_told_as_that_and_once(self) -> None:
        ann, other = self.logged_in("ann"), self.logged_in("ann", device="other")
        other.types("/set bell on")
        other.types("/set bell on")
        other.types("/set realname Ann of Green Gables")
        told = [event.changed for event in ann.screen.events if isinstance(event, OwnSettings)]
        self.assertEqual(told, ["bell", "realname"])

    def test_a_line_that_is_refused(self) -> None:
        ann = self.logged_in("ann")
        ann.types("message nobody hi")
        ((outgoing, stored),) = ann.screen.outcomes
        self.assertEqual((outgoing.fate, stored), (Fate.REFUSED, None))
        self.assertIn("nobody", outgoing.why)

    def test_a_room_that_is_entered_shows_its_past(self) -> None:
        bob = self.logged_in("bob", "lobby")
        bob.types("before", room="lobby")
        ann = self.logged_in("ann")
        self.assertIsInstance(ann.types("connect lobby"), RoomEntered)
        self.assertEqual(ann.screen.said(), ["before"])
        bob.types("after", room="lobby")
        self.assertEqual(ann.screen.said(), ["before", "after"])
        self.assertEqual(ann.talk("lobby").unread, 1)

    def test_what_was_changed_here_shows_here(self) -> None:
        ann = self.logged_in("ann", "lobby")
        ann.types("teh", room="lobby")
        ann.types("/edit the", room="lobby")
        talk = ann.talk("lobby")
        said = next(row for row in talk.rows if isinstance(row, Said))
        self.assertEqual(getattr(talk.body_of(said)[0], "text", ""), "the")
        ann.types("/delete", room="lobby")
        self.assertEqual(talk.body_of(said), (None, False))

    def test_refusals_and_what_makes_no_sense_are_shown(self) -> None:
        ann = self.logged_in("ann")
        for line, code in (("nonsense", "unknown-command"), ("connect nowhere", "no-such-room"), ("!", "bad-usage")):
            refused = ann.types(line)
            self.assertIsInstance(refused, Refused)
            self.assertEqual(refused.code, code)


class StayingIn(EngineCase):
    def test_signs_of_life_keep_both_ends(self) -> None:
        ann = self.logged_in("ann")
        for _ in range(60):
            self.pass_time(5)
        self.assertEqual((ann.screen.status.phase, len(ann.links)), (Phase.ONLINE, 1))

    def test_a_server_that_falls_silent_is_left(self) -> None:
        ann = self.logged_in("ann")
        ann.links[-1].pump = lambda: False  # type: ignore[method-assign]
        for _ in range(8):
            self.pass_time(5)
        self.assertGreater(len(ann.links), 1)
        self.assertIn(Phase.WAITING, ann.screen.phases)

    def test_comes_back_by_token_with_growing_pauses(self) -> None:
        ann = self.logged_in("ann")
        ann.reachable = False
        ann.cut()
        waits = []
        for _ in range(10):
            self.assertEqual(ann.screen.status.phase, Phase.WAITING)
            waits.append(ann.screen.status.wait)
            self.pass_time(ann.screen.status.wait)
        self.assertEqual(waits, [*PAUSES, PAUSES[-1], PAUSES[-1], PAUSES[-1]])
        ann.reachable = True
        self.pass_time(PAUSES[-1])
        self.assertEqual(ann.screen.status.phase, Phase.ONLINE)
        self.assertEqual(self.online(), ["ann"])
        self.assertEqual(len(set(ann.tokens)), 1)

    def test_at_once_when_somebody_says_so(self) -> None:
        ann = self.logged_in("ann")
        ann.cut()
        ann.engine.try_now()
        self.settle()
        self.assertEqual(ann.screen.status.phase, Phase.ONLINE)

    def test_what_was_said_meanwhile_comes_once(self) -> None:
        ann, bob = self.logged_in("ann", "lobby"), self.logged_in("bob", "lobby")
        bob.types("one", room="lobby")
        ann.cut()
        bob.types("two", room="lobby")
        bob.types("message ann three")
        self.pass_time(1)
        bob.types("four", room="lobby")
        self.assertEqual(sorted(ann.screen.said()), ["four", "one", "three", "two"])
        self.assertEqual(ann.talk("lobby").unread, 3)

    def test_own_lines_wait_and_are_stored_once(self) -> None:
        """The connection breaks while a line is on its way: nobody knows whether it arrived."""
        ann, bob = self.logged_in("ann", "lobby"), self.logged_in("bob", "lobby")
        for arrives in (True, False):
            talk = ann.talk("lobby")
            work = self.begin(ann.keyboard.typed(f"arrives {arrives}", talk))
            self.successResultOf(work)
            link = ann.links[-1]
            if arrives:
                link.far.sends(link.near.value())
            ann.cut()
            ann.types("and after it", room="lobby")
            self.quiet_link()
        expected = ["arrives True", "and after it", "arrives False", "and after it"]
        self.assertEqual(bob.screen.said(), expected)
        self.assertEqual(ann.screen.said(), expected)
        self.assertEqual(len(ann.state.unsent), 0)

    def test_too_many_lines_do_not_wait(self) -> None:
        ann = self.logged_in("ann", "lobby")
        ann.reachable = False
        ann.cut()
        for number in range(MOST_UNSENT):
            self.assertIsNone(ann.types(f"line {number}", room="lobby"))
        self.assertEqual(ann.types("one more", room="lobby").code, "client")
        self.assertRaises(TooMuch, ann.engine.sender.say, next(iter(ann.state.unsent)))

    def test_a_server_that_stops_is_waited_for(self) -> None:
        ann = self.logged_in("ann")
        ann.reachable = False
        ann.links[-1].far.protocol.session.mind.close("Server is shutting down.")
        self.settle()
        self.assertEqual(
            (ann.screen.status.phase, ann.screen.status.reason), (Phase.WAITING, "Server is shutting down.")
        )
        self.assertIn(Closing("Server is shutting down."), ann.screen.events)

    def test_who_is_signed_out_from_elsewhere_stays_out(self) -> None:
        ann = self.logged_in("ann")
        other = self.desk()
        self.fails(other.engine.log_in("ann", PASSWORD), RequestRefused)
        self.run_link(other.engine.take_over())
        self.quiet_link()
        self.assertEqual(ann.screen.status.phase, Phase.ENDED)
        self.assertIn("elsewhere", ann.screen.status.reason)
        self.assertEqual(other.screen.status.phase, Phase.ONLINE)

    def test_a_server_that_was_set_up_anew_meanwhile_is_told_nothing(self) -> None:
        ann = self.logged_in("ann", "lobby")
        ann.types("said to the old one", room="lobby")

        def look(welcome: Welcome) -> None:
            self.assertEqual(len(welcome.database), 32)
            raise ServerReinstalled(ServerAddress("here.example"))

        ann.engine._look = look
        ann.cut()
        ann.types("waits", room="lobby")
        self.quiet_link()
        status = ann.screen.status
        self.assertEqual((status.phase, status.alarming), (Phase.ENDED, True))
        self.assertIn("was reinstalled", status.reason)
        self.assertNotIn(b"login", ann.links[-1].sent)
        self.assertEqual(len(ann.state.unsent), 1)
        self.quiet_link()
        self.assertEqual((len(ann.links), self.server.chat.node.sessions), (2, {}))
        self.fails(ann.engine.connect(), ServerReinstalled)

    def test_a_token_that_is_worth_nothing_any_more(self) -> None:
        ann, phone = self.logged_in("ann"), self.desk("phone")
        self.run_link(phone.engine.log_in("ann", PASSWORD))
        ann.cut()
        phone.types("devices end desk")
        self.quiet_link()
        self.assertEqual(ann.screen.status.phase, Phase.OPEN)
        self.assertIn("password", ann.screen.status.reason)
        self.run_link(ann.engine.log_in("ann", PASSWORD))
        self.assertEqual(ann.screen.status.phase, Phase.ONLINE)

    def test_who_changes_the_password_comes_back_with_the_new_token(self) -> None:
        ann = self.logged_in("ann")
        call = read("password", ann.state.context(None))
        assert isinstance(call, Ask)
        new = self.run_link(ann.keyboard.answered(call, PASSWORD, None))
        self.run_link(ann.keyboard.answered(new, "another horse", None))
        ann.cut()
        self.quiet_link()
        self.assertEqual(ann.screen.status.phase, Phase.ONLINE)

    def test_a_password_is_not_changed_without_a_connection(self) -> None:
        ann = self.logged_in("ann")
        ann.reachable = False
        ann.cut()
        self.fails(ann.engine.change_password(PASSWORD, "another horse"), Disconnected)

    def test_a_connection_that_is_lost_while_catching_up(self) -> None:
        self.logged_in("ann", "lobby").engine.close()
        bob = self.logged_in("bob", "lobby")
        for number in range(5):
            bob.types(str(number), room="lobby")
        ann = self.desk()
        work = self.begin(ann.engine.log_in("ann", PASSWORD))
        while ann.screen.status.phase is not Phase.CATCHING_UP:
            self.server.settle()
            for link in self.links:
                link.pump()
        ann.cut()
        self.failureResultOf(work, Disconnected)
        self.quiet_link()
        self.assertEqual(ann.screen.status.phase, Phase.ONLINE)
        self.assertEqual(ann.screen.said(), ["0", "1", "2", "3", "4"])


class Leaving(EngineCase):
    def test_tells_the_server_how_far_one_has_come(self) -> None:
        ann, bob = self.logged_in("ann", "lobby"), self.logged_in("bob", "lobby")
        bob.types("seen", room="lobby")
        ann.engine.sync.saw(ann.talk("lobby"))
        self.run_link(ann.engine.leave())
        self.assertEqual((ann.screen.status.phase, self.online()), (Phase.CLOSED, ["bob"]))
        again = self.logged_in("ann")
        self.assertEqual((again.screen.said(), again.talk("lobby").unread), ([], 0))

    def test_logout_is_for_another_account(self) -> None:
        ann = self.logged_in("ann", "lobby")
        ann.types("/logout", room="lobby")
        self.assertEqual((ann.screen.status.phase, ann.state.me, ann.tokens[-1]), (Phase.OPEN, "", ""))
        self.assertEqual(ann.state.talks, {})
        self.run_link(ann.engine.register("bob", PASSWORD))
        self.assertEqual(self.online(), ["bob"])


class AnyWeather(EngineCase):
    def test_breaks_at_any_moment_lose_and_double_nothing(self) -> None:
        """Two people talk over connections that break every few frames; in the end both have the same."""
        chance = random.Random(7)
        people: list[Desk] = [self.logged_in("ann", "lobby"), self.logged_in("bob", "lobby")]
        for number in range(120):
            desk = chance.choice(people)
            self.begin(desk.keyboard.typed(f"line {number}", desk.talk("lobby"))).addErrback(lambda _: None)
            for _ in range(chance.randrange(6)):
                self.server.settle()
                for link in self.links:
                    link.pump()
            if chance.random() < 0.3:
                chance.choice(people).links[-1].cut()
            if chance.random() < 0.3:
                self.pass_time(chance.random())
        for _ in range(80):
            self.pass_time(1)
        rows = [[row for row in desk.talk("lobby").rows if isinstance(row, Said)] for desk in people]
        self.assertEqual(*[[(row.seq, row.author) for row in each] for each in rows])
        texts = sorted(getattr(row.body, "text", "") for row in rows[0])
        self.assertEqual(texts, sorted(f"line {number}" for number in range(120)))
        for desk in people:
            self.assertEqual(sorted(desk.screen.said()), texts)
