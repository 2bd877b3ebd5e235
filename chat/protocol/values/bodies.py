"""What people write."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from chat.protocol.values.value import value

BODY_BYTES = 16 * 1024
"""The most UTF-8 bytes that one body may have."""

BODY_LINES = 40
"""The most lines that one body may have."""


@value
class Text:
    """A body in the clear; may hold line breaks (``\\n``).

    :cvar mark: what a reader's own program says of it, beside the author; never sent.
    :raises ValueError: when empty, or longer than `BODY_BYTES` or `BODY_LINES`; with a sentence for a person.
    """

    mark: ClassVar[str] = ""

    text: str

    def __post_init__(self) -> None:
        text = self.text
        if not text or text.isspace():
            raise ValueError("A message needs some text.")
        if len(text) * 4 > BODY_BYTES and len(text.encode()) > BODY_BYTES:
            raise ValueError(f"A message can have at most {BODY_BYTES:,} bytes. Send it in parts.")
        if "\n" in text and text.count("\n") >= BODY_LINES:
            raise ValueError(f"A message can have at most {BODY_LINES} lines. Send it in parts.")


@dataclass(frozen=True, slots=True)
class Sealed:
    """A body that only its readers can read; stored and routed as it is.

    :param scheme: how it was sealed (``megolm.v1``).
    :param key: the id of the key, as the sender named it.
    :param ciphertext: at most `BODY_BYTES` bytes.
    """

    scheme: str
    key: str
    ciphertext: bytes

    def __post_init__(self) -> None:
        if not self.scheme or not self.ciphertext:
            raise ValueError("a sealed message needs a scheme and a ciphertext")
        if len(self.ciphertext) > BODY_BYTES:
            raise ValueError(f"a message can have at most {BODY_BYTES:,} bytes")


Body: TypeAlias = Text | Sealed
