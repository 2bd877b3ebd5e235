"""Telnet (RFC 854), as far as a line of text needs it. Pure: bytes in, bytes out.

We offer nothing and want nothing but to keep a password off the screen (``ECHO``, RFC 857: who says ``WILL ECHO`` and
then does not echo makes the other end show nothing), and now and then whether everything was shown (a timing mark, RFC
860, is answered when the program at the other end comes to it). Every request is refused once; a timing mark is
answered where it stands among the lines, which proves to the peer that all before it was taken.
"""

from __future__ import annotations

from collections.abc import Callable

IAC, DONT, DO, WONT, WILL, SB, SE = 255, 254, 253, 252, 251, 250, 240
ECHO, TIMING_MARK = 1, 6

HIDE = bytes((IAC, WILL, ECHO))
"""Makes the peer's terminal show nothing of what is typed."""

SHOW = bytes((IAC, WONT, ECHO))

MOST_ANSWERS = 64
"""Requests that are answered in all; who asks more than the number of options there are in use is not serious."""

_REFUSALS = {DO: WONT, WILL: DONT}


class Telnet:
    """What one connection has negotiated, and the bytes of a command that is not complete yet."""

    __slots__ = ("_answers", "_asked", "_partial", "_refused", "hidden")

    def __init__(self) -> None:
        self._partial = b""
        self._answers = 0
        self._asked: Callable[[], None] | None = None
        self._refused: set[tuple[int, int]] = set()
        self.hidden = False

    def ask(self, answered: Callable[[], None]) -> bytes:
        """Ask the peer to say when it has come to this place in what it is sent.

        :param answered: called when it says so; whether it knows what was asked makes no difference.
        :returns: what is to be sent; nothing where the last answer is still to come.
        """
        if self._asked is not None:
            return b""
        self._asked = answered
        return bytes((IAC, DO, TIMING_MARK))

    def receive(self, received: bytes) -> tuple[bytes, bytes]:
        """Take commands out of what was received.

        :returns: the text that is left, and what is to be answered.
        """
        buffer = self._partial + received
        self._partial = b""
        if IAC not in buffer:
            return buffer, b""
        text = bytearray()
        answers = bytearray()
        place = 0
        while (start := buffer.find(IAC, place)) >= 0:
            text += buffer[place:start]
            end = _end_of_command(buffer, start)
            if end is None:
                self._partial = buffer[start:]
                if len(self._partial) > _MOST_PARTIAL:  # its beginning, and what may be half of its end
                    self._partial = self._partial[:2] + self._partial[-1:]
                return bytes(text), bytes(answers)
            if buffer[start + 1] == IAC:
                text.append(IAC)
            elif end - start == 3:
                answers += self._answer(buffer[start + 1], buffer[start + 2])
            place = end
        text += buffer[place:]
        return bytes(text), bytes(answers)

    def _answer(self, verb: int, option: int) -> bytes:
        if option == TIMING_MARK and verb in (WILL, WONT) and self._asked is not None:
            asked, self._asked = self._asked, None
            asked()
            return b""
        refusal = _REFUSALS.get(verb)
        if refusal is None or self._answers >= MOST_ANSWERS or (verb == DO and option == ECHO and self.hidden):
            return b""
        if option == TIMING_MARK and verb == DO:
            self._answers += 1
            return bytes((IAC, WILL, TIMING_MARK))
        if (verb, option) in self._refused:
            return b""
        self._refused.add((verb, option))
        self._answers += 1
        return bytes((IAC, refusal, option))


_MOST_PARTIAL = 1_024
"""Bytes of an unfinished command that are kept."""


def _end_of_command(buffer: bytes, start: int) -> int | None:
    """Where a command that begins with IAC ends, or nothing while it is not complete."""
    if start + 1 >= len(buffer):
        return None
    verb = buffer[start + 1]
    if verb == SB:
        end = buffer.find(bytes((IAC, SE)), start + 2)
        return end + 2 if end >= 0 else None
    length = 3 if verb in (WILL, WONT, DO, DONT) else 2
    return start + length if start + length <= len(buffer) else None


def with_line_ends(lines: bytes) -> bytes:
    """Lines as telnet wants them. They are UTF-8, in which no byte looks like a command."""
    return lines.replace(b"\n", b"\r\n")
