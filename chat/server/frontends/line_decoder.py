"""From bytes to lines. A line that is too long is refused whole, and what comes after it is read.

The lines of a large packet are cut when their turn comes: cutting 64 KiB into short lines takes a millisecond and ten
times the room, and those who send so much wait anyway.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

TOO_LONG = object()
"""What a front end is given instead of a line that was too long."""


CUT_AT_ONCE = 1_024
"""Bytes of a packet that is cut into lines when it comes."""


def whole_line(line: bytes, most: int) -> object:
    """A line as front ends take it: without a carriage return at its end, or `TOO_LONG`.

    :param most: the bytes that it may have.
    """
    if line[-1:] == b"\r":
        line = line[:-1]
    return TOO_LONG if len(line) > most else line


class PackedLines:
    """Some lines that came together.

    :param data: the lines, without the end of the last one.
    :param most: the bytes that a line may have.
    :param after: what comes after them and was cut already.
    """

    __slots__ = ("_after", "_count", "_data", "_most")

    def __init__(self, data: bytes, most: int, after: Sequence[object] = ()) -> None:
        self._data = data
        self._most = most
        self._after = after
        self._count = data.count(b"\n") + 1

    def __len__(self) -> int:
        """How many lines are left."""
        return self._count + len(self._after)

    @property
    def size(self) -> int:
        """The bytes that are left."""
        return len(self._data)

    def take(self, count: int) -> list[object]:
        """Cut the next lines off.

        :param count: how many; where that is all, what comes after them is added.
        """
        lines = self._data.split(b"\n", count)
        rest = lines.pop() if len(lines) > count else None
        self._count -= len(lines)
        taken = [whole_line(line, self._most) for line in lines]
        if rest is None:
            self._data = b""
            taken += self._after
            self._after = ()
        else:
            self._data = rest
        return taken


Lines = Sequence[object] | PackedLines
"""Lines without their ends, each as bytes or `TOO_LONG`."""


class LineDecoder:
    """The lines of one connection.

    :ivar rest: the beginning of a line whose end has not come yet.
    :ivar skipping: whether what comes belongs to a line that was refused as too long.
    """

    __slots__ = ("rest", "skipping")

    def __init__(self) -> None:
        self.rest = b""
        self.skipping = False

    def decode(self, data: bytes, most: int) -> Lines:
        """Take bytes.

        :param most: the bytes that a line may have.
        :returns: all lines that end in them, or in which they go beyond ``most``.
        """
        size = len(data)
        if 0 < data.find(b"\n") + 1 == size <= CUT_AT_ONCE and not (self.rest or self.skipping) and b"\r" not in data:
            return [data[:-1] if size <= most + 1 else TOO_LONG]  # one line, as nearly always
        buffer = self.rest + data if self.rest else data
        if b"\r\0" in buffer:  # a bare carriage return, as telnet sends it (RFC 854)
            buffer = buffer.replace(b"\r\0", b"\n")
        if self.skipping and b"\n" in buffer:  # what ends there is the end of a line that was refused
            self.skipping = False
            buffer = buffer[buffer.index(b"\n") + 1 :]
        whole, ended, self.rest = buffer.rpartition(b"\n")
        after: list[object] = []
        if len(self.rest) > most + 2:  # two carriage returns may still follow a line that is not too long
            self.rest = b"\r" if self.rest[-1:] == b"\r" else b""  # what follows may make it a line end
            if not self.skipping:
                self.skipping = True
                after.append(TOO_LONG)
        return _lines(whole, most, after) if ended else after


def _lines(data: bytes, most: int, after: list[object]) -> Lines:
    if len(data) > CUT_AT_ONCE:
        return PackedLines(data, most, after)
    lines: list[Any] = data.split(b"\n")
    if b"\r" in data or len(data) > most:
        lines = [whole_line(line, most) for line in lines]
    return [*lines, *after] if after else lines
