"""The client's half of SCRAM over bcrypt (RFC 5802): each side proves that it knows the password."""

from __future__ import annotations

from typing import Any

from scramp import ScramException
from scramp.core import Password, ScramClient

from chat.client.model.failures import ServerNotTrusted
from chat.protocol.passwords import BINDING, MOST_ITERATIONS, cost_of, stretch

_NAME = "*"
"""The user name inside the messages; the server ignores it and uses the one in the command."""

_AT_WORK = ""
"""A placeholder: scramp needs a password at once. The stretched one replaces it when the salt is known."""


class Proof:
    """The exchange of one login.

    :param fingerprint: the SHA-256 of the server's certificate, or nothing without TLS.
    :param least_cost: the lowest bcrypt cost; a server that asks for less could guess the password from the proof.
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
        """Read the server's first message, and check its parameters.

        :raises ServerNotTrusted: when they are not acceptable.
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
        """Check the server's final message, which only the owner of the verifier can sign.

        :raises ServerNotTrusted: when the signature is wrong.
        """
        try:
            self._exchange.set_server_final(answer)
        except (ScramException, ValueError):
            raise ServerNotTrusted(
                "The server cannot prove that it knows your account: it may be an impostor. Disconnected."
            ) from None
