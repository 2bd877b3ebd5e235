"""What devices are told of keys, and of what waits in their inboxes."""

from __future__ import annotations

from dataclasses import dataclass

from chat.protocol.device_keys import DeviceKeys


@dataclass(frozen=True, slots=True)
class Letter:
    """A message in the inbox of this device, encrypted for it alone.

    :param number: counts up; `inbox.acknowledge` takes everything up to one out.
    :param device: of the author.
    """

    number: int
    author: str
    device: str
    time: int
    body: bytes


@dataclass(frozen=True, slots=True)
class KeysChanged:
    """Somebody's keys have changed, or they have a new device: check before encrypting the next message."""

    user: str


@dataclass(frozen=True, slots=True)
class KeysLeft:
    """The keys that this device has left; also sent when others have claimed some.

    :param one_time: how many one-time keys wait.
    :param fallback_used: whether it is time for another fallback key.
    """

    one_time: int
    fallback_used: bool


@dataclass(frozen=True, slots=True)
class PublishedDevice:
    """One device of somebody.

    :param keys: nothing where it has published none: whoever is signed in there reads nothing that is sealed.
    """

    device: str
    keys: DeviceKeys | None


@dataclass(frozen=True, slots=True)
class PublishedKeys:
    """What somebody has published.

    :param account_key: what signs the devices, or nothing.
    :param devices: all that have keys, and those without that were signed in within 30 days.
    """

    user: str
    account_key: bytes | None
    devices: tuple[PublishedDevice, ...]


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of the requested users; users who do not exist or block the reader are left out."""

    people: tuple[PublishedKeys, ...]


@dataclass(frozen=True, slots=True)
class ClaimedKey:
    """A key claimed from somebody's device; nobody else gets it, unless it is the fallback key.

    :param number: of the key, which its signature covers.
    """

    user: str
    device: str
    number: int
    key: bytes
    signature: bytes
    fallback: bool = False


@dataclass(frozen=True, slots=True)
class ClaimedKeys:
    """One key of each device that has any; the others are left out."""

    keys: tuple[ClaimedKey, ...]


@dataclass(frozen=True, slots=True)
class NamedDevice:
    """A device, and whose it is."""

    user: str
    device: str


@dataclass(frozen=True, slots=True)
class LettersKept:
    """The letters are stored in the inboxes, on disk.

    :param refused: devices that got none: they have no keys, their inbox is full, or their owner blocks who sent it.
    """

    refused: tuple[NamedDevice, ...] = ()


@dataclass(frozen=True, slots=True)
class Inbox:
    """The inbox of this device, oldest first.

    :param more: whether more follows.
    """

    letters: tuple[Letter, ...]
    more: bool
