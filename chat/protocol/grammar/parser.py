"""What a line of text means at the moment when its turn comes.

`read` turns a line and its `Context` into a `Call`, an `Ask` for what is missing, or a `Held` line; it
is pure and never runs anything. The rules of section 2 of the protocol:

* ``/verb`` is always a command; ``say``, ``chat``, ``'text`` and ``//text`` are always speech;
* outside a room every line is a command;
* in a room a bare verb is a command only where its arguments can be checked, all else is speech;
* a line that looks like a mistyped private command, like a login, or like what a moderator does for a reason is held,
  not said; and so is one that could be a private message but is more likely a sentence (``tell bob to call me``),
  which is not sent either.
"""

from __future__ import annotations

from chat.protocol.errors import AlreadyLoggedIn, BadUsage, ChatError, NotInRoom, NotLoggedIn, UnknownCommand
from chat.protocol.grammar.arguments import arguments_of, certain, complete, given
from chat.protocol.grammar.client_verbs import needs_client
from chat.protocol.grammar.context import Ask, Call, Context, Held, Reading, cut
from chat.protocol.grammar.leak_guard import is_doubtful, meant_by
from chat.protocol.grammar.parameters import Names
from chat.protocol.grammar.verbs import Access, Bare, Table, Verb


def read(line: str, context: Context) -> Reading:
    """Read one line.

    :returns: nothing for an empty line.
    :raises ChatError: when it means nothing; the error says what would.
    """
    text = line.strip()
    if not text:
        return None
    first = text[0]
    if text in ("/", "//", "'"):
        raise BadUsage("Nothing was sent. Type /help for the commands, or 'TEXT to say something.")
    if first == "/":
        return _speech(text[1:], context) if text[1:2] == "/" else _command(text[1:].lstrip(), context)
    if first == "'":
        return _speech(text[1:].lstrip(), context)
    if text == "!":
        if context.held is None:
            raise BadUsage("There is no held line. ! sends a line that was held back.")
        return context.held.speech
    if context.room is None or not context.logged_in:
        return _command(text, context)
    if line[0] in " \t":  # of a program, say, which somebody shows: there it matters how far a line is indented
        text = line[: len(line) - len(line.lstrip(" \t"))] + text
    return _in_room(text, context)


def read_command(line: str, table: Table, names: Names, prefix: str = "") -> Call:
    """Read one line as a command of a table of its own, none of whose verbs asks for what is missing.

    :param prefix: see `Context`.
    :raises ChatError: when it is none; the error says what would do.
    """
    context = Context(table, names, logged_in=True, prefix=prefix)
    word, rest = cut(line)
    verb = table.get(word.lower())
    if verb is None:
        shown = word if word.isprintable() and len(word) <= 40 else "that"
        meant = table.typed.nearest(word.lower())
        next = f"Did you mean: {prefix} {meant}?" if meant else f"Type: {prefix} help"
        raise UnknownCommand(f"No command {shown}. {next}", suggest=meant)
    reading = complete(verb, arguments_of(verb, rest, context), context)
    assert isinstance(reading, Call), "no verb of such a table has prompts"
    return reading


def is_certain(line: str, table: Table, names: Names) -> bool:
    """Whether a line can be nothing but a command of that table, with a reason or without."""
    word, rest = cut(line)
    verb = table.get(word.lower())
    return verb is not None and certain(verb, rest, names, reasons=True)


def answer(ask: Ask, line: str, context: Context) -> Reading:
    """Fill in what was asked for.

    :param line: what was typed at the prompt; a password is taken as it is.
    :raises BadUsage: when nothing was typed: the command is given up.
    :raises ChatError: when what was typed will not do.
    """
    parameter = ask.missing
    words = line if parameter.type.secret else line.strip()
    if not words.strip():
        raise BadUsage(f"Cancelled. Type {ask.call.verb.name} to start again.")
    arguments = {**ask.call.arguments, parameter.name: given(ask.call.verb, parameter, words, context)}
    return complete(ask.call.verb, arguments, context)


def ask_again(call: Call, parameter: str) -> Ask:
    """Ask for one argument of a refused call once more, and for the secrets that were asked for after it."""
    place = next(place for place, each in enumerate(call.verb.parameters) if each.name == parameter)
    missing, *later = call.verb.parameters[place:]
    again = {parameter, *(each.name for each in later if each.type.secret)}
    kept = {name: value for name, value in call.arguments.items() if name not in again}
    return Ask(Call(call.verb, kept), missing)


# --- speech ---------------------------------------------------------------------------------------


def _speech(text: str, context: Context) -> Call:
    if not context.logged_in:
        raise _not_logged_in(context)
    if context.room is None:
        raise NotInRoom()
    say = context.table["say"]
    return Call(say, {"text": say.parameters[0].type.read(text), "room": context.room})


def _in_room(text: str, context: Context) -> Reading:
    word, rest = cut(text)
    word = word.lower()
    verb = context.table.get(word)
    if verb is not None and not verb.programs and word not in verb.spoken:
        if verb.bare is Bare.ALWAYS:
            return _called(verb, rest, context)
        if verb.bare is Bare.CHECKED and verb.access is not Access.GUEST and certain(verb, rest, context.names):
            if is_doubtful(verb, word, rest):
                return Held(_speech(text, context), f"/{word} {cut(rest)[0]} ...")
            return _called(verb, rest, context)
    meant = meant_by(word, rest, verb, context)
    if meant is not None:
        return Held(_speech(text, context), meant)
    return _speech(text, context)


# --- commands -------------------------------------------------------------------------------------


def _command(text: str, context: Context) -> Reading:
    word, rest = cut(text)
    verb = context.table.get(word.lower())
    if verb is None or verb.programs:
        raise _unknown(word, context)
    return _called(verb, rest, context)


def _called(verb: Verb, rest: str, context: Context) -> Reading:
    if verb.access is Access.GUEST and context.logged_in:
        raise AlreadyLoggedIn()
    if verb.access in (Access.USER, Access.ADMINISTRATOR) and not context.logged_in:
        raise _not_logged_in(context)
    if (withheld := context.withheld.get(verb.name)) is not None:
        raise withheld()
    return complete(verb, arguments_of(verb, rest, context), context)


def _not_logged_in(context: Context) -> NotLoggedIn:
    return NotLoggedIn(NotLoggedIn.closed if "new" in context.withheld else None)


def _unknown(word: str, context: Context) -> ChatError:
    if (refusal := needs_client(word.lower(), context.table)) is not None:
        return refusal
    shown = word if word.isprintable() and len(word) <= 40 else "that"
    meant = context.table.typed.nearest(word.lower())
    if meant is not None and context.table[meant].name in context.withheld:
        meant = None
    if meant is not None:
        return UnknownCommand(f"No command {shown}. Did you mean {meant}?", suggest=meant)
    if not context.logged_in:
        new = "" if "new" in context.withheld else ", new NAME"
        return UnknownCommand(f"No command {shown}. Type login NAME{new} or help.")
    if context.room is None:
        return UnknownCommand(f"No command {shown}. To talk, enter a room first: list channels, then connect ROOM.")
    return UnknownCommand(f"No command {shown}. Type /help to see them all, or //{shown} to say it.")
