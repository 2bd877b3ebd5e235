"""Invitation codes: each lets one account be made where that needs a code."""

from __future__ import annotations

from collections.abc import Sequence

from chat.protocol.errors import BadInvitation
from chat.server.interfaces import InvitationBatch
from chat.server.storage.connection import Connection
from chat.server.storage.transaction import Transaction


def add_invitations(transaction: Transaction, digests: Sequence[bytes], when: int, until: int, by: str) -> None:
    """See `chat.server.interfaces.IStore.add_invitations`."""
    transaction.execute("DELETE FROM invitation_codes WHERE until <= ?", (when,))
    transaction.execute("DELETE FROM invitation_batches WHERE until <= ?", (when,))
    (batch,) = transaction.execute(
        "INSERT INTO invitation_batches (made, until, by) VALUES (?, ?, ?) RETURNING batch", (when, until, by)
    ).fetchone()
    for digest in digests:
        transaction.execute(
            "INSERT INTO invitation_codes (digest, batch, until) VALUES (?, ?, ?)", (digest, batch, until)
        )


def has_invitation(connection: Connection, digest: bytes, when: int) -> bool:
    """Whether a code can still be used."""
    found = connection.execute("SELECT 1 FROM invitation_codes WHERE digest = ? AND until > ?", (digest, when))
    return found.fetchone() is not None


def use_invitation(transaction: Transaction, digest: bytes, when: int) -> None:
    """Use up a code.

    :raises BadInvitation: when it was used meanwhile, or has expired.
    """
    used = transaction.execute("DELETE FROM invitation_codes WHERE digest = ? AND until > ?", (digest, when))
    if not used.rowcount:
        raise BadInvitation()


def invitation_batches(connection: Connection, when: int) -> tuple[InvitationBatch, ...]:
    """The batches of which some codes can still be used, the oldest first."""
    found = connection.execute(
        "SELECT batch, count(*), made, invitation_batches.until, by FROM invitation_codes"
        " JOIN invitation_batches USING (batch) WHERE invitation_codes.until > ? GROUP BY batch ORDER BY batch",
        (when,),
    )
    return tuple(InvitationBatch(*row) for row in found)


def end_invitations(transaction: Transaction, batch: int) -> int:
    """See `chat.server.interfaces.IStore.end_invitations`."""
    return transaction.execute("DELETE FROM invitation_codes WHERE batch = ?", (batch,)).rowcount
