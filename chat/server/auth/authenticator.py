"""The door: every way in which a session becomes somebody.

Credentials go through cred's portal: a checker finds out whose they are, the realm finds out whether there is a place
for one more session. Who has made an account, or has proven its password in two steps, goes to the realm at once.
"""

from __future__ import annotations

from typing import Any

from twisted.cred.credentials import ICredentials
from twisted.cred.portal import Portal
from twisted.python.failure import Failure

from chat.protocol.errors import (
    BadCredentials,
    Busy,
    CredentialsChanged,
    InvitationNeeded,
    NothingToTakeOver,
    PlainLoginRefused,
    RegistrationClosed,
    SecretNotShown,
    ShuttingDown,
    StoreUnavailable,
)
from chat.protocol.values import Account, Rank, Verifier
from chat.server.auth.credentials import PasswordCredentials, TokenCredentials
from chat.server.auth.known_sources import KnownSources
from chat.server.auth.realm import Realm
from chat.server.auth.registration import Registrar
from chat.server.auth.scram import ScramExchange, ScramServer, ways
from chat.server.auth.tokens import digest, new_token
from chat.server.core.node import Node
from chat.server.core.rooms import account_of
from chat.server.core.sign_in import SignInRequest
from chat.server.core.user import Session
from chat.server.interfaces import RENEWED_AFTER, IChatUser, Proven

TAKEOVER_TIME = 300.0
"""Seconds after the right password in which ``takeover`` needs no other one."""

_CHANGED = "Your password was changed from another session. Log in again: login NAME"
_CLAIMED = "A new password was chosen for this account with a one-time code. Log in with it: login NAME"
_RESET = "Your password was reset by those who run the server. Ask them why."
"""What the sessions of before are told."""


