"""In a room: what is said, and what is done."""

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadUsage, NeedsClient, NotInRoom, NotLoggedIn, UnknownCommand
from chat.protocol.values import Text
from tests.protocol.grammar.town import GUEST, LOBBY, OUTSIDE, meaning, refusal


class BareVerbs(SynchronousTestCase):
    """A bare verb is a command only where its arguments can be checked."""

    def test_of_nothing_at_all(self) -> None:
        for line, verb in {
            "online": "online",
            "who": "online",
            "rooms": "rooms",
            "list": "list",
            "logout": "logout",
            "quit": "quit",
            "catchup": "catchup",
            "devices": "devices",
            "whoami": "whois",
        }.items():
            self.assertEqual(meaning(line), (verb, {}), line)

    def test_of_an_account_a_room_or_a_number(self) -> None:
        for line, call in {
            "block bob": ("block", {"user": "bob"}),
            "whois alice": ("whois", {"user": "alice"}),
            "connect ops": ("connect", {"room": "ops"}),
            "list users": ("list", {"what": "users"}),
            "list users ops": ("list", {"what": "users", "room": "ops"}),
            "catchup ops": ("catchup", {"room": "ops"}),
            "leave ops": ("disconnect", {"room": "ops"}),
            "kick bob": ("kick", {"user": "bob", "room": "lobby"}),
            "op bob owner": ("op", {"user": "bob", "role": "owner", "room": "lobby"}),
            "mute bob 30m": ("mute", {"user": "bob", "duration": 1800, "room": "lobby"}),
        }.items():
            self.assertEqual(meaning(line), call, line)

    def test_free_text_after_an_account(self) -> None:
        self.assertEqual(meaning("message bob hi there"), ("message", {"user": "bob", "text": Text("hi there")}))

    def test_free_text_that_may_be_left_out_needs_the_slash(self) -> None:
        for line in ("kick bob out of here", "ban bob 2h from the pub", "mute bob please"):
            self.assertNotEqual(meaning(line)[0], line.split()[0])
            self.assertEqual(meaning(f"/{line}")[0], line.split()[0])

    def test_a_word_that_is_no_account_makes_it_speech(self) -> None:
        for line in ("block party tonight", "connect the cable", "kick off is at 8", "list of things", "who is there"):
            self.assertEqual(meaning(line), ("said", line))

    def test_a_word_too_many_makes_it_speech(self) -> None:
        for line in (
            "online banking is down",
            "rooms are free",
            "quit smoking",
            "block bob now",
            "history 20 years ago",
        ):
            self.assertEqual(meaning(line), ("said", line))

    def test_verbs_with_free_text_need_the_slash(self) -> None:
        for line in (
            "bye",
            "back",
            "time",
            "help",
            "r",
            "ping",
            "reply yes",
            "me too",
            "away for lunch",
            "topic of talk",
        ):
            self.assertEqual(meaning(line), ("said", line))

    def test_verbs_of_programs_are_ordinary_words(self) -> None:
        for line in ("hello", "hello bob", "commands", "members ops", "read this", "resume", "missed you"):
            self.assertEqual(meaning(line), ("said", line))


class Indented(SynchronousTestCase):
    """Somebody shows lines of a program."""

    def test_what_is_said_keeps_its_indentation(self) -> None:
        self.assertEqual(meaning("    return x  "), ("said", "    return x"))
        self.assertEqual(meaning("\treturn x"), ("said", "\treturn x"))
        self.assertEqual(meaning("  mesage bob hi"), ("held", "message bob ..."))

    def test_a_command_is_one_all_the_same(self) -> None:
        self.assertEqual(meaning("  /online"), ("online", {}))
        self.assertEqual(meaning("  message bob hi"), ("message", {"user": "bob", "text": Text("hi")}))
        self.assertIsNone(meaning("   "))


class WithASlash(SynchronousTestCase):
    """``/verb`` is always a command."""

    def test_verbs_that_need_it(self) -> None:
        self.assertEqual(meaning("/me waves"), ("me", {"text": Text("waves"), "room": "lobby"}))
        self.assertEqual(meaning("/away"), ("away", {}))
        self.assertEqual(meaning("/bye"), ("quit", {}))
        self.assertEqual(meaning("/topic soup of the day"), ("topic", {"text": "soup of the day", "room": "lobby"}))
        self.assertEqual(meaning("/broadcast lunch!"), ("broadcast", {"text": "lunch!"}))

    def test_a_blank_after_the_slash(self) -> None:
        self.assertEqual(meaning("/ online"), ("online", {}))

    def test_an_unknown_verb_gets_a_suggestion_and_says_nothing(self) -> None:
        self.assertEqual(refusal("/onlin").suggest, "online")
        self.assertEqual(refusal("/mesage bob hi").suggest, "message")
        self.assertIsInstance(refusal("/xyzzy"), UnknownCommand)
        for line in ("/", "//", "'"):
            self.assertIn("Nothing was sent", refusal(line).line)

    def test_a_verb_of_the_console_client_says_what_it_takes(self) -> None:
        for line, context in (("/verify bob", LOBBY), ("Link", OUTSIDE), ("unlock", GUEST)):
            error = refusal(line, context)
            self.assertIsInstance(error, NeedsClient)
            self.assertIn("works only in the console client", error.line)

    def test_a_verb_of_programs_is_unknown(self) -> None:
        self.assertIsInstance(refusal("/resume"), UnknownCommand)

    def test_a_target_that_does_not_exist_is_left_to_the_command(self) -> None:
        self.assertEqual(meaning("/message nobdy hi"), ("message", {"user": "nobdy", "text": Text("hi")}))

    def test_too_little_and_too_much(self) -> None:
        self.assertEqual(refusal("/message bob").line, "Missing arguments. Usage: /message NAME TEXT")
        self.assertEqual(refusal("message bob", OUTSIDE).line, "Missing arguments. Usage: message NAME TEXT")
        self.assertIsInstance(refusal("/online now"), BadUsage)


