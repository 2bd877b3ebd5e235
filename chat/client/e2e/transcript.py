"""The transcript of one conversation, compared with what other devices say that they saw.

Each message names the last one that its author had seen, and counts what its device has sealed. So it shows at the
next message when the server withholds one, shows it to some and not to others, or changes the order. What it withholds
at the end, after which nobody says anything more, does not show.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from itertools import islice
from typing import Any, Final

from chat.client.e2e.payload import Payload

REMEMBERED: Final = 1_000
"""Messages of one conversation that are remembered; of older ones nothing is claimed."""

KEPT: Final = 100
"""Of them, those that are kept over an end of the program: keeping is done often, and has to be cheap."""

Author = tuple[str, str]
"""A folded name and a device."""


class Doubt(StrEnum):
    """What is wrong with the past of a message that is genuine itself."""

    WITHHELD = "withheld"
    FORKED = "forked"
    REORDERED = "reordered"


class Transcript:
    """One conversation, as this device was shown it: rows in the order of their seq, without gaps.

    :param first: the seq of the first row; of what came before it nothing is known.
    """

    def __init__(self, first: int) -> None:
        self._first = first
        self._last = first - 1
        self._digests: dict[int, str] = {}
        self._unseen: set[int] = set()
        self._counts: dict[Author, tuple[int, int]] = {}

    @property
    def last(self) -> tuple[int, str]:
        """The seq and the digest of the last sealed message, for the next one that is written."""
        return next(reversed(self._digests.items()), (0, ""))

    @property
    def end(self) -> int:
        """The seq of the last row."""
        return self._last

    def count(self, author: Author) -> int:
        """What the last message of a device has counted, 0 where nothing is known."""
        return self._counts.get(author, (0, 0))[0]

    def digest(self, seq: int) -> str | None:
        """Of the message at a seq, as far as it is remembered."""
        return self._digests.get(seq)

    def skip_to(self, first: int, own: Author) -> None:
        """Go on with a later row: nothing is claimed of those between, which nobody here wanted to read.

        :param own: this device, which goes on counting.
        """
        self._first, self._last = first, first - 1
        self._digests.clear()
        self._unseen.clear()
        self._counts = {own: self._counts[own]} if own in self._counts else {}

    def put_back(self, last: int) -> int:
        """The log ends with an earlier row than was seen: forget what stood behind it, so that something else may come
        there. How far each device has counted stays, as they go on from there.

        :returns: how many rows are gone.
        """
        lost = max(0, self._last - last)
        if lost:
            self._first = min(self._first, last + 1)
            self._last = last
            self._digests = {seq: digest for seq, digest in self._digests.items() if seq <= last}
            self._unseen = {seq for seq in self._unseen if seq <= last}
            self._counts = {author: (count, min(at, last)) for author, (count, at) in self._counts.items()}
        return lost

    def forget(self, user: str) -> None:
        """Somebody has new keys, and counts anew."""
        self._counts = {author: count for author, count in self._counts.items() if author[0] != user}

    def pass_over(self, seq: int, unseen: bool = False) -> None:
        """A row without a sealed message.

        :param unseen: whether a message may have stood there: it was deleted, or its author is blocked here.
        """
        self._last = max(self._last, seq)
        if unseen:
            self._unseen.add(seq)

    def add(self, seq: int, digest: str, author: Author, envelope: Payload | None) -> tuple[Doubt, ...]:
        """A sealed message.

        :param author: as the server says.
        :param envelope: nothing where it does not open: nothing is known of how its author counts any more.
        :returns: what it says against what was seen before.
        """
        if envelope is None:
            doubts: tuple[Doubt, ...] = ()
            self._counts.pop(author, None)
        else:
            doubts = tuple(dict.fromkeys(self._doubts(seq, author, envelope)))
            before = self._counts.get(author, (0, 0))[0]
            self._counts[author] = (max(envelope.count, before), seq)
        self._digests[seq] = digest
        self._last = max(self._last, seq)
        if len(self._digests) > REMEMBERED:
            oldest = next(iter(self._digests))
            del self._digests[oldest]
            self._first = oldest + 1
            self._unseen = {each for each in self._unseen if each >= self._first}
        return doubts

    def _doubts(self, seq: int, author: Author, envelope: Payload) -> list[Doubt]:
        doubts = []
        if seq <= self._last or envelope.after >= seq:
            doubts.append(Doubt.REORDERED)
        elif self._first <= envelope.after and envelope.after not in self._unseen:
            seen = self._digests.get(envelope.after)
            if seen is None:
                doubts.append(Doubt.WITHHELD)
            elif seen != envelope.digest:
                doubts.append(Doubt.FORKED)
        if author in self._counts:
            count, at = self._counts[author]
            if envelope.count <= count:
                doubts.append(Doubt.REORDERED)
            elif envelope.count > count + 1 + sum(each > at for each in self._unseen):
                doubts.append(Doubt.WITHHELD)
        return doubts

    # keeping

    def dump(self) -> dict[str, Any]:
        """What is kept, as plain JSON values."""
        digests = list(islice(reversed(self._digests.items()), KEPT))[::-1]
        first = digests[0][0] if len(self._digests) > KEPT else self._first
        return {
            "first": first,
            "last": self._last,
            "digests": digests,
            "unseen": sorted(seq for seq in self._unseen if seq >= first),
            "counts": [[*whose, *count] for whose, count in self._counts.items()],
        }

    @classmethod
    def restore(cls, dumped: Mapping[str, Any]) -> Transcript:
        """What `dump` gave."""
        chain = cls(dumped["first"])
        chain._last = dumped["last"]
        chain._digests = dict(dumped["digests"])
        chain._unseen = set(dumped["unseen"])
        chain._counts = {(user, device): (count, seq) for user, device, count, seq in dumped["counts"]}
        return chain
