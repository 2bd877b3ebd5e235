"""Databases with people, rooms and messages in them, made through the store and before the server starts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from queue import SimpleQueue
from types import TracebackType
from typing import Any, Self

from twisted.internet.defer import Deferred, gatherResults

from chat.protocol.passwords import make_verifier, new_salt, stretch
from chat.protocol.values import DEFAULT_DEVICE, Draft, Kind, Name, RoomRecord, Text
from chat.server.auth.tokens import digest, new_token
from chat.server.storage.sqlite import SqliteStore

PASSWORD = "correct horse"

_AT_ONCE = 5_000
"""Requests in flight; the store takes 20,000."""


class Fixtures:
    """A store that is used without a reactor: what it hands back is called in `together`.

    :param cost: of bcrypt, whatever the server will use.
    """

    def __init__(self, path: Path, cost: int = 4) -> None:
        self._calls: SimpleQueue[tuple[Any, ...]] = SimpleQueue()
        self._store = SqliteStore(str(path), lambda *call: self._calls.put(call))
        salt = new_salt(cost)
        self._verifier = make_verifier(stretch(PASSWORD, salt), salt)
        self._now = int(time.time() * 1000)

    def __enter__(self) -> Self:
        self._store.start(lambda committed: None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._settle(self._store.stop())

    def people(self, names: Iterable[str]) -> list[int]:
        """Accounts, all with `PASSWORD`."""
        made = self._together(
            self._store.create_account(Name(name, name.casefold()), "", self._verifier, self._now) for name in names
        )
        return [account.id for account in made]

    def tokens(self, accounts: Sequence[int]) -> list[str]:
        """A token of the default device for each of these accounts."""
        tokens = [new_token() for _ in accounts]
        self._together(
            self._store.add_token(account, DEFAULT_DEVICE, digest(token), self._now)
            for account, token in zip(accounts, tokens, strict=True)
        )
        return tokens

    def room(self, name: str, members: Sequence[int]) -> int:
        """A room with these members, the first of them its owner."""
        record = RoomRecord(0, Name(name, name.casefold()), "", self._now)
        created = Draft(0, Kind.CREATED, members[0], DEFAULT_DEVICE, self._now)
        (made,) = self._together([self._store.create_room(record, created)])
        room: int = made.conversation
        self._together(
            self._store.append(Draft(room, Kind.JOINED, member, DEFAULT_DEVICE, self._now)) for member in members[1:]
        )
        return room

    def said(self, rooms: Sequence[int], authors: Sequence[int], messages: int) -> None:
        """So many messages, by these authors in turn, in these rooms in turn."""
        self._together(
            self._store.append(
                Draft(
                    rooms[number % len(rooms)],
                    Kind.TEXT,
                    authors[number % len(authors)],
                    DEFAULT_DEVICE,
                    self._now,
                    Text(f"line {number:,} of a long conversation about nothing in particular"),
                )
            )
            for number in range(messages)
        )

    def _together(self, requests: Iterable[Deferred[Any]]) -> list[Any]:
        """Wait for many requests, never with too many of them in flight."""
        results: list[Any] = []
        flight: list[Deferred[Any]] = []
        for request in requests:
            flight.append(request)
            if len(flight) >= _AT_ONCE:
                results += self._settle(gatherResults(flight, consumeErrors=True))
                flight = []
        return results + list(self._settle(gatherResults(flight, consumeErrors=True)))

    def _settle(self, request: Deferred[Any]) -> Any:
        outcome: list[Any] = []
        failed: list[Any] = []
        request.addCallbacks(outcome.append, failed.append)
        while not outcome and not failed:
            call, *arguments = self._calls.get()
            call(*arguments)
        if failed:
            failed[0].raiseException()
        return outcome[0]
