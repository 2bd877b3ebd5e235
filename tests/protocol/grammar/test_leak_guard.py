"""Lines that look like a mistyped private command, or like a password, are held and not said."""

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadUsage
from chat.protocol.grammar.context import Context, Held
from chat.protocol.grammar.parser import read
from chat.server.commands.table import TABLE
from tests.protocol.grammar.town import LOBBY, KnownNames, holding, meaning, refusal, show


class Held_(SynchronousTestCase):
    """``! Not sent. Did you mean ...``"""

    def test_a_long_verb_one_edit_off_before_an_account(self) -> None:
        for line in ("mesage bob I love you", "messsage bob hi", "Mesage @Bob hi", "mesage bbo hi", "privaet bob hi"):
            kind, meant = meaning(line)
            self.assertEqual(kind, "held", line)
            self.assertIn("bob", meant.lower())

    def test_a_private_verb_whose_target_is_one_edit_off(self) -> None:
        for line, meant in {
            "message bbo hi": "message bob ...",
            "tell alise hi": "tell alice ...",
            "msg bob: hi": "msg bob ...",
            "block bobb": "block bob ...",
            "send\tcarl hi": "send carol ...",
        }.items():
            self.assertEqual(meaning(line), ("held", meant))

    def test_a_private_verb_and_a_name_without_a_text(self) -> None:
        for line in ("message bob", "tell alice", "msg @bob"):
            self.assertEqual(meaning(line), ("held", f"{line} ..."))
        self.assertEqual(meaning("tell me")[0], "said")

    def test_a_verb_of_the_console_client_and_an_account(self) -> None:
        """On netcat it would be said, and the person would wait for a picture to compare."""
        for line in ("verify bob", "Accept @alice", "unseal bob"):
            word, name = line.split()
            self.assertEqual(meaning(line), ("held", f"/{word.lower()} {name}"))
        for line in ("verify it bob", "accept that", "link", "seal bob in an envelope"):
            self.assertEqual(meaning(line)[0], "said", line)

    def test_what_begins_like_a_login_or_a_password(self) -> None:
        for line in (
            "login bob secret", "login", "LOGIN bob", "password hunter22", "passwd a b", "register bob secret",
            "password correct horse battery staple",
            "register", "new bob", "new bob secret", "login bbo correct horse", "login zoe", "login zoe hunter22",
            "new zoe hunter22", "login bob@phone my long secret", "pasword hunter22", "passwrod h2nter",
            "lgin bob secret", "logn zoe hunter22", "loign bob hunter22", "claim bob k7mq-2xnp-w4ta-9hdr",
        ):  # fmt: skip
            self.assertEqual(meaning(line)[0], "held", line)

    def test_what_is_more_likely_a_sentence_is_neither_sent_nor_said(self) -> None:
        here = Context(TABLE, KnownNames(("bob", "will"), ("lobby",)), logged_in=True, room="lobby")
        for line in ("tell bob to call me", "send bob the file", "message will follow", "message bob as usual"):
            self.assertEqual(meaning(line, here), ("held", f"/{' '.join(line.split()[:2])} ..."))
            self.assertEqual(meaning(f"/{line}", here)[0], "message")
        for line in ("tell bob I am late", "send bob hello", "message @will follow me", "msg bob to be or not to be"):
            self.assertEqual(meaning(line, here)[0], "message")

    def test_what_does_not_exist(self) -> None:
        for line in ("connect nosuch", "create ops2", "create board private", "whois zed", "invite zed"):
            self.assertEqual(meaning(line), ("held", f"/{line}"))
        for line in ("join us", "connect the cable first", "create a room for it", "connect", "create"):
            self.assertEqual(meaning(line), ("said", line))

    def test_a_mistyped_room(self) -> None:
        self.assertEqual(meaning("connect loby"), ("held", "connect lobby"))
        self.assertEqual(meaning("create loby"), ("held", "/create loby"))

    def test_what_a_moderator_does_with_a_reason(self) -> None:
        """The reason is free text, so it may be a sentence; the person it is about need not read it either way."""
        for line in ("kick bob go away", "ban bob 10m being rude", "Mute @bob 1m shush", "ban bob spam"):
            word, name, _ = line.split(maxsplit=2)
            self.assertEqual(meaning(line), ("held", f"/{word.lower()} {name} ..."))
        for line in ("kick off is at eight", "ban plastic bags!", "mute button is the one on the left"):
            self.assertEqual(meaning(line), ("said", line))
        self.assertEqual(meaning("ban bob 10m")[0], "ban")

    def test_a_bare_broadcast(self) -> None:
        self.assertEqual(meaning("broadcast lunch!"), ("held", "/broadcast ..."))

    def test_ordinary_lines_beside_them_are_said(self) -> None:
        for line in (
            "new",
            "new phone who dis",
            "broadcast",
            "the password is on the note",
            "message",
            "message in a bottle",
            "tell everybody",
            "messages from the board",
            "mesage",
            "lists bob keeps",
            "logins are broken",
            "login is broken again",
            "register for the course",
            "new version is out",
            "password reset mails are slow today",
            "pasword is wrong",
            "pasword reset",
            "logging 2fa",
            "claims are easy",
            "I claim bob is right",
        ):
            self.assertEqual(meaning(line), ("said", line))

    def test_a_password_prompt_is_no_leak(self) -> None:
        """``password`` alone asks."""
        self.assertEqual(meaning("password"), ("asks", "password", "old"))


class SaidAnyway(SynchronousTestCase):
    """``!`` says what was held, where it was held."""

    def test_it_is_said_word_for_word(self) -> None:
        held = read("mesage  bob hi", LOBBY)
        assert isinstance(held, Held)
        self.assertEqual(meaning("!", holding(held)), ("said", "mesage  bob hi"))
        self.assertEqual(held.speech.arguments["room"], "lobby")

    def test_another_line_is_not_it(self) -> None:
        held = read("mesage bob hi", LOBBY)
        assert isinstance(held, Held)
        self.assertEqual(meaning("!!", holding(held)), ("said", "!!"))

    def test_nothing_is_held(self) -> None:
        self.assertIsInstance(refusal("!"), BadUsage)

    def test_what_cannot_be_said_is_not_held(self) -> None:
        self.assertIsInstance(refusal("login " + "x" * 20_000), BadUsage)

    def test_neither_shows_a_secret(self) -> None:
        """A held line may end in a log; what was typed does not."""
        held = read("login bob hunter22", LOBBY)
        self.assertNotIn("hunter22", repr(held))
        self.assertNotIn("hunter22", show(held)[1])
