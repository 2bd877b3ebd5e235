"""The networks that an account has logged in from, and the tokens that its devices have had."""

from __future__ import annotations

from typing import Final

from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import Transaction

NETWORKS: Final = 16
"""How many networks of one account are kept."""

TOKENS: Final = 64
"""How many tokens of one account are known, those that have ended included."""


def note_network(transaction: Transaction, account: int, network: str, when: int) -> None:
    """Note that an account has logged in from a network; beyond `NETWORKS` the one used least recently goes."""
    transaction.execute(
        "INSERT INTO networks (account, network, seen) VALUES (?, ?, ?)"
        f" ON CONFLICT (account, network) DO UPDATE SET seen = {dialect.greatest('networks.seen', 'excluded.seen')}",
        (account, network, when),
    )
    transaction.execute(
        "DELETE FROM networks WHERE account = ? AND network NOT IN"
        " (SELECT network FROM networks WHERE account = ? ORDER BY seen DESC, network LIMIT ?)",
        (account, account, NETWORKS),
    )


def has_network(connection: Connection, account: int, network: str) -> bool:
    """Whether an account has logged in from a network."""
    found = connection.execute("SELECT 1 FROM networks WHERE account = ? AND network = ?", (account, network))
    return found.fetchone() is not None


def note_token(transaction: Transaction, account: int, device: str, digest: bytes, when: int) -> None:
    """Note that a device has a token, which stays known when it has ended; beyond `TOKENS` the oldest goes."""
    transaction.execute(
        dialect.replace("known_tokens", ("digest",), ("account", "device", "created")),
        (digest, account, device, when),
    )
    transaction.execute(
        "DELETE FROM known_tokens WHERE account = ? AND digest NOT IN"
        " (SELECT digest FROM known_tokens WHERE account = ? ORDER BY created DESC, digest LIMIT ?)",
        (account, account, TOKENS),
    )


def has_had_token(connection: Connection, account: int, digest: bytes) -> bool:
    """Whether a token is, or was, one of an account."""
    found = connection.execute("SELECT 1 FROM known_tokens WHERE digest = ? AND account = ?", (digest, account))
    return found.fetchone() is not None


def forget_tokens(transaction: Transaction, account: int, device: str) -> None:
    """Know nothing more of the tokens of a device, which may be in other hands."""
    transaction.execute("DELETE FROM known_tokens WHERE account = ? AND device = ?", (account, device))
