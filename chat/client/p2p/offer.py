"""File offers and the answers to them, as encrypted messages carry them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from chat.client.e2e.key_export import read, written
from chat.client.model.failures import BadOffer
from chat.client.p2p.chunk_cipher import ID_BYTES, KEY_BYTES, MOST_PIECES, PIECE, count
from chat.protocol.wire.sanitize import safe

OFFER: Final = "file"
ANSWER: Final = "file-answer"
"""The types of letters about files."""

MOST_SIZE: Final = MOST_PIECES * PIECE

MOST_NAME: Final = 200
"""Bytes of the longest name: a file system takes 255, and a number may be added."""

_UNITS = ("bytes", "KiB", "MiB", "GiB")
_DIGEST_BYTES = 32


@dataclass(frozen=True, slots=True)
class Offer:
    """A file that somebody wants to send.

    :param id: random, names it for both ends.
    :param name: as the sender calls it; see `landing_name`.
    :param size: in bytes.
    :param digest: SHA-256 of the whole.
    :param key: its pieces are sealed with; a secret.
    :param kept: what a server that keeps the pieces calls them, or 0 where they come over a link.
    """

    id: bytes
    name: str
    size: int
    digest: bytes
    key: bytes
    kept: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.size <= MOST_SIZE:
            raise BadOffer(f"The file is too large: at most {human(MOST_SIZE)} can be sent.")
        if (len(self.id), len(self.digest), len(self.key)) != (ID_BYTES, _DIGEST_BYTES, KEY_BYTES):
            raise BadOffer("The file offer is not valid.")

    @property
    def pieces(self) -> int:
        """How many there are."""
        return count(self.size)

    def content(self) -> dict[str, Any]:
        """For the letter, as plain JSON values."""
        return {
            "type": OFFER,
            "id": written(self.id),
            "name": self.name,
            "size": self.size,
            "digest": written(self.digest),
            "key": written(self.key),
            "kept": self.kept,
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Offer:
        """Read what `content` gave.

        :raises BadOffer: when it is none.
        """
        name, size, kept = content.get("name"), content.get("size"), content.get("kept")
        if not isinstance(name, str) or type(size) is not int or type(kept) is not int or kept < 0:
            raise BadOffer("The file offer is not valid.")
        try:
            id, digest, key = (read(str(content.get(field))) for field in ("id", "digest", "key"))
        except ValueError:
            raise BadOffer("The file offer is not valid.") from None
        return cls(id, landing_name(name), size, digest, key, kept)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a file that was left at a server; it goes to who has left it.

    :param id: see `Offer`, as ``kept``.
    :param taken: whether it was; else it is not wanted.
    """

    id: bytes
    kept: int
    taken: bool

    def content(self) -> dict[str, Any]:
        """For the letter, as plain JSON values."""
        return {"type": ANSWER, "id": written(self.id), "kept": self.kept, "taken": self.taken}

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> Answer:
        """Read what `content` gave.

        :raises BadOffer: when it is none.
        """
        kept, taken = content.get("kept"), content.get("taken")
        try:
            id = read(str(content.get("id")))
        except ValueError:
            id = b""
        if not id or type(kept) is not int or not isinstance(taken, bool):
            raise BadOffer("The answer to a file offer is not valid.")
        return cls(id, kept, taken)


def landing_name(name: str) -> str:
    """What a file may be called here: one name, not hidden, that any terminal can show."""
    last = safe(name.replace("\\", "/").rpartition("/")[2]).strip().lstrip(".").strip() or "file"
    stem, dot, ending = last.rpartition(".")
    if not dot or len(ending.encode()) > 20:
        stem, dot, ending = last, "", ""
    room = MOST_NAME - len((dot + ending).encode("utf-8", "replace"))
    short = stem.encode("utf-8", "replace")[:room].decode("utf-8", "ignore")
    return short + dot + ending


def human(size: int) -> str:
    """A number of bytes, as people say it."""
    unit, value = 0, float(size)
    while value >= 1024 and unit < len(_UNITS) - 1:
        unit, value = unit + 1, value / 1024
    return f"{size} bytes" if not unit else f"{value:.1f} {_UNITS[unit]}"
