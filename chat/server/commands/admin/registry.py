"""The table that the modules beside it fill; whoever wants it filled imports it from `chat.server.commands.admin`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from chat.protocol.errors import BadUsage, NoSuchRoom, NoSuchUser
from chat.protocol.events import Column, Listing
from chat.protocol.grammar.parameters import Names, NameType, ParameterType
from chat.protocol.grammar.verbs import Table
from chat.protocol.names import NAME_BYTES, fold
from chat.protocol.values import Account
from chat.server.core.room import Room as RoomState
from chat.server.core.service import ChatService
from chat.server.core.user import Session

T = TypeVar("T")

ADMIN = Table()

command = ADMIN.command
"""What changes something is a barrier, as in the other table, and is written into the log."""

MOST_DIGITS = 15
"""The most digits of the number that a page ends with; it fits into the 53 bits of JavaScript."""

PAGE = 1_000
"""The most rows of one listing: a frame stays well below what may wait for a slow reader."""


def page(
    title: str,
    columns: Sequence[Column],
    subjects: Sequence[T],
    key: Callable[[T], str],
    row: Callable[[T], tuple[Any, ...]],
    more: int = 0,
) -> Listing:
    """The first `PAGE` of some subjects as a listing.

    :param key: what is given as ``after`` to go on behind a subject.
    :param row: its cells; called for those alone that are shown.
    :param more: how many subjects follow that are not even given.
    """
    shown, rest = subjects[:PAGE], max(0, len(subjects) - PAGE) + more
    following = key(shown[-1]) if rest else ""
    return Listing(title, tuple(columns), tuple(row(each) for each in shown), rest, following)


def number_after(after: str) -> int:
    """The number that a page before ended with, 0 for the first page.

    :raises BadUsage: when it is no number.
    """
    if not after:
        return 0
    if after.isascii() and after.isdigit() and len(after) <= MOST_DIGITS:
        return int(after)
    raise BadUsage("after must be the number that ended the previous page.")


def person(chat: ChatService, session: Session, word: str) -> Account:
    """The account of that name.

    :raises NoSuchUser: with what shows them all, as it is typed here.
    """
    account = chat.directory.account(word)
    if account is None:
        meant = chat.directory.near_account(word)
        raise NoSuchUser(_unknown("user", word, meant, f"{session.admin} users"), suggest=meant)
    return account


def place(chat: ChatService, session: Session, word: str) -> RoomState:
    """The room of that name.

    :raises NoSuchRoom: with what shows them all, as it is typed here.
    """
    room = chat.rooms.find(session, word)
    if room is None:
        meant = chat.rooms.names_for(session).near_room(word)
        raise NoSuchRoom(_unknown("room", word, meant, f"{session.admin} rooms"), suggest=meant)
    return room


def _unknown(what: str, word: str, meant: str | None, lists: str) -> str:
    shown = word if word.isprintable() and len(word) <= 40 else "of that name"
    return f"No {what} {shown}.{f' Did you mean {meant}?' if meant else ''} {lists} shows them all."


class PrefixType(ParameterType):
    """How a name begins."""

    form = "BEGINNING"
    most_bytes = NAME_BYTES

    def read(self, word: str) -> str:
        return fold(word)


class SubjectType(NameType):
    """Somebody, or a network."""

    form = "NAME|ADDRESS"

    def certain(self, word: str, names: Names) -> bool:
        return (word[:1].isdigit() and ("." in word or ":" in word)) or super().certain(word, names)


class AfterType(ParameterType):
    """What the page before ended with."""

    form = "AFTER"
    most_bytes = NAME_BYTES
