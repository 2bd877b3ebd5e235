"""Arguments as programs give them: each type takes what fits and says what would."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.errors import BadUsage, ChatError
from chat.protocol.grammar.durations import DurationType, NumberType, Span, SpanType
from chat.protocol.grammar.parameters import (
    BodyType,
    ChoiceType,
    DeviceType,
    NameType,
    ParameterType,
    PlaceType,
    RoomType,
    SecretType,
    WordsType,
)
from chat.protocol.grammar.program_parameters import ConversationType, FlagType, MarksType, RetryType
from chat.protocol.values import BODY_BYTES, Sealed, Text
from chat.server.commands.table import TABLE

_SEALED = {"scheme": "megolm.v1", "key": "k", "ciphertext": b64encode(b"\0\1").decode()}

_FITS: list[tuple[ParameterType, object, Any]] = [
    (NameType(), "@bob", "bob"),
    (RoomType(), "#ops", "ops"),
    (PlaceType(), "#ops", "#ops"),
    (WordsType(), "", ""),
    (BodyType(), "hi", Text("hi")),
    (BodyType(), "one\r\ntwo", Text("one\ntwo")),
    (BodyType(), {"text": "hi"}, Text("hi")),
    (BodyType(), {"sealed": _SEALED}, Sealed("megolm.v1", "k", b"\0\1")),
    (SecretType(), "  as it is ", "  as it is "),
    (DeviceType(), "phone-2", "phone-2"),
    (DurationType(), "2h", 7200),
    (DurationType(), 90, 90),
    (SpanType(), "20", Span(20)),
    (NumberType(1, 500), 500, 500),
    (RetryType(), "x" * 11, "x" * 11),
    (FlagType(), False, False),
    (ChoiceType("end"), "End", "end"),
    (ConversationType(), "k4", 4),
    (MarksType(), {"r2": 4712, "k4": 0}, {2: 4712, 4: 0}),
]

_DOES_NOT_FIT: list[tuple[ParameterType, object]] = [
    (NameType(), "@"),
    (NameType(), "x" * 401),
    (RoomType(), ""),
    (PlaceType(), ""),
    (WordsType(), "x" * (BODY_BYTES + 1)),
    (BodyType(), ""),
    (BodyType(), " \n "),
    (BodyType(), "\n".join("x" * 41)),
    (BodyType(), {"text": 3}),
    (BodyType(), {"sealed": {**_SEALED, "ciphertext": "no base64!"}}),
    (BodyType(), {"sealed": {**_SEALED, "ciphertext": ""}}),
    (BodyType(), {"sealed": {**_SEALED, "key": None}}),
    (DeviceType(), "-x"),
    (DeviceType(), "x" * 33),
    (DurationType(), "0h"),
    (DurationType(), "soon"),
    (DurationType(), 0),
    (DurationType(), True),
    (SpanType(), "501"),
    (SpanType(), "since tea"),
    (NumberType(1, 500), 501),
    (NumberType(1, 500), True),
    (NumberType(1, 500), "5"),
    (RetryType(), "x" * 10),
    (RetryType(), "x" * 65),
    (FlagType(), 1),
    (ChoiceType("end"), "ended"),
    (ConversationType(), "r0"),
    (ConversationType(), "x4"),
    (MarksType(), {"r2": -1}),
    (MarksType(), {"r2": True}),
    (MarksType(), {"r2": 2**32}),
    (MarksType(), {"2": 1}),
    (MarksType(), [1]),
    (MarksType(), {f"r{number}": 1 for number in range(1, 1_002)}),
]

_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


class FromJson(SynchronousTestCase):
    def test_what_fits(self) -> None:
        for kind, value, read in _FITS:
            self.assertEqual(kind.from_json(value), read, (kind, value))

    def test_what_does_not_fit(self) -> None:
        for kind, value in _DOES_NOT_FIT:
            with self.assertRaises(BadUsage, msg=f"{kind} {value!r:.80}"):
                kind.bound(value)
                kind.from_json(value)

    def test_nothing_but_a_string_is_a_word(self) -> None:
        for kind in (NameType(), RoomType(), WordsType(), SecretType(), SpanType(), RetryType(), ChoiceType("a")):
            for value in (3, None, True, ["a"], {"text": "a"}):
                with self.assertRaises(BadUsage):
                    kind.from_json(value)

    def test_a_number_in_a_line(self) -> None:
        """However long the digits are."""
        number = NumberType(0, 2**32 - 1)
        self.assertEqual(number.read("4294967295"), 2**32 - 1)
        for word in ("4294967296", "000000000001" + "9" * 9, "9" * 5000, "²", "-1", ""):
            with self.assertRaises(BadUsage):
                number.read(word)

    @given(st.sampled_from(sorted(TABLE)), st.data())
    def test_any_value_is_read_or_refused(self, word: str, data: st.DataObject) -> None:
        verb = TABLE[word]
        values = {each.name: data.draw(_JSON) for each in verb.parameters}
        try:
            arguments = verb.decode(values)
        except ChatError as error:
            self.assertNotIn("\n", error.line)
        else:
            self.assertLessEqual(arguments.keys(), {each.name for each in verb.parameters})


class Decoding(SynchronousTestCase):
    """The arguments of a frame."""

    def test_unknown_arguments_and_nulls_are_ignored(self) -> None:
        decoded = TABLE["message"].decode({"user": "bob", "text": "hi", "retry": None, "colour": 3})
        self.assertEqual(decoded, {"user": "bob", "text": Text("hi")})

    def test_a_refusal_is_one_line_whatever_it_names(self) -> None:
        with self.assertRaisesRegex(BadUsage, r"\A[^\n]*the mark of '.n' is not a seq[^\n]*\Z"):
            TABLE["read"].decode({"marks": {"\n": None}})

    def test_what_is_missing_is_named(self) -> None:
        with self.assertRaisesRegex(BadUsage, "needs text"):
            TABLE["message"].decode({"user": "bob"})
        with self.assertRaisesRegex(BadUsage, r"needs some text\.\Z"):
            TABLE["message"].decode({"user": "bob", "text": ""})

    def test_what_does_not_fit_is_named(self) -> None:
        with self.assertRaisesRegex(BadUsage, "received: marks"):
            TABLE["received"].decode({"marks": 3})

    def test_programs_name_their_room(self) -> None:
        """No current room stands in for it."""
        with self.assertRaisesRegex(BadUsage, "needs room"):
            TABLE["say"].decode({"text": "hi"})
