"""What moderators do in a room, and what its topic is. Who may is decided by `chat.server.core.room.RIGHTS`."""

from __future__ import annotations

from chat.protocol.errors import BadUsage, BlockedByRecipient, Forbidden, NoEffect, NotAMember
from chat.protocol.values import Account, Kind, Rank, Restriction, Role, Text, room_setting
from chat.server.core.node import Node
from chat.server.core.one_line import one_line, one_line_body
from chat.server.core.room import Room
from chat.server.core.rooms import LOBBY, Actor, RoomService, account_of, actor_of, heir_of
from chat.server.core.user import Session


class Moderation:
    def __init__(self, node: Node, rooms: RoomService) -> None:
        self._node = node
        self._rooms = rooms

    async def set_topic(self, session: Session, room: Room, topic: str) -> None:
        """:param topic: empty for none.
        :raises Muted: or `DiskFull`, as for what is said.
        """
        self._check(session, room, Kind.TOPIC, None)
        account, now = account_of(session), self._node.now()
        self._node.may_say(account, now)
        room.check_mute(account, now)
        await self._rooms.append(actor_of(session), room, Kind.TOPIC, body=one_line_body(topic))

    async def remove(
        self, session: Session, room: Room, kind: Kind, target: Account, reason: str, seconds: int | None = None
    ) -> None:
        """Kick or ban.

        :param kind: `Kind.KICKED` or `Kind.BANNED`.
        :param seconds: how long a ban lasts, or nothing for ever.
        :raises NotAMember: when somebody who is not there would be kicked.
        """
        self._check(session, room, kind, target.id)
        if target.id == account_of(session):
            raise BadUsage(f"You cannot do that to yourself. To leave: disconnect {room.name}")
        if kind is Kind.KICKED and (target.id not in room.members or target.id in room.leaving):
            raise NotAMember(f"{target.name.shown} is not a member of {room.name}.")
        self._check_reason(session, room, reason)
        heir = heir_of(room, target.id)
        room.leaving.add(target.id)
        try:
            if heir is not None:
                await self._rooms.append(actor_of(session), room, Kind.ROLE, target=heir, body=Text(Role.OWNER.value))
            await self._restrict(session, room, kind, target, reason, seconds)
        finally:
            room.leaving.discard(target.id)
        await self._rooms.keep_owned(room)

    async def mute(self, session: Session, room: Room, target: Account, reason: str, seconds: int | None) -> None:
        """:param seconds: how long, or nothing for ever."""
        self._check(session, room, Kind.MUTED, target.id)
        if target.id == account_of(session):
            raise BadUsage("You cannot do that to yourself.")
        self._check_reason(session, room, reason)
        until = None if seconds is None else self._node.now() + seconds * 1000
        mute = Restriction(target.id, Kind.MUTED, until, one_line(reason))
        before = room.mute(mute)
        try:
            await self._restrict(session, room, Kind.MUTED, target, reason, seconds)
        except BaseException:
            room.take_back(mute, before)
            raise

    async def lift(self, session: Session, room: Room, kind: Kind, target: Account) -> None:
        """End a ban or a mute.

        :param kind: `Kind.UNBANNED` or `Kind.UNMUTED`.
        :raises NoEffect: when there is none.
        """
        self._check(session, room, kind, target.id)
        user = session.user
        if user is not None and target.id == user.account.id and user.account.rank is not Rank.ADMINISTRATOR:
            raise Forbidden(f"You cannot do that to yourself. Ask somebody else in {room.name}.")
        restricted = room.is_banned if kind is Kind.UNBANNED else room.is_muted
        if not restricted(target.id, self._node.now()):
            raise NoEffect(f"{target.name.shown} is not {kind.value.removeprefix('un')} in {room.name}.")
        await self._rooms.append(actor_of(session), room, kind, target=target.id)

    async def invite(self, session: Session, room: Room, target: Account) -> None:
        """Let somebody enter, once.

        :raises BlockedByRecipient: where the target does not want to hear of who invites.
        :raises Muted: on the whole server.
        :raises NoEffect: when the target is a member, invited already, or banned.
        """
        self._check(session, room, Kind.INVITED, None)
        self._node.sanctions.may_speak(account_of(session), self._node.now())
        who = target.name.shown
        if target.id in room.members:
            raise NoEffect(f"{who} is already a member of {room.name}.")
        if target.id in room.invited:
            raise NoEffect(f"{who} has already been invited to {room.name}.")
        if room.is_banned(target.id, self._node.now()):
            raise NoEffect(f"{who} is banned from {room.name}. A moderator can lift the ban: unban {who}")
        if self._node.directory.blocks(target.id, account_of(session)):
            raise BlockedByRecipient("Your invitation could not be delivered as the recipient has blocked you.")
        await self._rooms.append(actor_of(session), room, Kind.INVITED, target=target.id)

    async def decline(self, actor: Actor, room: Room) -> None:
        """:raises NoEffect: when one is not invited."""
        if actor.account not in room.invited:
            raise NoEffect(f"You are not invited to {room.name}.")
        await self._rooms.append(actor, room, Kind.DECLINED)

    async def change(self, session: Session, room: Room, setting: str) -> None:
        """Change a setting of a room.

        :param setting: as `chat.protocol.values.room_setting` reads it.
        :raises NoEffect: when it is so already.
        """
        self._check(session, room, Kind.SETTING, None)
        field, value = room_setting(setting)
        if getattr(room.record, field) == value:
            raise NoEffect()
        if field == "sealed":
            await self._seal(session, room, setting)
        else:
            await self._rooms.append(actor_of(session), room, Kind.SETTING, body=Text(setting))

    async def _seal(self, session: Session, room: Room, setting: str) -> None:
        """Nothing is taken in the clear from this very moment on, although the row is still on its way to the disk.

        :raises Forbidden: for the room that everybody can use.
        """
        if room.record.name.folded == LOBBY:
            raise Forbidden(f"{room.name} is open to every client, so it cannot be encrypted.")
        if room.sealing:
            raise NoEffect()
        room.sealing = True
        try:
            await self._rooms.append(actor_of(session), room, Kind.SETTING, body=Text(setting))
        except BaseException:
            room.sealing = False
            raise

    def check_close(self, session: Session, room: Room) -> None:
        """Whether a room may be closed by whoever acts.

        :raises Forbidden: for who is no owner, and for the room that always exists.
        """
        self._check(session, room, Kind.CLOSED, None)
        if room.record.name.folded == LOBBY:
            raise Forbidden(f"{room.name} cannot be closed.")

    async def close(self, session: Session, room: Room) -> None:
        """Close a room for good; everybody in it is told, and what was said there is shown to nobody any more.

        :raises Forbidden: see `check_close`.
        """
        self.check_close(session, room)
        await self._rooms.close(account_of(session), room, "", session.origin)

    async def set_role(self, session: Session, room: Room, target: Account, role: Role) -> None:
        """:raises NotAMember: when the target is none."""
        self._check(session, room, Kind.ROLE, target.id)
        member = room.members.get(target.id)
        if member is None:
            raise NotAMember(f"{target.name.shown} is not a member of {room.name}.")
        if member.role is role:
            raise NoEffect(f"{target.name.shown} is already {role} of {room.name}.")
        owners = [each for each in room.staff if room.members[each].role is Role.OWNER]
        if member.role is Role.OWNER and len(owners) == 1:
            raise NoEffect(f"{room.name} needs an owner. Appoint another one first: op NAME owner")
        await self._rooms.append(actor_of(session), room, Kind.ROLE, target=target.id, body=Text(role.value))
        await self._rooms.keep_owned(room)

    def _check(self, session: Session, room: Room, kind: Kind, target: int | None) -> None:
        assert session.user is not None, "perform lets only users act"
        room.may_moderate(kind, session.user.account.id, session.user.account.rank, target)

    def _check_reason(self, session: Session, room: Room, reason: str) -> None:
        """:raises Muted: whoever is silent moderates without words of their own."""
        if reason:
            account, now = account_of(session), self._node.now()
            self._node.sanctions.may_speak(account, now)
            room.check_mute(account, now)

    async def _restrict(
        self, session: Session, room: Room, kind: Kind, target: Account, reason: str, seconds: int | None
    ) -> None:
        until = None if seconds is None else self._node.now() + seconds * 1000
        body = one_line_body(reason)
        await self._rooms.append(actor_of(session), room, kind, target=target.id, body=body, until=until)
