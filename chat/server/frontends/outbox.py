"""What is sent to one connection: in order, in one piece a turn, and bounded.

The rules:

* Lines of one's own (`write`) and batches of audiences (`send`) leave in the order in which they were handed
  over; at most one ``send`` a turn where nobody is slow.
* A plain TCP connection is written to directly. ``transport.write`` waits for the reactor, which costs two
  ``epoll_ctl`` and a poll for each recipient, more than the delivery itself. What does not go out at once is left to
  the transport, and until it is drained (`resumeProducing`) everything queues here.
* Any other transport (TLS, tests) gets ``transport.write`` and says itself when it is full.
* While a prompt waits for its answer, what comes unasked stands on lines of its own, and the prompt again after it.
* Unsent bytes are bounded: a reader that is slower than that is dropped. Nothing is lost, the log has it. What a
  transport was given counts until the kernel has taken it.
* After `close` and `abandon` nothing is taken any more, whoever still writes.
"""

from __future__ import annotations

import fcntl
import struct
from collections.abc import Callable
from socket import socket
from typing import Any

from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from chat.server.frontends.socket_options import is_encrypted
from chat.server.frontends.transport_buffers import buffered, push_out
from chat.server.interfaces import ITurn

_TIOCOUTQ = 0x5411
"""Asks Linux how many bytes the peer's kernel has not acknowledged (``tcp(7)``)."""

MOST_GATHERED = 64 * 1024
"""Bytes of one's own lines that wait for the end of the turn; a paste may ask for any amount of answers in one."""


