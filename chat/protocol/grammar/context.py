"""What a line may turn out to be, and what its meaning depends on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chat.protocol.errors import ChatError
from chat.protocol.grammar.parameters import Names
from chat.protocol.grammar.verbs import Parameter, Table, Verb
from chat.protocol.values import value

INVITATION = "invitation"
"""The parameter of an invitation code, which only some servers ask for."""


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


class NoNames:
    """Which names exist, for somebody who is told of none (`chat.protocol.grammar.parameters.Names`)."""

    def is_account(self, word: str) -> bool:
        return False

    def is_room(self, word: str) -> bool:
        return False

    def near_account(self, word: str) -> str | None:
        return None

    def near_room(self, word: str) -> str | None:
        return None


@dataclass(frozen=True, slots=True)
class Context:
    """What the meaning of a line depends on; replaced when it changes.

    :param room: the current room, or nothing.
    :param held: the line that was held before, or nothing.
    :param prefix: what stands before every verb of the table where it is typed, such as ``admin``, or empty.
    :param withheld: the verbs that nobody can use now, and how each is refused.
    :param unasked: the parameters that are not asked for now, though they have a prompt.
    """

    table: Table
    names: Names
    logged_in: bool = False
    room: str | None = None
    held: Held | None = None
    prefix: str = ""
    withheld: Mapping[str, type[ChatError]] = field(default_factory=dict)
    unasked: frozenset[str] = frozenset({INVITATION})

    def write(self, verb: Verb) -> str:
        """What somebody reads who has written a verb in another way; in a room without the ``/`` it might be said."""
        slash = "/" if self.room is not None else ""
        return f"Usage: {slash}{f'{self.prefix} {verb.form}'.lstrip()}"


Reading = Call | Ask | Held | None


def cut(text: str) -> tuple[str, str]:
    """The first word and the rest, whichever blanks stand between: what is pasted may have tabs."""
    words = text.split(None, 1)
    return words[0] if words else "", words[1] if len(words) > 1 else ""
