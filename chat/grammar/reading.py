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

from dataclasses import dataclass
from typing import Any

from chat.errors import AlreadyLoggedIn, BadUsage, ChatError, NotInRoom, NotLoggedIn, UnknownCommand
from chat.grammar.elsewhere import needs_client
from chat.grammar.nearby import nearest
from chat.grammar.parameters import Names, RoomType
from chat.grammar.verbs import LONG, Access, Bare, Parameter, Table, Verb, sentence
from chat.values import value

_LONG_SECRET = 8
"""What is shorter is no password of anybody (`chat.auth.registration`)."""

_MODALS = frozenset({"can", "could", "may", "might", "must", "shall", "should", "will", "would"})
"""Names that stand after ``message`` in many a sentence; ``@will`` is surely a name."""


@value
class Call:
    """A command with its arguments, ready for ``Session.perform``."""

    verb: Verb
    arguments: dict[str, Any]

    def __repr__(self) -> str:
        return f"<Call {self.verb.name}>"


@dataclass(frozen=True, slots=True)
class Ask:
    """A command that lacks an argument which can be asked for."""

    call: Call
    missing: Parameter


@dataclass(frozen=True, slots=True)
class Held:
    """A line that was not sent.

    :param speech: what ``!`` says after all.
    :param meant: what was probably meant, or empty.
    """

    speech: Call
    meant: str


@dataclass(frozen=True, slots=True)
class Context:
    """What the meaning of a line depends on; replaced when it changes.

    :param room: the current room, or nothing.
    :param held: the line that was held before, or nothing.
    :param prefix: what stands before every verb of the table where it is typed, such as ``admin``, or empty.
    """

    table: Table
    names: Names
    logged_in: bool = False
    room: str | None = None
    held: Held | None = None
    prefix: str = ""

    def write(self, verb: Verb) -> str:
        """What somebody reads who has written a verb in another way; in a room without the ``/`` it might be said."""
        slash = "/" if self.room is not None else ""
        return f"Write: {slash}{f'{self.prefix} {verb.form}'.lstrip()}"


Reading = Call | Ask | Held | None


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
        raise BadUsage("Nothing was said. Write /help for the commands, or 'TEXT to say something.")
    if first == "/":
        return _speech(text[1:], context) if text[1:2] == "/" else _command(text[1:].lstrip(), context)
    if first == "'":
        return _speech(text[1:].lstrip(), context)
    if text == "!":
        if context.held is None:
            raise BadUsage("Nothing is held back. ! says a line that was not sent.")
        return context.held.speech
    if context.room is None or not context.logged_in:
        return _command(text, context)
    return _in_room(text, context)


def read_command(line: str, table: Table, names: Names, prefix: str = "") -> Call:
    """Read one line as a command of a table of its own, none of whose verbs asks for what is missing.

    :param prefix: see `Context`.
    :raises ChatError: when it is none; the error says what would do.
    """
    context = Context(table, names, logged_in=True, prefix=prefix)
    word, rest = _cut(line)
    verb = table.get(word.lower())
    if verb is None:
        shown = word if word.isprintable() and len(word) <= 40 else "that"
        meant = nearest(word.lower(), table)
        next = f"Did you mean: {prefix} {meant}?" if meant else f"Type: {prefix} help"
        raise UnknownCommand(f"No command {shown}. {next}", suggest=meant)
    reading = _complete(verb, _arguments(verb, rest, context), context)
    assert isinstance(reading, Call), "no verb of such a table has prompts"
    return reading


def is_certain(line: str, table: Table, names: Names) -> bool:
    """Whether a line can be nothing but a command of that table, with a reason or without."""
    word, rest = _cut(line)
    verb = table.get(word.lower())
    return verb is not None and _certain(verb, rest, names, reasons=True)


def answer(ask: Ask, line: str, context: Context) -> Reading:
    """Fill in what was asked for.

    :param line: what was typed at the prompt; a password is taken as it is.
    :raises BadUsage: when nothing was typed: the command is given up.
    :raises ChatError: when what was typed will not do.
    """
    parameter = ask.missing
    words = line if parameter.type.secret else line.strip()
    if not words.strip():
        raise BadUsage(f"Nothing done. Type {ask.call.verb.name} to start again.")
    arguments = {**ask.call.arguments, parameter.name: _given(ask.call.verb, parameter, words, context)}
    return _complete(ask.call.verb, arguments, context)


