"""Many lines at once: each is read when its turn comes, and answered in the order of typing."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Done, Reply
from chat.protocol.grammar.context import Call
from chat.server.commands.table import TABLE
from chat.server.frontends.line_decoder import PackedLines
from chat.server.frontends.pipeline import MOST_UNANSWERED, MOST_WAITING, Pipeline
from chat.server.process.reactor import MOST_AT_ONCE, ReactorTurn
from chat.server.settings.schema import Settings
from tests.server.frontends.server import ASKED, NOWHERE, PASSWORD, WELCOME, ServerCase


class EverythingInOnePacket(ServerCase):
    def test_login_password_and_speech(self) -> None:
        """The password is the answer to a prompt that was not asked yet, and say knows the room."""
        bob = self.person("bob", "lobby")
        bob.types("logout")
        bob.hangs_up()
        ann = self.person("ann", "lobby")
        again = self.guest()
        again.sends(f"login bob\n{PASSWORD}\nsay hi\n".encode())
        self.quiet()
        self.assertIn("bob: hi", ann.sees())
        self.assertEqual(
            again.sees(),
            [f"{ASKED}{WELCOME}", "* You are in lobby. What you type is said in lobby; type /help for the commands."],
        )

    def test_an_account_a_room_and_speech(self) -> None:
        ann = self.person("ann", "lobby")
        caller = self.guest()
        caller.sends(f"new bob {PASSWORD}\nconnect lobby\nhello\nmessage ann psst\nquit\n".encode())
        self.quiet()
        seen = ann.sees()
        self.assertIn("bob: hello", seen)
        self.assertIn("bob (private): psst", seen)
        self.assertEqual(caller.sees()[-1], "Logging out. Bye for now!")
        self.assertTrue(caller.ended)

    def test_a_password_is_never_a_command(self) -> None:
        """Whatever it looks like."""
        caller = self.guest()
        caller.types("new ann", "/quit quit quit")
        self.assertEqual(caller.sees(), [f"{ASKED}* Account ann created.", WELCOME, NOWHERE])

    def test_lines_after_quit_are_not_read(self) -> None:
        ann = self.person("ann", "lobby")
        bob = self.person("bob", "lobby")
        self.quiet(ann, bob)
        bob.sends(b"bye all\n/quit\nleft over\n")
        self.assertEqual(bob.sees(), ["Logging out. Bye for now!"])
        self.assertEqual(ann.sees(), ["bob: bye all", "* User bob has logged out."])


class WhileNothingIsCommitted(ServerCase):
    """The disk is slow: `MemoryStore.hold`."""

    def test_nobody_sees_what_is_not_on_disk(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        self.server.store.hold()
        ann.types("one", "two")
        self.assertEqual(bob.sees(), [])
        self.server.store.release()
        self.assertEqual(bob.sees(), ["ann: one", "ann: two"])

    def test_answers_come_in_the_order_of_typing(self) -> None:
        """What is ready at once waits for what was asked before."""
        bob = self.person("bob")
        bob.types("logout")
        ann = self.person("ann", "lobby")
        self.server.store.hold()
        ann.types("message bob one", "list blocked", "message bob two", "nosuchverb?", "/nosuchverb", "online")
        self.assertEqual(ann.sees(), [])
        self.server.store.release()
        kept = "* User bob is not here; your message is kept and will be delivered."
        self.assertEqual(
            ann.sees(),
            [
                kept,
                "* You have not blocked anybody.",
                kept,
                "! No command nosuchverb. Type /help to see them all, or //nosuchverb to say it.",
                "* Nobody is online.",
                "(Warning: Users that have blocked you will not be listed)",
            ],
        )

    def test_a_barrier_waits_for_all_before_it(self) -> None:
        """logout does not overtake a message, nor does what is typed after it."""
        bob, ann = self.person("bob", "lobby"), self.person("ann", "lobby")
        self.quiet(ann, bob)
        self.server.store.hold()
        ann.types("one", "logout", "login ann")
        self.assertEqual(ann.sees(), [])
        self.assertEqual(self.online(), ["ann", "bob"])
        self.server.store.release()
        self.assertEqual(bob.sees(), ["ann: one", "* User ann has logged out."])
        self.assertEqual(ann.gets(), f"Logging out. Bye for now!\n{ASKED}")

    def test_what_follows_a_barrier_is_read_in_its_new_state(self) -> None:
        """The room is made, entered, and spoken in: the line after create knows it."""
        ann = self.person("ann", "lobby")
        self.quiet(ann)
        self.server.store.hold()
        ann.types("/create ops", "hello ops")
        self.assertEqual(ann.sees(), [])
        self.server.store.release()
        self.assertEqual(ann.sees(), ["* Room ops created; you are its owner.", "* You are in ops (1 here: ann)."])
        ann.types("history 1")
        self.assertEqual(ann.sees()[0].split(") ", 1)[1], "ann: hello ops")

    def test_one_s_own_words_are_in_the_history_asked_for_after_them(self) -> None:
        ann = self.person("ann", "lobby")
        self.quiet(ann)
        self.server.store.hold()
        ann.sends(b"hello\nhistory 1\n")
        self.server.store.release()
        self.assertIn("ann: hello", ann.gets())

    def test_blocking_is_done_before_the_next_line(self) -> None:
        ann = self.person("ann")
        bob = self.person("bob")
        self.quiet(ann, bob)
        self.server.store.hold()
        bob.types("block ann", "unblock ann", "block ann", "list blocked")
        self.server.store.release()
        blocked = "* User ann has been blocked."
        self.assertEqual(bob.sees(), [blocked, "* User ann has been unblocked.", blocked, "* Blocked users:", "  ann"])

    def test_a_disk_that_fails_refuses_and_nothing_is_told(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.types("/time")
        ann.wire.clear()
        self.server.store.fail(1)
        ann.types("lost", "kept")
        self.assertEqual(
            ann.sees(),
            ["! Nothing was sent or changed: the server cannot write to its disk. Try again in a minute."],
        )
        self.assertEqual(bob.sees(), ["ann: kept"])


class Turns(SynchronousTestCase):
    """A pipeline alone: numbers are lines, and the test says when each is done."""

    work = 0.0
    """Seconds that it takes to read a line."""

    def setUp(self) -> None:
        self.written: list[bytes] = []
        self.pauses: list[bool] = []
        self.ends = 0
        self.running: dict[int, Deferred[Reply]] = {}
        self.clock = Clock()
        self.turn = ReactorTurn(self.clock)
        self.pipeline = Pipeline(self, self.turn)

    def read(self, line: object) -> Call | bytes:
        line = int(line) if isinstance(line, bytes) else line
        assert isinstance(line, int)
        self.clock.rightNow += self.work
        if line < 0:
            return b"%d" % line
        return Call(TABLE["connect" if line % 10 == 9 else "say"], {"text": line})

    def perform(self, call: Call) -> Deferred[Reply]:
        waiting: Deferred[Reply] = Deferred()
        self.running[call.arguments["text"]] = waiting
        return waiting

    async def respond(self, call: Call, reply: Reply) -> bytes:
        if isinstance(reply, Done) and reply.text == "break":
            raise ZeroDivisionError
        return b"%d" % call.arguments["text"]

    def write(self, answer: bytes) -> None:
        self.written.append(answer)

    def pause(self, paused: bool) -> None:
        self.pauses.append(paused)

    def drained(self) -> None:
        self.ends += 1

    def done(self, *lines: int) -> None:
        for line in lines:
            self.running.pop(line).callback(Done())

    def test_answers_in_order_whichever_is_ready_first(self) -> None:
        for line in (1, 2, -5, 3):
            self.pipeline.feed([line])
        self.done(3, 2)
        self.assertEqual(self.written, [])
        self.done(1)
        self.assertEqual(self.written, [b"1", b"2", b"-5", b"3"])

    def test_a_barrier_runs_alone(self) -> None:
        for line in (1, 9, 2):
            self.pipeline.feed([line])
        self.assertEqual(list(self.running), [1])
        self.done(1)
        self.assertEqual(list(self.running), [9])
        self.done(9)
        self.assertEqual(list(self.running), [2])

    def test_the_end_is_told_when_all_is_answered(self) -> None:
        self.pipeline.feed([1])
        self.pipeline.feed([9])
        self.pipeline.end()
        self.done(1)
        self.assertEqual(self.ends, 0)
        self.done(9)
        self.assertEqual(self.ends, 1)
        self.assertEqual(self.written, [b"1", b"9"])

    def test_the_end_of_nothing(self) -> None:
        self.pipeline.end()
        self.assertEqual(self.ends, 1)

    def test_reading_stops_when_too_many_wait(self) -> None:
        """At `MOST_WAITING` lines the connection is paused; when half are done it is read again."""
        for line in range(MOST_WAITING + MOST_UNANSWERED):
            self.assertEqual(self.pauses, [])
            self.pipeline.feed([line * 10])
        self.assertEqual(self.pauses, [True])
        self.assertEqual(len(self.running), MOST_UNANSWERED)
        for _ in range(MOST_WAITING // 2 - 1):
            self.running.pop(next(iter(self.running))).callback(Done())
        self.assertEqual(self.pauses, [True])
        self.running.pop(next(iter(self.running))).callback(Done())
        self.assertEqual(self.pauses, [True, False])

    def test_an_answer_that_cannot_be_shown_stops_nobody(self) -> None:
        """A bug of ours: it is logged, and the next answer comes."""
        self.pipeline.feed([1])
        self.pipeline.feed([2])
        self.running.pop(1).callback(Done("break"))
        self.done(2)
        self.assertEqual(self.written, [b"2"])
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_many_lines_take_many_turns(self) -> None:
        """The first line is read at once, and more as long as the turn has time for them."""
        self.work = MOST_AT_ONCE / 2
        self.pipeline.feed([-1, -2, -3, -4, -5, -6, -7, -8])
        self.assertEqual(len(self.written), 3)
        self.pipeline.feed([-9])
        self.pipeline.end()
        self.assertEqual((len(self.written), self.ends), (3, 0))
        self.clock.advance(0)
        self.assertEqual((self.written, self.ends), ([b"%d" % -line for line in range(1, 10)], 1))

    def test_lines_of_another_connection_come_between(self) -> None:
        self.work = MOST_AT_ONCE
        self.pipeline.feed([-1, -2, -3, -4])
        other = Pipeline(self, self.turn)
        other.feed([-100])
        self.assertEqual(self.written, [b"-1", b"-2", b"-100"])
        self.clock.advance(0)
        self.assertEqual(self.written[3:], [b"-3", b"-4"])

    def test_a_large_packet_waits_where_the_turn_is_spent(self) -> None:
        """Its first line may take as long as many others; the one of a small packet is read at once."""
        self.turn.spent()
        self.clock.rightNow += MOST_AT_ONCE
        for lines in (PackedLines(b"-1", 10), [-2]):
            Pipeline(self, self.turn).feed(lines)
        self.assertEqual(self.written, [b"-2"])
        self.clock.advance(0)
        self.assertEqual(self.written, [b"-2", b"-1"])

    def test_a_barrier_holds_in_later_turns(self) -> None:
        self.work = MOST_AT_ONCE
        self.pipeline.feed([-1, 1, 9, -2])
        self.clock.advance(0)
        self.assertEqual((self.written, list(self.running)), ([b"-1"], [1]))
        self.done(1)
        self.assertEqual(list(self.running), [9])
        self.done(9)
        self.clock.advance(0)
        self.assertEqual(self.written, [b"-1", b"1", b"9", b"-2"])

    def test_closing_forgets_what_waits_for_its_turn(self) -> None:
        self.work = MOST_AT_ONCE
        self.pipeline.feed([-1, -2, -3, -4])
        self.pipeline.close()
        self.clock.advance(0)
        self.assertEqual(self.written, [b"-1", b"-2"])

    def test_no_line_is_read_while_it_rests(self) -> None:
        """May overlap; the end waits for it as well."""
        rests: list[Deferred[None]] = [Deferred(), Deferred()]
        for each in rests:
            self.pipeline.rest(each)
        self.pipeline.feed([-1])
        self.pipeline.end()
        rests[0].callback(None)
        self.clock.advance(0)
        self.assertEqual((self.written, self.ends), ([], 0))
        rests[1].callback(None)
        self.clock.advance(0)
        self.assertEqual((self.written, self.ends), ([b"-1"], 1))

    def test_closing_forgets_what_waits_but_not_what_runs(self) -> None:
        self.pipeline.feed([9, 1, 2])
        self.pipeline.close()
        self.pipeline.feed([3])
        self.done(9)
        self.assertEqual((self.written, self.running), ([b"9"], {}))


class Pasting(ServerCase):
    """With the limits as they are shipped."""

    settings: dict[str, Any] = {"rate": Settings().rate, "burst": Settings().burst}  # noqa: RUF012  # read only

    def test_what_is_pasted_is_slowed_down_and_whole(self) -> None:
        ann, bob = self.person("ann", "lobby"), self.person("bob", "lobby")
        self.quiet(ann, bob)
        ann.sends(b"".join(b"line %d\n" % number for number in range(300)))
        for _ in range(120):
            self.server.advance(0.5)
        self.assertEqual(bob.sees(), [f"ann: line {number}" for number in range(300)])
        self.assertEqual(ann.sees(), [])
