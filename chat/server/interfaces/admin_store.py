"""What operators decide, and copies of everything, on disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from twisted.internet.defer import Deferred

from chat.protocol.values import (
    Sanction,
)


@dataclass(frozen=True, slots=True)
class Contents:
    """What a database holds.

    :param version: of its schema, as it was found.
    :param newest: when the newest row was stored, milliseconds since the epoch, or nothing.
    :param size: bytes of the file.
    """

    version: int
    accounts: int
    rooms: int
    rows: int
    newest: int | None
    size: int


class IDecisionStore(Protocol):
    """The part of a store that operators use."""

    def impose(self, sanction: Sanction) -> Deferred[None]:
        """Keep a sanction, in place of an earlier one of the same kind against the same."""

    def lift(self, sanction: Sanction) -> Deferred[None]: ...

    def set_retention(self, conversation: int, milliseconds: int | None) -> Deferred[None]:
        """Keep the rows of a conversation for a while, or (nothing) for ever; 0 stands for all pairs."""

    def retention(self) -> Deferred[dict[int, int]]:
        """How long rows are kept, in milliseconds, by conversation; 0 stands for all pairs."""

    def older(self, conversation: int, when: int) -> Deferred[int]:
        """How many rows of a conversation (0: of all pairs) are older than a time, in milliseconds since the epoch."""

    def outlived(self, when: int) -> Deferred[tuple[tuple[int, int], ...]]:
        """The conversations that have rows which are kept no longer, each with the last seq of them."""

    def forget_before(self, conversation: int, upto: int) -> Deferred[int]:
        """Remove some of the rows up to a seq, the oldest first, in one small step.

        :returns: fires with how many are left.
        """

    # copies, made aside while everything goes on

    def back_up(self, file: str) -> Deferred[Contents]:
        """Copy the whole database as of one moment.

        Fails with `chat.protocol.errors.NotWritten` when the file is there or cannot be written, and with
        `chat.protocol.errors.Busy` while another copy is being made.
        """

    def export(self, account: int, file: str) -> Deferred[int]:
        """Write what is known of an account, and all that it wrote, as JSON lines; fails as `back_up` does.

        :returns: fires with the number of lines.
        """

    def rehearse(self, file: str) -> Deferred[Contents]:
        """Find out whether a backup could be put in place, by doing so beside it; fails with `NotWritten`."""

    def restored_since(self, account: int, since: int) -> Deferred[dict[int, int]]:
        """What the backups that were put in place since a time have left of the conversations of an account.

        :param since: milliseconds since the epoch.
        :returns: fires with the last seq of each that is still what it was.
        """
