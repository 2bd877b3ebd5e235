"""A login without the password: SCRAM-SHA-256 (RFC 5802, RFC 7677) over bcrypt, called SCRAM-BCRYPT.

The salt of the exchange is a bcrypt salt string. Whoever logs in runs bcrypt with it and gives the result to SCRAM as
the password, so the server looks at a proof with the verifier that a plain login looks at, without hashing anything.

Rules:

* A session has one exchange at a time: begun by `ScramServer.challenge`, ended by the first `ScramServer.prove`
  whatever comes of it, by `TIME_TO_PROVE`, or by any other login there.
* Under TLS an exchange is bound to the certificate (``tls-server-end-point``). One that is not bound is refused: who
  believes that this server cannot do it was told so by somebody in between (RFC 5802 section 6).
* Names without an account are answered alike, with a decoy, up to the proof that cannot succeed.
* The name of the login stands in the command. The one inside the message is not looked at (PostgreSQL does not
  either): the proof holds for the verifier of the one account, and SASLprep refuses letters younger than Unicode 3.2.
"""

from __future__ import annotations

from typing import Any

from scramp import ScramException, ScramMechanism
from scramp.core import ServerError

from chat.protocol.errors import BadBinding, BadCredentials, BadUsage
from chat.protocol.passwords import BINDING, SCRAM, SCRAM_PLUS
from chat.protocol.values import Account, Peer, Verifier
from chat.server.auth.password_verification import PasswordVerification
from chat.server.interfaces import IClock, IDirectory

TIME_TO_PROVE = 60.0
"""Seconds between the challenge and the proof; bcrypt takes seconds on a small machine."""

_UNBOUND = ScramMechanism("SCRAM-SHA-256")
_BOUND = ScramMechanism("SCRAM-SHA-256-PLUS")

_ABOUT_BINDING = {
    ServerError.SERVER_DOES_SUPPORT_CHANNEL_BINDING: (
        f"A login over TLS is bound to the TLS connection here: begin with p={BINDING}. A client that was told"
        " otherwise was told by somebody in between."
    ),
    ServerError.CHANNEL_BINDING_NOT_SUPPORTED: (
        "This login wants to be bound to TLS, but no TLS reaches this server: somebody may stand in between."
    ),
    ServerError.UNSUPPORTED_CHANNEL_BINDING_TYPE: f"The one binding that there is here is {BINDING}.",
}


def ways(peer: Peer) -> tuple[str, ...]:
    """The names under which a connection may log in without sending the password."""
    return (SCRAM, SCRAM_PLUS) if peer.binding is not None else (SCRAM,)


class ScramExchange:
    """One login on its way.

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
        """Look at a proof; `signature` is there when it is right.

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


class ScramServer:
    """Begins exchanges and looks at proofs."""

    def __init__(self, directory: IDirectory, verification: PasswordVerification, clock: IClock) -> None:
        self._directory = directory
        self._verification = verification
        self._clock = clock

    async def challenge(self, name: str, client_first: str, peer: Peer) -> ScramExchange:
        """Begin an exchange.

        :param name: as it was typed.
        :raises BadUsage: when the message is none.
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

    async def prove(self, exchange: ScramExchange | None, client_final: str, peer: Peer) -> Account:
        """Look at the proof that ends an exchange.

        :returns: whose password was proven.
        :raises BadUsage: when no exchange was begun, or too long ago.
        :raises BadCredentials: a wrong name and a wrong password alike.
        :raises BadBinding: when the proof was made for another TLS connection.
        :raises LockedOut, TooFast: see `PasswordVerification.is_proven`.
        """
        if exchange is None or exchange.signature or self._clock.monotonic() - exchange.begun > TIME_TO_PROVE:
            raise BadUsage("scram comes within a minute after login with user and scram.")
        account = exchange.account
        # The password may have been changed meanwhile.
        current = await self._verification.verifier(exchange.name, account, peer)
        right = await self._verification.is_proven(
            exchange.name, account, peer, lambda: exchange.proves(client_final) and current == exchange.verifier
        )
        if account is None or not right:
            raise BadCredentials(ask="password")
        return account
