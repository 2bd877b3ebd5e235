"""One connection's input, line by line, and its answers in the order of the lines.

The rules:

* A line is read when its turn comes, so that it is understood in the state that the lines before it left.
* Commands may overlap (the next line is read while the one before is on its way to the disk), but for
  barriers: those wait for all before them, and all after them wait.
* Answers are shown in the order of the lines, whichever is ready first.
* Many lines are read in many turns of the reactor: each waits for a turn whose time is not spent, but for the first one
  of a small packet.
* Whoever is in debt (`rest`) is not read for a while. Lines wait then, and none is refused.
* Nothing is held for a connection that is idle: a deque takes 600 bytes even when it is empty.
* Waiting lines are bounded: beyond `MOST_WAITING` or `MOST_BYTES` nothing more is read from the connection until half
  are done. All but the next few wait as they came.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Awaitable, Coroutine, Sequence
from typing import Any, Protocol

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from chat.protocol.events import Reply
from chat.protocol.grammar.context import Call
from chat.server.frontends.line_decoder import Lines, PackedLines
from chat.server.interfaces import ITurn
from chat.server.logs import Logger

log = Logger()

MOST_WAITING = 1_000
"""Lines that may wait for their turn."""

MOST_BYTES = 64 * 1024
"""Bytes that may wait, beside the next lines."""

AHEAD = 100
"""Lines of a large packet that are cut at a time."""

MOST_UNANSWERED = 100
"""Commands that may be on their way at the same time."""


class _Slot:
    """The place of one answer."""

    __slots__ = ("bytes",)

    def __init__(self) -> None:
        self.bytes: bytes | None = None


class _Later:
    """The lines behind the next ones, as they came.

    :ivar count: how many lines there are.
    :ivar size: how many bytes.
    """

    __slots__ = ("_chunks", "count", "size")

    def __init__(self) -> None:
        self._chunks: deque[Lines] = deque()
        self.count = 0
        self.size = 0

    def add(self, lines: Lines) -> None:
        self._chunks.append(lines)
        self.count += len(lines)
        self.size += _size(lines)

    def take(self) -> Sequence[Any]:
        """The next few."""
        chunk = self._chunks[0]
        self.size -= _size(chunk)
        taken = chunk.take(AHEAD) if isinstance(chunk, PackedLines) else chunk
        self.count -= len(taken)
        if isinstance(chunk, PackedLines) and chunk:
            self.size += chunk.size
        else:
            self._chunks.popleft()
        return taken


def _size(lines: Lines) -> int:
    if isinstance(lines, PackedLines):
        return lines.size
    return sum(len(line) for line in lines if isinstance(line, bytes))


class PipelineHandler(Protocol):
    """What a pipeline calls: one object, as each bound method of an idle connection takes 64 bytes."""

    def read(self, line: Any) -> Call | bytes:
        """What a line means: a call, or bytes that answer it at once."""

    def perform(self, call: Call) -> Awaitable[Reply]:
        """Run a call."""

    def respond(self, call: Call, reply: Reply) -> bytes | Awaitable[bytes]:
        """Turn a reply into bytes, now or later, and do what it means for the front end."""

    def write(self, answer: bytes) -> None:
        """Send bytes."""

    def pause(self, paused: bool) -> None:
        """Too many lines wait, or there is room again."""

    def drained(self) -> None:
        """An end of input was announced, and everything is answered."""


class Pipeline:
    """Runs lines as commands, in order, and writes what they are answered in the order of the lines."""

    __slots__ = (
        "_busy",
        "_closed",
        "_ended",
        "_handler",
        "_later",
        "_lines",
        "_next",
        "_paused",
        "_pumping",
        "_resting",
        "_slots",
        "_turn",
        "_yielded",
    )

    def __init__(self, handler: PipelineHandler, turn: ITurn) -> None:
        self._handler = handler
        self._turn = turn
        self._lines: deque[Any] | None = None
        self._later: _Later | None = None
        self._slots: list[_Slot] = []
        self._next: Call | None = None
        self._busy = False
        self._paused = False
        self._pumping = False
        self._resting = 0
        self._yielded = False
        self._ended = False
        self._closed = False

    @property
    def reading(self) -> bool:
        """Whether a line is being read or started just now, so that its answer is still to come."""
        return self._pumping

    @property
    def waiting(self) -> bool:
        """Whether lines wait for their turn."""
        return bool(self._lines)

    def feed(self, lines: Lines) -> None:
        """Take lines; each is read when its turn comes."""
        if self._closed:
            return
        if self._lines is None and type(lines) is list:
            self._lines = deque(lines)
        else:
            if self._later is None:
                self._later = _Later()
            self._later.add(lines)
            self._refill()
            if isinstance(lines, PackedLines) and not self._yielded and self._turn.spent():
                self._wait_for_turn()
        self._pump()

    def drop(self) -> int:
        """Forget the lines that wait.

        :returns: how many there were.
        """
        dropped = self._waiting()
        self._lines = self._later = None
        return dropped

    def _waiting(self) -> int:
        return len(self._lines or ()) + (self._later.count if self._later is not None else 0)

    def _refill(self) -> None:
        """See to it that the next line is there, if one waits."""
        if not self._lines and self._later is not None:
            self._lines = deque(self._later.take())
            if not self._later.count:
                self._later = None

    def end(self) -> None:
        """No more lines come; ``drained`` is called when all are answered."""
        self._ended = True
        self._pump()

    def rest(self, waiting: Deferred[None]) -> None:
        """Read no line until a Deferred fires; may overlap."""
        self._resting += 1
        waiting.addCallback(self._rested)

    def _rested(self, _: None) -> None:
        self._resting -= 1
        if self._lines:
            self._turn.soon(self._pump)  # after the commands that were put off until now

    def close(self) -> None:
        """Forget the lines that wait, and take no more."""
        self._closed = True
        self._lines = self._later = None
        self._next = None

    def _pump(self) -> None:
        """Read and start lines, until nothing waits or something has to be waited for."""
        if self._pumping:
            return
        if self._yielded:
            self._regulate()
            return
        self._pumping = True
        try:
            while not self._busy:
                call = self._next
                if call is None:
                    if not self._lines or self._resting or len(self._slots) >= MOST_UNANSWERED:
                        break
                    line = self._lines.popleft()
                    if not self._lines and self._later is not None:
                        self._refill()
                    meaning = self._handler.read(line)
                    if isinstance(meaning, bytes):
                        self._show(meaning)
                    else:
                        call = meaning
                if call is not None:
                    if call.verb.barrier and self._slots:
                        self._next = call
                        break
                    self._next = None
                    self._start(call)
                if self._lines and self._turn.spent():
                    self._wait_for_turn()
                    break
        finally:
            self._pumping = False
        if not self._lines:
            self._lines = None
        if self._later is not None or self._paused:
            self._regulate()
        if self._ended and not (self._lines or self._slots or self._next):
            self._ended = False
            self._handler.drained()

    def _wait_for_turn(self) -> None:
        self._yielded = True
        self._turn.later(self._take_turn)

    def _take_turn(self) -> None:
        self._yielded = False
        self._pump()

    def _regulate(self) -> None:
        """Stop or go on reading from the connection, by what waits."""
        waiting = max(self._waiting() / MOST_WAITING, self._later.size / MOST_BYTES if self._later is not None else 0)
        if waiting >= 1 and not self._paused:
            self._paused = True
            self._handler.pause(True)
        elif waiting <= 0.5 and self._paused:
            self._paused = False
            self._handler.pause(False)

    def _show(self, answer: bytes) -> None:
        """Show an answer that is ready, in its turn."""
        if not self._slots:
            self._handler.write(answer)
        elif answer:
            slot = _Slot()
            slot.bytes = answer
            self._slots.append(slot)

    def _start(self, call: Call) -> None:
        slot = _Slot()
        self._slots.append(slot)
        if call.verb.barrier:
            self._busy = True
        _drive(self._run(call, slot))

    async def _run(self, call: Call, slot: _Slot) -> None:
        try:
            reply = await self._handler.perform(call)
            response = self._handler.respond(call, reply)
            answer = response if isinstance(response, bytes) else await response
        except Exception:
            # A bug of ours, which must not stop the connection.
            log.failure("cannot render the answer to {verb}", verb=call.verb.name)
            answer = b""
        self._finish(call, slot, answer)

    def _finish(self, call: Call, slot: _Slot, answer: bytes) -> None:
        slot.bytes = answer
        slots = self._slots
        while slots and (ready := slots[0].bytes) is not None:
            del slots[0]
            if ready:
                self._handler.write(ready)
        if call.verb.barrier:
            self._busy = False
        if self._lines or self._next or self._ended or self._paused:
            self._pump()


def _drive(coroutine: Coroutine[Deferred[Any], Any, None]) -> None:
    """Run a coroutine from one Deferred to the next, as ``Deferred.fromCoroutine`` does, for one that nobody waits
    for: without a result, a way to cancel it, and a context of its own a line costs 3 microseconds less."""

    def go_on(result: object) -> None:
        try:
            if isinstance(result, Failure):
                waiting = result.throwExceptionIntoGenerator(coroutine)
            else:
                waiting = coroutine.send(None)  # the Deferred itself hands over its result
        except StopIteration:
            return
        waiting.addBoth(go_on)

    go_on(None)
