"""Lines in a room that are better held than said: a password, a private message or a ban with a slip in it."""

from __future__ import annotations

from chat.protocol.grammar.arguments import certain, mistyped, reads
from chat.protocol.grammar.client_verbs import CLIENT_VERBS
from chat.protocol.grammar.context import Context, cut
from chat.protocol.grammar.parameters import Names, RoomType
from chat.protocol.grammar.verbs import LONG, Bare, Verb

_LONG_SECRET = 8
"""What is shorter is no password of anybody (`chat.server.auth.registration`)."""

_MODALS = frozenset({"can", "could", "may", "might", "must", "shall", "should", "will", "would"})
"""Names that stand after ``message`` in many a sentence; ``@will`` is surely a name."""


def meant_by(word: str, rest: str, verb: Verb | None, context: Context) -> str | None:
    """What a suspicious line probably meant, or nothing for an ordinary one.

    :param word: the first word.
    :param verb: which it is, if any.
    """
    if verb is not None and not verb.programs:
        return _meant_with(verb, word, rest, context)
    if word in CLIENT_VERBS and context.names.is_account(rest):  # verify bob, where there are no keys
        return f"/{word} {rest}"
    if len(word) < LONG - 2 or not rest:  # nearly every line
        return None
    meant = context.table.long.near(word)
    return _meant_instead(meant, rest, context) if meant else None


def is_doubtful(verb: Verb, word: str, rest: str) -> bool:
    """Whether what could be a private message is more likely part of a sentence; then it is neither sent nor said."""
    if not verb.private:
        return False
    name, *following = rest.split(None, 2)[:2]
    if not following:
        return False
    return name.lower() in _MODALS or following[0].lower() in verb.doubted.get(word, ())


def _meant_with(verb: Verb, word: str, rest: str, context: Context) -> str | None:
    """The same where the first word is a verb, and what follows does not make it surely a command."""
    if verb.bare is Bare.HELD and rest:
        return f"/{verb.name} ..."
    if any(each.type.rest and mistyped(each, rest) for each in verb.written):
        return f"/{word} ..."
    if word in verb.guarded and (meant := _like_a_call(verb, word, rest, context)) is not None:
        return meant
    second, _ = cut(rest)
    if verb.private and second:
        if second == rest and context.names.is_account(second):  # the text was forgotten
            return f"{word} {second} ..."
        if known := context.names.near_account(second):
            return f"{word} {known} ..."
    if context.names.is_account(second) and certain(verb, rest, context.names, reasons=True):  # ban bob for spam
        return f"/{word} {second} ..."
    return None


def _meant_instead(verb: str, rest: str, context: Context) -> str | None:
    """The same where the first word is close to a verb."""
    if context.table[verb].takes_secrets and _like_a_secret(rest.split()):
        return f"/{verb}"
    second, _ = cut(rest)
    known = second if context.names.is_account(second) else context.names.near_account(second)
    return f"{verb} {known} ..." if known is not None else None


def _like_a_call(verb: Verb, word: str, rest: str, context: Context) -> str | None:
    """What is meant where as many words follow as the verb wants when it is written as that word."""
    least, most = verb.guarded[word]
    words = rest.split()
    if verb.takes_secrets:
        return f"/{word}" if _like_a_login(words, least, most, context.names) else None
    if not least <= len(words) <= most or not reads(verb, rest, context):
        return None
    meant = context.names.near_room(words[0]) if type(verb.written[0].type) is RoomType else None
    return f"{word} {meant}" if meant is not None else f"/{word} {' '.join(words)}"


def _like_a_login(words: list[str], least: int, most: int, names: Names) -> bool:
    """Whether the words after ``login``, ``new`` or ``password`` look like a name (whose password is the next line),
    a name and a password, or a password."""
    if len(words) <= most:
        return len(words) >= least
    name = words[0].partition("@")[0]
    if names.is_account(name) or names.near_account(name) is not None:
        return True
    return len(words) == 2 and len(words[1]) >= _LONG_SECRET


def _like_a_secret(words: list[str]) -> bool:
    """Whether what stands after a mistyped ``password`` or ``login`` could be one: ``hunter22``, ``zoe hunter22``."""
    return len(words) <= 2 and any(map(str.isdigit, words[-1])) and any(map(str.isalpha, words[-1]))
