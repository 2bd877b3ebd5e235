"""What a person sets, as it looks on the screen."""

from __future__ import annotations

from unittest import mock

from chat.protocol.wire import text
from chat.server.frontends.delivery_proof import LATER, LOOK_AFTER
from tests.server.frontends.server import ASKED, PASSWORD, WELCOME, Caller, ServerCase

SENT = "Your message could not be delivered as the recipient has blocked you."
WARNING = "(Warning: Users that have blocked you will not be listed)"


class Setting(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.bob = self.person("bob", "lobby")

    def test_all_of_them_are_shown(self) -> None:
        self.bob.types("set timezone UTC", "/set realname Bob B.", "/create ops", "set quiet ops mentions")
        self.bob.gets()
        self.bob.types("set")
        self.assertEqual(
            self.bob.sees(),
            [
                "* Your settings:",
                "  style     plain         plain, or classic",
                "  time      off           on: show the time before each line",
                "  timezone  UTC (UTC)     such as Europe/Berlin, or server",
                "  bell      off           on: ring for private messages and your name",
                "  quiet     ops mentions  ROOM on, mentions or off",
                "  realname  Bob B.        what whois shows, or none",
                "* To change one: set style classic (/help set explains them)",
            ],
        )

    def test_a_change_is_answered_in_the_look_that_it_gives(self) -> None:
        self.bob.types("set style classic", "set style plain", "set timezone America/New York", "set bell on")
        self.bob.types("set quiet lobby on", "set quiet lobby off")
        self.assertEqual(
            self.bob.sees(),
            [
                "style is now classic.",
                "* style is now plain.",
                "* timezone is now America/New_York (UTC-05:00).",
                "* bell is now on.",
                "* Quiet rooms: lobby on.",
                "* There are no quiet rooms.",
            ],
        )

    def test_a_room_full_of_styles_renders_each_once(self) -> None:
        for number in range(12):
            person = self.person(f"p{number}", "lobby")
            if number % 3:
                person.types("set style classic")
        self.server.advance(10)
        ann = self.person("ann", "lobby")
        with mock.patch("chat.server.frontends.text_audience.render", wraps=text.render) as render:
            ann.types("hello all")
        self.assertEqual(render.call_count, 2)

    def test_a_time_zone_divides_only_those_who_see_times(self) -> None:
        ann = self.person("ann", "lobby")
        ann.types("set timezone Asia/Tokyo")
        room = self.server.chat.node.room_names["lobby"]
        self.assertEqual(
            ann.protocol.session.mind.audience_key(room.id), self.bob.protocol.session.mind.audience_key(room.id)
        )
        ann.types("set time on")
        self.assertNotEqual(
            ann.protocol.session.mind.audience_key(room.id), self.bob.protocol.session.mind.audience_key(room.id)
        )

    def test_times_in_ones_own_zone(self) -> None:
        """The clock of the tests stands still, so its time of day differs by the zone alone."""
        shown = []
        for zone in ("UTC", "Asia/Tokyo"):
            self.bob.types("set time on", f"set timezone {zone}")
            self.bob.gets()
            self.person("ann" + zone[:1].lower(), "lobby").types("hello")
            self.server.settle()
            shown.append(self.bob.wire.value().decode().splitlines()[-1])
        utc, tokyo = (int(line[1:3]) for line in shown)
        self.assertEqual((tokyo - utc) % 24, 9)

    def test_it_is_in_force_at_the_next_login(self) -> None:
        self.bob.types("set style classic", "quit")
        self.bob.hangs_up()
        bob = self.guest()
        bob.types("login bob", PASSWORD)
        self.assertEqual(
            bob.sees(),
            [ASKED + WELCOME, "You are in lobby. What you type is said in lobby; type /help for the commands."],
        )


class EverySession(ServerCase):
    settings = {"sessions": "many"}  # noqa: RUF012

    def test_a_change_is_in_force_in_all_of_them_and_told_to_none(self) -> None:
        one, other, ann = self.person("bob", "lobby"), self.person("bob", "lobby"), self.person("ann", "lobby")
        one.types("set style classic")
        self.quiet(one, other)
        ann.types("/me waves", "message bob hi")
        self.assertEqual([one.sees(), other.sees()], [["ann waves", "ann: hi"]] * 2)

    def test_ones_own_words_ring_nowhere(self) -> None:
        one, other = self.person("bob", "lobby"), self.person("bob", "lobby")
        one.types("set bell on")
        self.quiet(one, other)
        one.types("bob is here", "message bob a note")
        self.assertEqual(other.gets().count("\a"), 1, "a note to oneself rings")

    def test_a_program_is_told(self) -> None:
        program, bob = self.program("bob"), self.person("bob")
        bob.types("set bell on")
        frame = program.frame()
        self.assertEqual((frame["type"], frame["bell"], "id" in frame), ("settings", True, False))

    def test_a_program_sets_too(self) -> None:
        program = self.program("bob")
        program.asks("set", 7, setting="bell", value=True)
        self.assertEqual(program.frame()["bell"], True)
        program.asks("set", 8)
        self.assertEqual(
            program.frame(),
            {
                "type": "settings",
                "id": 8,
                "style": "plain",
                "time": False,
                "timezone": "",
                "bell": True,
                "quiet": {},
                "realname": "",
            },
        )


class TheClassicLook(ServerCase):
    """The sample commands of wish 001, line for line."""

    def setUp(self) -> None:
        super().setUp()
        self.a, self.b, self.c = (self.person(name) for name in "ABC")
        for each in (self.a, self.b, self.c):
            each.types("set style classic")
        self.quiet(self.a, self.b, self.c)

    def expect(self, a: list[str], b: list[str], c: list[str]) -> None:
        self.assertEqual([self.a.sees(), self.b.sees(), self.c.sees()], [a, b, c])

    def test_messages_and_logout(self) -> None:
        self.a.types("message B hi there!")
        self.c.types("message B it's user C.")
        self.expect([], ["A: hi there!", "C: it's user C."], [])
        self.a.types("logout")
        self.expect(["Logging out. Bye for now!"], ["User A has logged out."], ["User A has logged out."])
        self.b.types("message A hi there!")
        self.b.gets()
        self.server.advance(5)
        self.a.types("login", "A", PASSWORD)
        self.assertEqual(self.a.sees(), [f"Username: {ASKED}{WELCOME}", "B: hi there!"])
        self.expect([], ["User A has logged on."], ["User A has logged on."])

    def test_broadcast_and_online(self) -> None:
        self.a.types("broadcast hello all")
        self.expect([], ["A: hello all"], ["A: hello all"])
        self.b.types("online")
        self.expect([], ["A", "C", WARNING], [])

    def test_blocks(self) -> None:
        self.a.types("block B", "block C")
        self.expect(["User B has been blocked.", "User C has been blocked."], [], [])
        self.b.types("message A hi")
        self.expect([], [SENT], [])
        self.c.types("broadcast hello all")
        self.expect([], ["C: hello all"], ["Your message could not be received by some recipients."])
        self.a.types("message B don't reply", "broadcast don't reply")
        self.expect([], ["A: don't reply", "A: don't reply"], ["A: don't reply"])
        self.a.types("unblock B")
        self.b.types("message A hi")
        self.expect(["User B has been unblocked.", "B: hi"], [], [])


class TheBell(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.bob, self.ann = self.person("bob", "lobby"), self.person("ann", "lobby")
        self.bob.types("set bell on")
        self.quiet(self.bob, self.ann)

    def test_a_private_message_rings(self) -> None:
        self.ann.types("message bob hi")
        self.bob.types("message ann hello")
        self.assertEqual([self.bob.gets(), self.ann.gets()], ["\aann (private): hi\n", "bob (private): hello\n"])

    def test_a_mention_rings_for_whom_it_names(self) -> None:
        carol = self.person("carol", "lobby")
        carol.types("set bell on")
        self.quiet(self.bob, carol)
        self.ann.types("are you there, Bob?", "bobby is not", "lunch, carol and @bob.", "nobody at all")
        lines = "ann: are you there, Bob?", "ann: bobby is not", "ann: lunch, carol and @bob.", "ann: nobody at all"
        self.assertEqual(self.bob.gets(), "\a{}\n{}\n\a{}\n{}\n".format(*lines))
        self.assertEqual(carol.gets(), "{}\n{}\n\a{}\n{}\n".format(*lines))

    def test_a_line_is_rendered_once_whoever_it_names(self) -> None:
        others = [self.person(f"p{number}", "lobby") for number in range(4)]
        for each in others:
            each.types("set bell on")
        self.quiet(self.bob, *others)
        with mock.patch("chat.server.frontends.text_audience.render", wraps=text.render) as render:
            self.ann.types("hello bob and p2")
        self.assertEqual(render.call_count, 2)  # for ann, who is left out, and for all who have a bell
        self.assertEqual(others[1].gets(), "ann: hello bob and p2\n")
        self.assertEqual(others[2].gets(), "\aann: hello bob and p2\n")

    def test_who_is_blocked_does_not_ring(self) -> None:
        self.bob.types("block ann")
        self.bob.gets()
        self.ann.types("hey bob", "message bob hi")
        self.assertEqual(self.bob.gets(), "")


class QuietRooms(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.bob, self.ann = self.person("bob", "lobby"), self.person("ann", "lobby")

    def quieter(self, how: str) -> None:
        self.bob.types(f"set quiet lobby {how}")
        self.quiet(self.bob, self.ann)

    def proves(self) -> None:
        """Bob shows that he reads: a line comes some time after what he was shown had arrived."""
        self.bob.types("online")
        self.server.advance(LOOK_AFTER)
        self.server.advance(2 * LATER)
        self.bob.types("rooms")

    def again(self, bob: Caller) -> list[str]:
        """Bob goes, in whichever way, and logs in again."""
        bob.hangs_up(orderly=False)
        self.bob = self.guest()
        self.bob.types("login bob", PASSWORD)
        return self.bob.sees()[1:]

    def test_nothing_is_shown_and_everything_waits(self) -> None:
        self.quieter("on")
        self.ann.types("one", "two, bob", "/topic three")
        self.assertEqual(self.bob.gets(), "")
        self.bob.types("rooms")
        self.assertIn("2 waiting", self.bob.gets())
        self.bob.types("catchup")
        self.assertEqual(self.bob.sees(), ["* 2 lines in lobby:", "(TIME) ann: one", "(TIME) ann: two, bob"])
        self.bob.types("catchup")
        self.assertEqual(self.bob.sees(), ["* Nothing is waiting."])

    def test_mentions_alone_are_shown(self) -> None:
        self.quieter("mentions")
        self.ann.types("one", "two, @Bob!", "three")
        self.assertEqual(self.bob.sees(), ["ann: two, @Bob!"])
        self.bob.types("catchup")
        self.assertEqual(len(self.bob.sees()), 4)

    def test_what_happens_to_oneself_is_shown(self) -> None:
        dave = self.person("dave")
        dave.types("create ops")
        self.bob.types("connect ops", "set quiet ops on")
        self.quiet(self.bob)
        dave.types("mute bob", "op ann")
        self.assertEqual(self.bob.sees(), ["* bob was muted in ops by dave."])
        dave.types("kick bob")
        self.assertEqual(self.bob.sees(), ["* You were kicked from ops by dave."])

    def test_private_messages_and_other_rooms_are_not_quiet(self) -> None:
        self.ann.types("/create ops")
        self.bob.types("connect ops")
        self.quieter("on")
        self.ann.types("hello ops", "message bob hi")
        self.assertEqual(self.bob.sees(), ["ann: hello ops", "ann (private): hi"])

    def test_what_was_not_shown_waits_for_the_next_login(self) -> None:
        self.ann.types("zero")
        self.quieter("on")
        self.ann.types("one")
        self.proves()
        self.assertEqual(self.again(self.bob)[0], "* 1 line in lobby. Type catchup.")
        self.ann.types("two")
        self.assertEqual(self.again(self.bob)[0], "* 2 lines in lobby. Type catchup.")

    def test_loud_again(self) -> None:
        """What was not shown meanwhile still waits, until it is caught up with."""
        self.quieter("on")
        self.ann.types("one")
        self.quieter("off")
        self.ann.types("two")
        self.assertEqual(self.bob.sees(), ["ann: two"])
        self.bob.types("online")
        self.proves()
        self.assertEqual(self.again(self.bob)[0], "* 2 lines in lobby. Type catchup.")

    def test_catching_up_after_that_marks_what_was_shown_since(self) -> None:
        self.quieter("on")
        self.ann.types("one")
        self.quieter("off")
        self.ann.types("two")
        self.bob.types("catchup")
        lines = ["ann: two", "* 2 lines in lobby:", "(TIME) ann: one", "(TIME) (again) ann: two"]
        self.assertEqual(self.bob.sees(), lines)

    def test_loud_again_with_nothing_missed(self) -> None:
        self.quieter("on")
        self.quieter("off")
        self.ann.types("one")
        self.proves()
        self.assertEqual(
            self.again(self.bob)[0], "* You are in lobby. What you type is said in lobby; type /help for the commands."
        )

    def test_loud_again_after_catching_up(self) -> None:
        self.quieter("on")
        self.ann.types("one")
        self.bob.types("catchup lobby")
        self.quieter("off")
        self.ann.types("two")
        self.proves()
        self.assertEqual(
            self.again(self.bob)[0], "* You are in lobby. What you type is said in lobby; type /help for the commands."
        )
