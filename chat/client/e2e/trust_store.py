"""Trust on first use: remembers people's keys, and reports each change before the next message is encrypted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from chat.client.e2e.cross_signing import is_vouched_for
from chat.client.e2e.key_export import read, written
from chat.client.model.failures import NotYetShown
from chat.protocol.device_keys import DeviceKeys
from chat.protocol.events import PublishedKeys
from chat.protocol.names import fold


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


class TrustStore:
    """Everybody whose keys were seen.

    :ivar version: another one whenever anything may have changed.
    """

    def __init__(self) -> None:
        self._people: dict[str, Pinned] = {}
        self._dirty: set[str] = set()
        self.version = 0

    def look(self, published: PublishedKeys) -> tuple[Changed, ...]:
        """Compare what the server shows with what is pinned; at first sight it is pinned.

        Devices that the account key does not vouch for never count: they are ghosts.

        :returns: what the person has to see; until `accept` what was pinned before is what counts.
        """
        self.version += 1
        user, key = published.user, published.account_key
        genuine, doubts = _told_apart(published)
        pinned = self._people.get(fold(user))
        if pinned is None:
            if key is not None:
                self._people[fold(user)] = Pinned(key, genuine)
                self._dirty.add(fold(user))
            return tuple(doubts)
        if key is None:
            # Nobody takes back an account key: the server hides it, and a reset would show another one.
            pinned.changes = (Changed(Change.NO_ACCOUNT_KEY, user),)
            return (*pinned.changes, *doubts)
        if not pinned.devices and key == pinned.account_key:
            # The key came from another device of one's own, which has seen the devices that it vouches for.
            pinned.devices = genuine
            self._dirty.add(fold(user))
        changes = _compared(pinned, user, key, genuine)
        if changes:
            pinned.offered, pinned.changes = (key, genuine), changes
        else:
            # A device less needs nobody's consent, and takes effect with the next key.
            if pinned.devices != genuine:
                self._dirty.add(fold(user))
            pinned.devices, pinned.offered, pinned.changes = genuine, None, ()
        return (*changes, *doubts)

    def accept(self, user: str) -> None:
        """The person has seen what has changed: from now on that is what counts."""
        self.version += 1
        pinned = self._people[fold(user)]
        if pinned.offered is not None:
            account_key, devices = pinned.offered
            pinned.verified = pinned.verified and account_key == pinned.account_key
            pinned.account_key, pinned.devices = account_key, devices
            pinned.offered, pinned.changes = None, ()
            self._dirty.add(fold(user))

    def changes(self, user: str) -> tuple[Changed, ...]:
        """What has to be accepted before anything is sealed for somebody."""
        pinned = self._people.get(fold(user))
        return () if pinned is None else pinned.changes

    def offered_key(self, user: str) -> bytes | None:
        """The account key that is shown in place of the one that counts, if any."""
        pinned = self._people.get(fold(user))
        if pinned is None or pinned.offered is None or pinned.offered[0] == pinned.account_key:
            return None
        return pinned.offered[0]

    def offered_devices(self, user: str) -> dict[str, DeviceKeys]:
        """The genuine devices of somebody, whether they were accepted or not."""
        pinned = self._people.get(fold(user))
        if pinned is None:
            return {}
        return dict(pinned.devices if pinned.offered is None else pinned.offered[1])

    def pin(self, user: str, account_key: bytes, devices: Mapping[str, DeviceKeys] | None = None) -> None:
        """Know somebody by that key from now on: it is one's own, or came from another device of one's own.

        :param devices: that are known as well.
        """
        pinned = self._people.get(fold(user))
        if pinned is None or pinned.account_key != account_key:
            pinned = self._people[fold(user)] = Pinned(account_key, {})
            self._dirty.add(fold(user))
        for name, keys in (devices or {}).items():
            if pinned.devices.get(name) != keys:
                pinned.devices = pinned.devices | {name: keys}
                self._dirty.add(fold(user))

    def verify(self, user: str) -> None:
        """The person has compared the safety number."""
        self._people[fold(user)].verified = True
        self._dirty.add(fold(user))

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

    def device_to_read(self, user: str, device: str) -> DeviceKeys | None:
        """The keys of a genuine device. One that is vouched for by the key that counts need not be accepted: to read
        what it says needs nobody's consent."""
        pinned = self._people.get(fold(user))
        if pinned is None:
            return None
        if pinned.offered is not None and pinned.offered[0] == pinned.account_key:
            return pinned.offered[1].get(device)
        return pinned.devices.get(device)

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

    def changed(self) -> dict[str, Any]:
        """See `chat.client.e2e.device.OwnDevice.changed`; what was offered is looked at again."""
        users, self._dirty = self._dirty, set()
        return {f"pinned {user}": _dump(self._people[user]) for user in users}

    @classmethod
    def restore(cls, records: Mapping[str, Any]) -> TrustStore:
        """From the records that `changed` gave, the latest of each name."""
        pins = cls()
        for name, kept in records.items():
            kind, _, user = name.partition(" ")
            if kind == "pinned":
                devices = {name: DeviceKeys(*map(read, keys)) for name, keys in kept["devices"].items()}
                pins._people[user] = Pinned(read(kept["account_key"]), devices, kept["verified"])
        return pins

    def known(self) -> dict[str, tuple[bytes, bool]]:
        """The account key of everybody who is known, and whether it was verified; for another device of one's own."""
        return {user: (each.account_key, each.verified) for user, each in self._people.items()}


def _dump(pinned: Pinned) -> dict[str, Any]:
    return {
        "account_key": written(pinned.account_key),
        "devices": {name: _written(keys) for name, keys in pinned.devices.items()},
        "verified": pinned.verified,
    }


def _written(keys: DeviceKeys) -> list[str]:
    return [written(keys.identity), written(keys.signing), written(keys.signature)]


def _told_apart(published: PublishedKeys) -> tuple[dict[str, DeviceKeys], list[Changed]]:
    """The devices that the account key vouches for, and what is to be said of the others."""
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
    return genuine, doubts


def _compared(pinned: Pinned, user: str, key: bytes, genuine: Mapping[str, DeviceKeys]) -> tuple[Changed, ...]:
    """What is another than what is pinned."""
    changes = [Changed(Change.OTHER_ACCOUNT_KEY, user)] if key != pinned.account_key else []
    for device, keys in genuine.items():
        known = pinned.devices.get(device)
        if known is None:
            changes.append(Changed(Change.NEW_DEVICE, user, device))
        elif (known.identity, known.signing) != (keys.identity, keys.signing):
            changes.append(Changed(Change.OTHER_KEYS, user, device))
    return tuple(changes)
