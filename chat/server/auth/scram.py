"""SCRAM-SHA-256 authentication (RFC 5802, RFC 7677) over bcrypt, called SCRAM-BCRYPT.

The salt of the exchange is a bcrypt salt string. The client runs bcrypt with it and gives the result to SCRAM as the
password. So the server checks the proof against the verifier that a plain login uses, and hashes nothing.

Rules:

* A session has one exchange at a time. `ScramServer.challenge` begins it; the first proof ends it, right or wrong, as
  do `TIME_TO_PROVE` and any other login of the session.
* Under TLS an exchange is bound to the certificate (``tls-server-end-point``), and an unbound one is refused: a client
  that believes this server cannot bind was told so by somebody in between (RFC 5802 section 6).
* Names without an account get a decoy and the same answers, up to the proof, which cannot succeed.
* The command names the account. The name inside the message is ignored, as in PostgreSQL: the proof holds for the
  verifier of that account only, and SASLprep refuses letters younger than Unicode 3.2.
"""

from __future__ import annotations

from typing import Any

from scramp import ScramException, ScramMechanism
from scramp.core import ServerError
from twisted.cred.checkers import ICredentialsChecker
from twisted.internet.defer import Deferred
from zope.interface import implementer

from chat.protocol.errors import BadBinding, BadCredentials, BadUsage
from chat.protocol.passwords import BINDING, SCRAM, SCRAM_PLUS
from chat.protocol.values import Account, Peer, Verifier
from chat.server.auth.password_verification import PasswordVerification
from chat.server.core.credential_epochs import CredentialEpochs
from chat.server.interfaces import IClock, IDirectory, IScramCredentials, Proven

TIME_TO_PROVE = 60.0
"""Seconds between the challenge and the proof; bcrypt takes seconds on a small machine."""

_UNBOUND = ScramMechanism("SCRAM-SHA-256")
_BOUND = ScramMechanism("SCRAM-SHA-256-PLUS")

_ABOUT_BINDING = {
    ServerError.SERVER_DOES_SUPPORT_CHANNEL_BINDING: (
        f"Over TLS, this server requires channel binding: begin with p={BINDING}. If your client was told otherwise,"
        " somebody in between may have told it."
    ),
    ServerError.CHANNEL_BINDING_NOT_SUPPORTED: (
        "Your client asked for channel binding, but no TLS reaches this server: somebody may stand in between."
    ),
    ServerError.UNSUPPORTED_CHANNEL_BINDING_TYPE: f"This server supports only the channel binding {BINDING}.",
}


def ways(peer: Peer) -> tuple[str, ...]:
    """The names under which a connection may log in without sending the password."""
    return (SCRAM, SCRAM_PLUS) if peer.binding is not None else (SCRAM,)


class ScramExchange:
    """One authentication in progress.

    :ivar name: as it was typed.
    :ivar begun: seconds that never jump.
    :ivar answer: the server's first message.
    :ivar signature: the server's final message, once the proof was right.
    """

    __slots__ = ("_server", "account", "answer", "begun", "name", "signature", "verifier")

    def __init__(
        self, name: str, account: Account | None, verifier: Verifier, peer: Peer, begun: float, client_first: str
    ) -> None:
        self.name = name
        self.account = account
        self.verifier = verifier
        self.begun = begun
        self.signature = ""
        keys = (verifier.salt, verifier.stored_key, verifier.server_key, verifier.iterations)
        mechanism, channel = (_UNBOUND, None) if peer.binding is None else (_BOUND, (BINDING, peer.binding))
        self._server: Any = mechanism.make_server(lambda _: keys, channel_binding=channel)
        self._server.set_client_first(client_first)
        self.answer: str = self._server.get_server_first()

    def proves(self, client_final: str) -> bool:
        """Check a proof; `signature` is set when it is right.

        :raises BadBinding: when it was made for another TLS connection.
        """
        try:
            self._server.set_client_final(client_final)
        except ScramException as error:
            if error.server_error is ServerError.CHANNEL_BINDINGS_DONT_MATCH:
                raise BadBinding() from None
            return False
        self.signature = self._server.get_server_final()
        return True


@implementer(ICredentialsChecker)
class ScramServer:
    """Begins exchanges, and checks the proofs that end them."""

    credentialInterfaces = (IScramCredentials,)

    def __init__(
        self, directory: IDirectory, verification: PasswordVerification, epochs: CredentialEpochs, clock: IClock
    ) -> None:
        self._directory = directory
        self._verification = verification
        self._epochs = epochs
        self._clock = clock

    async def challenge(self, name: str, client_first: str, peer: Peer) -> ScramExchange:
        """Begin an exchange.

        :param name: as it was typed.
        :raises BadUsage: when this is no first message of a client.
        :raises BadBinding: when it is not bound to TLS though it could be, or the other way round.
        :raises LockedOut: see `PasswordVerification.verifier`.
        """
        account = self._directory.account(name)
        verifier = await self._verification.verifier(name, account, peer)
        try:
            return ScramExchange(name, account, verifier, peer, self._clock.monotonic(), client_first)
        except ScramException as error:
            if error.server_error in _ABOUT_BINDING:
                raise BadBinding(_ABOUT_BINDING[error.server_error]) from None
            raise BadUsage("scram: that is no first message of a client (RFC 5802 section 7).") from None

    def requestAvatarId(self, credentials: IScramCredentials) -> Deferred[Any]:
        """Fires with the account as `Proven`, which holds the server's final message.

        Fails with `chat.protocol.errors.BadUsage` when no exchange was begun, or too long ago, with `BadCredentials`
        for a wrong name and a wrong password alike, with `BadBinding` when the proof was made for another TLS
        connection, or as `PasswordVerification.is_proven` does.
        """
        return Deferred.fromCoroutine(self._check(credentials))

    async def _check(self, credentials: IScramCredentials) -> Proven:
        exchange, peer = credentials.exchange, credentials.peer
        if exchange is None or exchange.signature or self._clock.monotonic() - exchange.begun > TIME_TO_PROVE:
            raise BadUsage("scram comes within a minute after login with user and scram.")
        account = exchange.account
        epoch = self._epochs.current(account.id) if account is not None else 0
        # The password may have been changed meanwhile.
        current = await self._verification.verifier(exchange.name, account, peer)
        right = await self._verification.is_proven(
            exchange.name,
            account,
            peer,
            lambda: exchange.proves(credentials.client_final) and current == exchange.verifier,
        )
        if account is None or not right:
            raise BadCredentials(ask="password")
        return Proven(account.id, epoch, signature=exchange.signature)
