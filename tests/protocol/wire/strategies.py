"""Every event and reply that could be sent, made from the types of its fields."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hypothesis import given, settings
from hypothesis import strategies as st

from chat.protocol.device_keys import DeviceKeys
from chat.protocol.events import Column, Entry, Event, Fact, Listing, MembershipChanged, Removed, Reply, Said, Standing
from chat.protocol.values import SPOKEN, Conversation, Kind, Sealed, Text
from chat.protocol.wire.field_codecs import TIMES

SHOWN: tuple[type, ...] = tuple(dict.fromkeys(get_args(Event) + get_args(Reply)))
MEMBERSHIP = set(Kind) - SPOKEN - {Kind.REDACTION, Kind.TOPIC, Kind.SETTING}
KINDS = {Said: SPOKEN - {Kind.EDIT}, MembershipChanged: MEMBERSHIP, Removed: {Kind.LEFT, Kind.KICKED, Kind.BANNED}}
NAMES = frozenset({"author", "target", "users", "account", "name", "occupants", "room", "partner", "device", "title"})
"""Fields that hold names (a `People` is told by its title), where others hold what anybody wrote."""

ANYTHING = st.text(st.characters(exclude_categories=()), max_size=30)
"""Any text at all, with lone surrogates."""

UTF8 = st.text(max_size=30)
NUMBERS = st.integers(0, 1 << 40)
MOMENTS = st.integers(-1 << 40, 1 << 45)
IDS = st.integers(1, 9_999_999_999)
_KEYS = st.binary(min_size=32, max_size=32)
_JSON = st.recursive(st.none() | st.booleans() | st.integers() | UTF8, lambda inner: st.lists(inner, max_size=3))


_UNITS = st.sampled_from(("", "bytes", "seconds", "time"))


def _cell(unit: str) -> st.SearchStrategy[Any]:
    return st.none() | MOMENTS if unit == "time" else _JSON


def _is_body(text: str) -> bool:
    return bool(text) and not text.isspace()


class Maker:
    """Makes values whose texts are of one kind.

    :param words: for every text that is no name.
    :param names: for names of people, rooms and devices.
    """

    def __init__(self, words: st.SearchStrategy[str], names: st.SearchStrategy[str] | None = None) -> None:
        self._words = words
        self._names = words if names is None else names
        name = self._names.filter(bool)
        texts = st.builds(Text, words.filter(_is_body))
        sealed = st.builds(Sealed, words.filter(bool), words, st.binary(min_size=1, max_size=40))
        rooms = st.builds(Conversation, IDS, room=name)
        self._single: dict[Any, st.SearchStrategy[Any]] = {
            int: NUMBERS,
            bool: st.booleans(),
            float: st.floats(0, 1e9),
            Any: _JSON,
            bytes: st.binary(max_size=70),
            DeviceKeys: st.builds(DeviceKeys, _KEYS, _KEYS, st.just(b"") | st.binary(min_size=64, max_size=64)),
            Text: texts,
            Sealed: sealed,
            Conversation: rooms | st.builds(Conversation, IDS, partner=name),
        }

        self._single |= {Fact: self._facts(words), Listing: self._listings(words)}

    def _facts(self, words: st.SearchStrategy[str]) -> st.SearchStrategy[Fact]:
        return _UNITS.flatmap(lambda unit: st.builds(Fact, words, _cell(unit), st.just(unit)))

    def _listings(self, words: st.SearchStrategy[str]) -> st.SearchStrategy[Listing]:
        def rows(units: list[str]) -> st.SearchStrategy[Listing]:
            columns = st.tuples(*(st.builds(Column, words, st.just(unit)) for unit in units))
            row = st.tuples(*map(_cell, units))
            return st.builds(Listing, self._names, columns, st.lists(row, max_size=3).map(tuple), NUMBERS, words)

        return st.lists(_UNITS, max_size=4).flatmap(rows)

    def make(self, kind: type) -> st.SearchStrategy[Any]:
        if kind in self._single:
            return self._single[kind]
        hints = get_type_hints(kind)
        return st.builds(kind, **{each.name: self._field(kind, each.name, hints[each.name]) for each in fields(kind)})

    def _field(self, kind: type, name: str, hint: Any) -> st.SearchStrategy[Any]:
        if hint is Kind:
            return st.sampled_from(sorted(KINDS[kind]))
        if name == "seq":
            return IDS
        if name in TIMES and hint is not bool:
            return MOMENTS if hint is int else st.none() | MOMENTS
        return self._hint(hint, self._names if name in NAMES else self._words)

    def _hint(self, hint: Any, text: st.SearchStrategy[str]) -> st.SearchStrategy[Any]:
        if hint is str:
            return text
        if hint in self._single:
            return self._single[hint]
        arguments = get_args(hint)
        if get_origin(hint) in (Union, UnionType):
            return st.one_of([st.none() if one is type(None) else self._hint(one, text) for one in arguments])
        if get_origin(hint) is Mapping:
            return st.dictionaries(text, self._hint(arguments[1], text), max_size=3)
        if get_origin(hint) is tuple and arguments[-1] is Ellipsis:
            return st.lists(self._hint(arguments[0], text), max_size=3).map(tuple)
        if get_origin(hint) is tuple:
            return st.tuples(*(self._hint(one, text) for one in arguments))
        return st.sampled_from(list(hint)) if issubclass(hint, StrEnum) else self.make(hint)

    def check(self, check: Callable[..., None], *more: st.SearchStrategy[Any], without: Collection[type] = ()) -> None:
        """Try examples of every event and reply, as many of the rare ones as of the others.

        :param check: gets the value, and one of each of ``more``.
        """
        for kind in SHOWN:
            if kind not in without:
                settings(max_examples=30)(given(self.make(kind), *more)(check))()

    def entries(self) -> st.SearchStrategy[list[Any]]:
        """Rows of a history."""
        return st.lists(st.one_of([self.make(kind) for kind in get_args(Entry)]), max_size=5)

    def standings(self) -> st.SearchStrategy[list[Any]]:
        return st.lists(self.make(Standing), max_size=8)
