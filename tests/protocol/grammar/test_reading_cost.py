"""Whatever somebody sends is read in a time that depends on its length alone, and not on how many there are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.protocol.events import Refused
from chat.protocol.grammar.context import Context
from chat.protocol.grammar.parser import read
from chat.protocol.grammar.verbs import Verb
from chat.protocol.wire.jsonlines import decode, request_id
from chat.server.commands.table import TABLE
from chat.server.core.dispatcher import attempt
from tests.protocol.grammar.big_town import MANY, contexts, cost, names

LINE = 8 * 1024
FRAME = 64 * 1024

A_LINE = 0.001
"""Seconds of CPU in which a line is read."""

A_FRAME = 0.02
"""The same for a frame of 64 KiB: several times what the worst takes on a quiet machine."""

_MARKS = "\u0345\u0301\u0327\u0300\u031b\u0334"
"""Combining marks of different classes: to put them in order takes a time that grows with the square."""

_FRAGMENTS = (
    *("q", "q" * 32 + " ", "qq qq ", "user0000 ", "room0000 ", "user0001x", "bob ", "bbo ", "@bob ", "#room00001 "),
    *(_MARKS, "e" + _MARKS + " ", "é", "\u1100\u1161\u11a8", "ﬁ", "ß", "²", "٣", "😀", "\u202e", "\0", "\x1b[2J"),
    *("1", "9w ", "20 ", "since ", "since 09:00 ", "in:", ' in:"', ' from:"x" ', ' since:"', "r2.41 ", "r", "."),
    *(" ", "\t", "\u3000", "\r", "/", "//", "'", "!", "-", "-1", "mesage bob ", "passwrd x1 ", "mesag user0000 "),
    *("ban bob 2h ", "admin ", "admin ban bob ", "set realname ", "set timezone ", "tell bob to call "),
)


def _filled(beginning: str, fragment: str, size: int = LINE) -> str:
    """A line of that many bytes at most."""
    times = (size - len(beginning.encode())) // len(fragment.encode("utf-8", "surrogatepass"))
    return beginning + fragment * times


def _read_cost(line: str, context: Context) -> float:
    return cost(partial(attempt, read, line, context), A_LINE)


class OneLine(SynchronousTestCase):
    """No line of 8 KiB takes more than 1 ms of CPU to read, with 10,000 rooms and 10,000 accounts."""

    def check(self, lines: Iterable[str], contexts: Iterable[Context]) -> None:
        slow = [
            (f"{line[:60]!r}", context.logged_in, context.room, f"{taken * 1000:.2f} ms")
            for context in contexts
            for line in lines
            if (taken := _read_cost(line, context)) >= A_LINE
        ]
        self.assertEqual(slow, [])

    def test_of_every_verb_with_whatever_may_follow(self) -> None:
        lines = [_filled(f"{slash}{word} ", each) for word in TABLE for each in _FRAGMENTS for slash in ("", "/")]
        for context in contexts():
            self.check(lines, [context])

    def test_of_garbage(self) -> None:
        self.check([_filled("", each) for each in _FRAGMENTS], contexts())

    def test_of_a_short_word_that_is_no_name(self) -> None:
        """As somebody types them by the thousand."""
        words = ("q" * 32, "user00001"[:-1], "room0000", "user00002".ljust(31, "x"), "user00001".ljust(32, "x"))
        self.check(
            [f"{verb} {word}" for verb in ("connect", "message", "whois", "ban", "q") for word in words], contexts()
        )

    @settings(max_examples=60)
    @given(st.sampled_from(["", *TABLE]), st.lists(st.sampled_from(_FRAGMENTS), min_size=1, max_size=6), st.data())
    def test_of_any_mixture(self, word: str, fragments: list[str], data: st.DataObject) -> None:
        context = data.draw(st.sampled_from(contexts()))
        self.check([_filled(f"{word} ", "".join(fragments))], [context])


class Suggestions(SynchronousTestCase):
    def test_they_cost_the_same_however_many_names_there_are(self) -> None:
        few, many = names(100), names(MANY)
        for word in ("q" * 32, "user0000", "room00003".ljust(31, "x")):
            for look in ("near_account", "near_room"):
                costs = [cost(partial(_repeat, getattr(each, look), word), 0) for each in (few, many)]
                self.assertLess(costs[1], 10 * costs[0], (word, look, costs))

    def test_they_are_found_among_many(self) -> None:
        self.assertEqual(names().near_account("usr00001"), "user00001")
        self.assertEqual(names().near_account("user0001"), "user00001")
        self.assertEqual(names().near_account("suer00001"), "user00001")
        self.assertEqual(names().near_room("room00003q"), "room00003")
        self.assertIsNone(names().near_room("room000q3q"))


def _repeat(look: Callable[[str], object], word: str) -> None:
    for _ in range(100):
        look(word)


_INNER = (*('"x"', '""', '"\\ud800"', '"\\u0301"', "1", "1e5", "9" * 4_299), *("[" * 30 + "]" * 30, "{}", '{"a":"b"}'))


def _frames(size: int) -> Iterator[bytes]:
    """Requests of about that many bytes."""
    long = "x" * size
    marks = _filled("", _MARKS, size)
    for verb in TABLE.verbs:
        yield _frame(verb, {each.name: long for each in verb.parameters})
        yield _frame(verb, {each.name: marks for each in verb.parameters})
    for inner in _INNER:
        many = size // (len(inner) + 1)
        yield b'{"cmd":"received","args":{"marks":[' + ",".join([inner] * many).encode() + b"]}}"
        pairs = ",".join(f'"r{number}":{inner}' for number in range(1, size // (len(inner) + 8)))
        yield b'{"cmd":"received","args":{"marks":{' + pairs.encode() + b"}}}"
    yield b"[" * size
    yield b'{"a":' * (size // 5)
    yield b"9" * size
    yield b"\xff" * size


def _frame(verb: Verb, values: dict[str, object]) -> bytes:
    share = {name: value[: len(value) // len(values)] for name, value in values.items() if isinstance(value, str)}
    return json.dumps({"cmd": verb.name, "args": share}, ensure_ascii=False).encode()


def _take(frame: bytes) -> None:
    request = attempt(decode, frame)
    if isinstance(request, Refused):
        attempt(request_id, frame)
    else:
        attempt(TABLE[request.cmd].decode, request.args)


class OneFrame(SynchronousTestCase):
    def test_no_frame_takes_long(self) -> None:
        for frame in _frames(FRAME):
            self.assertLess(cost(partial(_take, frame), A_FRAME), A_FRAME, frame[:100])

    def test_a_frame_takes_a_time_that_grows_with_its_length(self) -> None:
        """Four times the bytes take four times as long; what grew with the square would take 16 times."""
        for small, large in zip(_frames(FRAME // 4), _frames(FRAME), strict=True):
            best = cost(partial(_take, small), 0)
            limit = 9 * max(best, 0.0001)
            self.assertLess(cost(partial(_take, large), limit), limit, large[:100])
