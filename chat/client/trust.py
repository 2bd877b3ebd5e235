"""Whether a server is the one it was: its key is remembered when it is first met (trust on first use)."""

from __future__ import annotations

from collections.abc import Callable

from chat.client.dialing import Address, Handshake
from chat.client.failures import ServerNotTrusted
from chat.client.files import Files


class KeyChanged(ServerNotTrusted):
    """The server shows another key than the one it had before.

    :ivar before: the SHA-256 of its certificate then.
    :ivar now: and now.
    """

    def __init__(self, address: Address, before: bytes, now: bytes) -> None:
        super().__init__(
            f"The key of {address} has changed: somebody may stand between you and the server. Nothing was sent."
        )
        self.before = before
        self.now = now


def spelled(fingerprint: bytes) -> str:
    """A fingerprint as it is read aloud: groups of four."""
    digits = fingerprint.hex()
    return " ".join(digits[place : place + 4] for place in range(0, len(digits), 4))


def pinned(files: Files, address: Address, handshake: Handshake) -> Callable[[bytes], None]:
    """Looks at the certificate of one connection, for `chat.client.protocol.ChatClient`.

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
