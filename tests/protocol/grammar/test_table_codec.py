"""`chat.protocol.grammar.table_codec`: a client reads lines as its server does."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import ChatError
from chat.protocol.grammar.context import Context, Held
from chat.protocol.grammar.parser import read
from chat.protocol.grammar.table_codec import MOST_VERBS, ServerType, read_table
from chat.protocol.grammar.verbs import Table
from chat.server.commands.table import TABLE
from tests.protocol.grammar.town import NAMES, show

REMOTE = read_table(json.loads(json.dumps([verb.as_json() for verb in TABLE.verbs])))


THEIRS = {verb.name for verb in REMOTE.verbs if any(isinstance(each.type, ServerType) for each in verb.written)}
KNOWN = [verb for verb in TABLE.verbs if verb.name not in THEIRS]


def outcome(line: str, table: Table, room: str | None) -> Any:
    try:
        reading = read(line, Context(table, NAMES, True, room))
        return (show(reading), getattr(getattr(reading, "verb", None), "name", ""))
    except ChatError as error:
        return (type(error), error.line, error.suggest)


class ATableThatCameAsData(SynchronousTestCase):
    def test_has_every_verb(self) -> None:
        self.assertEqual(list(REMOTE), list(TABLE))
        for here, there in zip(TABLE.verbs, REMOTE.verbs, strict=True):
            self.assertEqual((there.form, there.summary), (here.form, here.summary))
            self.assertEqual(there.guarded, here.guarded)
            self.assertEqual([each.prompt for each in there.parameters], [each.prompt for each in here.parameters])

    def test_reads_the_examples_alike(self) -> None:
        for verb in KNOWN:
            for line in (*verb.examples, verb.name, f"/{verb.name}", f"{verb.name} bob", f"{verb.name} 20 x"):
                for room in (None, "lobby"):
                    self.assertEqual(outcome(line, REMOTE, room), outcome(line, TABLE, room), line)

    @given(
        st.lists(
            st.sampled_from(
                [*(verb.name for verb in KNOWN), "bob", "ops", "hi", "20", "2h", "/", "mesage", "since", "09:00"]
            ),
            max_size=5,
        )
    )
    def test_reads_any_line_alike(self, words: list[str]) -> None:
        for room in (None, "lobby"):
            self.assertEqual(outcome(" ".join(words), REMOTE, room), outcome(" ".join(words), TABLE, room))

    def test_of_a_later_version_is_read_as_far_as_it_goes(self) -> None:
        later = TABLE["block"].as_json()
        later["name"], later["aliases"] = "ostracise", []
        later["parameters"][0]["type"] = "constellation"
        table = read_table([{"name": "broken"}, {}, later, later])
        self.assertEqual(list(table), ["ostracise"])
        self.assertIs(type(table["ostracise"].parameters[0].type), ServerType)

    def test_never_says_what_only_the_server_can_read(self) -> None:
        later = TABLE["block"].as_json()
        later["parameters"][0]["type"] = "constellation"
        say = TABLE["say"].as_json()
        context = Context(read_table([later, say]), NAMES, True, "lobby")
        self.assertIsInstance(read("block orion", context), Held)

    def test_is_not_hindered_by_what_only_programs_give(self) -> None:
        message = TABLE["message"].as_json()
        retry = next(each for each in message["parameters"] if each["name"] == "retry")
        retry["type"] = "constellation"
        table = read_table([message, TABLE["say"].as_json()])
        self.assertEqual(show(read("message bob got a minute?", Context(table, NAMES, True, "lobby")))[0], "message")

    def test_is_bounded(self) -> None:
        verbs = [TABLE["ping"].as_json() | {"name": f"v{number}"} for number in range(2 * MOST_VERBS)]
        self.assertLessEqual(len(read_table(verbs)), MOST_VERBS)


class ArgumentsOnTheirWay(SynchronousTestCase):
    def test_are_read_there_as_they_were_here(self) -> None:
        for verb, name, words in (
            ("history", "span", "20"),
            ("history", "span", "2h"),
            ("history", "span", "90s"),
            ("history", "span", "4w"),
            ("history", "span", "since 09:00"),
            ("history", "span", "since 2d"),
            ("say", "text", "hello\nall"),
            ("ban", "duration", "30m"),
            ("message", "user", "@bob"),
        ):
            kind = next(each.type for each in TABLE[verb].parameters if each.name == name)
            value = kind.read(words)
            self.assertEqual(kind.from_json(json.loads(json.dumps(kind.to_json(value)))), value)
