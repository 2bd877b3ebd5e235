"""Whether a server is the one it was: what it is known by is remembered when it is first met (trust on first use).

The key says who it is; the database, which accounts and which log it has. Numbers of conversations, marks, tokens and
the keys of people are of one database: with another one they would be taken for what they are not.
"""

from __future__ import annotations

from collections.abc import Callable

from chat.client.model.failures import ServerNotTrusted
from chat.client.session.endpoint import ServerAddress
from chat.client.session.profiles import Files
from chat.client.session.tls import Handshake
from chat.protocol.events import Welcome


class KeyChanged(ServerNotTrusted):
    """The server shows another key than the one it had before.

    :ivar before: the SHA-256 of its certificate then.
    :ivar now: and now.
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
    """A fingerprint as it is read aloud: groups of four."""
    digits = fingerprint.hex()
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def pinned(files: Files, address: ServerAddress, handshake: Handshake) -> Callable[[bytes], None]:
    """Looks at the certificate of one connection, for `chat.client.session.protocol.ChatClient`.

    A key is remembered at the first meeting. One that an authority vouches for may change, as such keys do.
    """

    def look(fingerprint: bytes) -> None:
        before = files.find(address).pin
        if before == fingerprint:
            return
        if before and not handshake.vouched_for:
            raise KeyChanged(address, before, fingerprint)
        files.pin(address, fingerprint)

    return look


class SetUpAnew(ServerNotTrusted):
    """The server has another database than before: what this client holds is not of this one."""

    final = True

    def __init__(self, address: ServerAddress) -> None:
        super().__init__(
            f"{address} was reinstalled, or is another server: it does not have your account and messages. Nothing was"
            f" sent. To use it as a new server, run: chat forget {address}"
        )


class SameDatabase:
    """Looks at the welcomes of one server, for `chat.client.session.engine.Engine`.

    :param told: gets a line for the person.
    """

    def __init__(self, files: Files, address: ServerAddress, told: Callable[[str], object]) -> None:
        self._files = files
        self._address = address
        self._told = told
        self._met = ""

    def look(self, welcome: Welcome) -> None:
        """Meet a server.

        :raises SetUpAnew: when it is not the one that it was, here or in another program of the same person.
        :raises ClientFailure: when nothing can be written.
        """
        now = welcome.database
        before = self._met or self._files.database(self._address)
        if before and now and now != before:
            raise SetUpAnew(self._address)
        if now and not self._met:
            aside = self._files.meet(self._address, now)
            self._met = now
            if aside is not None:
                self._told(f"Your keys and unsent lines for the old server at {self._address} were moved to {aside}.")
