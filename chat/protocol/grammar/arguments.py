"""The words after a verb: what they are to it, and whether they can be anything else."""

from __future__ import annotations

from typing import Any

from chat.protocol.errors import BadUsage, NotInRoom
from chat.protocol.grammar.context import Ask, Call, Context, Reading, cut
from chat.protocol.grammar.parameters import Names, is_longer
from chat.protocol.grammar.verbs import Parameter, Verb, sentence


def certain(verb: Verb, rest: str, names: Names, reasons: bool = False) -> bool:
    """Whether every argument can be checked; free text needs one before it that can.

    :param reasons: whether free text that may be left out is no sign of speech.
    """
    if not rest:
        return not any(each.required and not each.here for each in verb.written)
    checked = False
    for each in verb.written:
        if not rest:
            return checked and not (each.required and not each.here)
        if each.type.rest:
            return _certain(each, rest, names) or (checked and (each.required or (reasons and each.type.free)))
        word, after = cut(rest)
        if _certain(each, word, names):
            if word.lower() in each.type.opens:
                return True
            checked = True
            rest = after
        elif each.required:
            return False
    return checked and not rest


def arguments_of(verb: Verb, rest: str, context: Context) -> dict[str, Any]:
    """What the words after a verb give.

    :raises ChatError: when they are no arguments of it.
    """
    arguments: dict[str, Any] = {}
    written = verb.written
    for place, each in enumerate(written):
        if not rest:
            break
        word, after = (rest, "") if each.type.rest else cut(rest)
        if not each.required or each.here:
            fits = _certain(each, word, context.names) or mistyped(each, word)
            if not fits and _fits_later(written[place + 1 :], rest, context):
                continue
        arguments[each.name] = given(verb, each, word, context)
        rest = after
    if rest:
        raise BadUsage(f"Too many arguments. {context.write(verb)}")
    return arguments


def _certain(parameter: Parameter, words: str, names: Names) -> bool:
    """Whether words can be nothing but this argument; what is too long for it is not even looked at."""
    return not is_longer(words, parameter.type.most_bytes) and parameter.type.certain(words, names)


def mistyped(parameter: Parameter, words: str) -> bool:
    """Whether words that do not fit were surely meant for this argument."""
    return not is_longer(words, parameter.type.most_bytes) and parameter.type.mistyped(words)


def _fits_later(later: tuple[Parameter, ...], rest: str, context: Context) -> bool:
    """Whether an optional argument was left out: the word belongs to one that follows."""
    word, _ = cut(rest)
    return any(
        each.required or each.type.free or _certain(each, rest if each.type.rest else word, context.names)
        for each in later
    )


def given(verb: Verb, parameter: Parameter, words: str, context: Context) -> Any:
    """One argument, as it was typed or answered.

    :raises ChatError: when it will not do; the error says what would.
    """
    try:
        parameter.type.bound(words)
        value = parameter.type.read(words)
    except BadUsage as error:
        line = error.line[0].upper() + error.line[1:]
        raise BadUsage(f"{sentence(line)} {context.write(verb)}") from None
    parameter.type.check(value, context.names, context.table)
    return value


def complete(verb: Verb, arguments: dict[str, Any], context: Context) -> Reading:
    """Take from the context what was left out.

    :returns: the call, or what is to be asked for first.
    :raises ChatError: when something is missing that can neither be known nor asked for.
    """
    for each in verb.parameters:
        if each.name in arguments:
            continue
        if each.here and context.room is not None:
            arguments[each.name] = context.room
        elif each.prompt is not None and each.name not in context.unasked:
            return Ask(Call(verb, arguments), each)
        elif each.here and each.required:
            raise NotInRoom()
        elif each.required:
            raise BadUsage(f"Missing arguments. {context.write(verb)}")
    return Call(verb, arguments)


def reads(verb: Verb, rest: str, context: Context) -> bool:
    """Whether a verb could be written so, but for what its names name."""
    try:
        return bool(arguments_of(verb, rest, context))
    except BadUsage:
        return False
