"""Topics and reasons: words that stand on one line."""

from __future__ import annotations

from chat.protocol.values import Text

MOST_CHARACTERS = 300
"""The longest topic or reason; what is beyond is cut."""


def one_line(text: str) -> str:
    """Words as one line of at most `MOST_CHARACTERS` characters."""
    return " ".join(text.split())[:MOST_CHARACTERS].rstrip()


def one_line_body(text: str) -> Text | None:
    """The same as the body of a row, which has none where there are no words."""
    words = one_line(text)
    return Text(words) if words else None
