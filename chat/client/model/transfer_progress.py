"""The progress of one file transfer, as a screen shows it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """The state of a transfer.

    Offered: not accepted yet. Moving: data arrives. Cut: the connection was lost, and the client reconnects. Done:
    complete. Left: stored on the server for its reader. Over: failed or cancelled.
    """

    OFFERED = "offered"
    MOVING = "moving"
    CUT = "cut"
    DONE = "done"
    LEFT = "left"
    OVER = "over"


class TransferProgress(Protocol):
    """One file on its way from one device to another."""

    @property
    def id(self) -> bytes:
        """Identifies the transfer at both ends."""

    @property
    def user(self) -> str:
        """The other person."""

    @property
    def incoming(self) -> bool:
        """Whether this device receives the file."""

    @property
    def stage(self) -> Stage: ...

    @property
    def going(self) -> bool:
        """Whether the transfer may still complete."""

    @property
    def percent(self) -> int:
        """The part that has arrived, from 0 to 100."""

    def line(self) -> str:
        """The state in one line for a person."""
