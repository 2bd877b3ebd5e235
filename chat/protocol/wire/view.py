"""How a reader wants to see things, and the table of renderings.

Each type of event and reply has one function that shows it, registered with `renders`; the functions
stand in the module of their feature, and ``chat.protocol.wire.text`` brings them together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, tzinfo
from typing import Any, NamedTuple, TypeVar

from chat.protocol.wire.sanitize import safe_lines

T = TypeVar("T")


class View(NamedTuple):
    """What a rendering depends on besides the event: equal views give equal bytes.

    :param current: the conversation id of the room the reader is in, or nothing.
    :param style: ``plain``, or ``classic`` for the exact look of wish 001.
    :param now: milliseconds since the epoch; decides what is today and yesterday in a replay.
    :param zone: of the times that are shown; nothing for the server's own.
    :param times: whether live lines begin with the time as well.
    """

    current: int | None = None
    style: str = "plain"
    now: int = 0
    zone: tzinfo | None = UTC
    times: bool = False

    @property
    def classic(self) -> bool:
        return self.style == "classic"


RENDERINGS: dict[type, Callable[[Any, View], str]] = {}
"""Every type that can be shown, and the function that does."""


PARTS: dict[type, Callable[[Any, View], Iterator[str]]] = {}
"""What may be long, and the function that shows it piece by piece."""


def renders_in_parts(shown: type[T]) -> Callable[[Callable[[T, View], Iterator[str]]], Callable[[T, View], str]]:
    """Register the function that shows values of this type as parts of complete lines, each made when it is asked for.

    :returns: what makes a function that shows all of it.
    """

    def register(function: Callable[[T, View], Iterator[str]]) -> Callable[[T, View], str]:
        PARTS[shown] = function
        return renders(shown)(lambda value, view: "".join(function(value, view)))

    return register


def renders(shown: type[T]) -> Callable[[Callable[[T, View], str]], Callable[[T, View], str]]:
    """Register the function that shows values of this type: complete lines, or nothing.

    :raises ValueError: when the type has one already.
    """

    def register(function: Callable[[T, View], str]) -> Callable[[T, View], str]:
        if shown in RENDERINGS:
            raise ValueError(f"{shown.__name__} has a rendering already")
        RENDERINGS[shown] = function
        return function

    return register


def notice(text: str, view: View) -> str:
    """What the server says; nothing for no text.

    Further lines are indented, so that a reason which somebody wrote cannot pass for a notice of its own.
    """
    if not text:
        return ""
    first, *following = safe_lines(text)
    return f"{'' if view.classic else '* '}{first}\n" + "".join(f"  {line}".rstrip() + "\n" for line in following)
