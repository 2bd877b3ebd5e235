"""Frames of a direct connection: each has its length before it, and none is too long. Pure."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from chat.client.model.failures import BadPeerFrame

MOST_BEFORE_PROOF: Final = 1_024
"""Bytes of the longest frame from somebody who has proven nothing yet: an introduction has some 400."""

MOST: Final = 64 * 1024
"""Bytes of the longest frame."""

_LENGTH = 4


class FrameKind(IntEnum):
    """What a frame holds. One of another kind comes from a later version, and is left out."""

    INTRODUCTION = 1
    LETTER = 2
    RECEIVED = 3
    REFUSED = 4
    WANT = 5
    PIECE = 6
    HAVE = 7
    STOP = 8


def frame(kind: FrameKind, body: bytes) -> bytes:
    """A frame as it is sent: four bytes of length, one for the kind, the body."""
    return (1 + len(body)).to_bytes(_LENGTH) + bytes([kind]) + body


class Frames:
    """Takes bytes as they come, gives whole frames.

    :ivar most: bytes of the longest frame that is taken, its kind included.
    """

    def __init__(self, most: int) -> None:
        self.most = most
        self._held = bytearray()

    def feed(self, data: bytes) -> None:
        """Bytes have come."""
        self._held += data

    def next(self) -> tuple[int, bytes] | None:
        """The next frame, its kind and its body; nothing until all of it is there.

        :raises BadPeerFrame: as soon as a length shows that it is empty or too long.
        """
        held = self._held
        if len(held) < _LENGTH:
            return None
        end = _LENGTH + int.from_bytes(held[:_LENGTH])
        if not _LENGTH < end <= _LENGTH + self.most:
            raise BadPeerFrame(f"A frame has 1 to {self.most:,} bytes.")
        if len(held) < end:
            return None
        kind, body = held[_LENGTH], bytes(held[_LENGTH + 1 : end])
        del held[:end]
        return kind, body
