"""The lines of a large packet, cut when their turn comes.

Cutting 64 KiB into short lines takes a millisecond and ten times the room, and those who send so much wait anyway.
"""

from __future__ import annotations

from collections.abc import Sequence

TOO_LONG = object()
"""What a front end is given instead of a line that was too long."""


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
