"""Commands that ask for what is missing, and the answers."""

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import AlreadyLoggedIn, BadName, BadUsage, NameTaken
from chat.protocol.grammar.context import Ask, Call, Context, Reading
from chat.protocol.grammar.parser import answer, ask_again, read
from tests.protocol.grammar.town import GUEST, LOBBY, OUTSIDE, refusal, show


class Prompts(SynchronousTestCase):
    def ask(self, line: str, context: Context = GUEST) -> Ask:
        reading = read(line, context)
        assert isinstance(reading, Ask), reading
        return reading

    def call(self, reading: Reading) -> Call:
        assert isinstance(reading, Call), reading
        return reading

    def test_one_after_the_other(self) -> None:
        name = self.ask("login")
        self.assertEqual((name.missing.name, name.missing.prompt), ("user", "Username:"))
        password = answer(name, " bob@phone ", GUEST)
        assert isinstance(password, Ask)
        self.assertEqual(password.missing.prompt, "Password:")
        self.assertTrue(password.missing.type.secret)
        done = self.call(answer(password, "correct horse", GUEST))
        self.assertEqual(done.arguments, {"user": "bob@phone", "password": "correct horse"})

    def test_a_password_is_taken_as_it_is(self) -> None:
        """Blanks belong to it, and no word of it is a command."""
        ask = self.ask("login bob")
        for typed in ("  two  blanks ", "/quit", "!", "'quoted", "login x"):
            self.assertEqual(self.call(answer(ask, typed, GUEST)).arguments["password"], typed)

    def test_a_password_in_the_line_keeps_the_blanks_within(self) -> None:
        self.assertEqual(self.call(read("login bob two  words", GUEST)).arguments["password"], "two  words")

    def test_an_empty_answer_gives_the_command_up(self) -> None:
        for line in ("login", "login bob", "new", "new eve"):
            for nothing in ("", "   "):
                with self.assertRaises(BadUsage):
                    answer(self.ask(line), nothing, GUEST)

    def test_a_name_that_will_not_do_is_refused_before_the_password(self) -> None:
        with self.assertRaises(NameTaken):
            answer(self.ask("new"), "Bob", GUEST)
        with self.assertRaises(BadName):
            answer(self.ask("new"), "b o b", GUEST)
        self.assertIsInstance(refusal("new bob", GUEST), NameTaken)
        self.assertIsInstance(refusal("new alice secret word", GUEST), NameTaken)

    def test_who_is_logged_in_is_not_asked(self) -> None:
        for context in (OUTSIDE, LOBBY):
            self.assertIsInstance(refusal("/login", context), AlreadyLoggedIn)
            self.assertIsInstance(refusal("/new eve", context), AlreadyLoggedIn)

    def test_the_old_and_the_new_password(self) -> None:
        old = self.ask("password", LOBBY)
        new = answer(old, "old one", LOBBY)
        assert isinstance(new, Ask)
        self.assertEqual(show(new), ("asks", "password", "new"))
        self.assertEqual(self.call(answer(new, "new one", LOBBY)).arguments, {"old": "old one", "new": "new one"})

    def test_a_mistyped_answer_is_asked_for_again(self) -> None:
        wrong = self.call(read("login bob wrong", GUEST))
        again = ask_again(wrong, "password")
        self.assertEqual(again.call.arguments, {"user": "bob"})
        self.assertEqual(self.call(answer(again, "right", GUEST)).arguments, {"user": "bob", "password": "right"})

    def test_no_secret_is_shown(self) -> None:
        self.assertNotIn("hunter22", repr(read("login bob hunter22", GUEST)))
        old = answer(self.ask("password", LOBBY), "hunter22", LOBBY)
        self.assertNotIn("hunter22", repr(old))
