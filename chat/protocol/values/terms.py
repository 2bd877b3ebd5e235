"""Terms of a full-text search: how a text is cut into words, and what a search asks of them.

A term is a run of letters and digits, case-folded and without diacritics, so that ``Köln`` is found as ``koln``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final
from unicodedata import category, decomposition

from chat.protocol.errors import BadUsage

MOST_TERMS: Final = 8
"""The most words of one search; those of a phrase count, each."""

MOST_PREFIXES: Final = 2
"""The most words of one search that end with a ``*``."""

SHORTEST_PREFIX: Final = 3
"""Letters that stand before a ``*`` at least: every other word begins with some two letters."""

TERM_LENGTH: Final = 64
"""Characters of a term. A longer word (a key, an address) is cut into several, so a search for it asks for a phrase."""

_TERM: Final = re.compile(rf"[^\W_]{{1,{TERM_LENGTH}}}")
_ASCII_TERM: Final = re.compile(f"[a-z0-9]{{1,{TERM_LENGTH}}}")
"""The same for ASCII in lower case, in half the time."""
_TYPED: Final = re.compile(r'"([^"]*)"|(\S+)')
_WITH_DIACRITICS: Final = range(0x80, 0x20000)


@dataclass(frozen=True, slots=True)
class Terms:
    """What has to occur in a message, all of it.

    :param words: whole terms.
    :param prefixes: beginnings of terms.
    :param phrases: terms that stand side by side, and whether the last one is a prefix; each of them is also among
        ``words`` or ``prefixes``.
    """

    words: tuple[str, ...]
    prefixes: tuple[str, ...] = ()
    phrases: tuple[tuple[tuple[str, ...], bool], ...] = ()

    def holds(self, text: str) -> bool:
        """Whether a text that has all of ``words`` has the prefixes and the phrases as well."""
        said = split(text)
        return all(any(term.startswith(prefix) for term in said) for prefix in self.prefixes) and all(
            _stands(said, phrase, open_ended) for phrase, open_ended in self.phrases
        )


def split(text: str) -> list[str]:
    """The terms of a text, in order."""
    if text.isascii():
        return _ASCII_TERM.findall(text.lower())
    return _TERM.findall(text.casefold().translate(_plain()))


def read_terms(typed: str) -> Terms:
    """Take apart the words of a search.

    Every word has to occur; words in double quotes stand side by side; a ``*`` at the end of a word stands for any
    ending.

    :raises BadUsage: when there are none, or more than a search may have.
    """
    words: list[str] = []
    prefixes: list[str] = []
    phrases: list[tuple[tuple[str, ...], bool]] = []
    for phrase, word in _TYPED.findall(typed):
        found = tuple(split(phrase or word))
        if not found:
            continue
        open_ended = word.endswith("*")
        if len(found) > 1:
            phrases.append((found, open_ended))
        words += found[:-1] if open_ended else found
        prefixes += found[-1:] if open_ended else ()
    if not words and not prefixes:
        raise BadUsage("Nothing to search for: use words of letters or digits. Type: /help search")
    if len(words) + len(prefixes) > MOST_TERMS:
        raise BadUsage(f"A search can have at most {MOST_TERMS} words. Leave some out.")
    if len(prefixes) > MOST_PREFIXES:
        raise BadUsage(f"At most {MOST_PREFIXES} words of a search can end with *. Write the others in full.")
    if any(len(prefix) < SHORTEST_PREFIX for prefix in prefixes):
        raise BadUsage(f"A * needs at least {SHORTEST_PREFIX} letters before it, as in: /search dep*")
    return Terms(tuple(dict.fromkeys(words)), tuple(dict.fromkeys(prefixes)), tuple(phrases))


def _stands(said: Sequence[str], phrase: tuple[str, ...], open_ended: bool) -> bool:
    """Whether terms stand side by side somewhere."""
    *whole, last = phrase
    before = len(whole)
    for start in range(len(said) - before):
        if said[start] != phrase[0] and before:
            continue
        end = said[start + before]
        if list(said[start : start + before]) == whole and (end.startswith(last) if open_ended else end == last):
            return True
    return False


@cache
def _plain() -> dict[int, str]:
    """The table for `str.translate` that takes diacritics away. Made when it is first needed: 50 milliseconds.

    Character by character and without `unicodedata.normalize`, whose time grows with the square of a run of marks.
    """
    table: dict[int, str] = {}
    for code in _WITH_DIACRITICS:
        if category(chr(code)) == "Mn":
            table[code] = ""
        elif (base := _base(code)) != code:
            table[code] = chr(base)
    return table


def _base(code: int) -> int:
    """The character that is left of one when its diacritics are taken away, one after the other."""
    parts = decomposition(chr(code))
    return code if not parts or parts.startswith("<") else _base(int(parts.split()[0], 16))
