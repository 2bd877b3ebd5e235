"""What a search has found without the server, which would learn what somebody looks for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chat.protocol.events import Found

EVERYWHERE: Final = "everywhere"
"""An argument of a search that the server may know of; it is none of the server's."""

THE_REST: Final = (
    "Only what was sealed was looked through. To look through the rest type ! (the server reads the words then)."
)


NOTHING_SEALED: Final = (
    "Nothing was found in what was sealed. To look through the rest type ! (the server reads the words then)."
)
NOT_IN_THE_REST: Final = "Nothing was found in the rest."


@dataclass(frozen=True, slots=True)
class FoundHere(Found):
    """What was found in what was sealed, and nowhere else."""


@dataclass(frozen=True, slots=True)
class FoundThere(Found):
    """What the server has found, after what was sealed had been looked through."""
