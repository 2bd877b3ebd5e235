"""Everything that a device stores for its owner, in an encrypted database."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from chat.client.e2e.cross_signing import AccountKey
from chat.client.e2e.device import OwnDevice
from chat.client.e2e.encrypted_db import EncryptedDatabase
from chat.client.e2e.key_export import read, written
from chat.client.e2e.megolm import Conversations
from chat.client.e2e.olm import OlmSessions
from chat.client.e2e.trust_store import TrustStore
from chat.client.model.failures import BadKeyFile, ClientFailure, NotGenuine
from chat.protocol.values import Conversation, Sealed

MOST_WAITING: Final = 500
"""Letters that wait until the keys of their authors were accepted; of more, the oldest are let go."""


@dataclass(slots=True)
class Policy:
    """What holds for one conversation.

    :param sealed: whether anything was ever sealed there, or had to be: from then on nothing is sent in the clear.
    :param plain: whether the person has said that it may be, all the same.
    :param wanted: whether the person wants it sealed although not every device can read it then.
    """

    sealed: bool = False
    plain: bool = False
    wanted: bool = False


@dataclass(slots=True)
class StoredText:
    """What is kept of a message, to be found again."""

    author: str
    time: int
    text: str


class KeyStore:
    """The keys of one device, and what was seen of others.

    :ivar last_letter: the number of the last letter that was taken.
    :ivar restored: see `chat.client.session.encryption_api.NullEncryption.restored`.
    :ivar offers: files that wait for a yes or no, and answers that were not given yet, as plain JSON values.
    :ivar link: the code by which another device becomes one of the same person, and until when it is good.
    :ivar written: what the owner has written, by name, as plain JSON values.
    :ivar waiting: letters that do not open yet: the number, whose, of which device, and what.
    """

    def __init__(self, database: EncryptedDatabase, records: Mapping[str, Any]) -> None:
        self._database = database
        self.own = OwnDevice.restore(records)
        self.pins = TrustStore.restore(records)
        self.letters = OlmSessions.restore(self.own, records)
        self.conversations = Conversations.restore(self.own, self.pins, records)
        self.last_letter: int = records.get("last letter", 0)
        self.restored: int | None = records.get("restored")
        self.waiting: list[tuple[int, str, str, bytes]] = [
            (number, user, device, read(body)) for number, user, device, body in records.get("waiting letters", ())
        ]
        self.link: tuple[str, float] = tuple(records.get("link", ("", 0.0)))
        self._policies = {
            name.partition(" ")[2]: Policy(**kept) for name, kept in records.items() if name.startswith("policy ")
        }
        self.offers: list[Any] = records.get("offers", [])
        self.written: dict[str, list[Any]] = {
            name.partition(" ")[2]: kept for name, kept in records.items() if name.startswith("written ")
        }
        self._dirty: dict[str, Any] = {}
        self._said: dict[tuple[str, int], StoredText | None] = {}
        self._broken = False

    @classmethod
    def make(
        cls, database: EncryptedDatabase, user: str, device: str, account_key: AccountKey | None = None
    ) -> KeyStore:
        """New keys, which are saved at once."""
        database.write(OwnDevice(user, device, account_key).changed())
        return cls(database, database.read())

    @classmethod
    def load(cls, database: EncryptedDatabase, user: str, device: str) -> KeyStore:
        """The keys of a vault.

        :raises BadKeyFile: when they are those of another device.
        """
        ring = cls(database, database.read())
        if (ring.own.user, ring.own.name) != (user, device):
            raise BadKeyFile(f"This key file belongs to {ring.own.user}@{ring.own.name}.")
        return ring

    # conversations

    def policy(self, where: str) -> Policy:
        """What holds for a conversation; see `chat.client.e2e.payload.place`."""
        return self._policies.get(where, Policy())

    def set_policy(self, where: str, policy: Policy) -> None:
        self._policies[where] = policy
        self._dirty[f"policy {where}"] = asdict(policy)

    def seal(self, conversation: Conversation, text: str, *, action: bool = False, ref: int = 0) -> Sealed:
        """See `Conversations.seal`; what comes back may be sent at once.

        :raises ClientFailure: also when the key cannot be saved.
        """
        sealed = self.conversations.seal(conversation, text, action=action, ref=ref)
        if self.conversations.unsafe(conversation) or self._broken:
            self.save()
        return sealed

    def set_link(self, code: str, until: float) -> None:
        """The code is kept, as the one device may have to leave for the other to come."""
        self.link = code, until
        self._dirty["link"] = [code, until]

    # letters

    def took(self, number: int) -> None:
        """A letter was taken."""
        self.last_letter = max(self.last_letter, number)
        self._dirty["last letter"] = self.last_letter

    def note_restored(self, restored: int) -> None:
        """What was seen is of the past that the server has with this backup."""
        if restored != self.restored:
            if self.restored is not None:
                self.conversations.hand_over_again()
            self.restored = self._dirty["restored"] = restored

    def keep_waiting(self, letters: list[tuple[int, str, str, bytes]]) -> None:
        """These letters do not open yet."""
        self.waiting = letters[-MOST_WAITING:]
        self._dirty["waiting letters"] = [[number, *whose, written(body)] for number, *whose, body in self.waiting]

    def keep_offers(self, offers: list[Any]) -> None:
        """See `chat.client.p2p.relay_transfer`, which knows what they are."""
        self.offers = self._dirty["offers"] = offers

    # what the owner writes

    def keep_written(self, name: str, lines: list[Any]) -> None:
        """Keep that under a name, in place of what was there before."""
        self.written[name] = self._dirty[f"written {name}"] = lines

    # words to be found again

    def remember(self, where: str, seq: int, words: StoredText | None) -> None:
        """Something was said; or taken back, where there are no words."""
        self._said[where, seq] = words

    @property
    def database(self) -> EncryptedDatabase:
        return self._database

    # keeping

    def save(self, leaving: bool = False) -> None:
        """Keep what has changed, and return when it is on disk.

        :param leaving: see `Conversations.changed`.
        :raises ClientFailure: when that is not possible; nothing is to be sent that relies on it.
        """
        records = self._dirty | self.own.changed() | self.pins.changed() | self.letters.changed()
        records |= self.conversations.changed(leaving)
        if not records and not self._said:
            return
        said = [(where, seq, asdict(words)) for (where, seq), words in self._said.items() if words is not None]
        gone = [which for which, words in self._said.items() if words is None]
        self._dirty, self._broken = records, True
        try:
            self._database.write(records, said, gone)
        except sqlite3.Error as error:
            raise ClientFailure(
                f"Cannot save your keys: {error}. Encrypted messages wait until they can be saved."
            ) from None
        self._dirty, self._broken = {}, False
        self._said.clear()

    def close(self) -> None:
        """Save, and let another program have the file."""
        try:
            self.save(leaving=True)
        finally:
            self._database.close()

    # other devices of the same person

    def bundle(self, history: bool = True) -> dict[str, Any]:
        """What another device of the same person needs to be one of them.

        :param history: whether it shall read what was said before.
        :raises BadKeyFile: when this device is none of them itself.
        """
        account_key = self.own.account_key
        if account_key is None:
            raise BadKeyFile("This device is not linked yet.")
        return {
            "user": self.own.user,
            "account_key": written(account_key.seed),
            "pinned": {user: [written(key), verified] for user, (key, verified) in self.pins.known().items()},
            "sealed": [where for where, policy in self._policies.items() if policy.sealed],
            "keys": self.conversations.keys() if history else [],
        }

    def take_bundle(self, bundle: Mapping[str, Any]) -> int:
        """Take what `bundle` gave on another device.

        :returns: how many keys of conversations came with it.
        :raises NotGenuine: when it is none, or somebody else's.
        """
        try:
            if bundle["user"] != self.own.user:
                raise NotGenuine(f"These keys belong to {bundle['user']}, not to {self.own.user}.")
            account_key = AccountKey(read(bundle["account_key"]))
            for user, (key, verified) in bundle["pinned"].items():
                self.pins.pin(user, read(key))
                if verified:
                    self.pins.verify(user)
            for where in bundle["sealed"]:
                self.set_policy(where, Policy(sealed=True))
            for author, device, key in bundle["keys"]:
                self.conversations.take_old_key(author, device, key)
        except (KeyError, TypeError, ValueError, AttributeError):
            raise NotGenuine("These are not valid keys.") from None
        self.own.hold(account_key)
        self.pins.pin(self.own.user, account_key.public)
        return len(bundle["keys"])
