"""Public keys for end-to-end encryption, as their owners publish them.

The server keeps them, hands them out and looks into none: whether a signature holds is for those to check who are
going to trust the key. Keys are bytes here: ed25519 (RFC 8032) where something is signed, curve25519 (RFC 7748) where
a secret is agreed upon.
"""

from __future__ import annotations

from dataclasses import dataclass

KEY_BYTES = 32
SIGNATURE_BYTES = 64

MOST_ONE_TIME = 100
"""The most one-time keys that one device may have waiting."""

MOST_DEVICES = 50
"""The most devices of one account that may have keys."""

MOST_NUMBER = 2**53 - 1
"""The largest number of a key: the largest that JavaScript counts to."""

INBOX_BYTES = 4 * 1024
"""The most bytes of one message to the inbox of a device; written out it fits what a bus carries."""


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """The keys of one device.

    :param identity: curve25519.
    :param signing: ed25519; it signs the one-time keys.
    :param signature: of the account key over the others, or empty while nobody has vouched for the device.
    """

    identity: bytes
    signing: bytes
    signature: bytes = b""

    def __post_init__(self) -> None:
        if len(self.identity) != KEY_BYTES or len(self.signing) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        if len(self.signature) not in (0, SIGNATURE_BYTES):
            raise ValueError(f"a signature has {SIGNATURE_BYTES} bytes")


@dataclass(frozen=True, slots=True)
class NumberedKey:
    """A one-time key, or a fallback key, of a device.

    :param number: counts up with each key that the device makes, so that none is taken twice.
    :param key: curve25519.
    :param signature: of the device's signing key.
    """

    number: int
    key: bytes
    signature: bytes

    def __post_init__(self) -> None:
        if not 0 < self.number <= MOST_NUMBER:
            raise ValueError("the number of a key counts from 1")
        if len(self.key) != KEY_BYTES or len(self.signature) != SIGNATURE_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes and its signature {SIGNATURE_BYTES}")


@dataclass(frozen=True, slots=True)
class Publication:
    """What a device publishes at once; what is left out stays as it is.

    :param account_key: ed25519, the key that signs the devices of an account.
    :param reset: whether it may replace another one, which takes the keys of all devices with it.
    """

    account_key: bytes | None = None
    reset: bool = False
    device: DeviceKeys | None = None
    one_time: tuple[NumberedKey, ...] = ()
    fallback: NumberedKey | None = None

    def __post_init__(self) -> None:
        if self.account_key is not None and len(self.account_key) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes")
        if len(self.one_time) > MOST_ONE_TIME:
            raise ValueError(f"a device has at most {MOST_ONE_TIME} one-time keys")

    @property
    def told(self) -> bool:
        """Whether it changes what others see: one-time keys come and go unnoticed."""
        return self.account_key is not None or self.device is not None


@dataclass(frozen=True, slots=True)
class Supply:
    """What a device has left to hand out.

    :param one_time: how many one-time keys wait.
    :param fallback_used: whether the fallback key was handed out, or there is none: it is time for another.
    """

    one_time: int
    fallback_used: bool


@dataclass(frozen=True, slots=True)
class AccountKeys:
    """What an account has published.

    :param account_key: or nothing where it has published none.
    :param devices: by name; ``None`` for a device that has no keys and was signed in lately.
    """

    account: int
    account_key: bytes | None
    devices: tuple[tuple[str, DeviceKeys | None], ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The device from which a key is wanted.

    :param one_time: whether a one-time key may be taken, or the fallback key alone.
    """

    account: int
    device: str
    one_time: bool = True


@dataclass(frozen=True, slots=True)
class HandedOut:
    """A key that was handed out: a one-time key is gone from the disk by now.

    :param supply: what is left.
    """

    account: int
    device: str
    key: NumberedKey
    fallback: bool
    supply: Supply


@dataclass(frozen=True, slots=True)
class InboxMessage:
    """A message to one device, for its inbox.

    :param body: sealed for that device; the server looks at its length alone.
    """

    account: int
    device: str
    body: bytes

    def __post_init__(self) -> None:
        if not 0 < len(self.body) <= INBOX_BYTES:
            raise ValueError(f"a message to an inbox has 1 to {INBOX_BYTES:,} bytes")


@dataclass(frozen=True, slots=True)
class StoredLetter:
    """A message as it lies in an inbox.

    :param number: counts up; acknowledging is "up to this number".
    :param author: an account.
    :param device: of the author.
    :param time: milliseconds since the epoch.
    """

    number: int
    author: int
    device: str
    time: int
    body: bytes
