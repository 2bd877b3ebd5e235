"""One room: who belongs to it, who is there, who may do what. Pure: it does no I/O, and time is an argument.

Its membership follows the log: `apply` is called with each row when it is committed, in order, and is
what changes it. Only permission is quicker than the log: whoever is on the way out (`leaving`) may not
speak any more, although rows that were stored before still reach them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from math import ceil, inf
from typing import Any

from chat.protocol.errors import Banned, Forbidden, InviteOnly, Muted, NoSuchRoom, NotAMember, SealedRoom, SlowMode
from chat.protocol.preferences import Notify
from chat.protocol.values import (
    SERVER,
    Body,
    Conversation,
    Invitation,
    Kind,
    Member,
    Rank,
    Restriction,
    Role,
    RoomRecord,
    Row,
    Sealed,
    Text,
    room_setting,
)
from chat.server.core.audiences import Audiences
from chat.server.core.name_index import SortedNames
from chat.server.core.sanctions import restriction_text
from chat.server.interfaces import IMind, StoredRoom

CROWD = 50
"""In rooms with more occupants people are not told who comes and goes."""

RIGHTS = {
    Kind.REDACTION: Role.MODERATOR,
    Kind.INVITED: Role.MEMBER,
    Kind.TOPIC: Role.MODERATOR,
    Kind.KICKED: Role.MODERATOR,
    Kind.BANNED: Role.MODERATOR,
    Kind.UNBANNED: Role.MODERATOR,
    Kind.MUTED: Role.MODERATOR,
    Kind.UNMUTED: Role.MODERATOR,
    Kind.ROLE: Role.OWNER,
    Kind.SETTING: Role.OWNER,
    Kind.CLOSED: Role.OWNER,
}
"""The least role that may write a row of this kind; administrators may write them all. What one wrote oneself, one
may delete without any."""


class Room:
    """A room with its members, its occupants and its audiences.

    :ivar invited: who may enter once, by account.
    :ivar occupants: the minds of the sessions that are here, by account.
    :ivar closed: whether it is closed for good, or about to be.
    :ivar names: the folded names of the members in order, where the room is so large that they are kept.
    :ivar staff: the members who are moderators or owners.
    :ivar leaving: members whose kick, ban or leaving is on its way to the disk.
    :ivar sealing: whether it is sealed, or about to be.
    :ivar succeeding: whether its next owner is on its way to the disk.
    :ivar last: the newest seq.
    """

    __slots__ = (
        "_bans",
        "_mutes",
        "_spoke",
        "audiences",
        "closed",
        "conversation",
        "invited",
        "last",
        "leaving",
        "members",
        "names",
        "occupants",
        "record",
        "sealing",
        "staff",
        "succeeding",
        "topic",
        "unsubscribe",
    )

    def __init__(self, stored: StoredRoom) -> None:
        self.record: RoomRecord = stored.record
        self.topic = stored.record.topic
        self.conversation = Conversation(stored.record.conversation, room=stored.record.name.shown)
        self.members: dict[int, Member] = {member.account: member for member in stored.members}
        self.names: SortedNames | None = None
        self.staff = {member.account for member in stored.members if member.role is not Role.MEMBER}
        self._bans: dict[int, Restriction] = {}
        self._mutes: dict[int, Restriction] = {}
        for each in stored.restrictions:
            (self._bans if each.kind is Kind.BANNED else self._mutes)[each.account] = each
        self.invited: dict[int, Invitation] = {each.account: each for each in stored.invitations}
        self._spoke: dict[int, float] = {}
        self.occupants: dict[int, list[IMind]] = {}
        self.leaving: set[int] = set()
        self.closed = False
        self.sealing = stored.record.sealed
        self.succeeding = False
        self.unsubscribe: Callable[[], None]
        self.audiences = Audiences(stored.record.conversation)
        self.last = stored.last

    @property
    def name(self) -> str:
        return self.record.name.shown

    @property
    def id(self) -> int:
        """The id of its conversation."""
        return self.record.conversation

    # who may do what

    def may_enter(self, account: int, when: int) -> None:
        """:raises Banned: or `InviteOnly`, or `NoSuchRoom` where it is about to be closed."""
        self._check_open()
        ban = self._bans.get(account)
        if ban is not None and ban.lasts(when):
            raise Banned(restriction_text(f"You are banned from {self.name}", ban, when))
        if account in self.leaving and account not in self.members:
            raise Banned(f"You are banned from {self.name}.")  # the ban is on its way to the disk
        if self.record.private and account not in self.members and account not in self.invited:
            raise InviteOnly(f"{self.name} is private. Ask a member to invite you.")

    def may_speak(self, account: int, when: int) -> None:
        """:raises NotAMember: or `Muted`."""
        if self.closed:
            self._check_open()
        if account not in self.members or account in self.leaving:
            raise self._no_member(account)
        if self._mutes:
            self.check_mute(account, when)

    def mute(self, mute: Restriction) -> Restriction | None:
        """Let a mute count while its row is on its way to the disk.

        :returns: what stood in its place, for `take_back`.
        """
        before = self._mutes.get(mute.account)
        self._mutes[mute.account] = mute
        return before

    def take_back(self, mute: Restriction, before: Restriction | None) -> None:
        """Let a mute that could not be stored count no longer."""
        if self._mutes.get(mute.account) is not mute:
            return
        if before is None:
            del self._mutes[mute.account]
        else:
            self._mutes[mute.account] = before

    def check_mute(self, account: int, when: int) -> None:
        """:raises Muted: with the end and the reason."""
        mute = self._mutes.get(account)
        if mute is not None and mute.lasts(when):
            raise Muted(restriction_text(f"You are muted in {self.name}", mute, when))

    def may_take(self, body: Body) -> None:
        """:raises SealedRoom: when this would be said in the clear where everything is sealed."""
        if self.sealing and not isinstance(body, Sealed):
            raise SealedRoom(
                f"{self.name} is encrypted: only clients that hold its keys can write there. Nothing was sent."
            )

    def pace(self, account: int, moment: float) -> None:
        """Note that a member says something, as often as the room allows; moderators are not slowed.

        :param moment: seconds that never jump.
        :raises SlowMode: with the seconds to wait.
        """
        if self.record.slow:
            self.check_pace(account, moment)
            self._spoke[account] = moment

    def check_pace(self, account: int, moment: float) -> None:
        """:raises SlowMode: see `pace`."""
        slow = self.record.slow
        if not slow or self.members[account].role.height >= Role.MODERATOR.height:
            return
        wait = self._spoke.get(account, -inf) + slow - moment
        if wait > 0:
            raise SlowMode(f"{self.name} is in slow mode. Wait {ceil(wait)} more seconds.", wait=wait)

    def _no_member(self, account: int) -> NotAMember:
        shut = self.record.private and account not in self.invited
        how = "It is private: ask a member to invite you." if shut else f"Type: connect {self.name}"
        return NotAMember(f"You are not a member of {self.name}. {how}")

    def _check_open(self) -> None:
        if self.closed:
            raise NoSuchRoom(f"The room {self.name} has been closed. list channels shows the others.")

    def may_read(self, account: int) -> int:
        """:returns: the seq after which this member may read.
        :raises NotAMember: when it is none.
        """
        member = self.members.get(account)
        if member is None:
            raise self._no_member(account)
        return member.readable_after

    def next_owner(self, leaver: int | None = None) -> int | None:
        """Who is the next to own a room without an owner: the highest in rank, the longest a member.

        :param leaver: somebody who counts as gone, like all who are about to leave.
        :returns: nobody, where an owner stays or nobody does.
        """
        out = {leaver, *self.leaving}
        if any(self.members[each].role is Role.OWNER for each in self.staff - out):
            return None
        others = [member for member in self.members.values() if member.account not in out]
        if not others:
            return None
        return min(others, key=lambda member: (-member.role.height, member.joined_seq)).account

    def abandoned_to(self, account: int) -> bool:
        """Whether a member is the first to come into a room that all others have left."""
        first = next(iter(self.members), None)
        return first == account and all(self.members[each].role is not Role.OWNER for each in self.staff)

    def may_moderate(self, kind: Kind, account: int, rank: Rank, target: int | None) -> None:
        """Whether an account may write a row about another (or about the room).

        :raises Forbidden: with the role that it takes.
        """
        if rank is Rank.ADMINISTRATOR:
            return
        member = self.members.get(account)
        if member is None or account in self.leaving:
            raise self._no_member(account)
        if member.role.height < RIGHTS[kind].height:
            raise Forbidden(
                f"Only {_plural(RIGHTS[kind])} of {self.name} may do that. list users {self.name} shows them."
            )
        other = self.members.get(target) if target is not None and target != account else None
        if other is not None and other.role.height >= member.role.height and kind is not Kind.ROLE:
            article = "an" if other.role is Role.OWNER else "a"
            raise Forbidden(f"You may not do that to {article} {other.role} of {self.name}.")

    def notify_of(self, account: int) -> Notify:
        """What a member is shown of the room while it happens."""
        member = self.members.get(account)
        return member.notify if member is not None else Notify.ALL

    def set_notify(self, account: int, notify: Notify) -> None:
        member = self.members.get(account)
        if member is not None:
            self.members[account] = replace(member, notify=notify)

    def is_banned(self, account: int, when: int) -> bool:
        ban = self._bans.get(account)
        return ban is not None and ban.lasts(when)

    def is_muted(self, account: int, when: int) -> bool:
        mute = self._mutes.get(account)
        return mute is not None and mute.lasts(when)

    # what the log says

    def apply(self, row: Row, until: int | None) -> None:
        """Follow a row that is on disk.

        :param until: the end of a ban or mute, milliseconds since the epoch.
        """
        self.last = row.seq
        change = _CHANGES.get(row.kind)
        if change is not None:
            change(self, row, until)

    def _set_topic(self, row: Row, until: int | None) -> None:
        self.topic = words(row)

    def _add(self, row: Row, until: int | None) -> None:
        role = Role.OWNER if row.kind is Kind.CREATED else Role.MEMBER
        account = row.target or row.author
        self.invited.pop(account, None)
        if account != SERVER and account not in self.members:
            before = row.seq - 1
            readable_after = 0 if self.record.from_start else before
            self.members[account] = Member(account, role, before, row.time, row.time, readable_after=readable_after)
            self._note_role(account, role)

    def _remove(self, row: Row, until: int | None) -> None:
        account = row.target or row.author
        self.members.pop(account, None)
        self.staff.discard(account)
        self.leaving.discard(account)
        if row.kind is Kind.BANNED:
            self.invited.pop(account, None)
            self._bans[account] = Restriction(account, Kind.BANNED, until, words(row))

    def _restrict(self, row: Row, until: int | None) -> None:
        account = row.target or row.author
        if row.kind is Kind.MUTED:
            self._mutes[account] = Restriction(account, Kind.MUTED, until, words(row))
        elif row.kind is Kind.UNMUTED:
            self._mutes.pop(account, None)
        else:
            self._bans.pop(account, None)

    def _invite(self, row: Row, until: int | None) -> None:
        account = row.target or row.author
        self.invited[account] = Invitation(account, row.author, row.time)

    def _decline(self, row: Row, until: int | None) -> None:
        self.invited.pop(row.author, None)

    def _set(self, row: Row, until: int | None) -> None:
        field, value = room_setting(words(row))
        change: dict[str, Any] = {field: value}
        self.record = replace(self.record, **change)
        self._spoke.clear()

    def _set_role(self, row: Row, until: int | None) -> None:
        member = self.members.get(row.target or row.author)
        if member is not None:
            role = Role(words(row))
            self.members[member.account] = replace(member, role=role)
            self._note_role(member.account, role)

    def _note_role(self, account: int, role: Role) -> None:
        if role is Role.MEMBER:
            self.staff.discard(account)
        else:
            self.staff.add(account)

    # who is here

    def came_in(self, account: int, when: int) -> None:
        """A member has chosen to be here, milliseconds since the epoch."""
        member = self.members.get(account)
        if member is not None:
            self.members[account] = replace(member, entered=when)

    def enter(self, account: int, mind: IMind) -> None:
        """A session of a member is here from now on, or sees something else than before."""
        minds = self.occupants.setdefault(account, [])
        if mind not in minds:
            minds.append(mind)
        self.audiences.add(mind)

    def exit(self, account: int, mind: IMind) -> None:
        """A session is here no longer; what was said before still reaches it."""
        minds = self.occupants.get(account)
        if minds is not None and mind in minds:
            minds.remove(mind)
            if not minds:
                del self.occupants[account]
        self.audiences.remove(mind)

    def minds_of(self, accounts: Iterable[int]) -> list[IMind]:
        """The sessions of these accounts that are here."""
        return [mind for account in accounts for mind in self.occupants.get(account, ())]


_CHANGES = {
    Kind.TOPIC: Room._set_topic,
    Kind.CREATED: Room._add,
    Kind.JOINED: Room._add,
    Kind.LEFT: Room._remove,
    Kind.KICKED: Room._remove,
    Kind.BANNED: Room._remove,
    Kind.UNBANNED: Room._restrict,
    Kind.MUTED: Room._restrict,
    Kind.UNMUTED: Room._restrict,
    Kind.ROLE: Room._set_role,
    Kind.INVITED: Room._invite,
    Kind.DECLINED: Room._decline,
    Kind.SETTING: Room._set,
}


def words(row: Row) -> str:
    """The text of a row, or empty."""
    return row.body.text if isinstance(row.body, Text) else ""


def _plural(role: Role) -> str:
    return {Role.OWNER: "owners", Role.MODERATOR: "moderators and owners", Role.MEMBER: "members"}[role]
