"""Rooms: making one, and reading all of them at the start."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from chat.protocol.errors import RoomTaken, TooManyRooms
from chat.protocol.preferences import Notify
from chat.protocol.values import Draft, Invitation, Kind, Member, Name, Origin, Restriction, Role, RoomRecord
from chat.server.interfaces import StoredRoom
from chat.server.storage.append import append
from chat.server.storage.connection import Connection
from chat.server.storage.log import ends
from chat.server.storage.transaction import Transaction

DAY = 24 * 3_600_000
"""Milliseconds in which the rooms of one account are counted."""


def create_room(
    transaction: Transaction, record: RoomRecord, draft: Draft, origin: Origin | None = None, most: int | None = None
) -> RoomRecord:
    """Make a room with its first row; see `chat.server.interfaces.IStore.create_room`.

    :raises TooManyRooms: with the seconds to wait; before a name is looked at, so that whoever guesses the names of
        private rooms has that many guesses.
    :raises RoomTaken: when a living room has that name, or one that looks like it.
    """
    if most is not None:
        _check_number(transaction, draft, most)
    name = record.name
    looks = (name.folded, name.skeleton or name.folded)
    taken = transaction.look(
        "SELECT 1 FROM rooms WHERE deleted IS NULL AND folded IN (?, ?) UNION ALL"
        " SELECT 1 FROM rooms WHERE deleted IS NULL AND skeleton <> '' AND skeleton IN (?, ?)",
        (*looks, *looks),
    )
    if taken:
        raise RoomTaken()
    conversation = transaction.new_conversation("room")
    transaction.execute(
        "INSERT INTO rooms (conversation, shown, folded, skeleton, topic, private, from_start, slow, created,"
        " creator) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            conversation,
            name.shown,
            name.folded,
            name.skeleton,
            record.topic,
            record.private,
            record.from_start,
            record.slow,
            record.created,
            draft.author,
        ),
    )
    append(transaction, draft._replace(conversation=conversation), origin)
    return replace(record, conversation=conversation)


def _check_number(transaction: Transaction, draft: Draft, most: int) -> None:
    """:raises TooManyRooms: when the author of a draft has made ``most`` rooms within the last day."""
    made = transaction.look(
        "SELECT count(*), min(created) FROM (SELECT created FROM rooms WHERE creator = ? AND creator <> 0"
        " AND created > ? ORDER BY created DESC LIMIT ?)",
        (draft.author, draft.time - DAY, most),
    )
    if made[0] >= most:
        raise TooManyRooms(wait=(made[1] + DAY - draft.time) / 1000)


def entered(transaction: Transaction, account: int, conversation: int, when: int) -> None:
    """See `chat.server.interfaces.IStore.entered`."""
    transaction.execute(
        "UPDATE members SET entered = ? WHERE conversation = ? AND account = ?", (when, conversation, account)
    )


def notify(transaction: Transaction, account: int, conversation: int, notify: Notify) -> None:
    """See `chat.server.interfaces.IStore.notify`."""
    transaction.execute(
        "UPDATE members SET notify = ? WHERE conversation = ? AND account = ?", (notify.value, conversation, account)
    )


def all_rooms(connection: Connection) -> tuple[StoredRoom, ...]:
    """Every living room with its members, restrictions and invitations, the oldest first."""
    members: dict[int, list[Member]] = defaultdict(list)
    for conversation, account, role, joined_seq, joined, entered, notify, readable_after in connection.execute(
        "SELECT conversation, account, role, joined_seq, joined, entered, notify, readable_after FROM members"
        " ORDER BY joined, account"
    ):
        members[conversation].append(
            Member(account, Role(role), joined_seq, joined, entered, Notify(notify), readable_after)
        )
    restrictions: dict[int, list[Restriction]] = defaultdict(list)
    for conversation, account, kind, until, reason in connection.execute(
        "SELECT conversation, account, kind, until, reason FROM restrictions ORDER BY account, kind"
    ):
        restrictions[conversation].append(Restriction(account, Kind(kind), until, reason))
    invitations: dict[int, list[Invitation]] = defaultdict(list)
    for conversation, account, by, created in connection.execute(
        "SELECT conversation, account, by, created FROM invitations ORDER BY created, account"
    ):
        invitations[conversation].append(Invitation(account, by, created))
    last = ends(connection)
    rooms = []
    for conversation, *name, topic, created, private, from_start, slow, sealed in connection.execute(
        "SELECT conversation, shown, folded, skeleton, topic, created, private, from_start, slow, sealed"
        " FROM rooms WHERE deleted IS NULL ORDER BY conversation"
    ):
        record = RoomRecord(
            conversation, Name(*name), topic, created, bool(private), bool(from_start), slow, bool(sealed)
        )
        rooms.append(
            StoredRoom(
                record,
                tuple(members[conversation]),
                tuple(restrictions[conversation]),
                last.get(conversation, 0),
                tuple(invitations[conversation]),
            )
        )
    return tuple(rooms)
