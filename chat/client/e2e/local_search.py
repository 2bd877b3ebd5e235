"""Searches encrypted messages on this device, because no server can read them."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from heapq import nlargest
from typing import Any, Final

from chat.client.e2e.encrypted_db import Message
from chat.client.e2e.key_store import KeyStore
from chat.client.e2e.payload import place
from chat.client.model.conversation import ConversationModel
from chat.client.model.message_status import Opened
from chat.protocol.events import Found, Said
from chat.protocol.grammar.search_queries import Query
from chat.protocol.names import fold
from chat.protocol.values import Conversation, Kind

MOST: Final = 20
"""Messages that are shown; as many as a server shows."""

PAGE: Final = 2_000
"""Messages that are looked through at a time, off the reactor's thread."""

_WORD = re.compile(r"\w+")
_PIECE = re.compile(r'"([^"]*)"(\*?)|(\S+)')

InThread = Callable[..., Awaitable[Any]]


def matcher(words: str) -> Callable[[str], bool]:
    """Whether a text holds each of the words: in double quotes side by side, with a ``*`` after it any ending."""
    wanted = []
    for quoted, star, bare in _PIECE.findall(words):
        piece = quoted or bare
        if found := [each.casefold() for each in _WORD.findall(piece)]:
            wanted.append((found, bool(star) or bare.endswith("*")))

    def matches(text: str) -> bool:
        said = [each.casefold() for each in _WORD.findall(text)]
        return all(_holds(said, phrase, open_ended) for phrase, open_ended in wanted)

    return matches


def _holds(said: list[str], phrase: list[str], open_ended: bool) -> bool:
    """Whether words stand side by side somewhere."""
    *whole, last = phrase
    size = len(phrase)
    for start in range(len(said) - size + 1):
        end = said[start + size - 1]
        if said[start : start + size - 1] == whole and (end.startswith(last) if open_ended else end == last):
            return True
    return False


async def search(
    ring: KeyStore, talks: Iterable[ConversationModel], query: Query, since: int, in_thread: InThread
) -> tuple[list[Said], bool]:
    """Look through what was sealed, in these conversations.

    :param since: milliseconds since the epoch, or 0.
    :returns: the newest messages that were found, the newest first, and whether there are others.
    :raises ClientFailure: when what was said last cannot be saved first.
    """
    ring.save()
    where = _places(ring, talks, query)
    matches, author = matcher(query.words), fold(query.author)

    def look(rows: list[bytes]) -> list[Message]:
        return [
            (at, seq, words)
            for at, seq, words in ring.database.opened(rows)
            if at in where
            and words["time"] >= since
            and (not author or fold(words["author"]) == author)
            and matches(words["text"])
        ]

    found: list[Message] = []
    only = next(iter(where)) if len(where) == 1 else ""
    for rows in ring.database.pages(only, PAGE):
        found += await in_thread(look, rows)
    newest = nlargest(MOST, found, key=lambda each: each[2]["time"])
    return [_said(where[at], seq, words) for at, seq, words in newest], len(found) > MOST


def _places(ring: KeyStore, talks: Iterable[ConversationModel], query: Query) -> dict[str, Conversation]:
    """Where to look, by `place`."""
    wanted = fold(query.place.lstrip("#@"))
    return {
        place(talk.conversation, ring.own.user): talk.conversation
        for talk in talks
        if talk.conversation is not None and (not wanted or talk.key.name == wanted)
    }


def _said(conversation: Conversation, seq: int, words: Any) -> Said:
    return Said(conversation, seq, Kind.TEXT, words["author"], "", words["time"], Opened(words["text"]))


def merged(there: Found, here: list[Said], more: bool) -> Found:
    """What was found elsewhere, and what was found here."""
    both = sorted((*there.entries, *here), key=lambda each: getattr(each, "time", 0), reverse=True)
    return replace(there, entries=tuple(both[:MOST]), more=there.more or more or len(both) > MOST)
