"""What is known of a server that was met before, and how it is written. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chat.client.session.endpoint import ServerAddress


@dataclass(frozen=True, slots=True)
class Known:
    """A server that was met before.

    :param pin: the SHA-256 of its certificate, or empty where an authority vouched for it, or it has no TLS.
    :param tokens: what logs in without a password, by account.
    :param account: who was logged in last, or empty.
    :param met: when it was called last, seconds since the epoch.
    :param database: what it calls the one that it had then (`chat.protocol.events.Welcome`), or empty.
    """

    address: ServerAddress
    pin: bytes = b""
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    account: str = ""
    met: float = 0.0
    database: str = ""

    @property
    def accounts(self) -> tuple[str, ...]:
        """Whose accounts need no password here, the one of last time first."""
        names = dict.fromkeys(each.rpartition("@")[0] for each in self.tokens)
        return tuple(sorted(names, key=lambda name: (name != self.account, name)))


def read_server(words: str) -> ServerAddress:
    """``HOST[:PORT]``, and the word ``unencrypted`` after it."""
    address, _, rest = words.strip().partition(" ")
    if rest.strip() not in ("", "unencrypted"):
        raise ValueError(f"{words[:60]!r} is not a server. Write HOST[:PORT] or HOST[:PORT] unencrypted")
    return ServerAddress.parse(address, tls=not rest.strip())


def write_server(address: ServerAddress) -> str:
    """As `read_server` reads it."""
    return f"{address}{'' if address.tls else ' unencrypted'}"


def read_known(words: str, record: dict[str, Any]) -> Known | None:
    """A record of ``servers.json``, which anything may stand in; nothing where it is none."""
    try:
        return Known(
            read_server(words),
            bytes.fromhex(record.get("pin", "")),
            {str(account): str(token) for account, token in record.get("tokens", {}).items()},
            str(record.get("account", "")),
            float(record.get("met", 0)),
            str(record.get("database", "")),
        )
    except (ValueError, TypeError, AttributeError):
        return None
