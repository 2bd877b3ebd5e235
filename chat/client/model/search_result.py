"""Results of a search on this machine, which does not tell the server what somebody searches for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chat.protocol.events import Found

EVERYWHERE: Final = "everywhere"
"""The argument of a search that the server may see; it is not sent."""

THE_REST: Final = (
    "Only encrypted messages were searched. To search the others too, type ! (the server then sees your words)."
)


NOTHING_SEALED: Final = (
    "Nothing found in encrypted messages. To search the others too, type ! (the server then sees your words)."
)
NOT_IN_THE_REST: Final = "Nothing found in the other messages."


@dataclass(frozen=True, slots=True)
class FoundHere(Found):
    """What was found in the encrypted messages only."""


@dataclass(frozen=True, slots=True)
class FoundThere(Found):
    """What the server has found, after a search of the encrypted messages."""
