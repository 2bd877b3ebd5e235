"""Searching what was said."""

from __future__ import annotations

from typing import Annotated

from chat.protocol.events import Found
from chat.protocol.grammar.durations import NumberType
from chat.protocol.grammar.parameters import Words
from chat.protocol.grammar.search_queries import beginning, read_query
from chat.protocol.grammar.verbs import Bare
from chat.protocol.values.terms import read_terms
from chat.server.commands.history import GROUP, zone_of
from chat.server.commands.registry import command
from chat.server.core.service import ChatService
from chat.server.core.user import Session


@command(
    group=GROUP,
    bare=Bare.NEVER,
    examples=("/search backup", '/search "disk is full" in:ops from:bob since:2h', "/search deploy*"),
    weight=3,
)
async def search(
    chat: ChatService,
    session: Session,
    words: Words,
    *,
    limit: Annotated[int, NumberType(1, 100)] = 20,
) -> Found:
    """search the messages that you may read

    A line must contain every word. Words in double quotes must stand side by side; a * at the end of a word matches any
    ending. in:ROOM (or in:NAME), from:NAME and since:TIME (2h, 09:00, 2026-11-20) narrow the search. history ID shows
    the lines around a result. A search can have at most 8 words, 2 of them with a * after 3 letters or more.
    """
    query = read_query(words)
    terms = read_terms(query.words)
    place = (await chat.history.place(session, query.place))[0] if query.place else None
    author = chat.directory.named(query.author) if query.author else None
    span = query.span
    since = beginning(span, chat.clock.seconds(), zone_of(session)) if span is not None else None
    return await chat.search.search(session, terms, place=place, author=author, since=since or 0, limit=limit)
