"""What programs are told of files that lie on the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileKept:
    """The server has stored a file, or part of it.

    :param file: what the server calls it.
    :param next: how many of its pieces are there, on disk: the number of the next one.
    """

    file: int
    next: int


@dataclass(frozen=True, slots=True)
class FilePiece:
    """A piece of a file, encrypted by its sender."""

    file: int
    number: int
    body: bytes
