"""A connection to the database, as the functions of this package see it: whatever the engine, it runs SQL."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

Parameters = Sequence[Any] | Mapping[str, Any]
"""What stands for each ``?`` of a statement, or for each ``:name``."""


class Rows(Protocol):
    """What a statement has found or changed."""

    @property
    def rowcount(self) -> int:
        """How many rows were changed."""

    @property
    def description(self) -> Any:
        """The columns that were found, each a tuple that begins with the name."""

    def fetchone(self) -> Any:
        """The next row that was found, as a tuple, or nothing."""

    def fetchall(self) -> list[Any]:
        """All further rows that were found."""

    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """Runs SQL; used by one thread at a time. What it raises, `chat.server.storage.database_errors` understands."""

    def execute(self, sql: str, parameters: Parameters = ..., /) -> Rows: ...

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows: ...

    def close(self) -> None: ...

    @property
    def in_transaction(self) -> bool:
        """Whether something was begun that was neither committed nor rolled back."""
