"""The ordinary log of the server, for people: from which level on something is written, and how.

What it says goes where ``twistd`` sends its log. It never holds what people wrote or typed at a password prompt. Names,
addresses and the texts of errors do come from others: `HarmlessObserver` stands before whatever writes the log, so that
none of them, in an event of ours or of a library, can begin a line, move the cursor of a terminal or fill the disk.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from twisted.logger import ILogObserver, LogEvent, LogLevel, formatEvent
from zope.interface import implementer

from twisted import logger

LEVELS: Final = {each.name: each for each in LogLevel.iterconstants()}
"""By the word for it, from what only developers want to know to what ends the server."""

MOST_CHARACTERS: Final = 2_000
"""Of one line of the log; what is longer is cut, with the number of characters that are left out."""

MOST_LINES: Final = 200
"""Of a traceback, the last ones: they say what went wrong."""

_KEPT: Final = ("log_time", "log_level", "log_namespace")

_least: list[Any] = [LogLevel.info]


def write_from(level: str) -> None:
    """Write from now on what is of this level or a graver one.

    :param level: a word of `LEVELS`.
    """
    _least[:] = [LEVELS[level]]


class Logger(logger.Logger):
    """Twisted's, but for what is of too low a level."""

    def emit(self, level: Any, format: str | None = None, **values: object) -> None:
        if level >= _least[0]:
            super().emit(level, format, **values)


@implementer(ILogObserver)
class HarmlessObserver:
    """Hands events on to another observer as text that nobody else had a say in.

    :param observer: gets a copy of each event: its time, level and origin, and one finished text.
    """

    def __init__(self, observer: Callable[[LogEvent], object]) -> None:
        self._observer = observer

    def __call__(self, event: LogEvent) -> None:
        lines = [harmless(formatEvent(event))]
        failure = event.get("log_failure")
        if failure is not None:
            lines += map(harmless, _traceback(failure).splitlines()[-MOST_LINES:])
        shown: LogEvent = {name: event[name] for name in _KEPT if name in event}
        if "log_system" in event:
            shown["log_system"] = harmless(str(event["log_system"]))
        self._observer(shown | {"log_format": "{text}", "text": "\n".join(lines)})


def harmless(text: str) -> str:
    """One line that any terminal can show as it is: what does not print becomes an escape, and what is long is cut."""
    if len(text) > MOST_CHARACTERS:
        text = f"{text[:MOST_CHARACTERS]}... ({len(text) - MOST_CHARACTERS:,} more characters)"
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _traceback(failure: Any) -> str:
    try:
        return str(failure.getTraceback())
    except Exception as error:  # such as one whose text cannot be made
        return f"(There is no traceback: {type(error).__name__}.)"
