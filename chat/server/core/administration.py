"""What those who run the server do: people kept out or silenced, ranks, rooms closed, everybody told.

Who acts is an administrator, or the operator, who has no account (`chat.server.core.user.Session.operator`). Each act
is a line of the log, which says who did what to whom and nothing of what anybody wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from chat.protocol.errors import BadUsage, Forbidden, NoEffect, NoSuchUser
from chat.protocol.events import Notice
from chat.protocol.values import SERVER, Account, Kind, Rank, Sanction
from chat.server.core.deletion import Deletion
from chat.server.core.node import Node
from chat.server.core.one_line import one_line
from chat.server.core.room import Room
from chat.server.core.rooms import LOBBY, Actor, RoomService
from chat.server.core.sanctions import Network, covers, restriction_text
from chat.server.core.sign_in import SignInService
from chat.server.core.user import Session
from chat.server.logs import Logger

WIDEST = {4: 8, 6: 16}
"""The shortest prefix of a network that is banned, by the version of the protocol."""

_RANKED = {
    Rank.ADMINISTRATOR: "You are now an administrator of this server. Type: admin help",
    Rank.MEMBER: "You are no longer an administrator of this server.",
}

log = Logger()


class Administration:
    def __init__(self, node: Node, rooms: RoomService, people: SignInService, deletion: Deletion) -> None:
        self._node = node
        self._deletion = deletion
        self._rooms = rooms
        self._people = people

    def note(self, session: Session, command: str, about: str) -> None:
        """Write into the log who gives a command that changes something.

        :param about: the person, room or network it is about, or empty.
        """
        words = f"{command} {about}".rstrip()
        self._node.traffic_log.note(f"admin-{command}", session)
        log.info("{actor} gives the command: admin {words}", actor=session.actor, words=words)

    # people

    def kick(self, session: Session, target: Account, reason: str) -> int:
        """End every connection of somebody, who may come back.

        :returns: how many there were.
        :raises NoEffect: when that person is not here.
        """
        self._check_other(session, target)
        user = self._node.users.get(target.id)
        if user is None:
            name = target.name.shown
            raise NoEffect(f"{name} is not online. To ban the account: {session.admin} ban {name}")
        sessions = tuple(user.sessions)
        self._put_out(sessions, _because("You have been disconnected by an administrator", reason))
        return len(sessions)

    async def sanction(
        self, session: Session, kind: Kind, target: Account | Network, seconds: int | None, reason: str
    ) -> Sanction:
        """Ban or mute on the whole server; who is banned is put out, and no way leads in again.

        :param kind: `Kind.BANNED` or `Kind.MUTED`.
        :param seconds: how long, or nothing for ever.
        :raises BadUsage: for oneself, the only administrator, or a network that nearly everybody is in.
        """
        now = self._node.now()
        account, network = (target.id, "") if isinstance(target, Account) else (0, str(target))
        if isinstance(target, Account):
            self._check_other(session, target)
            if kind is Kind.BANNED:
                self.check_others(session, target)
        elif target.prefixlen < WIDEST[target.version]:
            raise BadUsage(
                f"{target} is too wide: it would ban almost everybody. Use /{WIDEST[target.version]} or more,"
                f" or stop the server: {session.admin} shutdown"
            )
        until = None if seconds is None else now + seconds * 1000
        sanction = Sanction(kind, account, network, until, one_line(reason), session.actor, now)
        if network and _is_met(sanction, session):
            raise BadUsage(f"Your own address is in {target}. Use a smaller network or a single address.")
        await self._node.sanctions.impose(sanction)
        if kind is Kind.BANNED:
            met = [each for each in self._node.sessions.values() if _is_met(sanction, each)]
            self._put_out(met, restriction_text("You are banned from this server", sanction, now))
        else:
            self._node.tell(account, Notice(restriction_text("You are muted on this server", sanction, now)))
        return sanction

    async def lift(self, session: Session, kind: Kind, target: Account | Network) -> None:
        """:raises NoEffect: when there is nothing to lift."""
        account, network = (target.id, "") if isinstance(target, Account) else (0, str(target))
        if not await self._node.sanctions.lift(kind, account, network, self._node.now()):
            who = target.name.shown if isinstance(target, Account) else network
            raise NoEffect(f"{who} is not {kind.value} on the server. {session.admin} bans lists who is.")
        if kind is Kind.MUTED:
            self._node.tell(account, Notice("You are no longer muted on this server."))

    async def set_rank(self, session: Session, target: Account, rank: Rank) -> None:
        """:raises NoEffect: when it is so already.
        :raises NoSuchUser: when the account was deleted meanwhile.
        """
        if target.rank is rank:
            is_one = "is already an administrator" if rank is Rank.ADMINISTRATOR else "is not an administrator"
            raise NoEffect(f"{target.name.shown} {is_one}. {session.admin} users shows who is.")
        if rank is Rank.MEMBER:
            self._set_rank(target.id, rank)  # at once: of two administrators who revoke each other one stays
        try:
            await self._node.store.set_rank(target.id, rank)
        except BaseException:
            self._set_rank(target.id, target.rank)
            raise
        if self._node.directory.account_by_id(target.id) is None:
            raise NoSuchUser()
        self._set_rank(target.id, rank)
        self._node.tell(target.id, Notice(_RANKED[rank]))

    def _set_rank(self, id: int, rank: Rank) -> None:
        """Let an account have a rank in memory, unless it was deleted meanwhile."""
        account = self._node.directory.account_by_id(id)
        if account is not None:
            self._node.set_account(replace(account, rank=rank))

    async def forget(self, session: Session, target: Account) -> None:
        """Delete an account, and take what it wrote out of the log little by little."""
        self._check_other(session, target)
        self.check_others(session, target)
        await self._deletion.delete(Actor(target.id), erase=True)

    # rooms and everybody

    async def close_room(self, session: Session, room: Room, reason: str) -> None:
        """Close a room for good.

        :raises Forbidden: for the room that always exists.
        """
        if room.record.name.folded == LOBBY:
            raise Forbidden(f"{room.name} cannot be closed. To empty it: {session.admin} retention {room.name} 1d")
        author = session.user.account.id if session.user is not None else SERVER
        await self._rooms.close(author, room, one_line(reason), session.origin)

    def announce(self, text: str) -> int:
        """Tell everybody who is logged in.

        :returns: how many sessions that are.
        """
        self._node.everyone.post(Notice(text))
        return len(self._node.everyone)

    def remind(self, session: Session) -> None:
        """Tell somebody who has come of a mute that lasts."""
        user, now = session.user, self._node.now()
        mute = self._node.sanctions.against(Kind.MUTED, user.account.id, now) if user is not None else None
        if mute is not None:
            session.mind.deliver(Notice(restriction_text("You are muted on this server", mute, now)))

    # the rules

    def _check_other(self, session: Session, target: Account) -> None:
        if session.user is not None and session.user.account.id == target.id:
            raise BadUsage("You cannot do that to yourself. Ask another administrator.")

    def check_others(self, session: Session, target: Account) -> None:
        """:raises BadUsage: when nobody else could run the server from where people talk."""
        if target.rank is not Rank.ADMINISTRATOR:
            return
        administrators, sanctions = self._node.directory.administrators(), self._node.sanctions
        now = self._node.now()
        out = {target.id, *self._node.deleting}
        others = (each for each in administrators if each.id not in out)
        if all(sanctions.against(Kind.BANNED, each.id, now) for each in others):
            name = target.name.shown
            raise BadUsage(
                f"{name} is the only administrator. Appoint another first ({session.admin} grant NAME),"
                f" or type: {session.admin} revoke {name} sure"
            )

    def _put_out(self, sessions: Iterable[Session], reason: str) -> None:
        for each in sessions:
            each.mind.close(reason)
            self._people.sign_out(each)


def _is_met(sanction: Sanction, session: Session) -> bool:
    if sanction.account:
        return session.user is not None and session.user.account.id == sanction.account
    return covers(sanction, session.mind.peer.address)


def _because(what: str, reason: str) -> str:
    reason = one_line(reason)
    return f"{what}: {reason}" if reason else f"{what}."
