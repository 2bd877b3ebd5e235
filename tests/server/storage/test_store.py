"""The methods that `Store` makes of functions."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from inspect import Parameter, signature, unwrap
from typing import Any, get_origin, get_type_hints

from twisted.trial.unittest import SynchronousTestCase

from chat.server.interfaces import IStore
from chat.server.storage.memory import MemoryStore
from chat.server.storage.store import Store

_MUTABLE: dict[Any, Any] = {Collection: {1, 2}, Sequence: [1, 2], Mapping: {1: 2}}
"""What a caller may give for a parameter of a type, and go on changing."""


def _given() -> Iterator[tuple[str, dict[str, Any]]]:
    """The names of the store's methods that take collections, and something to give for each of their parameters."""
    for name, method in vars(Store).items():
        call = unwrap(method) if callable(method) else None
        if call is method or call is None:
            continue
        hints = get_type_hints(call)
        wanted = [each for each in list(signature(call).parameters.values())[1:] if each.default is Parameter.empty]
        given = {each.name: _MUTABLE.get(get_origin(hints[each.name]), object()) for each in wanted}
        if any(value in _MUTABLE.values() for value in given.values()):
            yield name, given


class Recorder(MemoryStore):
    """Runs nothing, and keeps what it would give to the function."""

    got: Mapping[str, Any]

    def _write(self, call: object, *arguments: object, **options: object) -> Any:
        self.got = options

    def _read(self, lane: object, call: object, *arguments: object, **options: object) -> Any:
        self.got = options


class ACallerThatGoesOnChanging(SynchronousTestCase):
    """The function may run in another thread, and later."""

    def test_changes_nothing_of_what_it_has_given(self) -> None:
        """Every collection is copied before a method returns."""
        methods = dict(_given())
        self.assertGreater(len(methods), 8, methods)
        for name, given in methods.items():
            store = Recorder()
            getattr(store, name)(**given)
            for key, value in given.items():
                if value in _MUTABLE.values():
                    self.assertIsNot(store.got[key], value, f"{name}: {key}")
                    self.assertEqual(list(store.got[key]), list(value), f"{name}: {key}")


class TheMethodsOfAStore(SynchronousTestCase):
    def test_are_described_once(self) -> None:
        """What a method promises is written in the interface: each has its declaration there."""
        declared = {name for each in IStore.__mro__ for name in vars(each)}
        made = {name for name, method in vars(Store).items() if callable(method) and unwrap(method) is not method}
        self.assertEqual(set(), made - declared)
