"""The ordinary log of the server, for people: from which level on something is written.

What it says goes where ``twistd`` sends its log. It never holds what people wrote or typed at a password prompt.
"""

from __future__ import annotations

from typing import Any, Final

from twisted.logger import LogLevel

from twisted import logger

LEVELS: Final = {each.name: each for each in LogLevel.iterconstants()}
"""By the word for it, from what only developers want to know to what ends the server."""

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
