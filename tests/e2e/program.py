"""A program at the other end of a real connection: JSON lines over asyncio, apart from the server's own code."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any

Frame = dict[str, Any]

LONGEST = 1 << 22
"""Bytes of the longest frame that a server may send here: a whole page of a history."""


class HungUp(Exception):
    """The connection ended before the reply came."""


class Program:
    """One connection.

    :param on_event: called with each frame that is no reply.
    :ivar ended: set when the server has ended the connection.
    """

    def __init__(self, on_event: Callable[[Frame], None] = lambda frame: None) -> None:
        self._on_event = on_event
        self._numbers = itertools.count(1)
        self._waiting: dict[Any, asyncio.Future[Frame]] = {}
        self.ended = asyncio.Event()

    async def connect(self, port: int, address: str = "127.0.0.1") -> Program:
        """:param address: of the loopback network, from which the connection comes."""
        self._reader, self._writer = await asyncio.open_connection(
            "127.0.0.1", port, limit=LONGEST, local_addr=(address, 0)
        )
        self._listening = asyncio.create_task(self._listen())
        return self

    async def __aenter__(self) -> Program:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def _listen(self) -> None:
        try:
            while line := await self._reader.readline():
                # Who is silent for a moment is greeted as a person; a busy machine makes any program silent.
                if line.startswith(b"{") and line.endswith(b"\n"):
                    self._take(json.loads(line))
        except ConnectionError:
            pass
        finally:
            self.ended.set()
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(HungUp())

    def _take(self, frame: Frame) -> None:
        waiting = self._waiting.pop(frame.get("id"), None)
        if waiting is None:
            self._on_event(frame)
        elif not waiting.done():
            waiting.set_result(frame)

    def ask(self, cmd: str, retry: str | None = None, id: str | None = None, **args: Any) -> asyncio.Future[Frame]:
        """Send a request.

        :returns: fires with the one reply, or fails with `HungUp`.
        """
        number = id if id is not None else next(self._numbers)
        request: Frame = {"id": number, "cmd": cmd, "args": args}
        if retry is not None:
            request["retry"] = retry
        waiting: asyncio.Future[Frame] = asyncio.get_running_loop().create_future()
        if self.ended.is_set():
            waiting.set_exception(HungUp())
            return waiting
        self._waiting[number] = waiting
        self._writer.write(json.dumps(request).encode() + b"\n")
        return waiting

    async def gets(self, type: str, cmd: str, **args: Any) -> Frame:
        """Send a request and wait for a reply of this type.

        :raises AssertionError: when it is another one.
        """
        frame = await self.ask(cmd, **args)
        if frame["type"] != type:
            raise AssertionError(f"{cmd} {args} is answered {frame}")
        return frame

    def break_off(self) -> None:
        """End the connection as a crash does: a reset, unread bytes and all."""
        self._writer.transport.abort()

    async def close(self) -> None:
        if not hasattr(self, "_writer"):
            return  # it never connected
        self._writer.transport.abort()
        await self._listening
        for waiting in self._waiting.values():
            if waiting.done() and not waiting.cancelled():
                waiting.exception()  # known: nobody waits for it any more
