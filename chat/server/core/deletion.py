"""The end of an account: it leaves its rooms, its sessions end, and its words go if it wants that."""

from __future__ import annotations

from chat.server.core.background_task import BackgroundTask
from chat.server.core.moderation import Moderation
from chat.server.core.node import Node
from chat.server.core.rooms import Actor, RoomService
from chat.server.core.sign_in import SignInService

PAUSE = 0.2
"""Seconds between two steps through the log, so that others write in between."""


class Deletion:
    def __init__(self, node: Node, rooms: RoomService, moderation: Moderation, people: SignInService) -> None:
        self._node = node
        self._rooms = rooms
        self._moderation = moderation
        self._people = people
        self.erasure = BackgroundTask(node.clock, self._erase, None)
        """Takes the words of deleted accounts out of the log. What fails is tried again at the next start."""

    def start(self) -> None:
        """Go on with what an earlier run had not finished."""
        self.erasure.start(PAUSE)

    async def delete(self, actor: Actor, erase: bool, epoch: int | None = None) -> None:
        """Delete an account whose owner has just been found to be the one who asks, or that an operator deletes.

        Its rooms are left first, each with a row, so that those who own them go on; what fails after that can be
        asked for again.

        :param erase: whether its words are taken out of the log as well.
        :param epoch: of the session of the owner, or nothing where it is an operator who asks.
        :raises CredentialsChanged: when the session of the owner does not stand for the account any more.
        """
        node, account = self._node, actor.account
        node.deleting.add(account)
        try:
            await self._leave_rooms(actor)
            await self._delete(actor, erase, epoch)
        finally:
            node.deleting.discard(account)
        if erase:
            self.erasure.start(PAUSE)

    async def _leave_rooms(self, actor: Actor) -> None:
        """Leave all rooms, those that are entered at this very moment as well: other sessions end first."""
        for each in self._node.sessions_of(actor.account):
            if each.origin != actor.origin:
                self._people.end(each, "This account is being deleted.")
        await self._node.store.settle()
        while inviting := self._rooms.inviting(actor.account):
            await self._moderation.decline(actor, inviting[0])
        while rooms := self._rooms.of(actor.account):
            await self._rooms.disconnect(actor, rooms[0])

    async def _delete(self, actor: Actor, erase: bool, epoch: int | None) -> None:
        node, account = self._node, actor.account
        await node.store.delete_account(account, node.now(), erase, epoch, actor.device)
        sessions = node.sessions_of(account)
        node.directory.remove_account(account)
        node.epochs.forget(account)
        for each in sessions:
            self._people.end(each, "Your account has been deleted. Bye!")

    async def _erase(self) -> float | None:
        erased = await self._node.store.erase()
        for id, topic in erased.topics:
            room = self._node.rooms.get(id)
            if room is not None and room.topic == topic:
                room.topic = ""
        return PAUSE if erased.more else None
