"""What people set for themselves: kept with the account, and in force at once in all sessions of that person."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from chat.protocol.errors import NotLoggedIn
from chat.protocol.events import OwnSettings
from chat.protocol.preferences import Notify
from chat.protocol.values import Account
from chat.server.core.node import Node
from chat.server.core.room import Room
from chat.server.core.rooms import RoomService, account_of
from chat.server.core.user import Session


class PreferenceService:
    def __init__(self, node: Node, rooms: RoomService) -> None:
        self._node = node
        self._rooms = rooms

    def of(self, session: Session, changed: str = "") -> OwnSettings:
        """Everything that the account of a session has set.

        :param changed: the name of the setting that was just changed, or empty.
        """
        id = account_of(session)
        account = self._node.directory.account_by_id(id)
        assert account is not None, "whoever is logged in has an account"
        chosen = account.preferences
        quiet = {room.name: each.quiet for room in self._rooms.of(id) if (each := room.notify_of(id)) is not Notify.ALL}
        return OwnSettings(
            chosen.style, chosen.time, chosen.timezone, chosen.bell, quiet, account.realname, changed=changed
        )

    async def prefer(self, session: Session, **changes: Any) -> None:
        """Change fields of `chat.protocol.preferences.Preferences`, each to a value that it may have."""
        account = account_of(session)
        await self._node.store.prefer(account, changes)
        self._replace(account, lambda old: replace(old, preferences=replace(old.preferences, **changes)))
        self._in_force(account, session)

    async def notify(self, session: Session, room: Room, notify: Notify) -> None:
        """Choose what one is shown of a room while it happens; the rest waits as what one missed does.

        :raises NotAMember: when one is none.
        """
        account = account_of(session)
        room.may_read(account)
        await self._node.store.notify(account, room.id, notify)
        room.set_notify(account, notify)
        self._in_force(account, session)

    async def set_realname(self, session: Session, realname: str) -> None:
        """:param realname: empty for none; one that an account may have.
        :raises Muted: on the whole server, for a name: others are shown it.
        """
        account = account_of(session)
        if realname:
            self._node.sanctions.may_speak(account, self._node.now())
        await self._node.store.set_realname(account, realname)
        self._replace(account, lambda old: replace(old, realname=realname))
        self._in_force(account, session)

    def _replace(self, id: int, change: Callable[[Account], Account]) -> None:
        """:raises NotLoggedIn: when the account was deleted meanwhile."""
        account = self._node.directory.account_by_id(id)
        if account is None:
            raise NotLoggedIn()
        self._node.set_account(change(account))

    def _in_force(self, account: int, session: Session) -> None:
        """Seat the sessions of an account among those who see the same from now on, and tell the others of them."""
        for each in self._node.sessions_of(account):
            if each.live:
                self._node.everyone.add(each.mind)
                self._rooms.reseat(each, tuple(each.rooms))
                if each is not session:
                    each.mind.deliver(self.of(each))
