"""The log: rows before and after they are stored, and how far somebody is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from chat.protocol.values.bodies import Body
from chat.protocol.values.conversations import Pair
from chat.protocol.values.kinds import Kind


class Draft(NamedTuple):
    """A row before it is stored.

    :param conversation: an id, or the pair whose conversation is made when it does not exist.
    :param time: milliseconds since the epoch.
    :param ref: the seq that this row refers to (`Kind.EDIT`, `Kind.REDACTION`).
    :param target: the account that a membership row is about, or that wrote what is redacted.
    :param body: what was said; the topic; the reason of a ban; the role of `Kind.ROLE`;
        see `room_setting` for `Kind.SETTING`.
    :param until: the end of a ban or mute, milliseconds since the epoch.
    :param retry: the sender's retry id: the same again returns the first result.
    :param most_waiting: refuse when so many rows of this author wait unread in the pair; nothing for no bound.
    """

    conversation: int | Pair
    kind: Kind
    author: int
    device: str
    time: int
    body: Body | None = None
    ref: int | None = None
    target: int | None = None
    until: int | None = None
    retry: str | None = None
    most_waiting: int | None = None


class Stored(NamedTuple):
    """What the log made of a draft: it is on disk.

    :param repeated: whether an earlier try with the same retry id had stored it already.
    """

    conversation: int
    seq: int
    time: int
    repeated: bool = False


class Row(NamedTuple):
    """A row of the log as it is read back; a body that was emptied is ``None``."""

    conversation: int
    seq: int
    kind: Kind
    author: int
    device: str
    time: int
    body: Body | None = None
    ref: int | None = None
    target: int | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows of one conversation, oldest first.

    :param first: the first seq that the log still holds (retention removes a prefix).
    :param last: the newest seq.
    :param more: whether rows remain beyond the page, in the direction that was asked for.
    """

    rows: tuple[Row, ...]
    first: int
    last: int
    more: bool


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where one account stands in one conversation.

    :param partner: the other account of a private conversation, or nothing for a room.
    :param first: the first seq that the log still holds.
    :param last: the newest seq.
    :param received: up to where this device provably has everything.
    :param read: up to where the person has seen everything, on any device.
    :param unread: rows said by others, by nobody blocked, after the later of the two marks.
    :param delivered: up to where some device of ``partner`` provably has everything.
    """

    conversation: int
    partner: int | None
    first: int
    last: int
    received: int
    read: int
    unread: int
    delivered: int = 0


class Shown(NamedTuple):
    """Rows of one conversation that a device was sent: those after one seq, up to another."""

    after: int
    upto: int

    def joined(self, other: Shown) -> Shown:
        """Both, and what lies between them."""
        return Shown(min(self.after, other.after), max(self.upto, other.upto))


class Unsure(NamedTuple):
    """What a device may have been shown although nothing proves it.

    :param before: every row up to this time, milliseconds since the epoch; 0 for none.
    :param shown: rows by conversation.
    """

    before: int
    shown: Mapping[int, Shown]

    def may_have_seen(self, row: Row) -> bool:
        if row.time <= self.before:
            return True
        shown = self.shown.get(row.conversation)
        return shown is not None and shown.after < row.seq <= shown.upto

    def joined(self, other: Unsure) -> Unsure:
        """What either of the two says."""
        return Unsure(max(self.before, other.before), join_shown(self.shown, other.shown))


def join_shown(one: Mapping[int, Shown], other: Mapping[int, Shown]) -> dict[int, Shown]:
    """What was shown of each conversation by either of the two."""
    both = dict(one)
    for conversation, shown in other.items():
        before = both.get(conversation)
        both[conversation] = shown if before is None else before.joined(shown)
    return both


class Origin(NamedTuple):
    """Where an act came from, so that its own session can be left out of the delivery."""

    node: str
    session: int