class AlwaysSpeech(SynchronousTestCase):
    """``say``, ``chat``, ``'text`` and ``//text`` are always said."""

    def test_the_four_ways(self) -> None:
        for line, said in {
            "say online": "online",
            "chat logout": "logout",
            "SAY block bob": "block bob",
            "'block bob": "block bob",
            "' message bob hi": "message bob hi",
            "//online": "/online",
            "'login bob secret": "login bob secret",
        }.items():
            self.assertEqual(meaning(line), ("said", said), line)

    def test_nothing_to_say(self) -> None:
        for line in ("say", "'", "/say"):
            self.assertIsInstance(refusal(line), BadUsage)

    def test_outside_a_room(self) -> None:
        for line in ("'hello", "//hello", "say hello"):
            self.assertIsInstance(refusal(line, OUTSIDE), NotInRoom)
            self.assertIsInstance(refusal(line, GUEST), NotLoggedIn)


class OutsideARoom(SynchronousTestCase):
    """Every line is a command."""

    def test_verbs_without_a_slash(self) -> None:
        self.assertEqual(meaning("help", OUTSIDE), ("help", {}))
        self.assertEqual(meaning("away lunch", OUTSIDE), ("away", {"text": "lunch"}))
        self.assertEqual(meaning("bye", GUEST), ("quit", {}))
        self.assertEqual(meaning("create pool", OUTSIDE), ("create", {"room": "pool"}))

    def test_what_is_no_verb_is_not_sent(self) -> None:
        self.assertIn("login NAME", refusal("good morning", GUEST).line)
        self.assertIn("connect ROOM", refusal("good morning", OUTSIDE).line)
        self.assertEqual(refusal("lgoin bob", GUEST).suggest, "login")

    def test_what_needs_a_room(self) -> None:
        for line in ("disconnect", "topic soup", "me waves", "kick bob"):
            self.assertIsInstance(refusal(line, OUTSIDE), NotInRoom)

    def test_what_needs_a_login(self) -> None:
        for line in ("online", "message bob hi", "connect ops", "password"):
            self.assertIsInstance(refusal(line, GUEST), NotLoggedIn)

    def test_a_room_that_one_was_in_counts_only_while_logged_in(self) -> None:
        gone = type(LOBBY)(LOBBY.table, LOBBY.names, logged_in=False, room="lobby")
        self.assertIsInstance(refusal("good morning", gone), UnknownCommand)

    def test_an_empty_line_means_nothing(self) -> None:
        for context in (GUEST, OUTSIDE, LOBBY):
            self.assertIsNone(meaning("", context))
            self.assertIsNone(meaning(" \t ", context))


class Spelling(SynchronousTestCase):
    """Verbs and names ignore case; ``@bob`` and ``#ops`` are understood; any blank parts words."""

    def test_case(self) -> None:
        self.assertEqual(meaning("MESSAGE Bob Hi"), ("message", {"user": "Bob", "text": Text("Hi")}))
        self.assertEqual(meaning("Connect OPS"), ("connect", {"room": "OPS"}))
        self.assertEqual(meaning("whois ДМИТРИЙ"), ("whois", {"user": "ДМИТРИЙ"}))
        self.assertEqual(meaning("LIST Users"), ("list", {"what": "users"}))

    def test_signs_before_names(self) -> None:
        self.assertEqual(meaning("message @bob hi"), ("message", {"user": "bob", "text": Text("hi")}))
        self.assertEqual(meaning("join #ops"), ("connect", {"room": "ops"}))
        self.assertEqual(meaning("history @bob"), ("history", {"where": "@bob", "room": "lobby"}))

    def test_tabs_and_many_blanks(self) -> None:
        self.assertEqual(meaning("message\tbob\thi  there"), ("message", {"user": "bob", "text": Text("hi  there")}))
        self.assertEqual(meaning("  list   users  ops  "), ("list", {"what": "users", "room": "ops"}))
        self.assertEqual(meaning("login\tbob secret")[0], "held")

    def test_speech_keeps_its_blanks(self) -> None:
        self.assertEqual(meaning("so  many\tblanks"), ("said", "so  many\tblanks"))
