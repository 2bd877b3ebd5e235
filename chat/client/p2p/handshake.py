"""Mutual authentication: each device signs a secret that only the two ends of a connection know. Pure.

What is signed names the link by a secret that TLS exports (RFC 9266), which end signs, who that is, and for whom. So
nobody can pass a signature on: at another link, in the other direction, or to somebody else it does not hold.
"""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from enum import StrEnum

from chat.client.e2e.cross_signing import is_signed, statement
from chat.client.e2e.device import OwnDevice
from chat.client.e2e.trust_store import TrustStore
from chat.client.model.failures import NotThePeer
from chat.protocol.names import fold

LABEL = b"EXPORTER-Channel-Binding"
BINDING_BYTES = 32
"""The label and the length of RFC 9266, section 2."""


class End(StrEnum):
    """Which of the two ends somebody is at."""

    CALLER = "caller"
    LISTENER = "listener"


@dataclass(frozen=True, slots=True)
class Introduction:
    """What somebody claims to be, signed."""

    user: str
    device: str
    signature: bytes

    def encode(self) -> bytes:
        """As it is sent."""
        return json.dumps([self.user, self.device, b64encode(self.signature).decode()]).encode()

    @classmethod
    def decode(cls, body: bytes) -> Introduction:
        """Read what came.

        :raises NotThePeer: when it is none.
        """
        try:
            user, device, signature = json.loads(body)
            if not isinstance(user, str) or not isinstance(device, str):
                raise ValueError("a name is a string")
            return cls(user, device, b64decode(signature, validate=True))
        except (ValueError, TypeError, RecursionError):
            raise NotThePeer("The other end did not identify itself.") from None


def _claim(end: End, binding: bytes, user: str, device: str, to: str) -> bytes:
    return statement("chat link 1", end, binding, fold(user), device, fold(to))


def introduce(own: OwnDevice, end: End, binding: bytes, to: str) -> Introduction:
    """Say who one is.

    :param binding: the secret of this link.
    :param to: the person that it is said to.
    """
    return Introduction(own.user, own.name, own.sign(_claim(end, binding, own.user, own.name, to)))


def check(said: Introduction, pins: TrustStore, own: OwnDevice, end: End, binding: bytes) -> None:
    """Check that the peer is who it claims to be.

    :param end: the one that has introduced itself.
    :raises NotThePeer: when that is not proven, or nobody by that name is known here with such a device.
    :raises NotYetShown: when the keys of that person have changed, and the person here has not seen that.
    """
    keys = pins.devices_to_seal_for(said.user).get(said.device)
    claim = _claim(end, binding, said.user, said.device, own.user)
    if keys is None or not is_signed(keys.signing, claim, said.signature):
        raise NotThePeer(f"Whoever answered could not prove to be {said.user}. Nothing was sent.")