class Authenticator:
    """Implements `chat.server.interfaces.IAuthenticator`.

    :param portal: with checkers for `PasswordCredentials` and `TokenCredentials`.
    """

    def __init__(
        self, node: Node, portal: Portal, realm: Realm, registrar: Registrar, proofs: ScramServer, known: KnownSources
    ) -> None:
        self._node = node
        self._portal = portal
        self._realm = realm
        self._registrar = registrar
        self._proofs = proofs
        self._known = known

    async def log_in(self, session: Session, name: str, password: str) -> bool:
        """See `chat.server.interfaces.IAuthenticator.log_in`.

        :raises BadCredentials: a wrong name and a wrong password alike, unless ``auto-register`` says more.
        """
        session.exchange = None
        self._check_plain(session, "Passwords")
        settings = self._node.settings
        makes = settings.auto_register == "yes" and settings.registration == "open"
        if makes and self._node.directory.account(name) is None:
            await self.register(session, name, password, "")
            return True
        self._check_known(name)
        await self._enter(PasswordCredentials(name, password, session.peer), SignInRequest(session))
        return False

    async def challenge(self, session: Session, name: str, client_first: str) -> str:
        """See `chat.server.interfaces.IAuthenticator`; no account is made, whatever ``auto-register`` says."""
        session.exchange = None
        self._check_known(name)
        exchange = await self._proofs.challenge(name, client_first, session.peer)
        session.exchange = exchange
        return exchange.answer

    async def prove(self, session: Session, client_final: str) -> str:
        """See `chat.server.interfaces.IAuthenticator`."""
        exchange: ScramExchange | None = session.exchange
        session.exchange = None
        # As of before anything is waited for; the account of an exchange never changes.
        account = exchange.account if exchange is not None else None
        epoch = self._node.epochs.current(account.id) if account is not None else 0
        account = await self._proofs.prove(exchange, client_final, session.peer)
        assert exchange is not None, "only an exchange is proven"
        session.exchange = exchange  # its signature is asked for once more, should this end in a takeover
        await self._admit(Proven(account.id, epoch), SignInRequest(session))
        session.exchange = None
        return exchange.signature

    async def log_in_by_token(self, session: Session, token: str) -> str:
        """See `chat.server.interfaces.IAuthenticator`; the session carries the device that the token was made for."""
        session.exchange = None
        self._check_plain(session, "Tokens")
        session.token = digest(token)
        credentials = TokenCredentials(token, session.device, session.peer)
        await self._enter(credentials, SignInRequest(session, by_token=True))
        record = credentials.record
        assert record is not None, "the checker found it"
        if self._node.now() - record.created < RENEWED_AFTER:
            return token
        return await self.hand_out_token(session, token) or token

    async def register(
        self, session: Session, name: str, password: str, realname: str, invitation: str | None = None
    ) -> None:
        """See `chat.server.interfaces.IAuthenticator`."""
        session.exchange = None
        self._check_plain(session, "Passwords")
        used = await self._registration(session, invitation)
        account = await self._registrar.register(
            name, password, realname, session.peer, used, lambda: self._check_registration(used)
        )
        await self._admit(Proven(account.id, 0), SignInRequest(session))

    async def register_verifier(
        self, session: Session, name: str, verifier: Verifier, realname: str, invitation: str | None = None
    ) -> None:
        """See `chat.server.interfaces.IAuthenticator`.

        A verifier is refused in the clear as a password is: whoever reads it, and one later proof, can log in.
        """
        session.exchange = None
        self._check_plain(session, "New passwords")
        used = await self._registration(session, invitation)
        account = await self._registrar.register_verifier(name, verifier, realname, session.peer, used)
        await self._admit(Proven(account.id, 0), SignInRequest(session))

    async def take_over(self, session: Session) -> str:
        """See `chat.server.interfaces.IAuthenticator`.

        :raises NothingToTakeOver: without a right password shortly before that is still the right one.
        """
        refusal = session.refusal
        if (
            refusal is None
            or self._node.clock.monotonic() - refusal.when > TAKEOVER_TIME
            or not self._node.epochs.is_valid(refusal.account, refusal.epoch)
        ):
            raise NothingToTakeOver()
        session.device = refusal.device  # it may have said another one since
        exchange: ScramExchange | None = session.exchange
        session.exchange = None
        arrival = SignInRequest(session, refusal.by_token, takeover=True)
        await self._admit(Proven(refusal.account, refusal.epoch), arrival)
        return exchange.signature if exchange is not None else ""

    def ways_in(self, session: Session) -> tuple[str, ...]:
        """See `chat.server.interfaces.IAuthenticator`."""
        peer = session.mind.peer
        return (*ways(peer), *(("password", "token") if self._keeps_secrets(session) else ()))

    async def claim(self, session: Session, name: str, code: str, password: str) -> None:
        """See `chat.server.interfaces.IAuthenticator`."""
        session.exchange = None
        self._check_plain(session, "One-time codes")
        proven = await self._registrar.claim(name, code, password, session.peer)
        self._node.epochs.account_changed(proven.account, proven.epoch, _CLAIMED)
        await self._admit(proven, SignInRequest(session))

    async def invite(self, number: int, by: str) -> tuple[tuple[str, ...], int]:
        """See `chat.server.interfaces.IAuthenticator`."""
        return await self._registrar.invite(number, by)

    async def create_account(self, name: str, rank: Rank) -> Account:
        """See `chat.server.interfaces.IAuthenticator`."""
        return await self._registrar.create(name, rank)

    async def give_code(self, account: Account) -> tuple[str, int]:
        """See `chat.server.interfaces.IAuthenticator`."""
        code, until, epoch = await self._registrar.give_code(account)
        self._node.epochs.account_changed(account.id, epoch, _RESET)
        return code, until

    def check_shown(self, session: Session) -> None:
        """See `chat.server.interfaces.IAuthenticator`."""
        if not self._keeps_secrets(session):
            raise SecretNotShown()

    async def hand_out_token(self, session: Session, before: str | None = None) -> str:
        """See `chat.server.interfaces.IAuthenticator`.

        :param before: a token that goes on letting the device in, as the answer that holds the new one may get lost.
        """
        user = session.user
        if user is None:
            raise BadCredentials()
        if not self._keeps_secrets(session):
            return ""
        token, old = new_token(), digest(before) if before is not None else None
        now = self._node.now()
        kept = self._node.store.add_token(user.account.id, session.device, digest(token), now, old, session.epoch)
        return await kept.addCallbacks(lambda made: token if made else "", _without_token)

    async def end_token(self, session: Session) -> None:
        """See `chat.server.interfaces.IAuthenticator`."""
        account, device, epochs = account_of(session), session.device, self._node.epochs
        ended = self._node.store.end_token(account, device)
        await ended.addCallbacks(lambda epoch: epochs.token_ended(account, device, epoch), _without_token)

    async def change_password(self, session: Session, old: str, new: str) -> None:
        """See `chat.server.interfaces.IAuthenticator`."""
        self._check_plain(session, "Passwords")
        assert session.user is not None, "perform lets only users act"
        account = session.user.account
        epoch = await self._registrar.change_password(
            account, old, new, session.peer, epoch=session.epoch, device=session.device
        )
        self._changed(session, account, epoch)

    async def challenge_owner(self, session: Session, client_first: str) -> str:
        """See `chat.server.interfaces.IAuthenticator`."""
        assert session.user is not None, "perform lets only users act"
        exchange = await self._proofs.challenge(session.user.account.name.shown, client_first, session.peer)
        session.exchange = exchange
        return exchange.answer

    async def prove_owner(self, session: Session, client_final: str) -> None:
        """See `chat.server.interfaces.IAuthenticator`.

        :raises BadCredentials: when the proof is wrong.
        """
        exchange: ScramExchange | None = session.exchange
        session.exchange = None
        assert session.user is not None, "perform lets only users act"
        mine = session.user.account
        try:
            proven = await self._proofs.prove(exchange, client_final, session.peer)
        except BadCredentials:
            proven = None
        if proven is None or proven.id != mine.id:
            raise BadCredentials("That is not your password. Nothing was changed.")

    async def change_verifier(self, session: Session, client_final: str, verifier: Verifier) -> None:
        """See `chat.server.interfaces.IAuthenticator`."""
        self._check_plain(session, "New passwords")
        self._registrar.check_verifier(verifier)
        assert session.user is not None, "perform lets only users act"
        account, before, device = session.user.account, session.epoch, session.device
        await self.prove_owner(session, client_final)
        epoch = await self._registrar.set_verifier(account, verifier, epoch=before, device=device)
        self._changed(session, account, epoch)

    def _changed(self, session: Session, account: Account, epoch: int) -> None:
        """A session has changed its password: it goes on, and all others of the account end."""
        session.epoch = epoch
        self._node.epochs.account_changed(account.id, epoch, _CHANGED)

    async def check_owner(self, session: Session, password: str) -> None:
        """See `chat.server.interfaces.IAuthenticator`.

        :raises BadCredentials: when the password is wrong.
        """
        self._check_plain(session, "Passwords")
        assert session.user is not None, "perform lets only users act"
        await self._registrar.verify(session.user.account, password, session.peer, "password")

    async def _registration(self, session: Session, invitation: str | None) -> bytes | None:
        """Find out whether somebody may make an account.

        :returns: the digest of the invitation code that it uses up, or nothing where none is needed.
        :raises RegistrationClosed, InvitationNeeded, BadInvitation: when not.
        """
        policy = self._node.settings.registration
        if policy == "open":
            return None
        if policy == "closed":
            raise RegistrationClosed()
        used = await self._registrar.check_invitation(invitation, session.peer)
        self._check_registration(used)
        return used

    def _check_registration(self, used: bytes | None) -> None:
        """Find out whether the settings still let somebody make an account; they may be read again at any time.

        :param used: the digest of an invitation code, or nothing.
        :raises RegistrationClosed, InvitationNeeded: when not.
        """
        policy = self._node.settings.registration
        if policy == "closed":
            raise RegistrationClosed()
        if policy == "code" and used is None:
            raise InvitationNeeded()

    def _check_plain(self, session: Session, secret: str) -> None:
        """:raises PlainLoginRefused: where a secret has crossed the network in the clear, and must not."""
        if not self._keeps_secrets(session):
            raise PlainLoginRefused(secret)

    def _keeps_secrets(self, session: Session) -> bool:
        """Whether passwords, tokens and codes may cross between here and the other end of a session."""
        policy, peer = self._node.settings.plain_login, session.mind.peer
        if peer.encrypted or policy == "always" or session.operator:  # the operator's socket leaves no machine
            return True
        return policy == "loopback" and peer.loopback

    def _check_known(self, name: str) -> None:
        """Say that there is no such account where that is no secret."""
        settings = self._node.settings
        if settings.auto_register == "no" or settings.registration == "closed":
            return
        if self._node.directory.account(name) is None:
            raise BadCredentials(f"There is no account {name[:40]}. To make it: new {name[:40]}", ask="user")

    async def _enter(self, credentials: ICredentials, arrival: SignInRequest) -> None:
        _, _, logout = await self._portal.login(credentials, arrival, IChatUser)
        self._arrived(arrival.session, logout)

    async def _admit(self, proven: Proven, arrival: SignInRequest) -> None:
        """Let in an account that has just proven who it is by other means than credentials."""
        _, _, logout = await self._realm.requestAvatar(proven, arrival, IChatUser)
        self._arrived(arrival.session, logout)

    def _arrived(self, session: Session, logout: Any) -> None:
        """Whoever hung up meanwhile is logged out at once, and leaves no ghost."""
        if session.gone or self._node.stopping:
            logout()
            raise ShuttingDown("The connection has ended.")
        session.logout = logout
        if session.user is not None:
            self._known.note(session.user.account.id, session.mind.peer.network)


def _without_token(failure: Failure) -> str:
    """Nothing can be written just now: who comes in or goes does so all the same."""
    failure.trap(StoreUnavailable, Busy, CredentialsChanged)
    return ""
