"""How far a file has come on its way from one client to another, as a screen sees it."""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Stage(StrEnum):
    """How far a file has come.

    Offered: nobody has said yes. Moving. Cut: the connection is lost and will be made again. Done: it is there, whole.
    Left: it waits for its reader at the server. Over: it will not come.
    """

    OFFERED = "offered"
    MOVING = "moving"
    CUT = "cut"
    DONE = "done"
    LEFT = "left"
    OVER = "over"


class TransferProgress(Protocol):
    """One file, from one device to another."""

    @property
    def id(self) -> bytes:
        """Names it for both ends."""

    @property
    def user(self) -> str:
        """Who is at the other end."""

    @property
    def incoming(self) -> bool:
        """Whether it comes here."""

    @property
    def stage(self) -> Stage: ...

    @property
    def going(self) -> bool:
        """Whether something may still become of it."""

    @property
    def percent(self) -> int:
        """How much of it has come."""

    def line(self) -> str:
        """How it stands, in one line."""
