"""The client's half of SCRAM-BCRYPT: prove a password to a server, and let the server prove that it knows it."""

from __future__ import annotations

from typing import Any

from scramp import ScramException
from scramp.core import Password, ScramClient

from chat.client.model.failures import ServerNotTrusted
from chat.protocol.passwords import BINDING, MOST_ITERATIONS, cost_of, stretch

_NAME = "*"
"""The name inside the messages, which the server does not look at: the one that counts stands in the command."""

_AT_WORK = ""
"""scramp wants a password at once; the stretched one takes its place when the salt is known."""


class Proof:
    """One login.

    :param fingerprint: the SHA-256 of the certificate that this connection was made to, or nothing without TLS.
    :param least_cost: the least cost of bcrypt to work with: a server that asks for less wants to guess.
    :ivar first: the client's first message.
    """

    def __init__(self, password: str, fingerprint: bytes | None, least_cost: int) -> None:
        self._password = password
        self._least_cost = least_cost
        bound = fingerprint is not None
        self._exchange: Any = ScramClient(
            ["SCRAM-SHA-256-PLUS" if bound else "SCRAM-SHA-256"],
            _NAME,
            _AT_WORK,
            channel_binding=(BINDING, fingerprint) if bound else None,
        )
        self.first: str = self._exchange.get_client_first()

    def read(self, challenge: str) -> None:
        """Take the server's first message, and find out whether it asks for something reasonable.

        :raises ServerNotTrusted: when it does not.
        """
        exchange = self._exchange
        try:
            exchange.set_server_first(challenge)
            cost = cost_of(bytes(exchange.salt))
        except (ScramException, ValueError) as error:
            raise ServerNotTrusted(f"The server sent an invalid login challenge: {error}.") from None
        if cost < self._least_cost:
            raise ServerNotTrusted(
                f"The server asks for a bcrypt cost of {cost}, below the safe minimum of {self._least_cost}: somebody"
                " may be trying to guess your password. Nothing was sent."
            )
        if int(exchange.iterations) > MOST_ITERATIONS:
            raise ServerNotTrusted(f"The server asks for more than {MOST_ITERATIONS:,} iterations. Nothing was sent.")

    def final(self) -> str:
        """The client's final message. Slow: this is where bcrypt runs (see `chat.protocol.passwords.stretch`)."""
        exchange = self._exchange
        exchange.password = Password(stretch(self._password, bytes(exchange.salt)).decode("ascii"))
        self._password = ""
        message: str = exchange.get_client_final()
        exchange.password = None
        return message

    def check(self, answer: str) -> None:
        """Take the server's final message, which only who has the verifier can sign.

        :raises ServerNotTrusted: when it is not signed.
        """
        try:
            self._exchange.set_server_final(answer)
        except (ScramException, ValueError):
            raise ServerNotTrusted(
                "The server cannot prove that it knows your account: it may be an impostor. Disconnected."
            ) from None
