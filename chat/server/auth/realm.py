"""Cred's realm: from an account that was proven to its avatar."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twisted.cred.portal import IRealm
from twisted.internet.defer import Deferred
from zope.interface import implementer
from zope.interface.interface import InterfaceClass

from chat.server.core.sign_in import SignInRequest, SignInService
from chat.server.core.user import ChatUser, Session
from chat.server.interfaces import IChatUser, Proven


@implementer(IRealm)
class Realm:
    """Lets sessions be users, as far as the ``sessions`` policy has a place for them."""

    def __init__(self, people: SignInService) -> None:
        self._people = people

    def requestAvatar(self, avatarId: Any, mind: Any, *interfaces: InterfaceClass) -> Deferred[Any]:
        """See ``twisted.cred.portal.IRealm``.

        :param avatarId: the account, a `chat.server.interfaces.Proven`.
        :param mind: a `chat.server.core.sign_in.SignInRequest`.

        Fails as `chat.server.core.sign_in.People.sign_in` does.
        """
        if IChatUser not in interfaces:
            raise NotImplementedError("only IChatUser avatars are to be had here")
        return Deferred.fromCoroutine(self._sign_in(avatarId, mind))

    async def _sign_in(
        self, proven: Proven, arrival: SignInRequest
    ) -> tuple[InterfaceClass, ChatUser, Callable[[], None]]:
        user = await self._people.sign_in(proven, arrival)
        return IChatUser, user, _Logout(self._people, arrival.session)


class _Logout:
    """Cred's logout of one avatar; smaller than a function, as every session keeps one."""

    __slots__ = ("_people", "_session")

    def __init__(self, people: SignInService, session: Session) -> None:
        self._people = people
        self._session = session

    def __call__(self) -> None:
        self._people.sign_out(self._session)
