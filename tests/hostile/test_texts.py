"""Nothing that people write reaches another one's terminal raw, and no message looks like a notice."""

from __future__ import annotations

import json
import unicodedata
from itertools import product

from chat.protocol.errors import ChatError
from chat.protocol.names import read_name
from tests import figures
from tests.figures import at_least, at_most, exactly
from tests.server.frontends.server import PASSWORD, ServerCase

FORBIDDEN = {"Cc", "Cs", "Zl", "Zp"}
"""Controls, lone surrogates, line and paragraph separators: none of these categories."""

OVERRIDES = set("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f")

NEEDED = "👩\u200d👩\u200d👧 می\u200cخواهم e\u0301 ❤\ufe0f"
"""A family of one emoji, a Persian word, a combined letter and a red heart: each needs what stands inside it."""

NASTY = [
    "\x1b[2J\x1b[31mred",
    "\x1b]0;title\x07",
    "\x1bP+q\x1b\\",
    "\x9b31mred",
    "a\rb: forged",
    "a\x08\x08\x08b",
    "\x00\x07\x7f",
    "\x85next\u2028line\u2029paragraph\x0b\x0c",
    "user\u202egnp.exe\u202c",
    "\u2066\u2067\u2068isolated\u2069",
    "\ufeff\ufff9\ufffa\ufffb\U000e0041",
    "first\nann: forged\n* ann has logged out.\n! Not sent.",
    "first\r\n* forged",
    "\n\n\n* forged",
    "\u200b\u2060\u00ad hidden",
    "Z" + "\u0301" * 200,
]


class OnATerminal(ServerCase):
    def setUp(self) -> None:
        super().setUp()
        self.victim = self.person("victim", "lobby")
        self.evil = self.program("evil")
        self.evil.asks("connect", room="lobby")
        self.quiet(self.victim, self.evil)
        self.seen: list[str] = []

    def see(self) -> str:
        text = self.victim.gets()
        self.seen.append(text)
        return text

    def test_through_every_way_that_text_takes(self) -> None:
        ways = 0
        for nasty in NASTY:
            for cmd, args in (
                ("say", {"room": "lobby", "text": nasty}),
                ("me", {"room": "lobby", "text": nasty}),
                ("message", {"user": "victim", "text": nasty}),
                ("broadcast", {"text": nasty}),
                ("topic", {"room": "lobby", "text": nasty}),
                ("away", {"text": nasty}),
                ("set", {"setting": "realname", "value": nasty}),
                ("create", {"room": nasty}),
                ("new", {"user": nasty, "password": PASSWORD}),
                ("kick", {"user": "victim", "room": "lobby", "reason": nasty}),
            ):
                self.evil.asks(cmd, id=ways, **args)
                ways += 1
                self.see()
            self.victim.types("whois evil", "/search forged", "history", "history evil", "list channels", "online")
            self.see()
            self.server.advance(20)
        shown = "".join(self.seen)
        harmful = [each for each in shown if each != "\n" and unicodedata.category(each) in FORBIDDEN | {"Cf"}]
        harmful = [each for each in harmful if each in OVERRIDES or unicodedata.category(each) in FORBIDDEN]
        overrides = [each for each in harmful if each in OVERRIDES]
        forged = [
            line
            for line in shown.split("\n")
            if line.startswith(("ann:", "* ann", "! Not", "* forged", "b: forged", "forged", "red"))
        ]
        self.assertIn("forged", shown)  # it came, as the text of its author
        figures.tell(
            "hostile texts",
            figures.line(
                "{ways} in messages, names, rooms, topics, away texts, real names and reasons, and read back from"
                " history and search: {controls} control characters, {overrides} overrides, {forged} forged lines",
                ways=at_least(ways, 100),
                controls=at_most(len(harmful) - len(overrides), 0),
                overrides=at_most(len(overrides), 0),
                forged=at_most(len(forged), 0),
            ),
        )

    def test_what_scripts_and_emoji_need_stays(self) -> None:
        self.evil.asks("say", room="lobby", text=NEEDED)
        self.assertEqual(self.see(), f"evil: {NEEDED}\n")

    def test_a_line_with_controls_is_not_read_at_all(self) -> None:
        for line in (b"\x1b[2J", b"hi\x00", b"\xff\xfe", b"a\x08b", "\x9b31m".encode()):
            self.victim.sends(line + b"\n")
            self.assertRegex(self.victim.gets(), r"\A! That line [^\x00-\x09\x0b-\x1f\x7f-\x9f]+\n\Z")

    def test_invalid_text_in_json(self) -> None:
        for raw in ('"\\ud800"', '"\\udc00\\ud800"', '"\\u0000"'):
            self.evil.types(f'{{"cmd": "say", "id": 1, "args": {{"room": "lobby", "text": {raw}}}}}')
            self.see().encode()
            self.evil.gets().encode()
        self.evil.sends(b'{"cmd": "say", "args": {"room": "lobby", "text": "\xff"}}\n')
        self.assertEqual(json.loads(self.evil.gets())["type"], "refused")


class Names(ServerCase):
    """Refused, not silently altered."""

    TWINS = (
        *("BOB", "Bob", "bOB"),
        *("ｂｏｂ", "bоb", "bοb", "Ьob", "bob\u200b", "b\u200dob", "\ufeffbob", "bob\u0301\u0301"),
        *("bob ", "b ob", "bob\n", "bob\t", "bob\x00", "@", "#bob", "", "1bob", "-bob", "b" * 33),
    )
    RESERVED = ("login", "QUIT", "help", "server", "admin", "INVALID", "root", "everybody")

    def test_twins_look_alikes_and_reserved_names(self) -> None:
        self.person("bob")
        self.person("раул")  # Cyrillic; what looks like it in Latin letters is taken with it
        refused = 0
        for name in (*self.TWINS, *self.RESERVED, "paул"):
            with self.subTest(name=name):
                program = self.call("json")
                program.asks("new", id=1, user=name, password=PASSWORD)
                self.server.advance(5)
                frame = program.frames()[-1]
                self.assertEqual(frame["type"], "refused", frame)
                refused += 1
        accounts = sorted(each.name.shown for each in self.server.chat.directory.page("", 1_000)[0])
        self.assertEqual(accounts, ["bob", "раул"])
        tried = len(self.TWINS) + len(self.RESERVED) + 1
        figures.tell(
            "hostile names",
            figures.line(
                "{refused} of {tried} twins, look-alikes, verbs and reserved names were refused",
                refused=exactly(refused, tried),
                tried=at_least(tried, 20),
            ),
        )

    def test_every_name_is_kept_as_it_was_written_or_refused(self) -> None:
        for first, last in product("aЖéß中א\u0301\u200d-1 ", repeat=2):
            word = f"{first}x{last}"
            try:
                name = read_name(word)
            except ChatError:
                continue
            self.assertEqual(name.shown, unicodedata.normalize("NFC", word))
