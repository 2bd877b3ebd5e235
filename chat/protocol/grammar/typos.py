"""Words that are one typing error away: a letter too many, missing, wrong, or two exchanged."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Container, Iterable, Iterator
from functools import lru_cache

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-."

LONGEST = 32
"""The most letters of a word that is corrected: no verb and no name has more."""

_FIRST_FILTER = 1 << 15
_GROWTH = 16
_BITS_PER_STEM = 8
"""With so many, a filter says of at most one stem in eight that it knows it though it does not."""

_REMEMBERED = 4_096


def edits(word: str) -> Iterator[str]:
    """Every word one edit away from ``word`` (lower case; ASCII letters are put in), itself excepted.

    For a word of `LONGEST` letters that takes 300 microseconds: a `TypoIndex` answers in a tenth of that.
    """
    yield from _shorter_or_swapped(word)
    for place in range(len(word) + 1):
        left, right = word[:place], word[place:]
        for letter in _LETTERS:
            if right and letter != right[0]:
                yield left + letter + right[1:]
            yield left + letter + right


def near(word: str, words: Container[str]) -> str | None:
    """One of a few words that is one edit away, or nothing.

    :param words: a set or a mapping; anything else would be searched from its start 2,600 times.
    """
    if not 2 <= len(word) <= LONGEST:
        return None
    return next((each for each in edits(word) if each in words), None)


class TypoIndex:
    """Finds the words that are one edit away, at a cost that depends on the length of the mistyped word alone.

    The stems of a word are what is left when one of its letters is taken out. A word with one wrong letter has a stem
    in common with the right word, and a word that lacks a letter is a stem of it; so letters are tried only where the
    stem is known. Stems are kept in Bloom filters, of which each is much larger than the one before: a stem that was
    never added costs a few look-ups and finds nothing, so a word that is gone need not be taken out.

    :param words: the words that there are now, as a set or a mapping; each has to be given to `add` as well.
    """

    __slots__ = ("_filters", "_room", "_words")

    def __init__(self, words: Container[str]) -> None:
        self._words = words
        self._filters: list[tuple[bytearray, int]] = []
        self._room = 0

    def add(self, word: str) -> None:
        """Let a word be found. One that is there already costs only space."""
        if len(word) > LONGEST:
            return
        if self._room < len(word):
            self._grow()
        self._room -= len(word)
        bits, mask = self._filters[-1]
        for stem in _stems(word):
            place = hash(stem) & mask
            bits[place >> 3] |= 1 << (place & 7)

    def near(self, word: str) -> Iterator[str]:
        """The words one edit away, in the order of `edits`."""
        if not 2 <= len(word) <= LONGEST:
            return
        words = self._words
        for each in _shorter_or_swapped(word):
            if each in words:
                yield each
        lacks_a_letter = self._is_stem(word)
        for place in range(len(word) + 1):
            left, right, after = word[:place], word[place:], word[place + 1 :]
            if right and self._is_stem(left + after):
                for letter in _LETTERS:
                    if letter != right[0] and (each := left + letter + after) in words:
                        yield each
            if lacks_a_letter:
                for letter in _LETTERS:
                    if (each := left + letter + right) in words:
                        yield each

    def _is_stem(self, stem: str) -> bool:
        """Whether this is a stem of a word, or perhaps of none."""
        hashed = hash(stem)
        for bits, mask in self._filters:
            place = hashed & mask
            if bits[place >> 3] >> (place & 7) & 1:
                return True
        return False

    def _grow(self) -> None:
        size = _GROWTH * (self._filters[-1][1] + 1) if self._filters else _FIRST_FILTER
        self._filters.append((bytearray(size >> 3), size - 1))
        self._room = size // _BITS_PER_STEM


class WordIndex:
    """The words of a language of commands: finds the one that was meant by a mistyped or an unfinished one."""

    def __init__(self, words: Iterable[str]) -> None:
        self._rank = {word: rank for rank, word in enumerate(words)}
        self._sorted = sorted(self._rank)
        self._typos = TypoIndex(self._rank)
        for word in self._sorted:
            self._typos.add(word)
        # Most lines begin with one of a few hundred words.
        self._remembered: Callable[[str], str | None] = lru_cache(maxsize=_REMEMBERED)(self._near)

    def near(self, word: str) -> str | None:
        """A word that is one edit away, or nothing."""
        return self._remembered(word) if 2 <= len(word) <= LONGEST else None

    def _near(self, word: str) -> str | None:
        return next(self._typos.near(word), None)

    def nearest(self, word: str) -> str | None:
        """A word that is one edit away or, if there is none, the first one that begins so."""
        if not 2 <= len(word) <= LONGEST:
            return None
        if found := self.near(word):
            return found
        start = bisect_left(self._sorted, word)
        end = bisect_left(self._sorted, word + "\U0010ffff", start)
        return min(self._sorted[start:end], key=self._rank.__getitem__, default=None)


def _shorter_or_swapped(word: str) -> Iterator[str]:
    """A word with a letter too many, or with two exchanged, as it may have been meant."""
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
        if word[place : place + 1] != (after := word[place + 1 : place + 2]) and after:
            yield word[:place] + after + word[place] + word[place + 2 :]


def _stems(word: str) -> Iterator[str]:
    for place in range(len(word)):
        yield word[:place] + word[place + 1 :]
