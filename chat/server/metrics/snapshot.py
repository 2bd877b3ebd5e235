"""What is told of a running server, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MetricsSnapshot:
    """One moment of a server.

    :param rows: rows stored since the start, by kind.
    :param deliveries: messages handed to sessions since the start.
    :param outcomes: commands since the start, by verb and by ``ok`` or the code of the refusal.
    :param queues: how much waits, by what it waits for.
    :param commits: the buckets of `chat.server.storage.histogram.Histogram`, and its seconds in all.
    :param disk_free: bytes, or nothing where that has no bound.
    :param lag: the longest that the reactor was late of late, in seconds.
    :param started: seconds since the epoch.
    """

    connections: int
    people: int
    accounts: int
    rooms: int
    logins: int
    rows: Mapping[str, int]
    deliveries: int
    outcomes: Mapping[tuple[str, str], int]
    queues: Mapping[str, int]
    commits: tuple[tuple[int, ...], float]
    disk_used: int
    disk_free: int | None
    lag: float
    started: float
