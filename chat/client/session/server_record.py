"""The record of a known server, and its form in ``servers.json``. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from chat.client.session.endpoint import ServerAddress


@dataclass(frozen=True, slots=True)
class Known:
    """A known server.

    :param pin: the SHA-256 of its certificate, or empty without TLS.
    :param tokens: login tokens by ``ACCOUNT@DEVICE``.
    :param account: the account that was logged in last, or empty.
    :param met: the time of the last connection, in seconds since the epoch.
    :param database: the id of its database at that time (`chat.protocol.events.Welcome`), or empty.
    """

    address: ServerAddress
    pin: bytes = b""
    tokens: dict[str, str] = field(default_factory=dict, repr=False)
    account: str = ""
    met: float = 0.0
    database: str = ""

    @property
    def accounts(self) -> tuple[str, ...]:
        """The accounts with a login token, the last used first."""
        names = dict.fromkeys(each.rpartition("@")[0] for each in self.tokens)
        return tuple(sorted(names, key=lambda name: (name != self.account, name)))


def read_server(words: str) -> ServerAddress:
    """Parse ``HOST[:PORT]``, optionally followed by ``unencrypted``."""
    address, _, rest = words.strip().partition(" ")
    if rest.strip() not in ("", "unencrypted"):
        raise ValueError(f"{words[:60]!r} is not a server. Write HOST[:PORT] or HOST[:PORT] unencrypted")
    return ServerAddress.parse(address, tls=not rest.strip())


def write_server(address: ServerAddress) -> str:
    """Format an address for `read_server`."""
    return f"{address}{'' if address.tls else ' unencrypted'}"


def read_known(words: str, record: dict[str, Any]) -> Known | None:
    """Read a record of ``servers.json``; nothing if it is damaged."""
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
