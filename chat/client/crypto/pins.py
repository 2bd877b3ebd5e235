"""Whose keys are whose: pinned at first sight, and every later change shown before the next word is sealed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chat.client.crypto.failures import NotYetShown
from chat.client.crypto.keyfile import read, written
from chat.client.crypto.signing import is_vouched_for
from chat.events import PublishedKeys
from chat.keys import DeviceKeys
from chat.names import fold


class Change(StrEnum):
    """What is not as it was, or not as it should be."""

    OTHER_ACCOUNT_KEY = "other-account-key"
    NO_ACCOUNT_KEY = "no-account-key"
    NEW_DEVICE = "new-device"
    OTHER_KEYS = "other-keys"
    GHOST = "ghost"
    WITHOUT_KEYS = "without-keys"


@dataclass(frozen=True, slots=True)
class Changed:
    """Something for the person to see.

    :param user: whose keys it is about; the name of a device where it is about one.
    """

    change: Change
    user: str
    device: str = ""


@dataclass(slots=True)
class Pinned:
    """Somebody as this device knows them.

    :param verified: whether the safety number was compared.
    :param offered: what was published since and not been accepted yet.
    """

    account_key: bytes
    devices: dict[str, DeviceKeys]
    verified: bool = False
    offered: tuple[bytes, dict[str, DeviceKeys]] | None = None
    changes: tuple[Changed, ...] = field(default=())


class Pins:
    """Everybody whose keys were seen."""

    def __init__(self) -> None:
        self._people: dict[str, Pinned] = {}

    def look(self, published: PublishedKeys) -> tuple[Changed, ...]:
        """Compare what the server shows with what is pinned; at first sight it is pinned.

        Devices that the account key does not vouch for never count: they are ghosts.

        :returns: what the person has to see; until `accept` what was pinned before is what counts.
        """
        user, key = published.user, published.account_key
        genuine: dict[str, DeviceKeys] = {}
        doubts: list[Changed] = []
        for each in published.devices:
            if each.keys is None:
                doubts.append(Changed(Change.WITHOUT_KEYS, user, each.device))
            elif key is not None and is_vouched_for(key, user, each.device, each.keys):
                genuine[each.device] = each.keys
            else:
                doubts.append(Changed(Change.GHOST, user, each.device))
        pinned = self._people.get(fold(user))
        if pinned is None:
            if key is not None:
                self._people[fold(user)] = Pinned(key, genuine)
            return tuple(doubts)
        if key is None:
            # Nobody takes back an account key: the server hides it, and a reset would show another one.
            pinned.changes = (Changed(Change.NO_ACCOUNT_KEY, user),)
            return (*pinned.changes, *doubts)
        changes: list[Changed] = []
        if key != pinned.account_key:
            changes.append(Changed(Change.OTHER_ACCOUNT_KEY, user))
        for device, keys in genuine.items():
            known = pinned.devices.get(device)
            if known is None:
                changes.append(Changed(Change.NEW_DEVICE, user, device))
            elif (known.identity, known.signing) != (keys.identity, keys.signing):
                changes.append(Changed(Change.OTHER_KEYS, user, device))
        if changes:
            pinned.offered, pinned.changes = (key, genuine), tuple(changes)
        else:
            # A device less needs nobody's consent, and takes effect with the next key.
            pinned.devices, pinned.offered, pinned.changes = genuine, None, ()
        return (*changes, *doubts)

    def accept(self, user: str) -> None:
        """The person has seen what has changed: from now on that is what counts."""
        pinned = self._people[fold(user)]
        if pinned.offered is not None:
            account_key, devices = pinned.offered
            pinned.verified = pinned.verified and account_key == pinned.account_key
            pinned.account_key, pinned.devices = account_key, devices
            pinned.offered, pinned.changes = None, ()

    def verify(self, user: str) -> None:
        """The person has compared the safety number."""
        self._people[fold(user)].verified = True

    def is_verified(self, user: str) -> bool:
        pinned = self._people.get(fold(user))
        return pinned is not None and pinned.verified

    def account_key(self, user: str) -> bytes | None:
        """The key that somebody is known by."""
        pinned = self._people.get(fold(user))
        return None if pinned is None else pinned.account_key

    def device(self, user: str, device: str) -> DeviceKeys | None:
        """The keys of one genuine device, accepted."""
        pinned = self._people.get(fold(user))
        return None if pinned is None else pinned.devices.get(device)

    def devices_to_seal_for(self, user: str) -> dict[str, DeviceKeys]:
        """The devices of somebody that may be given a key now.

        :raises NotYetShown: when something has changed that nobody has seen.
        """
        pinned = self._people.get(fold(user))
        if pinned is None:
            return {}
        if pinned.changes:
            raise NotYetShown(f"The keys of {user} have changed. Look at them before anything else is sent.")
        return dict(pinned.devices)

    # keeping

    def dump(self) -> dict[str, Any]:
        """Everything as plain JSON values; what was offered is looked at again."""
        return {
            user: {
                "account_key": written(each.account_key),
                "devices": {name: _written(keys) for name, keys in each.devices.items()},
                "verified": each.verified,
            }
            for user, each in self._people.items()
        }

    @classmethod
    def restore(cls, dumped: Mapping[str, Any]) -> Pins:
        """What `dump` gave."""
        pins = cls()
        for user, each in dumped.items():
            devices = {name: DeviceKeys(*map(read, keys)) for name, keys in each["devices"].items()}
            pins._people[user] = Pinned(read(each["account_key"]), devices, each["verified"])
        return pins


def _written(keys: DeviceKeys) -> list[str]:
    return [written(keys.identity), written(keys.signing), written(keys.signature)]
