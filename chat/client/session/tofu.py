"""Checks that a server is the same as before: its key and its database are remembered at the first connection (trust on
first use).

The key identifies the server; the database, its accounts and logs. Conversation ids, read marks, tokens and people's
keys are valid in one database only.
"""

from __future__ import annotations

from collections.abc import Callable

from chat.client.model.failures import ServerNotTrusted
from chat.client.session.endpoint import ServerAddress
from chat.client.session.profiles import Files
from chat.client.session.tls import Handshake
from chat.protocol.events import Welcome


class KeyChanged(ServerNotTrusted):
    """The server has another key than before.

    :ivar before: the SHA-256 of the remembered certificate.
    :ivar now: the SHA-256 of the certificate now.
    """

    final = True

    def __init__(self, address: ServerAddress, before: bytes, now: bytes) -> None:
        super().__init__(
            f"The key of {address} has changed: somebody may be intercepting your connection. Nothing was sent."
            f" If the server's operator confirms the new key, run: chat forget {address}"
        )
        self.before = before
        self.now = now


def spelled(fingerprint: bytes) -> str:
    """A fingerprint in groups of four digits, for reading aloud."""
    digits = fingerprint.hex()
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def pinned(files: Files, address: ServerAddress, handshake: Handshake) -> Callable[[bytes], None]:
    """Make the certificate check of one connection, for `chat.client.session.protocol.ChatClient`.

    The key is remembered at the first connection. It may change if a certificate authority vouches for the new one.
    """

    def look(fingerprint: bytes) -> None:
        before = files.find(address).pin
        if before == fingerprint:
            return
        if before and not handshake.vouched_for:
            raise KeyChanged(address, before, fingerprint)
        files.pin(address, fingerprint)

    return look


class ServerReinstalled(ServerNotTrusted):
    """The server has another database than before; the data of this client does not belong to it."""

    final = True

    def __init__(self, address: ServerAddress) -> None:
        super().__init__(
            f"{address} was reinstalled, or is another server: it does not have your account and messages. Nothing was"
            f" sent. To use it as a new server, run: chat forget {address}"
        )


class SameDatabase:
    """Checks the database of one server, for `chat.client.session.engine.Engine`.

    :param told: called with a line for the person.
    """

    def __init__(self, files: Files, address: ServerAddress, told: Callable[[str], object]) -> None:
        self._files = files
        self._address = address
        self._told = told
        self._met = ""

    def look(self, welcome: Welcome) -> None:
        """Check a welcome, and remember the database.

        :raises ServerReinstalled: when the database is another one than this client, or another client here, has seen.
        :raises ClientFailure: when nothing can be written.
        """
        now = welcome.database
        before = self._met or self._files.database(self._address)
        if before and now and now != before:
            raise ServerReinstalled(self._address)
        if now and not self._met:
            aside = self._files.meet(self._address, now)
            self._met = now
            if aside is not None:
                self._told(f"Your keys and unsent lines for the old server at {self._address} were moved to {aside}.")
