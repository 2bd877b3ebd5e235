"""The key files of each account and device on this machine, and how they are unlocked."""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote

from chat.client.e2e.encrypted_db import EncryptedDatabase, make_database, open_database, open_with_key
from chat.client.e2e.key_export import COST
from chat.client.e2e.key_store import KeyStore
from chat.client.model.failures import BadKeyFile, ClientFailure, KeysInUse
from chat.client.session.private_folder import create_private
from chat.protocol.names import fold

_ENDING = ".keys"


class KeyFiles:
    """The keys that this machine holds for one server.

    :param folder: where they lie; made where it is missing.
    :param unlocked: a folder for what opens them, so that what was unlocked once stays so; made where it is missing.
        Without one, every start asks.
    :param cost: scrypt's; tests lower it.
    """

    def __init__(self, folder: Path, unlocked: Path | None = None, cost: int = COST) -> None:
        self._folder = folder
        self._open = unlocked
        self._cost = cost

    def path(self, account: str, device: str) -> Path:
        return self._folder / quote(fold(account), safe="") / f"{device}{_ENDING}"

    def holds(self, account: str) -> bool:
        """Whether any device of an account on this machine has keys."""
        return any(self.path(account, "").parent.glob(f"*{_ENDING}"))

    def wanted(self, account: str, device: str) -> str:
        """What a person is to be asked for before the keys can be opened, or nothing."""
        return "" if self._unlocked(self.path(account, device)) else f"Password of {account}, to unlock your keys: "

    def open(self, account: str, device: str, passphrase: str) -> KeyStore:
        """Open the keys of a device; make them where there are none. Slow.

        New ones are of the same person as those of another device that lie here under the same passphrase.

        :param passphrase: or empty, where they were unlocked before.
        :raises BadKeyFile: when it is wrong, or missing; or keys are in use by another program.
        :raises ClientFailure: when the files cannot be read or written.
        """
        path = self.path(account, device)
        try:
            if not path.exists():
                return self._make(path, account, device, passphrase)
            if passphrase:
                database = open_database(path, passphrase)
            elif (key := self._unlocked(path)) is not None:
                database = open_with_key(path, key)
            else:
                raise BadKeyFile("Your keys are locked.")
            ring = KeyStore.load(database, fold(account), device)
            self._remember(path, database)
            return ring
        except OSError as error:
            raise ClientFailure(f"Cannot use {path.parent}: {error.strerror}.") from None

    def _make(self, path: Path, account: str, device: str, passphrase: str) -> KeyStore:
        if not passphrase:
            raise BadKeyFile("You have no keys on this device yet.")
        bundle = self._beside(path, passphrase)
        database = make_database(path, passphrase, self._cost)
        ring = KeyStore.make(database, fold(account), device)
        if bundle is not None:
            ring.take_bundle(bundle)
            ring.save()
        self._remember(path, database)
        return ring

    def _beside(self, path: Path, passphrase: str) -> dict[str, object] | None:
        """What another device of this account on this machine hands over.

        :raises KeysInUse: when one may have something, and is busy: without it the new one would be a stranger.
        """
        busy = False
        for other in sorted(path.parent.glob(f"*{_ENDING}")):
            try:
                database = open_database(other, passphrase)
                try:
                    return KeyStore(database, database.read()).bundle()
                finally:
                    database.close()
            except KeysInUse:
                busy = True
            except ClientFailure:
                pass  # it is under another passphrase, or no device of this person's itself
        if busy:
            raise KeysInUse(
                f"Another chat client uses the keys that {path.stem} needs. Close that client, then try again."
            )
        return None

    def relock(self, ring: KeyStore, passphrase: str) -> None:
        """Put keys under another passphrase. Slow."""
        ring.database.relock(passphrase, self._cost)

    def forget(self, account: str, device: str) -> None:
        """Ask again the next time."""
        if (place := self._place(self.path(account, device))) is not None:
            place.unlink(missing_ok=True)

    # what was unlocked before

    def _place(self, path: Path) -> Path | None:
        if self._open is None:
            return None
        return self._open / sha256(str(path.absolute()).encode()).hexdigest()[:32]

    def _unlocked(self, path: Path) -> bytes | None:
        place = self._place(path)
        if place is None:
            return None
        try:
            return place.read_bytes()
        except OSError:
            return None

    def _remember(self, path: Path, database: EncryptedDatabase) -> None:
        place = self._place(path)
        if place is None:
            return
        with suppress(OSError):  # then it is asked for again
            place.parent.mkdir(mode=0o700, exist_ok=True)
            with create_private(place) as file:
                file.write(database.key)
