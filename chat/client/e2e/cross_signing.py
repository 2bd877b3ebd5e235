"""Cross-signing: the account key signs devices, and each device signs the keys that are handed out for it."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from chat.protocol.device_keys import DeviceKeys
from chat.protocol.names import fold


def statement(purpose: str, *parts: str | bytes | int) -> bytes:
    """What is signed: the parts, each with its length before it, so that no two statements are the same bytes.

    :param purpose: keeps a signature that was made for one thing from counting for another.
    """
    written = [part if isinstance(part, bytes) else str(part).encode() for part in (purpose, *parts)]
    return b"".join(len(part).to_bytes(4) + part for part in written)


def device_statement(user: str, device: str, keys: DeviceKeys) -> bytes:
    """That these are the keys of that device of that person."""
    return statement("chat device 1", fold(user), device, keys.identity, keys.signing)


def key_statement(identity: bytes, number: int, key: bytes, fallback: bool) -> bytes:
    """That this key may be used to write to the device with that identity; and whether others may have it as well."""
    return statement("chat fallback key 1" if fallback else "chat one-time key 1", identity, number, key)


def is_signed(signing_key: bytes, statement: bytes, signature: bytes) -> bool:
    """Whether a signature holds (ed25519, RFC 8032)."""
    try:
        Ed25519PublicKey.from_public_bytes(signing_key).verify(signature, statement)
    except (InvalidSignature, ValueError):
        return False
    return True


def is_vouched_for(account_key: bytes, user: str, device: str, keys: DeviceKeys) -> bool:
    """Whether the owner of an account key says that this is a device of that person."""
    return bool(keys.signature) and is_signed(account_key, device_statement(user, device, keys), keys.signature)


class AccountKey:
    """The private half of what an account is known by.

    :param seed: 32 bytes; random ones where none are given.
    """

    def __init__(self, seed: bytes | None = None) -> None:
        self._private = Ed25519PrivateKey.generate() if seed is None else Ed25519PrivateKey.from_private_bytes(seed)

    @property
    def seed(self) -> bytes:
        """What makes the same key again; a secret."""
        return self._private.private_bytes_raw()

    @property
    def public(self) -> bytes:
        return self._private.public_key().public_bytes_raw()

    def vouch(self, user: str, device: str, keys: DeviceKeys) -> DeviceKeys:
        """:returns: the same keys, signed."""
        signature = self._private.sign(device_statement(user, device, keys))
        return DeviceKeys(keys.identity, keys.signing, signature)
