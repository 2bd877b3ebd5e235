"""Whatever is too long for an argument is refused before anything else is done with it, in a line and in a frame."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from twisted.trial.unittest import SynchronousTestCase

from chat.client.e2e.commands import TABLE as OF_THE_CLIENT
from chat.protocol.errors import BadUsage, ChatError
from chat.protocol.grammar.arguments import certain, given
from chat.protocol.grammar.durations import MOST_SECONDS, DurationType, SpanType, is_number
from chat.protocol.grammar.parameters import ParameterType, is_longer
from chat.protocol.grammar.verbs import Parameter, Verb
from chat.server.commands.admin import ADMIN
from chat.server.commands.table import TABLE
from tests.protocol.grammar.big_town import contexts, cost

MICROSECONDS = 0.000_2
"""Seconds of CPU; to compose one of these texts takes 4 s."""

LONG = ("x" * 63_000, "9" * 63_000, "a" + "\u0345\u0301\u0327\u0300" * 8_000, " x" * 30_000, "²" * 30_000)

_KEY = {"number": 1, "key": "", "signature": ""}
_NESTED: dict[str, list[object]] = {
    "body": [
        {"text": LONG[2]},
        {"sealed": {"scheme": LONG[0], "key": "k", "ciphertext": "AA=="}},
        {"sealed": {"scheme": "s", "key": LONG[2], "ciphertext": "AA=="}},
        {"sealed": {"scheme": "s", "key": "k", "ciphertext": LONG[0]}},
    ],
    "verifier": [{"salt": LONG[0], "iterations": 1}, {"salt": "", "iterations": 1, "stored_key": LONG[2]}],
    "marks": [{LONG[0]: 1}, {LONG[2]: 1}, {"r1": 10**4_000}],
    "addresses": [[LONG[0]], [LONG[2]], ["192.0.2.1"] * 5_000],
    "key": [LONG[0], [LONG[0]]],
    "devicekeys": [{"identity": LONG[0]}, {"identity": "", "signing": LONG[2]}],
    "numberedkey": [{**_KEY, "key": LONG[0]}, {**_KEY, "signature": LONG[2]}, {**_KEY, "number": LONG[0]}],
    "numberedkeys": [[{**_KEY, "key": LONG[0]}], [_KEY] * 3_000],
    "users": [[LONG[0]], [LONG[2]], ["bob"] * 9_000],
    "devices": [
        [{"user": LONG[2], "device": "d"}],
        [{"user": "bob", "device": LONG[0]}],
        [{"user": "bob", "device": [LONG[0]]}],
    ],
    "letters": [
        [{"user": "bob", "device": "d", "body": LONG[0]}],
        [{"user": LONG[2], "device": "d", "body": "AA=="}],
        [{"user": "bob", "device": LONG[2], "body": "AA=="}],
    ],
}


def _parameters() -> Iterator[tuple[Verb, Parameter]]:
    for table in (TABLE, ADMIN, OF_THE_CLIENT):
        for verb in table.verbs:
            for each in verb.parameters:
                yield verb, each


class EveryParameterOfEveryVerb(SynchronousTestCase):
    def refuse(self, verb: Verb, parameter: Parameter, value: object) -> None:
        alone = replace(verb, parameters=(parameter,))
        with self.assertRaises(BadUsage, msg=(verb.name, parameter.name, f"{value!r:.60}")) as caught:
            alone.decode({parameter.name: value})
        self.check_line(caught.exception)
        taken = cost(partial(_tried, alone, {parameter.name: value}), MICROSECONDS)
        self.assertLess(taken, MICROSECONDS, (verb.name, parameter.name, f"{value!r:.60}"))

    def check_line(self, error: ChatError) -> None:
        self.assertNotIn("\n", error.line)
        self.assertLess(len(error.line), 400)
        self.assertNotIn("\u0301", error.line)

    def test_refuses_what_is_too_long_in_a_frame(self) -> None:
        for verb, parameter in _parameters():
            for value in LONG:
                self.refuse(verb, parameter, value)

    def test_refuses_what_is_too_long_inside_an_object_or_a_list(self) -> None:
        for verb, parameter in _parameters():
            for value in _NESTED.get(_type(parameter.type), ()):
                self.refuse(verb, parameter, value)

    def test_the_types_with_values_inside_are_all_tried(self) -> None:
        """They are those that a program does not write as a string, a number, or true or false."""
        nesting = re.compile(r"object|list|array|\{")
        types = {_type(each.type) for _, each in _parameters() if nesting.search(each.type.json)}
        self.assertEqual(types - _NESTED.keys(), set())

    def test_refuses_what_is_too_long_in_a_line(self) -> None:
        context = contexts()[1]
        for verb, parameter in _parameters():
            if not parameter.written and parameter.prompt is None:
                continue
            for value in LONG:
                with self.assertRaises(BadUsage, msg=(verb.name, parameter.name)) as caught:
                    given(verb, parameter, value, context)
                self.check_line(caught.exception)
                taken = cost(partial(certain, verb, value, context.names), MICROSECONDS)
                self.assertLess(taken, MICROSECONDS, (verb.name, parameter.name))

    def test_every_type_has_a_bound(self) -> None:
        for _, parameter in _parameters():
            self.assertLessEqual(parameter.type.most_bytes, 45_000, parameter.type)


def _tried(verb: Verb, values: dict[str, object]) -> None:
    try:
        verb.decode(values)
    except BadUsage:
        return


def _type(kind: ParameterType) -> str:
    return type(kind).__name__.removesuffix("Type").lower()


class Bytes(SynchronousTestCase):
    def test_a_text_is_measured_in_utf_8(self) -> None:
        for text, size in {"": 0, "abc": 3, "é": 2, "日本": 6, "😀": 4, "\ud800": 3}.items():
            self.assertFalse(is_longer(text, size), text)
            if size:
                self.assertTrue(is_longer(text, size - 1), text)


class Times(SynchronousTestCase):
    """What ends in more than a hundred years cannot be shown, nor counted everywhere."""

    def test_a_hundred_years_are_the_most(self) -> None:
        duration = DurationType()
        self.assertEqual(duration.read("36500d"), MOST_SECONDS)
        self.assertEqual(duration.from_json(MOST_SECONDS), MOST_SECONDS)
        for word in ("36501d", "999999w", "999999999w"):
            with self.assertRaises(BadUsage) as caught:
                duration.read(word)
            self.assertIn("100 years", caught.exception.line)
        for number in (MOST_SECONDS + 1, 2**63, 10**4_000):
            with self.assertRaises(BadUsage):
                duration.from_json(number)
        with self.assertRaises(BadUsage):
            SpanType().read("since 999999w")

    def test_what_looks_like_a_digit_and_is_none(self) -> None:
        for word in ("²", "٣", "１", "½", "", "-1", "9" * 5_000):
            self.assertFalse(is_number(word), word)
            for kind in (DurationType(), SpanType()):
                with self.assertRaises(BadUsage):
                    kind.read(word)
        self.assertTrue(is_number("0123456789"))
