"""Words that are one typing error away: a letter too many, missing, wrong, or two exchanged."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Iterator
from functools import lru_cache

_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_-."


def edits(word: str) -> Iterator[str]:
    """Every word one edit away from ``word`` (lower case; ASCII letters are put in), itself excepted."""
    cuts = [(word[:place], word[place:]) for place in range(len(word) + 1)]
    for left, right in cuts:
        if right:
            yield left + right[1:]
        if len(right) > 1 and right[0] != right[1]:
            yield left + right[1] + right[0] + right[2:]
    for left, right in cuts:
        for letter in _LETTERS:
            if right and letter != right[0]:
                yield left + letter + right[1:]
            yield left + letter + right


def near(word: str, words: Container[str]) -> str | None:
    """A word of ``words`` that is one edit away, or nothing.

    The cost depends on the length of the word alone, so it holds for a hundred thousand names.
    """
    if not 2 <= len(word) <= 32:
        return None
    return next((each for each in edits(word) if each in words), None)


class Neighbours:
    """A few words that many others are compared with: which of them is one edit away costs a handful of look-ups.

    Two words are one edit apart only where taking a letter from one of them, or from both, makes them equal; so the
    words are kept under all that they become then.
    """

    def __init__(self, words: Iterable[str]) -> None:
        # Most lines begin with one of a few hundred words.
        self.near: Callable[[str], str | None] = lru_cache(maxsize=4_096)(self._near)
        self._words: dict[str, list[str]] = {}
        for word in words:
            for shorter in _shorter(word):
                self._words.setdefault(shorter, []).append(word)

    def _near(self, word: str) -> str | None:
        """One of the words that is one edit away, or nothing."""
        words = self._words
        if word not in words and not any(word[:place] + word[place + 1 :] in words for place in range(len(word))):
            return None
        candidates = (each for shorter in _shorter(word) for each in words.get(shorter, ()))
        return next((each for each in candidates if each in edits(word)), None)


def _shorter(word: str) -> set[str]:
    """A word, and all that it becomes without one of its letters."""
    return {word, *(word[:place] + word[place + 1 :] for place in range(len(word)))}


def nearest(word: str, words: Iterable[str]) -> str | None:
    """Of a few words, one that begins like it or is one edit away."""
    choices = tuple(words)
    if found := near(word, choices):
        return found
    return next((each for each in choices if len(word) >= 2 and each.startswith(word)), None)
