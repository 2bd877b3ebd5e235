"""Tab completion of verbs, people and rooms, from the server's verb table. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from chat.client.model.conversation import ConversationModel, Key
from chat.client.model.state import State
from chat.protocol.grammar.parameters import ChoiceType, NameType, ParameterType, PlaceType, RoomType

MOST = 50
"""The most completions offered."""


def complete(text: str, state: State, here: ConversationModel | None) -> tuple[int, list[str]]:
    """Complete the last word of a text.

    :param text: the text up to the cursor.
    :returns: where the word begins, and the words that complete it, the likeliest first.
    """
    start = max(text.rfind(" "), text.rfind("\n")) + 1
    word, before = text[start:], text[:start].split()
    if not before:
        return start, _first(word, state, here)
    verb = state.table.get(before[0].removeprefix("/").lower())
    if verb is not None and not verb.programs:
        kinds = [each.type for each in verb.written]
        place = len(before) - 1
        kind = kinds[min(place, len(kinds) - 1)] if kinds else None
        if kind is not None and not kind.rest and place < len(kinds):
            return start, _argument(word, kind, state)
    return start, _names(word, state, here) if word else []


def _first(word: str, state: State, here: ConversationModel | None) -> list[str]:
    """Complete the first word: a verb, with ``/`` where a bare word would be a message; or the person addressed."""
    slash = word.startswith("/")
    verbs = sorted(each.name for each in state.table.verbs if not each.programs)
    if slash or here is None:
        mark = "/" if slash else ""
        found = _begin(word.removeprefix("/"), verbs)
        if not found and word.removeprefix("/"):
            aliases = sorted(alias for each in state.table.verbs if not each.programs for alias in each.aliases)
            found = _begin(word.removeprefix("/"), aliases)
        return [f"{mark}{each} " for each in found]
    if not word:
        return []
    names = [f"{each.rstrip()}: " if not word.startswith("@") else each for each in _names(word, state, here)]
    return names + [f"{each} " for each in _begin(word, verbs)]


def _argument(word: str, kind: ParameterType, state: State) -> list[str]:
    if isinstance(kind, ChoiceType):
        return [f"{each} " for each in _begin(word, kind.words)]
    people = [shown for shown, _ in state.people.values()]
    rooms = list(state.rooms.values())
    if isinstance(kind, RoomType):
        return _marked(word, "#", rooms)
    if isinstance(kind, NameType):
        return _marked(word, "@", people)
    if isinstance(kind, PlaceType):
        return _marked(word, "#", rooms) + _marked(word, "@", people)
    return []


def _names(word: str, state: State, here: ConversationModel | None) -> list[str]:
    """Complete a name inside a message; members of the room come first."""
    if word.startswith("#"):
        return _marked(word, "#", list(state.rooms.values()))
    present = state.members.get(here.key if here is not None else Key(True, ""), set())
    people = sorted(
        (shown for shown, _ in state.people.values()), key=lambda each: (each not in present, each.casefold())
    )
    return _marked(word, "@", people)


def _marked(word: str, mark: str, names: list[str]) -> list[str]:
    """The names that begin with the word; a mark (``@`` or ``#``) before it stays."""
    kept = mark if word.startswith(mark) else ""
    return [f"{kept}{each} " for each in _begin(word.removeprefix(mark), names)]


def _begin(word: str, words: Iterable[str]) -> list[str]:
    wanted = word.casefold()
    return [each for each in words if each.casefold().startswith(wanted)][:MOST]
