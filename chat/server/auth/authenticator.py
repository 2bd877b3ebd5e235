"""The authenticator: every way in which a session logs in.

Each way is a class of credentials that goes through cred's portal. A checker finds out whose they are; the realm finds
out whether the account has a place for one more session, and attaches it.
"""

from __future__ import annotations

from collections.abc import Collection

from twisted.cred.credentials import ICredentials
from twisted.cred.portal import Portal
from twisted.python.failure import Failure

from chat.protocol.errors import (
    BadCredentials,
    Busy,
    CredentialsChanged,
    PlainLoginRefused,
    SecretNotShown,
    ShuttingDown,
    StoreUnavailable,
)
from chat.protocol.values import Account, Verifier
from chat.server.auth.checkers import PasswordChecker, TakeoverChecker, TokenChecker
from chat.server.auth.credentials import (
    OneTimeCodeCredentials,
    PasswordCredentials,
    RegistrationCredentials,
    ScramCredentials,
    TakeoverCredentials,
    TokenCredentials,
)
from chat.server.auth.known_sources import KnownSources
from chat.server.auth.one_time_codes import OneTimeCodes
from chat.server.auth.password_verification import PasswordVerification
from chat.server.auth.realm import Realm
from chat.server.auth.registration import Registrar
from chat.server.auth.scram import ScramServer, ways
from chat.server.auth.tokens import digest, new_token
from chat.server.core.node import Node
from chat.server.core.rooms import account_of
from chat.server.core.service import ChatService
from chat.server.core.user import Session
from chat.server.interfaces import RENEWED_AFTER, IChatUser, Proven

_CHANGED = "Your password was changed from another session. Log in again: login NAME"
"""What the other sessions of the account are told."""


