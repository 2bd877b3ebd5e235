"""What programs are told of files that lie on the server."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileKept:
    """A file lies on the server, or some of it.

    :param file: what the server calls it.
    :param next: how many of its pieces are there, on disk: the number of the next one.
    """

    file: int
    next: int


@dataclass(frozen=True, slots=True)
class FilePiece:
    """A piece of a file, sealed by who sent it."""

    file: int
    number: int
    body: bytes
