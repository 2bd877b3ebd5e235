"""This device: its Olm account, what it publishes of it, and the account key if it has it."""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping
from typing import Any, Final

from vodozemac import Account, Curve25519PublicKey, PreKeyMessage, Session

from chat.client.e2e.cross_signing import AccountKey, key_statement
from chat.client.e2e.key_export import read, written
from chat.protocol.device_keys import DeviceKeys, NumberedKey, Publication

KEPT_READY: Final = 50
"""One-time keys that a device keeps at the server; half of what vodozemac remembers the private halves of."""

INSIDE: Final = bytes(32)
"""The key of vodozemac's own pickles: they lie in a `chat.client.e2e.key_export.KeyFile` and need none of their own."""


def from_base64(key: str) -> bytes:
    """A key as vodozemac writes it, without padding."""
    return b64decode(key + "=" * (-len(key) % 4))


def _by_number(key: NumberedKey) -> int:
    return key.number


class OwnDevice:
    """The device that this program runs on.

    :param user: whose it is.
    :param account_key: the private account key, or nothing where another device has yet to hand it over.
    """

    def __init__(self, user: str, name: str, account_key: AccountKey | None, account: Account | None = None) -> None:
        self.user = user
        self.name = name
        self.account_key = account_key
        self._account = account or Account()
        self._numbered = 0
        self._unpublished: dict[str, int] = {}
        self._dirty = account is None

    @property
    def keys(self) -> DeviceKeys:
        """The public keys, signed where the account key is here."""
        account = self._account
        bare = DeviceKeys(from_base64(account.curve25519_key.to_base64()), from_base64(account.ed25519_key.to_base64()))
        return bare if self.account_key is None else self.account_key.vouch(self.user, self.name, bare)

    def sign(self, statement: bytes) -> bytes:
        """Sign with the key of the device (ed25519); see `chat.client.e2e.cross_signing.statement`."""
        return from_base64(self._account.sign(statement).to_base64())

    # publishing

    def publication(self, one_time: int = 0, fallback_used: bool = True, reset: bool = False) -> Publication:
        """What to publish now; save, send, and call `published` when the server has it.

        Asked for again before that, it gives the same keys under the same numbers.

        :param one_time: how many one-time keys the server has left.
        :param fallback_used: whether it is time for another fallback key.
        """
        account: Any = self._account  # its stubs lack the fallback keys
        self._dirty = True
        if not self._unpublished:
            account.generate_one_time_keys(max(0, KEPT_READY - one_time))
            if fallback_used:
                account.generate_fallback_key()
        return Publication(
            self.account_key.public if self.account_key is not None else None,
            reset,
            self.keys,
            tuple(sorted((self._numbered_key(key, False) for key in account.one_time_keys.values()), key=_by_number)),
            next((self._numbered_key(key, True) for key in account.fallback_key.values()), None),
        )

    def _numbered_key(self, key: Curve25519PublicKey, fallback: bool) -> NumberedKey:
        name = key.to_base64()
        if name not in self._unpublished:
            self._numbered += 1
            self._unpublished[name] = self._numbered
        number, public = self._unpublished[name], from_base64(name)
        return NumberedKey(number, public, self.sign(key_statement(self.keys.identity, number, public, fallback)))

    def published(self) -> None:
        """The server has what `publication` gave."""
        self._dirty = True
        self._account.mark_keys_as_published()
        self._unpublished.clear()

    # the beginning of a ratchet with another device

    def begin(self, identity: bytes, key: bytes) -> Session:
        """Begin to write to a device, with a key that was handed out for it."""
        return self._account.create_outbound_session(
            Curve25519PublicKey.from_bytes(identity), Curve25519PublicKey.from_bytes(key)
        )

    def answer(self, identity: bytes, first: PreKeyMessage) -> tuple[Session, bytes]:
        """A device has begun to write to this one.

        :returns: the ratchet, and what the first message says.
        :raises ValueError: when it does not open.
        """
        self._dirty = True  # the one-time key is used up
        return self._account.create_inbound_session(Curve25519PublicKey.from_bytes(identity), first)

    def hold(self, account_key: AccountKey) -> None:
        """The private account key is here from now on."""
        self.account_key = account_key
        self._dirty = True

    # keeping

    def changed(self) -> dict[str, Any]:
        """What has changed since this was asked for last, as records of plain JSON values; secrets."""
        if not self._dirty:
            return {}
        self._dirty = False
        return {
            "device": {
                "user": self.user,
                "name": self.name,
                "account_key": None if self.account_key is None else written(self.account_key.seed),
                "account": self._account.pickle(INSIDE),
                "numbered": self._numbered,
                "unpublished": self._unpublished,
            }
        }

    @classmethod
    def restore(cls, records: Mapping[str, Any]) -> OwnDevice:
        """From the records that `changed` gave, the latest of each name."""
        kept = records["device"]
        seed = kept["account_key"]
        account_key = None if seed is None else AccountKey(read(seed))
        device = cls(kept["user"], kept["name"], account_key, Account.from_pickle(kept["account"], INSIDE))
        device._numbered = kept["numbered"]
        device._unpublished = dict(kept["unpublished"])
        return device
