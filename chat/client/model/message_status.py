"""The text of a message together with what this client found out: whether it was encrypted, and is genuine."""

from __future__ import annotations

from typing import ClassVar

from chat.protocol.values import Sealed, Text, value


@value
class Opened(Text):
    """An encrypted message that was decrypted and is genuine."""

    mark: ClassVar[str] = "encrypted"


@value
class InTheClear(Text):
    """An unencrypted message in an encrypted conversation: anybody on the way may have written or read it."""

    mark: ClassVar[str] = "NOT ENCRYPTED"


@value
class Unopened(Text):
    """A message that cannot be decrypted; its text says why.

    :param sealed: the encrypted message, in case its key arrives later.
    """

    mark: ClassVar[str] = "unreadable"

    sealed: Sealed
