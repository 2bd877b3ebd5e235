"""The door: every way in which a session becomes somebody.

Each goes through cred's portal: a checker finds out whose credentials these are, the realm finds out whether
there is a place for one more session.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.credentials import ICredentials
from twisted.cred.portal import Portal

from chat.auth.credentials import PasswordCredentials, TokenCredentials
from chat.auth.realm import Realm
from chat.auth.registration import Registrar
from chat.auth.tokens import digest, new_token
from chat.core.house import House
from chat.core.people import Arrival
from chat.core.user import Session
from chat.errors import BadCredentials, NothingToTakeOver, PlainLoginRefused, ShuttingDown
from chat.interfaces import IChatUser

TAKEOVER_TIME = 300.0
"""Seconds after the right password in which ``takeover`` needs no other one."""


class Door:
    """Implements `chat.interfaces.IDoor`.

    :param portal: with checkers for `PasswordCredentials` and `TokenCredentials`.
    """

    def __init__(self, house: House, portal: Portal, realm: Realm, registrar: Registrar) -> None:
        self._house = house
        self._portal = portal
        self._realm = realm
        self._registrar = registrar

    async def log_in(self, session: Session, name: str, password: str) -> bool:
        """See `chat.interfaces.IDoor.log_in`.

        :raises BadCredentials: a wrong name and a wrong password alike, unless ``auto-register`` says more.
        """
        self._check_plain(session)
        account = self._house.directory.account(name)
        policy = self._house.settings.auto_register
        if account is None and policy == "yes":
            await self.register(session, name, password, "")
            return True
        if account is None and policy == "ask":
            raise BadCredentials(f"There is no account {name[:40]}. To make it: new {name[:40]}", ask="user")
        await self._enter(PasswordCredentials(name, password, session.mind.peer), Arrival(session))
        return False

    async def log_in_by_token(self, session: Session, token: str) -> None:
        """See `chat.interfaces.IDoor`; the session carries the device that the token was made for."""
        credentials = TokenCredentials(token, session.device, session.mind.peer)
        await self._enter(credentials, Arrival(session, by_token=True))

    async def register(self, session: Session, name: str, password: str, realname: str) -> None:
        """See `chat.interfaces.IDoor`."""
        self._check_plain(session)
        account = await self._registrar.register(name, password, realname, session.mind.peer)
        await self._admit(account.id, Arrival(session))

    async def take_over(self, session: Session) -> None:
        """See `chat.interfaces.IDoor`.

        :raises NothingToTakeOver: without a right password shortly before.
        """
        refusal = session.refusal
        if refusal is None or self._house.clock.monotonic() - refusal.when > TAKEOVER_TIME:
            raise NothingToTakeOver()
        await self._admit(refusal.account, Arrival(session, takeover=True))

    async def hand_out_token(self, session: Session) -> str:
        """See `chat.interfaces.IDoor`."""
        user = session.user
        if user is None:
            raise BadCredentials()
        token = new_token()
        await self._house.store.add_token(user.account.id, session.device, digest(token), self._house.now())
        return token

    async def change_password(self, session: Session, old: str, new: str) -> None:
        """See `chat.interfaces.IDoor`."""
        self._check_plain(session)
        assert session.user is not None, "perform lets only users act"
        await self._registrar.change_password(session.user.account, old, new, session.mind.peer)

    def _check_plain(self, session: Session) -> None:
        peer = session.mind.peer
        policy = self._house.settings.plain_login
        if not (peer.encrypted or policy == "always" or (policy == "loopback" and peer.loopback)):
            raise PlainLoginRefused()

    async def _enter(self, credentials: ICredentials, arrival: Arrival) -> None:
        _, _, logout = await self._portal.login(credentials, arrival, IChatUser)
        self._arrived(arrival.session, logout)

    async def _admit(self, account: int, arrival: Arrival) -> None:
        """Let in an account that has just proven who it is by other means than credentials."""
        _, _, logout = await self._realm.requestAvatar(account, arrival, IChatUser)
        self._arrived(arrival.session, logout)

    def _arrived(self, session: Session, logout: Any) -> None:
        """Whoever hung up meanwhile is logged out at once, and leaves no ghost."""
        if session.gone or self._house.stopping:
            logout()
            raise ShuttingDown("The connection has ended.")
        session.logout = logout
