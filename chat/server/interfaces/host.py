"""The process around the service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Finding:
    """What a look at one thing has found.

    :param state: ``ok``, ``note`` where it is worth knowing, or ``wrong`` where something has to be done.
    :param text: what is so, and what to do.
    """

    subject: str
    state: str
    text: str


class IHost(Protocol):
    """The process that the service runs in."""

    def stop(self, reason: str) -> None:
        """End the process in order.

        :param reason: what people are told beside that it ends, or empty.
        """

    def reload(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Read the settings again.

        :returns: the options that have changed and count now, and those that need a restart.
        :raises BadSettings: when they do not fit; nothing has changed then.
        """

    def check(self) -> Sequence[Finding]:
        """Look for what is wrong with settings, rights, the certificate and the disk."""

    def queues(self) -> Mapping[str, int]:
        """Queue lengths, by queue."""