class Authenticator:
    """Implements `chat.server.interfaces.IAuthenticator`.

    :param portal: with a checker for each class of `chat.server.auth.credentials`; see `new_authenticator`.
    """

    def __init__(
        self,
        node: Node,
        portal: Portal,
        registrar: Registrar,
        scram: ScramServer,
        codes: OneTimeCodes,
        known: KnownSources,
    ) -> None:
        self._node = node
        self.portal = portal
        self._registrar = registrar
        self._scram = scram
        self._known = known
        self.invite = registrar.invite
        self.create_account = registrar.create
        self.give_code = codes.give

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
        await self._enter(PasswordCredentials(name, password, session.peer), session)
        return False

    async def challenge(self, session: Session, name: str, client_first: str) -> str:
        """See `chat.server.interfaces.IAuthenticator`; no account is made, whatever ``auto-register`` says."""
        session.exchange = None
        self._check_known(name)
        return await self._challenge(session, name, client_first)

    async def prove(self, session: Session, client_final: str) -> str:
        """See `chat.server.interfaces.IAuthenticator`."""
        proof = self._proof(session, client_final)
        await self._enter(proof, session)
        assert proof.exchange is not None, "only an exchange is proven"
        return proof.exchange.signature

    async def log_in_by_token(self, session: Session, token: str) -> str:
        """See `chat.server.interfaces.IAuthenticator`; the session carries the device that the token was made for."""
        session.exchange = None
        self._check_plain(session, "Tokens")
        session.token = digest(token)
        credentials = TokenCredentials(token, session.device, session.peer)
        await self._enter(credentials, session)
        record = credentials.record
        assert record is not None, "the checker found it"
        if self._node.now() - record.created < RENEWED_AFTER:
            return token
        return await self.hand_out_token(session, token) or token

    async def register(
        self, session: Session, name: str, secret: str | Verifier, realname: str, invitation: str | None = None
    ) -> None:
        """See `chat.server.interfaces.IAuthenticator`.

        A verifier is refused in the clear as a password is: whoever reads it, and one later proof, can log in.
        """
        session.exchange = None
        self._check_plain(session, "Passwords" if isinstance(secret, str) else "New passwords")
        await self._enter(RegistrationCredentials(name, secret, realname, invitation, session.peer), session)

    async def take_over(self, session: Session) -> str:
        """See `chat.server.interfaces.IAuthenticator`.

        :raises NothingToTakeOver: without a right password shortly before that is still the right one.
        """
        session.exchange = None
        refused = session.refusal
        await self._enter(TakeoverCredentials(refused), session)
        return refused.proven.signature if refused is not None else ""

    async def claim(self, session: Session, name: str, code: str, password: str) -> None:
        """See `chat.server.interfaces.IAuthenticator`."""
        session.exchange = None
        self._check_plain(session, "One-time codes")
        await self._enter(OneTimeCodeCredentials(name, code, password, session.peer), session)

    def ways_in(self, session: Session) -> tuple[str, ...]:
        """See `chat.server.interfaces.IAuthenticator`."""
        peer = session.mind.peer
        return (*ways(peer), *(("password", "token") if self._keeps_secrets(session) else ()))

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
        return await self._challenge(session, session.user.account.name.shown, client_first)

    async def prove_owner(self, session: Session, client_final: str) -> None:
        """See `chat.server.interfaces.IAuthenticator`.

        :raises BadCredentials: when the proof is wrong.
        """
        assert session.user is not None, "perform lets only users act"
        mine = session.user.account.id
        try:
            proven: Proven | None = await self._scram.requestAvatarId(self._proof(session, client_final))
        except BadCredentials:
            proven = None
        if proven is None or proven.account != mine:
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

    async def _challenge(self, session: Session, name: str, client_first: str) -> str:
        exchange = await self._scram.challenge(name, client_first, session.peer)
        session.exchange = exchange
        return exchange.answer

    def _proof(self, session: Session, client_final: str) -> ScramCredentials:
        """The proof that ends the exchange of a session."""
        exchange, session.exchange = session.exchange, None
        return ScramCredentials(exchange, client_final, session.peer)

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
        """Say that there is no such account where everybody may make one, so that it is no secret."""
        settings = self._node.settings
        if settings.auto_register == "no" or settings.registration != "open":
            return
        if self._node.directory.account(name) is None:
            raise BadCredentials(f"There is no account {name[:40]}. To make it: new {name[:40]}", ask="user")

    async def _enter(self, credentials: ICredentials, session: Session) -> None:
        """Log in: every way in ends here.

        A session whose connection ended meanwhile is logged out at once, and leaves no ghost.
        """
        _, _, logout = await self.portal.login(credentials, session, IChatUser)
        if session.gone or self._node.stopping:
            logout()
            raise ShuttingDown("The connection has ended.")
        session.logout = logout
        if session.user is not None:
            self._known.note(session.user.account.id, session.mind.peer.network)


def new_authenticator(
    chat: ChatService,
    verification: PasswordVerification,
    known: KnownSources,
    verbs: Collection[str],
    accounts_a_minute: int = 60,
) -> Authenticator:
    """The authenticator of a service, with the portal, the realm and all checkers.

    :param verbs: every verb and alias; none of them may be a name.
    :param accounts_a_minute: how many accounts one network may make in a minute.
    """
    node, directory, store, clock = chat.node, chat.directory, chat.store, chat.clock
    epochs = node.epochs
    registrar = Registrar(
        directory, store, verification, clock, lambda: node.settings.registration, verbs, accounts_a_minute
    )
    scram = ScramServer(directory, verification, epochs, clock)
    codes = OneTimeCodes(directory, store, verification, epochs, clock)
    checkers = (
        PasswordChecker(directory, verification, epochs),
        TokenChecker(directory, store, clock, chat.token_theft.presented),
        scram,
        registrar,
        codes,
        TakeoverChecker(epochs, clock),
    )
    return Authenticator(node, Portal(Realm(chat.sign_in), checkers), registrar, scram, codes, known)


def _without_token(failure: Failure) -> str:
    """Nothing can be written just now: who comes in or goes does so all the same."""
    failure.trap(StoreUnavailable, Busy, CredentialsChanged)
    return ""
