"""Large packets are cut into the same lines as small ones, but when their turn comes."""

from __future__ import annotations

import tracemalloc
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.server.frontends.jsonlines import FRAME_BYTES
from chat.server.frontends.line_decoder import CUT_AT_ONCE, TOO_LONG, LineDecoder, Lines, PackedLines, whole_line
from chat.server.settings.schema import Settings
from tests.server.frontends.server import ServerCase

LINES = st.lists(st.sampled_from([b"", b"a", b"ab\r", b"\r", b"four", b"four\r", b"fives", b"x" * 50]), min_size=1)


class Cutting(SynchronousTestCase):
    @given(LINES, st.lists(st.integers(1, 5), min_size=1), st.booleans())
    def test_the_lines_are_the_same(self, lines: list[bytes], counts: list[int], too_long: bool) -> None:
        after = [TOO_LONG] * too_long
        packed = PackedLines(b"\n".join(lines), 4, after)
        taken: list[object] = []
        while packed:
            self.assertEqual(len(packed), len(lines) + len(after) - len(taken))
            taken += packed.take(counts[len(taken) % len(counts)])
        self.assertEqual(taken, [*(whole_line(line, 4) for line in lines), *after])
        self.assertEqual(packed.size, 0)

    def test_a_line_that_is_too_long(self) -> None:
        self.assertEqual(PackedLines(b"fives\nfour\r\nfour!\r", 4).take(3), [TOO_LONG, b"four", TOO_LONG])


class LargePackets(ServerCase):
    def test_are_read_as_small_ones_are(self) -> None:
        """Whichever way they come; what is too long is refused once, and what comes after it is read."""
        lines = b"".join(b"ping\r\n/time\n" if number % 3 else b"x" * 9_000 + b"\n\n" for number in range(60))
        answers = []
        for size in (CUT_AT_ONCE // 2, CUT_AT_ONCE * 3, len(lines)):
            caller = self.guest()
            caller.types("help")
            caller.raw()
            for start in range(0, len(lines), size):
                caller.sends(lines[start : start + size])
            answers.append(caller.gets())
            self.assertEqual(answers[-1].count("* pong"), 40)
            self.assertEqual(answers[-1].count("A line can have at most"), 20)
        self.assertEqual(len(set(answers)), 1)


class Waiting(ServerCase):
    """Somebody sends far more than may be done."""

    settings: dict[str, Any] = {"rate": Settings().rate, "burst": Settings().burst}  # noqa: RUF012  # read only

    def test_takes_little_more_room_than_it_came_in(self) -> None:
        caller = self.guest()
        packet = b"time\n" * 13_000
        tracemalloc.start()
        self.addCleanup(tracemalloc.stop)
        caller.sends(packet)
        self.assertLess(tracemalloc.get_traced_memory()[0], 2 * len(packet))
        self.assertEqual(caller.wire.producerState, "paused")

    def test_large_frames_are_few(self) -> None:
        program = self.call("json")
        frame = b'{"cmd": "ping", "junk": "' + b"x" * (FRAME_BYTES - 30) + b'"}\n'
        sent = 0
        while program.wire.producerState == "producing":
            program.sends(frame)
            sent += 1
        self.assertLessEqual(sent, 6)
        self.server.advance(20)
        self.assertEqual(program.wire.producerState, "producing")


class Decoding(SynchronousTestCase):
    @given(st.lists(st.sampled_from([*b"ab\n\r\0"]), max_size=60).map(bytes), st.lists(st.integers(1, 9), min_size=1))
    def test_it_does_not_matter_how_bytes_arrive(self, data: bytes, sizes: list[int]) -> None:
        """But for a carriage return and what follows it, which may come apart and still are one line end."""
        decoder, lines, place = LineDecoder(), list[object](), 0
        while place < len(data):
            size = sizes[place % len(sizes)]
            lines += self.all_of(decoder.decode(data[place : place + size], 5))
            place += size
        whole = data.replace(b"\r\0", b"\n").split(b"\n")
        expected = [whole_line(line, 5) for line in whole[:-1]]
        if len(whole[-1]) > 7:
            expected.append(TOO_LONG)
        self.assertEqual(lines, expected)

    def test_nothing_is_no_line(self) -> None:
        decoder = LineDecoder()
        self.assertEqual([decoder.decode(data, 5) for data in (b"", b"\n", b"")], [[], [b""], []])

    def all_of(self, lines: Lines) -> list[object]:
        return lines.take(100) if isinstance(lines, PackedLines) else list(lines)
