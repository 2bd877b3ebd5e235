"""Refusals that wait until it is known whether this was stored before."""

from __future__ import annotations

from types import TracebackType

from chat.protocol.errors import ChatError


class DeferredRefusal:
    """Checks of something that may be a repeated send: what was stored at the first try is its result, whoever was
    muted, blocked or slowed down since.

    As a context manager it keeps the first refusal of a send with a retry id, for
    `chat.server.interfaces.IStore.append` to raise; without one, nothing could have been stored before, and the refusal
    goes on its way.

    :ivar refusal: what this is refused with unless it was stored before.
    """

    __slots__ = ("_retry", "refusal")

    def __init__(self, retry: str | None) -> None:
        self._retry = retry
        self.refusal: ChatError | None = None

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> bool:
        if self._retry is None or not isinstance(error, ChatError):
            return False
        self.refusal = error
        return True
