"""Cred's realm: the only place that attaches a session to an avatar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from chat.server.core.sign_in import SignInService
from chat.server.core.user import ChatUser, Session
from chat.server.interfaces import IChatUser, Proven


@implementer(IRealm)
class Realm:
    """Makes sessions users, if the ``sessions`` policy has a place for them."""

    def __init__(self, people: SignInService) -> None:
        self._people = people

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: InterfaceClass) -> Deferred[Any]:
        """See ``twisted.cred.portal.IRealm``.

        :param avatarId: the account, a `chat.server.interfaces.Proven`.
        :param mind: the `chat.server.core.user.Session` that logs in.

        Fails as `chat.server.core.sign_in.SignInService.sign_in` does.
        """
        if IChatUser not in interfaces:
            raise NotImplementedError("this realm has IChatUser avatars only")
        return Deferred.fromCoroutine(self._attach(avatarId, mind))

    async def _attach(self, proven: Proven, session: Session) -> tuple[InterfaceClass, ChatUser, Callable[[], None]]:
        user = await self._people.sign_in(proven, session)
        return IChatUser, user, _Logout(self._people, session)


class _Logout:
    """Cred's logout of one session; smaller than a function, as every session keeps one."""

    __slots__ = ("_people", "_session")

    def __init__(self, people: SignInService, session: Session) -> None:
        self._people = people
        self._session = session

    def __call__(self) -> None:
        self._people.sign_out(self._session)
