"""What a client says of a message beside who wrote it: whether it was sealed, and whether it is genuine."""

from __future__ import annotations

from typing import ClassVar

from chat.protocol.values import Sealed, Text, value


@value
class Opened(Text):
    """What was sealed, and is genuine."""

    mark: ClassVar[str] = "sealed"


@value
class InTheClear(Text):
    """What anybody may have written or read, in a conversation that is sealed."""

    mark: ClassVar[str] = "NOT SEALED"


@value
class Unopened(Text):
    """In place of what does not open: why that is so.

    :param sealed: what it is, in case a key comes for it.
    """

    mark: ClassVar[str] = "unreadable"

    sealed: Sealed