@implementer(IPushProducer)
class Outbox:
    """The way out to one connection.

    :param most: unsent bytes at which ``too_slow`` is called, once.
    """

    __slots__ = (
        "_backlog",
        "_gathered",
        "_handed",
        "_held",
        "_kernel",
        "_most",
        "_over",
        "_own",
        "_prompt",
        "_socket",
        "_too_slow",
        "_transport",
        "_turn",
        "_unsent",
    )

    def __init__(self, transport: Any, turn: ITurn, most: int, too_slow: Callable[[], None]) -> None:
        self._transport = transport
        self._turn = turn
        self._most = most
        self._too_slow: Callable[[], None] | None = too_slow
        self._own: list[bytes] | None = None
        self._prompt: tuple[bytes, bytes] | None = None
        self._held: list[bytes] | None = None
        self._backlog: list[bytes] | None = None
        self._gathered = 0
        self._unsent = 0
        self._handed = 0
        self._over = False
        self._kernel = _socket_of(transport)
        self._socket = None if is_encrypted(transport) else self._kernel
        if self._socket is None:
            transport.registerProducer(self, True)

    # handing over

    def write(self, line: bytes) -> None:
        """Send a line of this connection's own, at the end of the turn."""
        if not self._own:
            self._own = [line]
            self._gathered = len(line)
            self._turn.soon(self.flush)
        else:
            self._own.append(line)
            self._gathered += len(line)
            if self._gathered > MOST_GATHERED:
                self.flush()

    def ask(self, prompt: bytes, line_end: bytes) -> None:
        """What was written last ends in a prompt; until `answered` all that comes is shown in lines around it.

        :param line_end: what ends the line of the prompt.
        """
        self.flush()
        self._prompt = (line_end, prompt)
        self._own = []  # so that batches of audiences come by `flush` as well

    @property
    def asking(self) -> bool:
        """Whether a prompt stands at the end of what was sent."""
        return self._prompt is not None

    def answered(self) -> None:
        """The line of the prompt has ended."""
        self._prompt = None
        self._own = self._own or None

    def send(self, batch: bytes) -> None:
        """Send what an audience has for this connection, after everything that was handed over before."""
        if self._held is not None:
            self._held.append(batch)
            self._bound(len(batch))
        elif self._own is not None:
            self.write(batch)
        elif self._backlog is None and self._socket is not None:  # as in `_push`: nearly every delivery comes here
            try:
                sent = self._socket.send(batch)
            except OSError as error:
                self._refused(batch, error)
            else:
                if sent < len(batch):
                    self._fall_behind(batch[sent:])
        else:
            self._push(batch)

    def hold(self) -> None:
        """Hold back what audiences send, until `release`: the past is still being read."""
        if self._held is None:
            self._held = []

    def release(self) -> None:
        """Let go what was held back, after the lines of one's own that were written meanwhile."""
        held, self._held = self._held, None
        if held:
            self._unsent -= sum(map(len, held))
            for batch in held:
                self.write(batch)

    def flush(self) -> None:
        """Send the lines of one's own now."""
        own, self._own = self._own, None if self._prompt is None else []
        if own:
            lines = own[0] if len(own) == 1 else b"".join(own)
            if self._prompt is not None and b"\n" in lines:
                line_end, prompt = self._prompt
                lines = line_end + lines + prompt
            self._push(lines)

    def close(self) -> None:
        """Send what waits, and take no more."""
        if self._over:
            return
        self.release()
        self.flush()
        backlog, self._backlog = self._backlog, None
        if backlog:
            self._transport.write(b"".join(backlog))
        if self._socket is None or backlog is not None:
            self._transport.unregisterProducer()
        self._end()

    def abandon(self) -> None:
        """Forget what waits, and take no more: the connection is lost, or goes on in another way."""
        if self._over:
            return
        if self._socket is not None and self._backlog is not None:
            self._transport.unregisterProducer()
        self._own = self._held = self._backlog = self._prompt = None
        self._end()

    def _end(self) -> None:
        self._over = True
        self._socket = None
        self._too_slow = None

    def acknowledged(self) -> bool:
        """Whether the peer's kernel has everything that was handed over, as far as can be known."""
        if self._own or self._held or self._backlog is not None or buffered(self._transport):
            return False
        if self._kernel is None:
            return True
        try:
            outstanding = fcntl.ioctl(self._kernel.fileno(), _TIOCOUTQ, b"\0\0\0\0")
        except (OSError, ValueError):
            return False
        return bool(struct.unpack("i", outstanding)[0] == 0)

    # the transport's side

    def _push(self, bytes_: bytes) -> None:
        if self._over:
            return
        if self._backlog is not None:
            self._backlog.append(bytes_)
            self._bound(len(bytes_))
        elif self._socket is None:
            self._transport.write(bytes_)
            self._handed += len(bytes_)
            self._bound(0)
        else:
            try:
                sent = self._socket.send(bytes_)
            except OSError as error:
                self._refused(bytes_, error)
            else:
                if sent < len(bytes_):
                    self._fall_behind(bytes_[sent:])

    def _refused(self, bytes_: bytes, error: OSError) -> None:
        if isinstance(error, BlockingIOError):
            self._fall_behind(bytes_)
        else:
            # The kernel tells a reset once, and has told it here: the reactor would read an orderly end.
            self._transport.abortConnection()

    def _fall_behind(self, rest: bytes) -> None:
        self._backlog = [rest]
        self._transport.registerProducer(self, False)  # which takes it at once
        self._bound(0)

    def _bound(self, more: int) -> None:
        """Count bytes that wait here.

        What the transport was given is counted in full at first, and only at the bound by what it has really left.
        """
        self._unsent += more
        if self._unsent + self._handed <= self._most or self._too_slow is None:
            return
        self._handed = push_out(self._transport)
        if self._unsent + self._handed > self._most and self._too_slow is not None:
            too_slow = self._too_slow
            self.abandon()
            too_slow()

    def pauseProducing(self) -> None:
        """A transport that is no plain socket is full."""
        if self._backlog is None:
            self._backlog = []

    def resumeProducing(self) -> None:
        """The transport has room: it is drained, where the socket is written to directly."""
        backlog = self._backlog
        if backlog is None:
            return
        self._backlog = [] if self._socket is not None and backlog else None
        self._unsent = sum(map(len, self._held or ()))
        waiting = b"".join(backlog)
        self._handed = len(waiting)
        if waiting:
            self._transport.write(waiting)
        elif self._socket is not None:
            self._transport.unregisterProducer()

    def stopProducing(self) -> None:
        """The connection is gone."""
        self._backlog = None


def _socket_of(transport: Any) -> socket | None:
    """The socket of a TCP or Unix connection, if that is what it is."""
    found = getattr(transport, "socket", None)
    return found if isinstance(found, socket) else None