def ask_again(call: Call, parameter: str) -> Ask:
    """Ask for one argument of a refused call once more, and for the secrets that were asked for after it."""
    place = next(place for place, each in enumerate(call.verb.parameters) if each.name == parameter)
    missing, *later = call.verb.parameters[place:]
    again = {parameter, *(each.name for each in later if each.type.secret)}
    kept = {name: value for name, value in call.arguments.items() if name not in again}
    return Ask(Call(call.verb, kept), missing)


def _cut(text: str) -> tuple[str, str]:
    """The first word and the rest, whichever blanks stand between: what is pasted may have tabs."""
    words = text.split(None, 1)
    return words[0] if words else "", words[1] if len(words) > 1 else ""


# --- speech ---------------------------------------------------------------------------------------


def _speech(text: str, context: Context) -> Call:
    if not context.logged_in:
        raise NotLoggedIn()
    if context.room is None:
        raise NotInRoom()
    say = context.table["say"]
    return Call(say, {"text": say.parameters[0].type.read(text), "room": context.room})


def _in_room(text: str, context: Context) -> Reading:
    word, rest = _cut(text)
    word = word.lower()
    verb = context.table.get(word)
    if verb is not None and not verb.programs and word not in verb.spoken:
        if verb.bare is Bare.ALWAYS:
            return _called(verb, rest, context)
        if verb.bare is Bare.CHECKED and verb.access is not Access.GUEST and _certain(verb, rest, context.names):
            if _doubtful(verb, word, rest):
                return Held(_speech(text, context), f"/{word} {_cut(rest)[0]} ...")
            return _called(verb, rest, context)
    meant = _guard(word, rest, verb, context)
    if meant is not None:
        return Held(_speech(text, context), meant)
    return _speech(text, context)


def _certain(verb: Verb, rest: str, names: Names, reasons: bool = False) -> bool:
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
            return each.type.certain(rest, names) or (checked and (each.required or (reasons and each.type.free)))
        word, after = _cut(rest)
        if each.type.certain(word, names):
            if word.lower() in each.type.opens:
                return True
            checked = True
            rest = after
        elif each.required:
            return False
    return checked and not rest


def _doubtful(verb: Verb, word: str, rest: str) -> bool:
    """Whether what could be a private message is more likely part of a sentence; then it is neither sent nor said."""
    if not verb.private:
        return False
    name, *following = rest.split(None, 2)[:2]
    if not following:
        return False
    return name.lower() in _MODALS or following[0].lower() in verb.doubted.get(word, ())


def _like_a_login(words: list[str], least: int, most: int, names: Names) -> bool:
    """Whether the words after ``login``, ``new`` or ``password`` look like a name (whose password is the next line),
    a name and a password, or a password."""
    if len(words) <= most:
        return len(words) >= least
    name = words[0].partition("@")[0]
    if names.is_account(name) or names.near_account(name) is not None:
        return True
    return len(words) == 2 and len(words[1]) >= _LONG_SECRET


def _guard(word: str, rest: str, verb: Verb | None, context: Context) -> str | None:
    """What a suspicious line probably meant, or nothing for an ordinary one."""
    if verb is None and len(word) < LONG - 2:  # nearly every line
        return None
    second, _ = _cut(rest)
    if verb is not None and not verb.programs:
        if verb.bare is Bare.HELD and rest:
            return f"/{verb.name} ..."
        if any(each.type.rest and each.type.mistyped(rest) for each in verb.written):
            return f"/{word} ..."
        if (bounds := verb.guarded.get(word)) is not None:
            words = rest.split()
            if verb.takes_secrets:
                if _like_a_login(words, *bounds, context.names):
                    return f"/{word}"
            elif bounds[0] <= len(words) <= bounds[1] and _reads(verb, rest, context):
                meant = context.names.near_room(words[0]) if type(verb.written[0].type) is RoomType else None
                return f"{word} {meant}" if meant is not None else f"/{word} {' '.join(words)}"
        if verb.private and second:
            if second == rest and context.names.is_account(second):  # the text was forgotten
                return f"{word} {second} ..."
            if known := context.names.near_account(second):
                return f"{word} {known} ..."
        if context.names.is_account(second) and _certain(verb, rest, context.names, reasons=True):  # ban bob for spam
            return f"/{word} {second} ..."
        return None
    if len(word) < LONG - 2 or not second:
        return None
    if meant := context.table.long.near(word):
        if context.table[meant].takes_secrets and _like_a_secret(rest.split()):
            return f"/{meant}"
        known = second if context.names.is_account(second) else context.names.near_account(second)
        if known is not None:
            return f"{meant} {known} ..."
    return None


