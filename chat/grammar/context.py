"""What a line may turn out to be, and what its meaning depends on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from chat.grammar.parameters import Names
from chat.grammar.verbs import Parameter, Table, Verb
from chat.values import value


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


def cut(text: str) -> tuple[str, str]:
    """The first word and the rest, whichever blanks stand between: what is pasted may have tabs."""
    words = text.split(None, 1)
    return words[0] if words else "", words[1] if len(words) > 1 else ""
