"""The verb table: what it refuses to hold, and what every verb in it has."""

from __future__ import annotations

from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.grammar.context import Ask, Call
from chat.protocol.grammar.parameters import HereType, Speech, User, Words
from chat.protocol.grammar.parser import read
from chat.protocol.grammar.verbs import Access, Table, Verb
from chat.server.commands.table import TABLE
from tests.protocol.grammar.town import LOBBY, NAMES, OUTSIDE, KnownNames


class Declaring(SynchronousTestCase):
    """A command without docstring, type or word of its own fails when it is declared."""

    def setUp(self) -> None:
        self.table = Table()

    def test_without_a_docstring(self) -> None:
        async def wave(chat: Any, session: Any) -> None: ...

        with self.assertRaisesRegex(TypeError, "wave"):
            self.table.command(group="g")(wave)

    def test_with_an_argument_without_a_type(self) -> None:
        async def wave(chat: Any, session: Any, user: User, hands: int) -> None:
            """wave"""

        with self.assertRaisesRegex(TypeError, "hands"):
            self.table.command(group="g")(wave)

    def test_with_a_word_that_is_taken(self) -> None:
        async def wave(chat: Any, session: Any) -> None:
            """wave"""

        self.table.command("greet", group="g")(wave)
        for name, alias in (("wave", "x"), ("x", "greet")):
            with self.assertRaises(ValueError):
                self.table.command(alias, group="g", name=name)(wave)

    def test_what_is_derived_from_it_is_made_once(self) -> None:
        """Until another verb is declared."""
        made: list[str] = []

        def describe(verbs: tuple[Verb, ...], key: str) -> list[str]:
            made.append(key)
            return [each.name for each in verbs]

        async def wave(chat: Any, session: Any) -> None:
            """wave"""

        for _ in range(3):
            self.assertEqual(self.table.derived(describe, "a"), [])
        self.assertIsNot(self.table.derived(describe, "a"), self.table.derived(describe, "b"))
        self.table.command(group="g")(wave)
        self.assertEqual(self.table.derived(describe, "a"), ["wave"])
        self.assertEqual(made, ["a", "b", "a"])

    def test_what_a_signature_says(self) -> None:
        async def wave(chat: Any, session: Any, user: User, text: Words | None = None, *, extra: Words = "x") -> None:
            """wave at somebody

            With both
            hands.
            """

        self.assertIs(self.table.command(group="g")(wave), wave)
        verb = self.table["wave"]
        self.assertEqual((verb.summary, verb.detail), ("wave at somebody", "With both hands."))
        self.assertEqual(
            [(each.name, each.required, each.written) for each in verb.parameters],
            [("user", True, True), ("text", False, True), ("extra", False, False)],
        )
        self.assertEqual(verb.form, "wave NAME [TEXT]")

    def test_the_same_function_is_named_without_a_trailing_underscore(self) -> None:
        async def set_(chat: Any, session: Any, text: Speech) -> None:
            """set"""

        self.table.command(group="g")(set_)
        self.assertEqual(list(self.table), ["set"])


class TheWholeTable(SynchronousTestCase):
    def test_every_example_is_read_as_its_verb(self) -> None:
        """With the names of the examples known; written in a room with a slash, and as it stands outside."""
        names = KnownNames(("ann", "bob"), ("lobby", "ops"))
        free = KnownNames((), ("lobby",))
        for verb in TABLE.verbs:
            for example in verb.examples:
                known = free if verb.access is Access.GUEST and verb.name == "new" else names
                context = type(LOBBY)(TABLE, known, verb.access is not Access.GUEST, "lobby")
                lines = [f"/{example.removeprefix('/')}"]
                if example.startswith("/") or verb.access is Access.GUEST:
                    lines.append(example)
                for line in lines:
                    reading = read(line, context)
                    call = reading.call if isinstance(reading, Ask) else reading
                    assert isinstance(call, Call), (line, reading)
                    self.assertEqual(call.verb.name, verb.name, line)

    def test_every_verb_says_what_it_does(self) -> None:
        for verb in TABLE.verbs:
            self.assertTrue(verb.summary and verb.group, verb.name)
            self.assertFalse(verb.summary.endswith("."), verb.name)
            self.assertTrue(verb.form.startswith(verb.name))

    def test_words_are_lower_case(self) -> None:
        for word in TABLE:
            self.assertEqual(word, word.lower())

    def test_no_person_can_have_the_name_of_a_verb(self) -> None:
        """``block`` is unambiguous, since nobody is called that; the words of a guard are verbs too."""
        for verb in TABLE.verbs:
            for word in (*verb.spoken, *verb.guarded):
                self.assertIs(TABLE[word], verb)

    def test_the_table_as_data(self) -> None:
        """A client can tell secrets, requirement and order from it."""
        login = TABLE["login"].as_json()
        self.assertEqual([each["name"] for each in login["parameters"]][:2], ["user", "password"])
        self.assertEqual([each["secret"] for each in login["parameters"]][:2], [False, True])
        self.assertTrue(TABLE["resume"].as_json()["programs"])

    def test_what_changes_the_next_line_is_a_barrier(self) -> None:
        words = "login new takeover logout quit password connect disconnect create kick ban resume"
        for word in words.split():
            self.assertTrue(TABLE[word].barrier, word)
        self.assertFalse(TABLE["say"].barrier)
        self.assertFalse(TABLE["message"].barrier)

    def test_only_the_current_room_stands_in(self) -> None:
        for verb in TABLE.verbs:
            for each in verb.parameters:
                self.assertEqual(each.here, isinstance(each.type, HereType))

    def test_outside_a_room_the_examples_that_name_all(self) -> None:
        self.assertEqual(read("connect lobby", OUTSIDE).verb.name, "connect")  # type: ignore[union-attr]
        self.assertTrue(NAMES.is_room("lobby"))
