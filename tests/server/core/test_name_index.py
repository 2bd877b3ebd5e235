"""Names in their order, a page at a time, and what is meant by a mistyped one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from twisted.trial.unittest import SynchronousTestCase

from chat.server.core.name_index import NameIndex, SortedNames

_NAMES = st.text("abc-é日", min_size=1, max_size=4)


class InOrder(SynchronousTestCase):
    @given(st.lists(st.tuples(st.booleans(), _NAMES)), st.sets(_NAMES))
    def test_whatever_is_added_and_removed(self, changes: list[tuple[bool, str]], filled: set[str]) -> None:
        index: NameIndex[str] = NameIndex()
        index.fill((name, name) for name in filled)
        model = {name: name for name in filled}
        for add, name in changes:
            if add:
                index[name] = model[name] = name
            elif name in model:
                del index[name], model[name]
        self.assertEqual(list(index.items()), sorted(model.items()))
        self.assertEqual(len(index), len(model))

    @given(st.sets(_NAMES), _NAMES | st.just(""), st.integers(1, 5), _NAMES | st.just(""))
    def test_a_page(self, names: set[str], after: str, most: int, beginning: str) -> None:
        page, more = SortedNames(names).page(after, most, beginning)
        rest = [name for name in sorted(names) if name > after and name.startswith(beginning)]
        self.assertEqual((page, more), (rest[:most], len(rest[most:])))

    @given(st.sets(_NAMES), st.integers(1, 3))
    def test_page_by_page_each_is_there_once(self, names: set[str], most: int) -> None:
        ordered, seen, more = SortedNames(names), list[str](), len(names)
        while more:
            page, more = ordered.page(seen[-1] if seen else "", most)
            seen += page
        self.assertEqual(seen, sorted(names))

    def test_a_name_that_is_not_there_is_not_removed(self) -> None:
        names = SortedNames(("ann", "bob"))
        self.assertFalse(names.remove("anna"))
        self.assertTrue(names.remove("bob"))
        self.assertEqual(list(names), ["ann"])


class Mistyped(SynchronousTestCase):
    def setUp(self) -> None:
        self.index: NameIndex[int] = NameIndex()
        self.index.fill((("bob", 1), ("rob", 2)))
        self.index["carol"] = 3

    def test_a_name_is_found_from_when_it_is_there_until_it_is_gone(self) -> None:
        self.assertEqual(self.index.near("carl"), 3)
        del self.index["carol"]
        self.assertIsNone(self.index.near("carl"))

    def test_of_two_the_one_that_may_be_given_away(self) -> None:
        self.assertEqual(self.index.near("ob", lambda value: value == 2), 2)
        self.assertIsNone(self.index.near("ob", lambda value: False))

    def test_an_index_that_corrects_nothing(self) -> None:
        plain: NameIndex[int] = NameIndex(corrects=False)
        plain["bob"] = 1
        self.assertIsNone(plain.near("bo"))
