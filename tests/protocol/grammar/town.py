"""A few names, the real table, and what a line means to whoever types it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from chat.protocol.errors import ChatError
from chat.protocol.grammar.context import Ask, Call, Context, Held, Reading
from chat.protocol.grammar.parser import read
from chat.protocol.grammar.typos import near
from chat.protocol.names import fold
from chat.protocol.values import Text
from chat.server.commands.table import TABLE


class KnownNames:
    """People and rooms that exist."""

    def __init__(self, people: Iterable[str], rooms: Iterable[str]) -> None:
        self._people = {fold(name): name for name in people}
        self._rooms = {fold(name): name for name in rooms}

    def is_account(self, word: str) -> bool:
        return fold(word) in self._people

    def is_room(self, word: str) -> bool:
        return fold(word) in self._rooms

    def near_account(self, word: str) -> str | None:
        return self._people.get(near(fold(word), self._people) or "")

    def near_room(self, word: str) -> str | None:
        return self._rooms.get(near(fold(word), self._rooms) or "")


NAMES = KnownNames(("bob", "alice", "carol", "Дмитрий"), ("lobby", "ops"))

GUEST = Context(TABLE, NAMES)
OUTSIDE = Context(TABLE, NAMES, logged_in=True)
LOBBY = Context(TABLE, NAMES, logged_in=True, room="lobby")


def holding(held: Held, context: Context = LOBBY) -> Context:
    """The context of the line after one that was held."""
    return replace(context, held=held)


def show(reading: Reading) -> Any:
    """A reading as plain values: ``(verb, arguments)``, or what is said, asked for or meant."""
    if isinstance(reading, Held):
        return "held", reading.meant
    if isinstance(reading, Ask):
        return "asks", reading.call.verb.name, reading.missing.name
    if isinstance(reading, Call):
        if reading.verb.name == "say" and isinstance(text := reading.arguments["text"], Text):
            return "said", text.text
        return reading.verb.name, reading.arguments
    return None


def meaning(line: str, context: Context = LOBBY) -> Any:
    return show(read(line, context))


def refusal(line: str, context: Context = LOBBY) -> ChatError:
    """What the reading of a line fails with."""
    try:
        reading = read(line, context)
    except ChatError as error:
        return error
    raise AssertionError(f"{line!r} was read as {show(reading)}")