def _like_a_secret(words: list[str]) -> bool:
    """Whether what stands after a mistyped ``password`` or ``login`` could be one: ``hunter22``, ``zoe hunter22``."""
    return len(words) <= 2 and any(map(str.isdigit, words[-1])) and any(map(str.isalpha, words[-1]))


def _reads(verb: Verb, rest: str, context: Context) -> bool:
    """Whether a verb could be written so, but for what its names name."""
    try:
        return bool(_arguments(verb, rest, context))
    except BadUsage:
        return False


# --- commands -------------------------------------------------------------------------------------


def _command(text: str, context: Context) -> Reading:
    word, rest = _cut(text)
    verb = context.table.get(word.lower())
    if verb is None or verb.programs:
        raise _unknown(word, context)
    return _called(verb, rest, context)


def _called(verb: Verb, rest: str, context: Context) -> Reading:
    if verb.access is Access.GUEST and context.logged_in:
        raise AlreadyLoggedIn()
    if verb.access in (Access.USER, Access.ADMINISTRATOR) and not context.logged_in:
        raise NotLoggedIn()
    return _complete(verb, _arguments(verb, rest, context), context)


def _unknown(word: str, context: Context) -> ChatError:
    if (refusal := needs_client(word.lower(), context.table)) is not None:
        return refusal
    shown = word if word.isprintable() and len(word) <= 40 else "that"
    words = [each for each in context.table if not context.table[each].programs]
    meant = nearest(word.lower(), words)
    if meant is not None:
        return UnknownCommand(f"No command {shown}. Did you mean {meant}?", suggest=meant)
    if not context.logged_in:
        return UnknownCommand(f"No command {shown}. Type login NAME, new NAME or help.")
    if context.room is None:
        return UnknownCommand(f"No command {shown}. To talk, enter a room first: list channels, then connect ROOM.")
    return UnknownCommand(f"No command {shown}. Type /help to see them all, or //{shown} to say it.")


def _arguments(verb: Verb, rest: str, context: Context) -> dict[str, Any]:
    arguments: dict[str, Any] = {}
    written = verb.written
    for place, each in enumerate(written):
        if not rest:
            break
        word, after = (rest, "") if each.type.rest else _cut(rest)
        if not each.required or each.here:
            fits = each.type.certain(word, context.names) or each.type.mistyped(word)
            if not fits and _fits_later(written[place + 1 :], rest, context):
                continue
        arguments[each.name] = _given(verb, each, word, context)
        rest = after
    if rest:
        raise BadUsage(f"Too many words. {context.write(verb)}")
    return arguments


def _fits_later(later: tuple[Parameter, ...], rest: str, context: Context) -> bool:
    """Whether an optional argument was left out: the word belongs to one that follows."""
    word, _ = _cut(rest)
    return any(
        each.required or each.type.free or each.type.certain(rest if each.type.rest else word, context.names)
        for each in later
    )


def _given(verb: Verb, parameter: Parameter, words: str, context: Context) -> Any:
    try:
        value = parameter.type.read(words)
    except BadUsage as error:
        line = error.line[0].upper() + error.line[1:]
        raise BadUsage(f"{sentence(line)} {context.write(verb)}") from None
    parameter.type.check(value, context.names, context.table)
    return value


def _complete(verb: Verb, arguments: dict[str, Any], context: Context) -> Reading:
    for each in verb.parameters:
        if each.name in arguments:
            continue
        if each.here and context.room is not None:
            arguments[each.name] = context.room
        elif each.prompt is not None:
            return Ask(Call(verb, arguments), each)
        elif each.here and each.required:
            raise NotInRoom()
        elif each.required:
            raise BadUsage(f"Something is missing. {context.write(verb)}")
    return Call(verb, arguments)
