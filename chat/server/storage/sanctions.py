"""Bans and mutes on the whole server."""

from __future__ import annotations

from chat.protocol.values import Kind, Sanction
from chat.server.storage import dialect
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import Transaction


def impose(transaction: Transaction, sanction: Sanction) -> None:
    """Keep a sanction, in place of an earlier one of the same kind against the same account or network."""
    transaction.execute(
        dialect.replace("sanctions", ("kind", "account", "network"), ("until", "reason", "by", "created")),
        (
            sanction.kind.value,
            sanction.account,
            sanction.network,
            sanction.until,
            sanction.reason,
            sanction.by,
            sanction.created,
        ),
    )


def lift(transaction: Transaction, sanction: Sanction) -> None:
    """Forget a sanction."""
    transaction.execute(
        "DELETE FROM sanctions WHERE kind = ? AND account = ? AND network = ?",
        (sanction.kind.value, sanction.account, sanction.network),
    )


def all_sanctions(connection: Connection) -> tuple[Sanction, ...]:
    """Every sanction, the oldest first."""
    found = connection.execute(
        "SELECT kind, account, network, until, reason, by, created FROM sanctions ORDER BY created, account, network"
    )
    return tuple(Sanction(Kind(kind), *columns) for kind, *columns in found)
